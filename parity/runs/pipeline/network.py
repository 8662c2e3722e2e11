"""The weights of the autoencoder in a pipeline: drawn by one stack or read from a file, and moved into both."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity._ground.errors import CheckNotMade, UsageError
from parity._ground.repository import import_stack
from parity.physics.precision import Precision
from parity.physics.weights import Weights, size_and_gridsize
from parity.stacks.base import Framework, stack_at_work
from parity.stacks.transplant import from_tensorflow, from_torch, read_weights, to_tensorflow, to_torch

_MOVES: Mapping[str, tuple[Callable[[Weights], Any], Callable[[Any], dict[str, NDArray[Any]]]]] = {
    "torch": (to_torch, from_torch),
    "tensorflow": (to_tensorflow, from_tensorflow),
}
"""By framework: into a network, and out of it."""


def network_size(frame: tuple[int, int]) -> int:
    """Pixels a side of a pattern that the network takes. Raises CheckNotMade for another frame."""
    rows, columns = frame
    if rows != columns or rows < 16 or rows & (rows - 1):
        raise CheckNotMade(
            f"diffraction: expected square patterns whose side is a power of two from 16 on, as the network takes, "
            f"got {rows} × {columns}"
        )
    return rows


def seeded(size: int, gridsize: int, seed: int) -> Weights:
    """Those that `ptycho_torch` draws from a seed for patterns of `size` pixels a side, in groups of gridsize², with
    kernels √2 times as large.

    Features then pass the rectifiers undamped (He et al., ICCV 2015), and patches have contrast. All but constant ones
    behind a symmetric probe leave lines of the detector dark, where ∂NLL/∂Â has no limit, and gradients open.
    """
    configured = import_stack("ptycho_torch.networks").CNNConfig(size, gridsize)
    drawn = from_torch(import_stack("ptycho_torch.autoencoder").Autoencoder(configured, seed))
    return {name: array * math.sqrt(2) if name.endswith("_kernel") else array for name, array in drawn.items()}


def weights_in(path: Path, size: int, gridsize: int) -> Weights:
    """Those in a file of either framework.

    Raises WeightsError as `read_weights`, UsageError where they are for other patterns or groups.
    """
    weights = read_weights(path)
    found = size_and_gridsize(weights)
    if found != (size, gridsize):
        raise UsageError(
            f"{path}: expected weights for patterns of {size} × {size} and gridsize {gridsize}, as the data set has, "
            f"got those for {found[0]} × {found[0]} and gridsize {found[1]}"
        )
    return weights


def moved(weights: Weights, framework: Framework, precision: Precision) -> dict[str, NDArray[Any]]:
    """The weights as a stack's own network has them, in one precision. Raises StackError as the stack raises."""
    into, out_of = _MOVES[framework.stack.framework]
    with stack_at_work():
        return out_of(into({name: precision.round(array) for name, array in weights.items()}))


def as_vector(weights: Weights) -> NDArray[Any]:
    """All parameters in a row, (N,)."""
    return np.concatenate([np.ravel(array) for array in weights.values()])
