"""Exposures of a scan in groups of neighbours: who belongs to whom, where they lie, and how bright they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.physics.oracle.bounded import Array
from parity.physics.oracle.operations import values
from parity.physics.oracle.patches import relative_positions
from parity.physics.oracle.scaling import normalize_amplitude


def neighbour_groups(scan: Array, gridsize: int, neighbours: int, seed: int) -> NDArray[np.int64]:
    """The group of each exposure of a scan (A, 2), (A, gridsize²): itself and others of its `neighbours` nearest.

    Nearest by the squared distance, as float64 has it, then by number; of more than a group needs, those whose numbers
    in the stream of PCG64 are least. Sorted by y into rows of the grid, and within one by x. Exact.
    """
    positions = values(scan).astype(np.float64)
    blocks = np.split(np.arange(len(positions)), range(_AT_ONCE, len(positions), _AT_ONCE))
    nearest = np.concatenate([_nearest(positions, numbers)[:, :neighbours] for numbers in blocks])
    if neighbours > gridsize**2:
        draws = np.random.PCG64(seed).random_raw(len(nearest) * (neighbours - 1)).reshape(len(nearest), -1)
        nearest = np.array(
            [[line[0], *line[1:][draw.argsort()][: gridsize**2 - 1]] for line, draw in zip(nearest, draws, strict=True)]
        )
    return np.array([_laid_out(group, positions, gridsize) for group in nearest])


_AT_ONCE = 256
"""Exposures whose distances from all others are in memory together."""


def _nearest(positions: NDArray[np.float64], of: NDArray[np.int64]) -> NDArray[np.int64]:
    """All exposures by their distance from each of some, itself first."""
    numbers = np.arange(len(positions))
    across, down = np.moveaxis(positions[None] - positions[of, None], -1, 0)
    others = numbers[None] != of[:, None]
    ties = np.broadcast_to(numbers, others.shape)
    return np.lexsort((ties, across**2 + down**2, others), axis=-1)


def _laid_out(group: NDArray[np.int64], positions: NDArray[np.float64], gridsize: int) -> list[int]:
    """The members of a group, row by row of its grid."""
    down = sorted(group.tolist(), key=lambda number: (positions[number, 1], positions[number, 0], number))
    rows = (down[first : first + gridsize] for first in range(0, len(down), gridsize))
    return [
        n for row in rows for n in sorted(row, key=lambda number: (positions[number, 0], positions[number, 1], number))
    ]


def group_positions(scan: Array, gridsize: int, neighbours: int, seed: int) -> Any:
    """`relative_positions` of each group, (A, gridsize², 2) pixels, of a scan (A, 2)."""
    return relative_positions(scan[neighbour_groups(scan, gridsize, neighbours, seed)])


def group_amplitudes(diffraction: Array, scan: Array, gridsize: int, neighbours: int, seed: int) -> Any:
    """The exposures (A, H, W), normalised as one data set, by groups: (A, gridsize², H, W)."""
    normalized = normalize_amplitude(diffraction[None])[0]
    return normalized[neighbour_groups(scan, gridsize, neighbours, seed)]
