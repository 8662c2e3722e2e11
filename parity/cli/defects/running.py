"""`parity defects run` makes one defect, and shows the message that it causes."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from parity._ground.codes import exit_code
from parity.cli.options import engage, examples_option, not_default, under_circumstances
from parity.contracts.cases.case import parse_precisions
from parity.contracts.cases.datasets import read_dataset
from parity.contracts.declared import REGISTRY
from parity.faults import KNOWN
from parity.faults.made import MADE
from parity.judging.run import Plan, run_one
from parity.judging.verdict import Outcome
from parity.proof.score.message import consequence, made
from parity.report.gathering import gather
from parity.report.terminal import console


@click.command("run")
@click.argument("name", metavar="DEFECT")
@examples_option
@click.option("--case", metavar="STRATUM/SEED", help="Run this case alone, such as odd/17.")
@under_circumstances
def run_command(
    name: str,
    examples: int,
    case: str | None,
    data: Path | None,
    precision: str,
    mode: str | None,
    device: str,
    stacks: tuple[str, ...],
    in_process: bool,
) -> int:
    """Make one defect, and show the message that it causes.

    The command makes the defect in each stack in turn, or in the stack that you name with --stack, and runs the
    contract of the defect.

    The exit code is 0 if the defect is caught, and 1 if nothing noticed it or another stack was blamed.
    """
    defect = KNOWN[name]
    contract = REGISTRY[defect.target]
    plan = Plan((contract,), examples, parse_precisions(precision), case, read_dataset(data) if data else None)
    plan.check()
    frameworks = engage((), mode, device, in_process=in_process)
    options = [word for word in not_default(click.get_current_context()) if word not in ("--stack", *stacks)]
    out, caught = console(), []
    out.print(Text(" · ".join(f.description for f in frameworks), "dim"))
    for stack in stacks or defect.stacks:
        (changed,) = (framework for framework in frameworks if framework.name == stack)
        with changed.within(MADE, defect.full_name, stack):
            result = run_one(plan, frameworks)
            held = gather(result, contract, frameworks, plan.dataset, options, in_depth=False)
        verdict = result.verdict
        out.print()
        out.print(made(defect, stack), style="bold", markup=False, highlight=False, soft_wrap=True)
        out.print(consequence(defect, stack, held, options), markup=False, highlight=False, soft_wrap=True)
        caught.append(verdict.outcome is Outcome.DISAGREE and verdict.sides == (stack,))
    return exit_code(wrong=not all(caught))
