"""`parity defects train` shows what a defect does to the training of a network."""

from __future__ import annotations

from pathlib import Path

import click

from parity._ground.codes import exit_code
from parity._ground.repository import import_stack
from parity.cli.numbers import AT_LEAST_ONE, RATE, SEED
from parity.cli.options import report_option
from parity.faults import CATALOGUE
from parity.proof.reconstruction import LOSSES
from parity.proof.reconstruction.training import Task, TrainingNotMade, training_effects
from parity.proof.reconstruction.training_table import draw_training, training_table
from parity.report.pictures import require_matplotlib
from parity.report.terminal import console

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("train")
@click.argument("names", nargs=-1, required=True, metavar="DEFECT...")
@click.option("--train-npz", required=True, type=_FILE, metavar="FILE", help="Train on this data set.")
@click.option("--test-npz", required=True, type=_FILE, metavar="FILE", help="Reconstruct this data set.")
@click.option("--architecture", default="cnn", show_default=True, help="Train a cnn, an fno or a hybrid.")
@click.option(
    "--loss",
    type=click.Choice(list(LOSSES)),
    help="Minimise this loss.  [default: mae for a defect of the mae, else nll]",
)
@click.option("--epochs", default=20, show_default=True, type=AT_LEAST_ONE, help="Train for this many epochs.")
@click.option("--batch-size", default=16, show_default=True, type=AT_LEAST_ONE, help="Take this many groups a step.")
@click.option(
    "--learning-rate",
    default=1e-3,
    show_default=True,
    type=RATE,
    help="Train at this learning rate.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=SEED,
    help="Draw the weights and the order of the groups from this seed.",
)
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
    if folder:
        require_matplotlib("reconstructions")
        folder.mkdir(parents=True, exist_ok=True)
    try:
        stack = import_stack("ptycho_torch.lightning_module")
    except ModuleNotFoundError as error:
        raise TrainingNotMade(f"{error.name} is missing: pip install 'ptycho-parity[train]'") from error
    config = stack.TrainingConfig(architecture, epochs, batch_size, learning_rate, seed=seed)
    effects = training_effects(defects, Task(train_npz, test_npz, config), loss or "")
    out = console()
    out.print(training_table(effects))
    for path in draw_training(folder, effects) if folder else ():
        out.print(f"training: {path}", soft_wrap=True)
    for effect in effects:
        if effect.fault:
            out.print(f"{effect.defect.full_name}: with it no network is trained: {effect.fault}", soft_wrap=True)
    without_any = [effect.defect.full_name for effect in effects if effect.is_none]
    for name in without_any:
        out.print(f"{name} changes nothing: no step passes through it, or these data do not show it", soft_wrap=True)
    return exit_code(unchecked=bool(without_any))
