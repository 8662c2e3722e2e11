"""Mistakes in who belongs to a group, where its middle is, and over what a mean pattern is taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Inputs
from parity.faults.oracle_side.base import Formula, Mistake, of_argument, of_arguments, of_formula, of_result, several
from parity.physics.oracle import dataloader as oracle
from parity.physics.oracle.patches import relative_positions
from parity.physics.oracle.scaling import normalize_amplitude

Real = NDArray[np.float64]
Indices = NDArray[np.int64]

_SEVERAL = several("scan", 0)


def _is_grid(inputs: Inputs) -> bool:
    return bool(inputs["gridsize"] > 1)


def _has_choice(inputs: Inputs) -> bool:
    return bool(inputs["neighbours"] > inputs["gridsize"] ** 2 > 1)


def _is_integer(inputs: Inputs) -> bool:
    return np.issubdtype(inputs["diffraction"].dtype, np.integer)


def _squares(across: Real, down: Real) -> Real:
    return across**2 + down**2


def _ranked(distance: Callable[[Real, Real], Real] = _squares, last_wins: bool = False, itself: bool = True) -> Formula:
    """Groups in the order of another distance, chosen and laid out as they should be."""

    def groups(scan: Real, gridsize: int, neighbours: int, seed: int) -> Indices:
        count = len(scan)
        across, down = np.moveaxis(scan[None] - scan[:, None], -1, 0)
        numbers = np.arange(count)
        others = numbers[None] != numbers[:, None]
        ties = np.broadcast_to(-numbers if last_wins else numbers, others.shape)
        order = np.lexsort((ties, distance(across, down), others if itself else ~others), axis=-1)[:, :neighbours]
        if neighbours > gridsize**2:
            draws = np.random.PCG64(seed).random_raw(count * (neighbours - 1)).reshape(count, -1).argsort(axis=1)
            chosen = np.take_along_axis(order[:, 1:], draws[:, : gridsize**2 - 1], axis=1)
            order = np.concatenate([order[:, :1], chosen], axis=1)
        return np.array([oracle._laid_out(group, scan, gridsize) for group in order])

    return groups


def _by_distance(scan: Real, gridsize: int, neighbours: int, seed: int) -> Indices:
    """The nearest from near to far, as a search returns them."""
    across, down = np.moveaxis(scan[None] - scan[:, None], -1, 0)
    nearest = np.lexsort((np.eye(len(scan)) < 1, _squares(across, down)), axis=-1)
    return nearest[:, : gridsize**2]


def _column_by_column(groups: Any) -> Any:
    side = int(np.sqrt(groups.shape[1]))
    return groups.reshape(-1, side, side).swapaxes(1, 2).reshape(groups.shape)


def _next_seed(seed: int, **others: Any) -> dict[str, Any]:
    return {"seed": seed + 1}


def _no_choice(gridsize: int, **others: Any) -> dict[str, Any]:
    return {"neighbours": gridsize**2}


_CHOICE = (
    of_arguments("the seed is one ahead", _next_seed, _has_choice),
    of_arguments("the nearest are taken without a choice", _no_choice, _has_choice),
)
"""Mistakes in who belongs to a group that can be made of all three."""


def _grouped(scan: Real, gridsize: int, neighbours: int, seed: int) -> Any:
    return scan[oracle.neighbour_groups(scan, gridsize, neighbours, seed)]


def _about_the_scan(scan: Real, **grouping: int) -> Any:
    return scan.mean(axis=0) - _grouped(scan, **grouping)


def _about_the_seed(scan: Real, **grouping: int) -> Any:
    return scan[:, None] - _grouped(scan, **grouping)


def _added(scan: Real, **grouping: int) -> Any:
    grouped = _grouped(scan, **grouping)
    return grouped.mean(axis=1, keepdims=True) + grouped


def _over(axes: tuple[int, ...] | None) -> Formula:
    """Grouped first, then given a mean square of 1/4 over some axes of (B, C, H, W)."""

    def amplitudes(diffraction: Real, scan: Real, **grouping: int) -> Any:
        found = diffraction[oracle.neighbour_groups(scan, **grouping)]
        return found / (2 * np.sqrt(np.mean(found**2, axis=axes, keepdims=True)))

    return amplitudes


def _unscaled(diffraction: Real, scan: Real, **grouping: int) -> Any:
    return diffraction[oracle.neighbour_groups(scan, **grouping)]


def _narrow(values: Mapping[str, Any], inputs: Inputs) -> Mapping[str, Any]:
    """The scale that is left where squares are kept in the integers that came in."""
    exposures = inputs["diffraction"]
    wide, narrow = np.mean(exposures.astype(np.float64) ** 2), np.mean(exposures * exposures)
    return {name: value * np.sqrt(wide / narrow) for name, value in values.items()}


MISTAKES: Mapping[str, tuple[Mistake, ...]] = {
    "dataloader.neighbour_groups": (
        *_CHOICE,
        of_result("the grid is column by column (c = column·gridsize + row)", _column_by_column, _is_grid),
        of_formula("members come in the order of their distance", _by_distance, _is_grid),
        of_formula("of equally distant neighbours the last is taken", _ranked(last_wins=True), _is_grid),
        of_formula("an exposure is not of its own group", _ranked(itself=False), _is_grid),
        of_formula("distances are |x| + |y|", _ranked(lambda x, y: np.abs(x) + np.abs(y)), _is_grid),
        of_formula("distances are along x alone", _ranked(lambda x, y: x**2), _is_grid),
        of_argument("x and y of the scan are exchanged", "scan", lambda r: r[:, ::-1], _is_grid),
        of_result("exposures are counted from 1", lambda groups: groups + 1),
    ),
    "dataloader.group_positions": (
        *_CHOICE,
        of_formula("the mean is added, not taken away", _added),
        of_formula("the mean is that of the whole scan", _about_the_scan, _SEVERAL),
        of_formula("the exposure that a group is of stands for the mean", _about_the_seed, _is_grid),
        of_result("x and y are exchanged", lambda r: r[..., ::-1], _is_grid),
        of_formula(
            "members come in the order of their distance",
            lambda scan, **grouping: relative_positions(scan[_by_distance(scan, **grouping)]),
            _is_grid,
        ),
    ),
    "dataloader.group_amplitudes": (
        *_CHOICE,
        Mistake("integers are squared before they are widened", results=_narrow, applies=_is_integer),
        of_result("HW stands for HW/4", lambda x: 2 * x),
        of_formula("nothing is normalised", _unscaled),
        of_formula("exposures count as often as they are in groups", _over(None), _is_grid),
        of_formula("each group has a scale of its own", _over((1, 2, 3)), _SEVERAL),
        of_formula("each image has a scale of its own", _over((2, 3)), _SEVERAL),
        of_formula(
            "members come in the order of their distance",
            lambda diffraction, scan, **grouping: normalize_amplitude(diffraction[None])[0][
                _by_distance(scan, **grouping)
            ],
            _is_grid,
        ),
    ),
}
