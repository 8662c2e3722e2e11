"""Mistakes in where patches lie, how they count, how they are merged and cut out again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Inputs
from parity.faults.oracle_side.base import Formula, Mistake, of_argument, of_arguments, of_formula, of_result, several
from parity.physics.oracle import patches as oracle

_PLANE = (-2, -1)

_FARTHEST = 4
"""Frames: what moves farther needs too much around it to be told what it would meet there."""


def _central(start: Formula, size: Formula) -> Formula:
    """A weight that is 1 on `size`(n) of n pixels from `start`(n) on."""

    def weight(patches: NDArray[Any]) -> NDArray[Any]:
        lines = []
        for n in patches.shape[-2:]:
            pixel = np.arange(n)
            lines.append((pixel >= start(n)) & (pixel < start(n) + size(n)))
        return np.outer(*lines)

    return weight


def _without_the_last(patches: NDArray[Any]) -> NDArray[Any]:
    weight = np.ones(patches.shape[-2:])
    weight[-1], weight[:, -1] = 0, 0
    return weight


def _bordered(mode: Literal["constant", "edge", "wrap"]) -> Formula:
    """`translate` of frames with something other than 0 around them."""

    def translated(patches: NDArray[Any], positions: NDArray[Any]) -> Any:
        reach = int(np.ceil(np.abs(positions).max())) + 1
        if reach > _FARTHEST * max(patches.shape[-2:]):
            raise ValueError(f"positions: expected them within {_FARTHEST} frames, got {reach - 1} pixels")
        around = np.pad(patches, [(0, 0), (0, 0), (reach, reach), (reach, reach)], mode=mode)
        return oracle.translate(around, positions)[..., reach:-reach, reach:-reach]

    return translated


def _by_fourier(patches: NDArray[Any], positions: NDArray[Any]) -> NDArray[Any]:
    """A translation by the shift theorem: without interpolation, and around the frame."""
    across, down = (np.fft.fftfreq(patches.shape[axis]) for axis in (-1, -2))
    turns = positions[..., 0, None, None] * across + positions[..., 1, None, None] * down[:, None]
    return np.fft.ifft2(np.fft.fft2(patches) * np.exp(-2j * np.pi * turns))


def _other_side(positions: NDArray[Any]) -> NDArray[Any]:
    """Whole pixels kept, and the fraction exchanged for what it lacks of 1."""
    below = np.floor(positions)
    return below + 1 - (positions - below)


def _from_the_corner(canvas: NDArray[Any], positions: NDArray[Any], rows: int, columns: int) -> dict[str, Any]:
    height, width = canvas.shape[-2:]
    return {"positions": positions + np.array([width - columns, height - rows]) / 2}


def _padded(mode: Literal["edge", "wrap"]) -> Formula:
    def padded(patches: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
        down, across = (rows - patches.shape[-2]) // 2, (columns - patches.shape[-1]) // 2
        return np.pad(patches, [(0, 0), (0, 0), (down, down), (across, across)], mode=mode)

    return padded


def _padded_behind(patches: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    padded = np.zeros((*patches.shape[:2], rows, columns), complex)
    padded[..., : patches.shape[-2], : patches.shape[-1]] = patches
    return padded


def _is_padded(inputs: Inputs) -> bool:
    return inputs["patches"].shape[-2:] != (inputs["rows"].item(), inputs["columns"].item())


def merged(
    patches: NDArray[Any], positions: NDArray[Any], weight: NDArray[Any], rows: int, columns: int
) -> tuple[Any, Any]:
    """Σ_c T_c(m·O_c) and Σ_c T_c(m), each (B, rows, columns)."""
    content = oracle.translate(oracle.pad(weight * patches, rows, columns), -positions)
    ground = oracle.translate(
        oracle.pad(np.broadcast_to(weight, patches.shape).astype(float), rows, columns), -positions
    )
    return np.sum(content, axis=1), np.sum(ground, axis=1)


def _merge(divide: Formula) -> Formula:
    """A merge that divides in its own way: `divide` takes numerator and summed weights."""
    return lambda **arguments: divide(*merged(**arguments))


def unweighted_numerator(
    patches: NDArray[Any], positions: NDArray[Any], weight: NDArray[Any], rows: int, columns: int
) -> Any:
    """A merge with weights in its denominator alone."""
    content, _ = merged(patches, positions, np.ones_like(weight), rows, columns)
    return content / (merged(patches, positions, weight, rows, columns)[1] + oracle.COVERAGE_FLOOR)


def _unweighted_denominator(
    patches: NDArray[Any], positions: NDArray[Any], weight: NDArray[Any], rows: int, columns: int
) -> Any:
    _, count = merged(patches, positions, np.ones_like(weight), rows, columns)
    return merged(patches, positions, weight, rows, columns)[0] / (count + oracle.COVERAGE_FLOOR)


def _is_weighted(inputs: Inputs) -> bool:
    return bool(np.any(inputs["weight"] != 1))


def _padded_size(parity: bool = True, gaps: int = -1, jitters: int = 2) -> Formula:
    def padded(size: int, gridsize: int, offset: int, jitter: int) -> int:
        reach = (gridsize + gaps) * offset + jitters * jitter
        return size + reach + (reach % 2 if parity else 0)

    return padded


def _groups_innermost(patches: NDArray[Any]) -> NDArray[Any]:
    return patches.swapaxes(0, 1).reshape(-1, *patches.shape[-2:])


def _read_groups_innermost(flat: NDArray[Any], gridsize: int) -> NDArray[Any]:
    return flat.reshape(gridsize**2, -1, *flat.shape[-2:]).swapaxes(0, 1)


def _column_by_column(patches: NDArray[Any], gridsize: int) -> Any:
    return oracle.channel_to_grid(patches, gridsize).swapaxes(1, 2)


def _several(inputs: Inputs) -> bool:
    return inputs["gridsize"].item() > 1


_WHOLE = of_argument("the positions are rounded to whole pixels", "positions", np.round)
_FLOOR = of_argument("the positions are cut to whole pixels", "positions", np.trunc)
_SIDES = of_argument("f and 1 − f of the interpolation are exchanged", "positions", _other_side)
_BY_COLUMN = "the grid is column by column (c = column·gridsize + row)"
_FROM_BELOW = "the rows of the grid are counted from below"

MISTAKES: Mapping[str, tuple[Mistake, ...]] = {
    "patches.central_weight": (
        of_formula("an odd half is rounded up", _central(lambda n: (n - n // 2) // 2, lambda n: (n + 1) // 2)),
        of_formula("the half begins at H//4", _central(lambda n: n // 4, lambda n: n // 2)),
        of_formula("the half is at the corner", _central(lambda n: 0, lambda n: n // 2)),
        of_formula("a quarter stands for the half", _central(lambda n: (n - n // 4) // 2, lambda n: n // 4)),
        of_result("the weight is 1 everywhere", np.ones_like),
    ),
    "patches.uniform_weight": (
        of_formula("the central weight stands for the uniform one", oracle.central_weight),
        of_formula("the weights sum to 1", lambda patches: np.full(patches.shape[-2:], 1 / patches[0, 0].size)),
        of_formula("the last row and column have no weight", _without_the_last),
    ),
    "patches.probe_weight": (
        of_formula("the modulus stands for its square", lambda probe: np.sum(np.abs(probe), axis=0)),
        of_formula(
            "the modes are summed coherently", lambda probe: np.abs(np.sum(probe, axis=0)) ** 2, several("probe", 0)
        ),
        of_formula(
            "the mean over modes stands for the sum",
            lambda probe: np.mean(np.abs(probe) ** 2, axis=0),
            several("probe", 0),
        ),
        of_formula("the square stands for the modulus's", lambda probe: np.real(np.sum(probe**2, axis=0))),
        of_result("the largest weight is 1", lambda weight: weight / weight.max()),
    ),
    "patches.pad": (
        of_formula("the zeros are on one side only", _padded_behind, _is_padded),
        of_result("the middle is off by one pixel", lambda p: np.roll(p, 1, axis=_PLANE), _is_padded),
        of_formula("the border is repeated where zeros should be", _padded("edge"), _is_padded),
        of_formula("the frame is wrapped around where zeros should be", _padded("wrap"), _is_padded),
    ),
    "patches.trim": (
        of_argument("the middle is off by one pixel", "patches", lambda p: np.roll(p, 1, axis=_PLANE)),
        of_formula(
            "the corner is cut out, not the middle",
            lambda patches, rows, columns: patches[..., :rows, :columns],
            _is_padded,
        ),
        of_formula(
            "the last pixels are cut out, not the middle",
            lambda patches, rows, columns: patches[..., -rows:, -columns:],
            _is_padded,
        ),
    ),
    "patches.translate": (
        _WHOLE,
        _FLOOR,
        _SIDES,
        of_formula("what leaves the frame comes in again on the other side", _bordered("wrap")),
        of_formula("the border is repeated beyond the frame", _bordered("edge")),
        of_formula("the shift theorem stands for bilinear interpolation", _by_fourier),
    ),
    "patches.extract_patches": (
        of_argument("the sign of reassembly is used", "positions", np.negative),
        _WHOLE,
        _FLOOR,
        _SIDES,
        of_arguments("positions count from the corner of the canvas", _from_the_corner),
        of_argument("patches are cut out off by one pixel", "positions", lambda r: r + 1),
    ),
    "patches.reassemble_patches": (
        of_formula("the numerator is unweighted", unweighted_numerator, _is_weighted),
        of_formula("the denominator is unweighted", _unweighted_denominator, _is_weighted),
        of_formula("the sum of weights is clamped to ≥ 1", _merge(lambda n, m: n / np.maximum(m, 1))),
        of_formula("ε = .1 is added to the sum of weights", _merge(lambda n, m: n / (m + 0.1))),
        of_formula("ε = 1e-9 is added to the sum of weights", _merge(lambda n, m: n / (m + 1e-9))),
        of_formula("the sum of weights is not divided by", _merge(lambda n, m: n)),
        of_formula(
            "pixels with any weight are counted, not the weight",
            lambda patches, positions, weight, rows, columns: (
                merged(patches, positions, weight, rows, columns)[0]
                / (merged(patches, positions, (weight > 0) * 1.0, rows, columns)[1] + oracle.COVERAGE_FLOOR)
            ),
            lambda inputs: bool(np.any((inputs["weight"] != 0) & (inputs["weight"] != 1))),
        ),
        of_argument("the sign of extraction is used", "positions", np.negative),
        _WHOLE,
        _SIDES,
    ),
    "patches.relative_positions": (
        of_formula("the mean is added, not taken away", lambda positions: positions + positions.mean(1, keepdims=True)),
        of_formula(
            "the mean is that of the whole batch",
            lambda positions: positions.mean((0, 1)) - positions,
            several("positions", 0),
        ),
        of_formula("the mean is left out", lambda positions: -positions),
        of_formula("the first patch stands for the mean", lambda positions: positions[:, :1] - positions),
        of_formula(
            "the middle between the extremes stands for the mean",
            lambda positions: (positions.min(1, keepdims=True) + positions.max(1, keepdims=True)) / 2 - positions,
        ),
    ),
    "patches.padded_size": (
        of_formula("the jitter is allowed for on one side only", _padded_size(jitters=1)),
        of_formula("gridsize gaps are counted for gridsize − 1", _padded_size(gaps=0)),
        of_formula("the size is not rounded up to the parity of N", _padded_size(parity=False)),
        of_formula("the jitter is forgotten", _padded_size(jitters=0)),
    ),
    "patches.channel_to_flat": (
        of_formula("the groups come innermost", _groups_innermost, several("patches", 1)),
        of_result("the patches are in reverse", lambda flat: flat[::-1]),
    ),
    "patches.flat_to_channel": (
        of_formula("the groups come innermost", _read_groups_innermost, _several),
        of_result("the patches of a group are in reverse", lambda patches: patches[:, ::-1], _several),
    ),
    "patches.channel_to_grid": (
        of_formula(_BY_COLUMN, _column_by_column, _several),
        of_result(_FROM_BELOW, lambda grid: grid[:, ::-1], _several),
    ),
    "patches.grid_to_channel": (
        of_argument(_BY_COLUMN, "grid", lambda grid: grid.swapaxes(1, 2), several("grid", 1)),
        of_argument(_FROM_BELOW, "grid", lambda grid: grid[:, ::-1], several("grid", 1)),
    ),
}
