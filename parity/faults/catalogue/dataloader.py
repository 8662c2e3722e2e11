"""Faults in who belongs to a group of exposures, where its middle is, and how bright it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.changes import Arguments, Change, given, giving, replaced, returning
from parity.contracts.fault import Fault
from parity.contracts.namespace import GROUP, PLANE, Namespace, Tensor
from parity.faults.catalogue.scaling import squared_too_soon, widened
from parity.faults.catalogue.wiring import own, some, within
from parity.faults.generated import Generated

Real = NDArray[np.float64]
Indices = NDArray[np.int64]

_GROUPS = "dataloader.neighbour_groups"
_GROUPING = ("scan", "gridsize", "neighbours", "seed")
_A_GRID = "groups of more than one"
_A_CHOICE = "more neighbours than a group needs"


def _squared(across: Real, down: Real) -> Real:
    return across**2 + down**2


def _ranked(
    scan: Real, distance: Callable[[Real, Real], Real] = _squared, last_wins: bool = False, itself: bool = True
) -> Indices:
    """(A, A): all exposures by another distance from each, equal ones by number; the exposure itself first, or last."""
    scan = scan.astype(np.float64)
    across, down = np.moveaxis(scan[None] - scan[:, None], -1, 0)
    numbers = np.broadcast_to(np.arange(len(scan)), across.shape)
    others = numbers != numbers.T
    return np.lexsort((-numbers if last_wins else numbers, distance(across, down), others if itself else ~others))


def _laid_out(groups: Indices, scan: Real, gridsize: int) -> Indices:
    """By y into the rows of a grid, and within one by x."""
    x, y = np.moveaxis(scan[groups], -1, 0)
    rows = np.take_along_axis(groups, np.lexsort((groups, x, y)), 1).reshape(-1, gridsize)
    x, y = np.moveaxis(scan[rows], -1, 0)
    return np.take_along_axis(rows, np.lexsort((rows, y, x)), 1).reshape(groups.shape)


def _grouped(formula: Callable[[Real, int, int, int], Indices]) -> Change:
    """The groups are those of another formula, on NumPy's arrays."""

    def groups(xp: Namespace, a: Arguments) -> Tensor:
        found = xp.by_numpy(formula, a.scan, a.gridsize, a.neighbours, a.seed)
        return xp.reshape(found, (xp.shape(a.scan)[0], a.gridsize * a.gridsize))

    return replaced(groups)


def _of_the_nearest(**by: Any) -> Change:
    """The nearest `by` another order than is right, chosen among and laid out as they should be."""

    def groups(scan: Real, gridsize: int, neighbours: int, seed: int) -> Indices:
        nearest = _ranked(scan, **by)[:, :neighbours]
        if neighbours > gridsize**2:
            draws = np.random.PCG64(int(seed)).random_raw(nearest[:, 1:].size).reshape(len(nearest), -1)
            chosen = np.take_along_axis(nearest[:, 1:], draws.argsort(axis=1)[:, : gridsize**2 - 1], 1)
            nearest = np.concatenate([nearest[:, :1], chosen], 1)
        return _laid_out(nearest, scan, gridsize)

    return _grouped(groups)


def _column_by_column(xp: Namespace, groups: Tensor, a: Arguments) -> Tensor:
    count, size = xp.shape(groups)
    grid = xp.reshape(groups, (count, a.gridsize, a.gridsize))
    return xp.reshape(xp.swapped(grid, 1, 2), (count, size))


def _scan_of_groups(xp: Namespace, a: Arguments) -> Tensor:
    """(A, C, 2): where the exposures of each group lie in the scan."""
    groups = own(xp, _GROUPS)(**some(a, *_GROUPING))
    count, size = xp.shape(groups)
    return xp.reshape(xp.take(a.scan, xp.reshape(groups, (count * size,)), 0), (count, size, 2))


def _about(middle: Callable[[Namespace, Arguments], Tensor]) -> Change:
    """Positions are taken from another middle than that of their group."""
    return replaced(lambda xp, a: middle(xp, a) - _scan_of_groups(xp, a))


def _mean_added(xp: Namespace, a: Arguments) -> Tensor:
    grouped = _scan_of_groups(xp, a)
    return xp.mean(grouped, 1, keepdims=True) + grouped


def _each_its_own(axes: tuple[int, ...] | None) -> Change:
    """What lies along some axes of (B, C, H, W) has a scale of its own."""
    return returning(lambda xp, x, a: x / (2 * xp.sqrt(xp.mean(xp.square(x), axes, True))))


_CHOICE = (
    Fault(_GROUPS, "next-seed", "the seed is one ahead", given(seed=lambda xp, seed: seed + 1), shows=_A_CHOICE),
    Fault(
        _GROUPS,
        "no-choice",
        "the nearest are taken without a choice",
        giving(lambda xp, a: {"neighbours": a.gridsize * a.gridsize}),
        shows=_A_CHOICE,
    ),
)
"""Of who is chosen into a group."""

