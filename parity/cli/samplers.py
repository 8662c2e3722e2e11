"""`parity samplers` judges the samplers of photon counts."""

from __future__ import annotations

import click

from parity._ground.codes import exit_code
from parity.cli.options import engage
from parity.report.terminal import console


@click.command("samplers")
def samplers_command() -> int:
    """Judge the Poisson samplers, which draw photon counts.

    The command compares the samplers of both stacks and of the simulation with the Poisson distribution.
    """
    # Imported here: scipy.stats takes longer to start than all the rest, and every other command does without.
    from parity.judging.samplers import judge_samplers, simulation_sampler, stack_samplers
    from parity.report.samplers import sampler_table

    judgement = judge_samplers((*stack_samplers(engage(())), simulation_sampler()))
    console().print(sampler_table(judgement))
    return exit_code(wrong=not judgement.agrees)
