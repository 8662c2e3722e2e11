"""Which exposures of a scan form a group: neighbours, in an order that does not depend on who asks.

NumPy and SciPy alone. Distances are compared in double precision, and equal ones by the number of the exposure, so that
a regular grid has one answer. The choice among neighbours is drawn from a bit generator's own stream, which NumPy keeps
for good. What is done with the groups is in each stack's `dataloader`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Indices = NDArray[np.int64]

_SLACK = 1e-9
"""Of a radius: what lies as far as the last neighbour must not be lost to the rounding of a root."""


def nearest_groups(scan: NDArray[Any], gridsize: int, neighbours: int, seed: int) -> Indices:
    """The group of every exposure of a scan: itself and gridsize^2 - 1 of its nearest neighbours.

    The `neighbours` nearest, itself among them, are those of the smallest squared distance and, of equally distant
    ones, of the smallest number. Where that is more than a group, the seed chooses. A group is laid out as its grid:
    by y into rows, by x within a row.

    Args:
        scan: (n, 2), pixels, [x, y].
        gridsize: patches a side of a group.
        neighbours: to choose from, from gridsize^2 to n.
        seed: of the choice; without effect where there is none.

    Returns:
        (n, gridsize^2) numbers of exposures.

    Raises:
        ValueError: the scan is not (n, 2) or not finite, or a number is out of its range.
    """
    scan = np.asarray(scan, np.float64)
    size = gridsize**2
    _check(scan, gridsize, neighbours, seed)
    nearest = _nearest(scan, neighbours)
    if neighbours > size:
        keys = np.random.PCG64(seed).random_raw(nearest[:, 1:].size).reshape(len(nearest), -1)
        chosen = np.argsort(keys, axis=1, kind="stable")[:, : size - 1]
        nearest = np.concatenate([nearest[:, :1], np.take_along_axis(nearest[:, 1:], chosen, axis=1)], axis=1)
    return _as_grids(nearest, scan, gridsize)


def order_of_groups(count: int, seed: int, epoch: int) -> Indices:
    """The numbers 0 … count - 1 in the order of one epoch, another in each.

    Raises:
        ValueError: the seed or the epoch is negative.
    """
    for name, value in (("seed", seed), ("epoch", epoch)):
        if value < 0:
            raise ValueError(f"{name}: expected a number of at least 0, got {value}")
    keys = np.random.PCG64([seed, epoch]).random_raw(count)
    return np.argsort(keys, kind="stable").astype(np.int64)


def _check(scan: NDArray[np.float64], gridsize: int, neighbours: int, seed: int) -> None:
    if scan.ndim != 2 or scan.shape[1] != 2:
        raise ValueError(f"scan: expected axes (n, 2), got shape {scan.shape}")
    if not np.isfinite(scan).all():
        number = int(np.flatnonzero(~np.isfinite(scan).all(axis=1))[0])
        raise ValueError(f"scan: expected finite pixels, got {scan[number].tolist()} of exposure {number}")
    if gridsize < 1:
        raise ValueError(f"gridsize: expected a positive number, got {gridsize}")
    if not gridsize**2 <= neighbours <= len(scan):
        expected = f"from gridsize² = {gridsize**2} to the {len(scan)} exposures of the scan"
        raise ValueError(f"neighbours: expected {expected}, got {neighbours}")
    if seed < 0:
        raise ValueError(f"seed: expected a number of at least 0, got {seed}")


def _nearest(scan: NDArray[np.float64], count: int) -> Indices:
    """(n, count): each exposure itself, then its neighbours from near to far."""
    if count == 1:
        return np.arange(len(scan))[:, None]
    tree = cKDTree(scan)
    radius = tree.query(scan, k=[count])[0][:, 0]
    within = tree.query_ball_point(scan, radius * (1 + _SLACK))
    lengths = np.array([len(members) for members in within])
    owner, member = np.repeat(np.arange(len(scan)), lengths), np.concatenate(within).astype(np.int64)
    x, y = (scan[member] - scan[owner]).T
    order = np.lexsort((member, x * x + y * y, member != owner, owner))
    first = np.cumsum(lengths) - lengths
    nearest: Indices = member[order][first[:, None] + np.arange(count)]
    return nearest


def _as_grids(groups: Indices, scan: NDArray[np.float64], gridsize: int) -> Indices:
    x, y = scan[groups].transpose(2, 0, 1)
    down = np.lexsort((groups, x, y), axis=-1)
    rows = np.take_along_axis(groups, down, axis=1).reshape(len(groups), gridsize, gridsize)
    x, y = scan[rows].transpose(3, 0, 1, 2)
    across = np.lexsort((rows, y, x), axis=-1)
    return np.take_along_axis(rows, across, axis=2).reshape(groups.shape)