_COLUMN_BY_COLUMN = Fault(
    _GROUPS,
    "column-by-column",
    "the grid is column by column (c = column·gridsize + row)",
    returning(_column_by_column),
    shows=_A_GRID,
)

_NEAR_TO_FAR = Fault(
    _GROUPS,
    "near-to-far",
    "members come in the order of their distance",
    _grouped(lambda scan, gridsize, neighbours, seed: _ranked(scan)[:, : gridsize**2]),
    shows=_A_GRID,
)

GROUPING: tuple[Fault | Generated, ...] = (
    *_CHOICE,
    _COLUMN_BY_COLUMN,
    _NEAR_TO_FAR,
    Fault(
        _GROUPS,
        "last-of-equals",
        "of equally distant neighbours the last is taken",
        _of_the_nearest(last_wins=True),
        shows="exposures on a grid",
    ),
    Fault(
        _GROUPS,
        "without-itself",
        "an exposure is not of its own group",
        _of_the_nearest(itself=False),
    ),
    Fault(
        _GROUPS,
        "city-blocks",
        "distances are |x| + |y|",
        _of_the_nearest(distance=lambda x, y: np.abs(x) + np.abs(y)),
        shows=_A_GRID,
    ),
    Fault(
        _GROUPS, "along-x", "distances are along x alone", _of_the_nearest(distance=lambda x, y: x**2), shows=_A_GRID
    ),
    Fault(
        _GROUPS,
        "exchanged",
        "x and y of the scan are exchanged",
        given(scan=lambda xp, scan: xp.flip(scan, -1)),
        shows=_A_GRID,
    ),
    Fault(_GROUPS, "from-one", "exposures are counted from 1", returning(lambda xp, groups, a: groups + 1)),
    Generated(_GROUPS, "scan-float16", called="float16", shows="exposures beside the grid"),
)
"""Of the groups."""

PLACES: tuple[Fault | Generated, ...] = (
    *within("dataloader.group_positions", _CHOICE),
    Fault("dataloader.group_positions", "added-mean", "the mean is added, not taken away", replaced(_mean_added)),
    Fault(
        "dataloader.group_positions",
        "mean-of-the-scan",
        "the mean is that of the whole scan",
        _about(lambda xp, a: xp.mean(a.scan, 0, keepdims=True)),
        shows="two groups or more",
    ),
    Fault(
        "dataloader.group_positions",
        "about-the-exposure",
        "the exposure that a group is of stands for the mean",
        _about(lambda xp, a: a.scan[:, None]),
        shows=_A_GRID,
    ),
    Fault(
        "dataloader.group_positions",
        "exchanged",
        "x and y are exchanged",
        returning(lambda xp, r, a: xp.flip(r, -1)),
        shows=_A_GRID,
    ),
    *within("dataloader.group_positions", [_NEAR_TO_FAR]),
)
"""Of where the exposures of a group lie."""

BRIGHTNESS: tuple[Fault | Generated, ...] = (
    *within("dataloader.group_amplitudes", _CHOICE),
    squared_too_soon("dataloader.group_amplitudes", "diffraction", at="scaling.count_photons"),
    Fault(
        "dataloader.group_amplitudes",
        "whole-frame",
        "HW stands for HW/4",
        returning(lambda xp, x, a: 2 * x),
        diagnosis=("HW stands for HW/4", "the result is off by a constant factor"),
    ),
    Fault(
        "dataloader.group_amplitudes",
        "not-normalised",
        "nothing is normalised",
        replaced(lambda xp, a: widened(xp, a.amplitude)),
        at="scaling.normalize_amplitude",
    ),
    Fault(
        "dataloader.group_amplitudes",
        "counted-often",
        "exposures count as often as they are in groups",
        _each_its_own(None),
        shows=_A_GRID,
    ),
    Fault(
        "dataloader.group_amplitudes",
        "group-by-group",
        "each group has a scale of its own",
        _each_its_own(GROUP),
        shows="groups of unequal energy",
    ),
    Fault(
        "dataloader.group_amplitudes",
        "image-by-image",
        "each image has a scale of its own",
        _each_its_own(PLANE),
        shows="exposures of unequal energy",
    ),
    *within("dataloader.group_amplitudes", [_NEAR_TO_FAR]),
    replace(_COLUMN_BY_COLUMN, target="dataloader.group_amplitudes", at=_GROUPS, diagnosis=()),
)
"""Of how bright they are."""

FAULTS: tuple[Fault | Generated, ...] = (*GROUPING, *PLACES, *BRIGHTNESS)
