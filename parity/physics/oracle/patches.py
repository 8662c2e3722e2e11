"""Where patches lie, how they count, and how they are merged into a canvas and cut out of it again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.physics.oracle.bounded import Array, Bounded
from parity.physics.oracle.operations import (
    absolute_square,
    conjugate,
    either,
    grid_dtype,
    interpolate,
    mean,
    real,
    reshape,
    stack,
    total,
    values,
    window,
)
from parity.physics.oracle.operations import pad as _zeros_around

_PLANE = (-2, -1)

_FAR = 2**31
"""Pixels: beyond it every frame is empty."""

COVERAGE_FLOOR = 1e-3
"""Added to the summed weights of a merge, so that a pixel without any is 0."""


def central_weight(patches: Array) -> NDArray[Any]:
    """1 on the central H//2 × W//2 pixels of patches (B, C, H, W), 0 elsewhere, (H, W). Exact."""
    height, width = patches.shape[-2:]
    return np.outer(_central_half(height), _central_half(width)).astype(grid_dtype(patches))


def _central_half(size: int) -> NDArray[np.float64]:
    line = np.zeros(size)
    start = (size - size // 2) // 2
    line[start : start + size // 2] = 1.0
    return line


def uniform_weight(patches: Array) -> NDArray[Any]:
    """1 on every pixel of patches (B, C, H, W), (H, W). Exact."""
    return np.ones(patches.shape[-2:], grid_dtype(patches))


def probe_weight(probe: Array) -> Any:
    """Σ_p |p|², (H, W), of a probe (P, H, W): the light that falls on a pixel."""
    return total(absolute_square(probe), axis=0)


def probe_weight_vjp(cotangent: Array, probe: Array) -> tuple[Any]:
    """Gradient of `probe`: 2p·w."""
    return (2 * probe * cotangent,)


def pad(patches: Array, rows: int, columns: int) -> Any:
    """Patches (…, H, W) in the middle of zeros, (…, rows, columns); of the parities of H and W."""
    (above, below), (left, right) = _margins(patches.shape[-2:], (rows, columns))
    return _zeros_around(patches, [(0, 0)] * (patches.ndim - 2) + [(above, below), (left, right)])


def pad_vjp(cotangent: Array, patches: Array, rows: int, columns: int) -> tuple[Any]:
    """Gradient of `patches`: the middle of w."""
    return (trim(cotangent, *patches.shape[-2:]),)


def trim(patches: Array, rows: int, columns: int) -> Any:
    """The central (rows, columns) of patches (…, H, W): the inverse of `pad`."""
    (above, _), (left, _) = _margins((rows, columns), patches.shape[-2:])
    return patches[..., above : above + rows, left : left + columns]


def trim_vjp(cotangent: Array, patches: Array, rows: int, columns: int) -> tuple[Any]:
    """Gradient of `patches`: w in the middle of zeros."""
    return (pad(cotangent, *patches.shape[-2:]),)


def _margins(inner: tuple[int, ...], outer: tuple[int, ...]) -> list[tuple[int, int]]:
    """Pixels before and after the inner frame, along rows and columns."""
    excess = [whole - part for whole, part in zip(outer, inner, strict=True)]
    if min(excess) < 0 or any(pixels % 2 for pixels in excess):
        raise ValueError(f"expected a frame within {outer}, of its parities, got {inner}")
    return [(pixels // 2, pixels // 2) for pixels in excess]


def translate(patches: Array, positions: Array) -> Any:
    """Patches (B, C, H, W) whose content has moved by +r, positions r (B, C, 2) = [x, y] in pixels.

    Bilinear, zero outside the frame, and exact for whole r: with r = k + f, k = ⌊r⌋, along rows and then along columns
    (1 − f)·O[j − k] + f·O[j − k − 1].
    """
    return _translated(patches, positions, patches.shape[-2:])


def translate_vjp(cotangent: Array, patches: Array, positions: Array) -> tuple[Any, Any]:
    """Gradients of `patches`, w moved back by r, and of `positions`: Re Σ w̄·∂O(x − r)/∂r.

    At a whole r the slopes on either side are as good as any between them.
    """
    return _moved_back(cotangent, positions, patches.shape[-2:]), _slopes(cotangent, patches, positions)


def _translated(patches: Array, positions: Array, frame: tuple[int, ...]) -> Any:
    """What a `frame` of (rows, columns), centred on patches (B, C, H, W) that have moved by +r, sees of them."""
    below, fractions = _cells(positions)
    x, y = _planes(fractions)
    return interpolate(_seen(patches, below[..., 0], below[..., 1], frame), y, x)


def _moved_back(cotangent: Array, positions: Array, frame: tuple[int, ...]) -> Any:
    """The adjoint of `_translated`: the same translation between flips; one by −r would round other fractions."""
    return _translated(cotangent[..., ::-1, ::-1], positions, frame)[..., ::-1, ::-1]


def _cells(positions: Array) -> tuple[NDArray[np.int64], Any]:
    """⌊r⌋ and r − ⌊r⌋, both (B, C, 2), of positions r; the latter is mostly exact."""
    below = np.floor(values(positions))
    fractions = positions - below
    if isinstance(fractions, Bounded) and isinstance(positions, Bounded):
        inexact = positions.precision.round(fractions.value) != fractions.value
        fractions = fractions.derive(fractions.value, positions.error + np.where(inexact, fractions.value, 0.0))
    return np.clip(below, -_FAR, _FAR).astype(np.int64), fractions


def _seen(patches: Array, x: NDArray[np.int64], y: NDArray[np.int64], frame: tuple[int, ...]) -> Any:
    """What a frame moved by −(x, y) sees of the patches, and a row and a column before it."""
    (rows, columns), (height, width) = frame, patches.shape[-2:]
    return window(patches, (height - rows) // 2 - y - 1, (width - columns) // 2 - x - 1, (rows + 1, columns + 1))


def _planes(positions: Array) -> tuple[Any, Any]:
    """x and y of positions (B, C, 2), each (B, C, 1, 1)."""
    return positions[..., 0, None, None], positions[..., 1, None, None]


def _slopes(cotangent: Array, patches: Array, positions: Array) -> Any:
    """Re Σ w̄·∂/∂r, (B, C, 2), of what a frame of the cotangent's shape sees of patches that have moved by r."""
    below, fractions = _cells(positions)
    whole = values(fractions) == 0
    ahead = _slopes_in(cotangent, patches, below, below, fractions)
    behind = _slopes_in(cotangent, patches, below - whole, below, fractions) if whole.any() else ahead
    return either(ahead, behind, whole)


def _slopes_in(
    cotangent: Array, patches: Array, cell: NDArray[np.int64], below: NDArray[np.int64], fractions: Array
) -> Any:
    """The slopes (B, C, 2) in a `cell` along one axis, between the pixels `below` along the other."""
    frame = cotangent.shape[-2:]
    x, y = _planes(fractions)
    across = _seen(patches, cell[..., 0], below[..., 1], frame)
    down = _seen(patches, below[..., 0], cell[..., 1], frame)
    lines, pillars = interpolate(across, y, None), interpolate(down, None, x)
    return stack(
        [
            _overlap(cotangent, lines[..., :-1]) - _overlap(cotangent, lines[..., 1:]),
            _overlap(cotangent, pillars[..., :-1, :]) - _overlap(cotangent, pillars[..., 1:, :]),
        ],
        axis=-1,
    )


def _overlap(cotangent: Array, patches: Array) -> Any:
    """Re Σ w̄·O over each plane. Two of them make a slope: differentiation subtracts after the sum, not before."""
    return total(real(conjugate(cotangent) * patches), axis=_PLANE)


def extract_patches(canvas: Array, positions: Array, rows: int, columns: int) -> Any:
    """Patches (B, C, rows, columns) of canvases (B, Y, X): the middle of the canvas translated by +r_c."""
    return _translated(canvas[:, None], positions, (rows, columns))


def extract_patches_vjp(cotangent: Array, canvas: Array, positions: Array, rows: int, columns: int) -> tuple[Any, Any]:
    """Gradients of `canvas` and `positions`."""
    of_patches = _moved_back(cotangent, positions, canvas.shape[-2:])
    return total(of_patches, axis=1), _slopes(cotangent, canvas[:, None], positions)


def reassemble_patches(patches: Array, positions: Array, weight: Array, rows: int, columns: int) -> Any:
    """Canvases (B, rows, columns): Σ_c T_c(m·O_c) / (Σ_c T_c(m) + 10⁻³), T_c a translation by −r_c after `pad`."""
    numerator, coverage = _merged(patches, positions, weight, rows, columns)
    return numerator / coverage


def reassemble_patches_vjp(
    cotangent: Array, patches: Array, positions: Array, weight: Array, rows: int, columns: int
) -> tuple[Any, Any, Any]:
    """Gradients of `patches`, `positions` and `weight`, through numerator and coverage alike."""
    numerator, coverage = _merged(patches, positions, weight, rows, columns)
    of_numerator = (cotangent / coverage)[:, None]
    of_coverage = -real(conjugate((numerator / coverage)[:, None]) * of_numerator)
    frame = patches.shape[-2:]
    of_content = _moved_back(of_numerator, -positions, frame)
    of_ground = _moved_back(of_coverage, -positions, frame)
    by_content = _slopes(of_numerator, weight * patches, -positions)
    by_ground = _slopes(of_coverage, weight[None, None], -positions)
    of_weight = total(real(conjugate(patches) * of_content) + of_ground, axis=(0, 1))
    return weight * of_content, -(by_content + by_ground), of_weight


def _merged(patches: Array, positions: Array, weight: Array, rows: int, columns: int) -> tuple[Any, Any]:
    """Numerator and denominator of a merge, both (B, rows, columns)."""
    content = _translated(weight * patches, -positions, (rows, columns))
    coverage = _translated(weight[None, None], -positions, (rows, columns))
    return total(content, axis=1), total(coverage, axis=1) + COVERAGE_FLOOR


def relative_positions(positions: Array) -> Any:
    """r_c = −(g_c − mean_c g), (B, C, 2) pixels, of the positions g_c of a group on the whole object."""
    return mean(positions, axis=1, keepdims=True) - positions


def relative_positions_vjp(cotangent: Array, positions: Array) -> tuple[Any]:
    """Gradient of `positions`: mean_c w − w."""
    return (mean(cotangent, axis=1, keepdims=True) - cotangent,)


def padded_size(size: int, gridsize: int, offset: int, jitter: int) -> int:
    """M = N + (gridsize − 1)·offset + 2·jitter pixels, rounded up to the parity of N. Exact."""
    reach = (gridsize - 1) * offset + 2 * jitter
    return size + reach + reach % 2


def channel_to_flat(patches: Array) -> Any:
    """Patches (B, C, H, W) in a row, (B·C, H, W), those of a group together."""
    return reshape(patches, (-1, *patches.shape[-2:]))


def channel_to_flat_vjp(cotangent: Array, patches: Array) -> tuple[Any]:
    """Gradient of `patches`: w as groups."""
    return (reshape(cotangent, patches.shape),)


def flat_to_channel(flat: Array, gridsize: int) -> Any:
    """Patches in a row (B·C, H, W) as groups of C = gridsize², (B, C, H, W)."""
    return reshape(flat, (-1, gridsize**2, *flat.shape[-2:]))


def flat_to_channel_vjp(cotangent: Array, flat: Array, gridsize: int) -> tuple[Any]:
    """Gradient of `flat`: w in a row."""
    return (reshape(cotangent, flat.shape),)


def channel_to_grid(patches: Array, gridsize: int) -> Any:
    """Patches (B, C, H, W) on their grid, (B, gridsize, gridsize, H, W): patch c is in row c // gridsize."""
    return reshape(patches, (len(values(patches)), gridsize, gridsize, *patches.shape[-2:]))


def channel_to_grid_vjp(cotangent: Array, patches: Array, gridsize: int) -> tuple[Any]:
    """Gradient of `patches`: w as groups."""
    return (reshape(cotangent, patches.shape),)


def grid_to_channel(grid: Array) -> Any:
    """Patches on their grid (B, G, G, H, W) as groups, (B, G², H, W)."""
    return reshape(grid, (grid.shape[0], -1, *grid.shape[-2:]))


def grid_to_channel_vjp(cotangent: Array, grid: Array) -> tuple[Any]:
    """Gradient of `grid`: w on the grid."""
    return (reshape(cotangent, grid.shape),)
