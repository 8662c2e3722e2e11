"""`parity pipeline` takes one data set through both loaders and both stacks' whole pipelines."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from parity._ground.codes import exit_code
from parity.cli.numbers import AT_LEAST_ONE, SEED
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
    "--gridsize", type=click.IntRange(1, 64), help="Group this many exposures a side.  [default: as the file says]"
)
@click.option("--groups", default=4, show_default=True, type=AT_LEAST_ONE, help="Take this many groups.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=SEED,
    help="Draw the groups and the weights from this seed.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Read the weights of the autoencoder from this file, of either stack.",
)
@precision_option
def pipeline_command(
    path: Path, gridsize: int | None, groups: int, seed: int, weights: Path | None, precision: str
) -> int:
    """Take a data set from the loaders to the gradients.

    FILE is an .npz file. Both stacks load it, group and normalise the exposures, predict amplitudes with the weights of
    one autoencoder, and compute the loss and the gradients of the probe, the scale and the weights. Each stack goes on
    from the results of its own loader. The oracle reads the file itself and judges every step.
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
