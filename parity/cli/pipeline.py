"""`parity pipeline`: one data set through both loaders and both stacks' whole pipelines."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from parity._codes import exit_code
from parity.cli.options import command_line, precision_option
from parity.cli.progress import progress
from parity.contracts.cases.case import parse_precisions
from parity.judging.verdict import UNJUDGED, Outcome
from parity.report.terminal import console
from parity.runs.pipeline.holding import PipelineQuestion, hold
from parity.runs.pipeline.table import conclusion, messages, open_lines, pipeline_table, subject
from parity.stacks import load


@click.command("pipeline")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--gridsize", type=click.IntRange(min=1), help="Exposures a side of a group; by default that of the file."
)
@click.option("--groups", default=4, show_default=True, type=click.IntRange(min=1), help="So many of the groups.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Of the groups and the weights.")
@click.option("--weights", type=click.Path(path_type=Path), help="Weights of the autoencoder, of either framework.")
@precision_option
def pipeline_command(
    path: Path, gridsize: int | None, groups: int, seed: int, weights: Path | None, precision: str
) -> int:
    """Take the data set in FILE from the loader to the gradient, in both stacks and the oracle, and judge every step.

    Each stack goes on from what its own PtychoDataset gave: load, group, normalise, predict with the weights of one
    autoencoder in both, loss, gradients of probe, scale and weights. The oracle reads the file itself.
    """
    precisions = parse_precisions(precision)
    frameworks = load()
    out = console()
    out.print(Text(" · ".join(framework.description for framework in frameworks), "dim"))
    with progress("reading, predicting and judging", len(precisions)) as advance:
        answer = hold(PipelineQuestion(path, gridsize, groups, seed, weights), frameworks, precisions, advance)
    out.print(subject(answer), markup=False, highlight=False, soft_wrap=True)
    out.print(pipeline_table(answer))
    for message in messages(answer, command_line(click.get_current_context())):
        out.print()
        out.print(message, markup=False, highlight=False, soft_wrap=True)
    out.print()
    for line in open_lines(answer):
        out.print(Text(line, "yellow"), soft_wrap=True)
    out.print(conclusion(answer), markup=False, highlight=False, soft_wrap=True)
    outcomes = {held.verdict.outcome for held in answer.steps}
    return exit_code(wrong=Outcome.DISAGREE in outcomes, unchecked=bool(outcomes & UNJUDGED))
