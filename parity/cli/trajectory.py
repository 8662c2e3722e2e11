"""`parity trajectory` trains both stacks, and measures how far they drift apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.text import Text

from parity._ground.codes import exit_code
from parity.cli.numbers import AT_LEAST_ONE
from parity.cli.options import device_option, engage, precision_option, report_option
from parity.cli.progress import progress
from parity.contracts.cases.case import parse_precisions
from parity.judging.trajectory import MEMBERS, OPTIMIZERS, STEPS, Separation, separation
from parity.physics.precision import Precision
from parity.report.pictures import require_matplotlib
from parity.report.terminal import console
from parity.report.trajectory import draw_separations, separation_table
from parity.stacks.base import Framework, StackError


@click.command("trajectory")
@click.option(
    "--optimizer",
    default="adam",
    show_default=True,
    type=click.Choice(list(OPTIMIZERS)),
    help="Train with this optimizer.",
)
@click.option("--steps", default=STEPS, show_default=True, type=AT_LEAST_ONE, help="Take this many steps.")
@precision_option
@device_option
@report_option("Draw losses and distances into this folder.")
def trajectory_command(optimizer: str, steps: int, precision: str, device: str, folder: Path | None) -> int:
    """Train both stacks, and measure how far they drift apart.

    Both start from the same weights. They may drift apart as far as either stack drifts when its own weights are moved
    by one unit in the last place. If a stack raises an error, the stacks disagree.
    """
    precisions = parse_precisions(precision)
    if folder:
        require_matplotlib("trajectories")
        folder.mkdir(parents=True, exist_ok=True)
    frameworks = engage((), device=device)
    out = console()
    out.print(Text(" · ".join(f.description for f in frameworks), "dim"))
    try:
        separations = _separations_with_progress(frameworks, precisions, optimizer, steps)
    except StackError as error:
        click.echo(f"parity: a stack {error}", err=True)
        return exit_code(wrong=True)
    out.print(separation_table(separations))
    for path in draw_separations(folder, separations) if folder else ():
        out.print(f"trajectory: {path}", soft_wrap=True)
    return exit_code(wrong=not all(found.agrees for found in separations))


def _separations_with_progress(
    frameworks: Sequence[Framework], precisions: Sequence[Precision], optimizer: str, steps: int
) -> list[Separation]:
    total = len(precisions) * len(frameworks) * MEMBERS * steps
    with progress("training", total) as advance:
        return [separation(frameworks, precision, optimizer, steps, advance=advance) for precision in precisions]
