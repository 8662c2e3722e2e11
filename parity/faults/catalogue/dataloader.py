"""Defects in who belongs to a group of exposures, where its middle is, and how bright it is."""

from __future__ import annotations

from parity.faults.base import Fault
from parity.faults.catalogue.common import rounded
from parity.faults.catalogue.scaling import squared_in_uint16
from parity.faults.catalogue.wiring import own, some
from parity.faults.changes import Arguments, Change, given, giving, replaced, returning
from parity.faults.namespace import GROUP, PLANE, Namespace, Tensor

_GROUPS = "dataloader.neighbour_groups"
_GROUPING = ("scan", "gridsize", "neighbours", "seed")
_A_GRID = "groups of more than one"
_A_CHOICE = "more neighbours than a group needs"


def _column_by_column(xp: Namespace, groups: Tensor, a: Arguments) -> Tensor:
    count, size = xp.shape(groups)
    grid = xp.reshape(groups, (count, a.gridsize, a.gridsize))
    return xp.reshape(xp.swapped(grid, 1, 2), (count, size))


def _exchanged(xp: Namespace, x: Tensor) -> Tensor:
    return xp.flip(x, -1)


def _scan_of_groups(xp: Namespace, a: Arguments) -> Tensor:
    """(A, C, 2): where the exposures of each group lie in the scan."""
    groups = own(xp, _GROUPS)(**some(a, *_GROUPING))
    count, size = xp.shape(groups)
    return xp.reshape(xp.take(a.scan, xp.reshape(groups, (count * size,)), 0), (count, size, 2))


def _about_the_scan(xp: Namespace, a: Arguments) -> Tensor:
    return xp.mean(a.scan, 0, keepdims=True) - _scan_of_groups(xp, a)


def _mean_added(xp: Namespace, a: Arguments) -> Tensor:
    grouped = _scan_of_groups(xp, a)
    return xp.mean(grouped, 1, keepdims=True) + grouped


def _each_its_own(axes: tuple[int, ...] | None) -> Change:
    """What lies along some axes of (B, C, H, W) has a scale of its own."""
    return returning(lambda xp, x, a: x / (2 * xp.sqrt(xp.mean(xp.square(x), axes, True))))


GROUPING = (
    Fault(
        _GROUPS,
        "column-by-column",
        "the grid is column by column (c = column·gridsize + row)",
        returning(_column_by_column),
        shows=_A_GRID,
    ),
    Fault(
        _GROUPS,
        "exchanged",
        "x and y of the scan are exchanged",
        given(scan=_exchanged),
        shows=_A_GRID,
    ),
    Fault(
        _GROUPS,
        "next-seed",
        "the seed is one ahead",
        given(seed=lambda xp, seed: seed + 1),
        shows=_A_CHOICE,
    ),
    Fault(
        _GROUPS,
        "no-choice",
        "the nearest are taken without a choice",
        giving(lambda xp, a: {"neighbours": a.gridsize * a.gridsize}),
        shows=_A_CHOICE,
    ),
    Fault(
        _GROUPS,
        "float16",
        "scan is rounded to float16",
        given(scan=rounded("float16")),
        shows="exposures beside the grid",
        diagnosis=("scan is rounded to float16", "an intermediate is float16"),
    ),
    Fault(_GROUPS, "from-one", "exposures are counted from 1", returning(lambda xp, groups, a: groups + 1)),
)
"""Of the groups."""

PLACES = (
    Fault(
        "dataloader.group_positions",
        "added-mean",
        "the mean is added, not taken away",
        replaced(_mean_added),
    ),
    Fault(
        "dataloader.group_positions",
        "mean-of-the-scan",
        "the mean is that of the whole scan",
        replaced(_about_the_scan),
        shows="two groups or more",
    ),
    Fault(
        "dataloader.group_positions",
        "exchanged",
        "x and y are exchanged",
        returning(lambda xp, r, a: xp.flip(r, -1)),
        shows=_A_GRID,
    ),
    Fault(
        "dataloader.group_positions",
        "next-seed",
        "the seed is one ahead",
        given(seed=lambda xp, seed: seed + 1),
        at=_GROUPS,
        shows=_A_CHOICE,
    ),
)
"""Of where the exposures of a group lie."""

BRIGHTNESS = (
    Fault(
        "dataloader.group_amplitudes",
        "whole-frame",
        "HW stands for HW/4",
        returning(lambda xp, x, a: 2 * x),
        diagnosis=("HW stands for HW/4", "the result is off by a constant factor"),
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
    Fault(
        "dataloader.group_amplitudes",
        "squared-in-uint16",
        "integers are squared before they are widened",
        given(amplitude=squared_in_uint16),
        at="scaling.count_photons",
        shows="readings of 256 and more",
    ),
    Fault(
        "dataloader.group_amplitudes",
        "column-by-column",
        "the grid is column by column (c = column·gridsize + row)",
        returning(_column_by_column),
        at=_GROUPS,
        shows=_A_GRID,
        diagnosis=(),
    ),
)
"""Of how bright they are."""

FAULTS = (*GROUPING, *PLACES, *BRIGHTNESS)
