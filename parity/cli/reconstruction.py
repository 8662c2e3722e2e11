"""`parity defects reconstruct` shows what a defect does to a reconstruction."""

from __future__ import annotations

import math
from pathlib import Path

import click
from rich.text import Text

from parity._ground.codes import exit_code
from parity.cli.numbers import AT_LEAST_ONE, PHOTONS, SEED
from parity.cli.options import device_option, report_option
from parity.cli.progress import progress
from parity.faults import CATALOGUE
from parity.proof.reconstruction import LOG10_PHOTONS, LOSSES, STEPS, effect, expose
from parity.proof.reconstruction.table import draw_effects, effect_table
from parity.report.pictures import require_matplotlib
from parity.report.terminal import console
from parity.stacks import STACKS, load
from parity.stacks.base import StackError


@click.command("reconstruct")
@click.argument("names", nargs=-1, required=True, metavar="DEFECT...")
@click.option(
    "--stack", default="torch", show_default=True, type=click.Choice(STACKS), help="Make the defect in this stack."
)
@click.option(
    "--loss",
    type=click.Choice(list(LOSSES)),
    help="Minimise this loss.  [default: mae for a defect of the mae, else nll]",
)
@click.option("--steps", default=STEPS, show_default=True, type=AT_LEAST_ONE, help="Take this many steps.")
@click.option(
    "--photons",
    default=10**LOG10_PHOTONS,
    show_default=True,
    type=PHOTONS,
    help="Expose the mean pattern to this many photons.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=SEED,
    help="Draw the object, the probe and the noise from this seed.",
)
@device_option
@report_option("Draw losses, errors and objects into this folder.")
def reconstruct_command(
    names: tuple[str, ...],
    stack: str,
    loss: str | None,
    steps: int,
    photons: float,
    seed: int,
    device: str,
    folder: Path | None,
) -> int:
    """Show what a defect does to a reconstruction.

    The command reconstructs an object twice, without the defect and with it. Adam moves the object along the gradient
    of the training objective, in float32, from simulated exposures of overlapping patches. The oracle says how wrong
    the object is; no defect reaches the oracle.

    The exit code is 3 if a defect changes nothing, because you have then seen nothing of it.
    """
    defects = CATALOGUE.select(names)
    if folder:
        require_matplotlib("reconstructions")
        folder.mkdir(parents=True, exist_ok=True)
    (framework,) = load((stack,), device=device)
    exposures = expose(seed, log10_photons=math.log10(photons))
    out = console()
    out.print(Text(framework.description, "dim"))
    try:
        with progress("reconstructing", 2 * steps * len(defects)) as advance:
            effects = [effect(defect, framework, loss or "", steps, exposures, advance) for defect in defects]
    except StackError as error:
        click.echo(f"parity: {stack} {error}", err=True)
        return exit_code(wrong=True)
    out.print(effect_table(effects))
    for path in draw_effects(folder, effects) if folder else ():
        out.print(f"reconstruction: {path}", soft_wrap=True)
    without_any = [one.defect.full_name for one in effects if one.is_none]
    for name in without_any:
        out.print(
            f"{name} changes nothing: no step passes through it, or these exposures do not show it", soft_wrap=True
        )
    return exit_code(unchecked=bool(without_any))
