"""`parity defects reconstruct` and `train` show what a defect does to a reconstruction, and to a network's training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import click
from rich.text import Text

from parity._ground.codes import exit_code
from parity._ground.repository import import_stack
from parity.cli.numbers import PHOTONS, RATE, SEED
from parity.cli.options import device_option, number_option, report_option
from parity.cli.progress import progress
from parity.faults import CATALOGUE
from parity.proof.reconstruction import LOG10_PHOTONS, LOSSES, STEPS, Effect, effect, expose
from parity.proof.reconstruction.table import draw_effects, draw_training, effect_table, training_table
from parity.proof.reconstruction.training import Task, TrainingEffect, require_lightning, training_effects
from parity.report.pictures import require_matplotlib
from parity.report.terminal import console
from parity.stacks import STACKS, load
from parity.stacks.base import StackError

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


_names = click.argument("names", nargs=-1, required=True, metavar="DEFECT...")
_loss = click.option(
    "--loss",
    type=click.Choice(list(LOSSES)),
    help="Minimise this loss.  [default: mae for a defect of the mae, else nll]",
)


@click.command("reconstruct")
@_names
@click.option(
    "--stack", default="torch", show_default=True, type=click.Choice(STACKS), help="Make the defect in this stack."
)
@_loss
@number_option("--steps", STEPS, "Take this many steps.")
@click.option(
    "--photons",
    default=10**LOG10_PHOTONS,
    show_default=True,
    type=PHOTONS,
    help="Expose the mean pattern to this many photons.",
)
@number_option("--seed", 0, "Draw the object, the probe and the noise from this seed.", SEED)
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
    _make(folder)
    (framework,) = load((stack,), device=device)
    exposures = expose(seed, log10_photons=math.log10(photons))
    console().print(Text(framework.description, "dim"))
    try:
        with progress("reconstructing", 2 * steps * len(defects)) as advance:
            effects = [effect(defect, framework, loss or "", steps, exposures, advance) for defect in defects]
    except StackError as error:
        click.echo(f"parity: {stack} {error}", err=True)
        return exit_code(wrong=True)
    console().print(effect_table(effects))
    for path in draw_effects(folder, effects) if folder else ():
        console().print(f"reconstruction: {path}", soft_wrap=True)
    return _seen(effects, "these exposures do not show it")


@click.command("train")
@_names
@click.option("--train-npz", required=True, type=_FILE, metavar="FILE", help="Train on this data set.")
@click.option("--test-npz", required=True, type=_FILE, metavar="FILE", help="Reconstruct this data set.")
@click.option("--architecture", default="cnn", show_default=True, help="Train a cnn, an fno or a hybrid.")
@_loss
@number_option("--epochs", 20, "Train for this many epochs.")
@number_option("--batch-size", 16, "Take this many groups a step.")
@click.option(
    "--learning-rate",
    default=1e-3,
    show_default=True,
    type=RATE,
    help="Train at this learning rate.",
)
@number_option("--seed", 0, "Draw the weights and the order of the groups from this seed.", SEED)
@report_option("Draw losses and objects into this folder.")
def train_command(
    names: tuple[str, ...],
    train_npz: Path,
    test_npz: Path,
    architecture: str,
    loss: str | None,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    folder: Path | None,
) -> int:
    """Show what a defect does to the training of a network.

    The command trains a network twice from the same seed, without the defect and with it, as
    python -m ptycho_torch.grid_lines_torch_runner does on the CPU. It makes the defect in the PyTorch stack while the
    network trains, and judges the reconstructions without the defect.

    The exit code is 3 if a defect changes nothing, because you have then seen nothing of it.
    """
    defects = CATALOGUE.select(names)
    _make(folder)
    require_lightning()
    config = import_stack("ptycho_torch.lightning_module").TrainingConfig(
        architecture, epochs, batch_size, learning_rate, seed=seed
    )
    effects = training_effects(defects, Task(train_npz, test_npz, config), loss or "")
    console().print(training_table(effects))
    for path in draw_training(folder, effects) if folder else ():
        console().print(f"training: {path}", soft_wrap=True)
    for one in effects:
        if one.fault:
            console().print(f"{one.defect.full_name}: with it no network is trained: {one.fault}", soft_wrap=True)
    return _seen(effects, "these data do not show it")


def _make(folder: Path | None) -> None:
    """Make the folder that pictures are asked into, before anything slow begins."""
    if folder:
        require_matplotlib("reconstructions")
        folder.mkdir(parents=True, exist_ok=True)


def _seen(effects: Sequence[Effect | TrainingEffect], unseen: str) -> int:
    """Say which defects changed nothing; the exit code."""
    without_any = [one.defect.full_name for one in effects if one.is_none]
    for name in without_any:
        console().print(f"{name} changes nothing: no step passes through it, or {unseen}", soft_wrap=True)
    return exit_code(unchecked=bool(without_any))
