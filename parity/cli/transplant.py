"""`parity transplant` copies the weights of a network between the stacks."""

from __future__ import annotations

from pathlib import Path

import click

from parity._ground.codes import AGREE
from parity._ground.environment import prepare_environment
from parity._ground.errors import UsageError
from parity.physics.weights import Weights, WeightsError, size_and_gridsize
from parity.report.terminal import console
from parity.stacks.transplant import read_weights, write_weights
from parity.stacks.worker import silenced


@click.command("transplant")
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite TARGET if it exists.")
def transplant_command(source: Path, target: Path, force: bool) -> int:
    """Copy the weights of a network to the other stack.

    The command writes the weights in SOURCE to TARGET, bit for bit. The end of a file's name says what the file holds:
    .weights.h5 and .keras hold weights of TensorFlow, .pt and .pth weights of PyTorch, and .npz plain arrays. A .ckpt
    file of a training of the cnn can be a SOURCE.
    """
    if not force and (target.exists() or target.is_symlink()):
        raise UsageError(f"{target}: expected a file that does not exist, got one that does; --force overwrites it")
    prepare_environment()
    console().print(f"{_described(_moved(source, target))}: {source} → {target}", markup=False, soft_wrap=True)
    return AGREE


def _moved(source: Path, target: Path) -> Weights:
    """The weights, once they are written. Raises WeightsError and OSError as `read_weights` and `write_weights` do."""
    with silenced():
        try:
            weights = read_weights(source)
            write_weights(target, weights)
            return weights
        except (WeightsError, OSError) as error:
            # Its message says all there is to say; what TensorFlow printed when it started would only hide it.
            refused = error
    raise refused


def _described(weights: Weights) -> str:
    """How many numbers, and of which network."""
    parameters = sum(array.size for array in weights.values())
    size, gridsize = size_and_gridsize(weights)
    dtype = weights["encoder_0_first_kernel"].dtype
    return f"{parameters:,} parameters in {dtype}, size {size}, gridsize {gridsize}"
