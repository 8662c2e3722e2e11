"""Elements moved, repeated or chosen, and their errors with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.physics.oracle.bounded import Bounded
from parity.physics.oracle.operations.base import _moved

fftshift = _moved(np.fft.fftshift, "fftshift", "Zero frequency to the centre, over `axes`.")
ifftshift = _moved(np.fft.ifftshift, "ifftshift", "The inverse of `fftshift`, over `axes`.")
broadcast = _moved(np.broadcast_to, "broadcast", "The array repeated into a larger `shape`.")
reshape = _moved(np.reshape, "reshape", "The same elements, in the same order, under another `shape`.")
transpose = _moved(np.transpose, "transpose", "The axes in another order.")
pad = _moved(np.pad, "pad", "Zeros around the array, as many as numpy.pad's widths say.")


def _window(x: NDArray[Any], top: NDArray[np.int64], left: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[Any]:
    rows, columns = (
        np.clip(start[..., None] + np.arange(1, size + 1), 0, extent + 1)
        for start, size, extent in zip((top, left), shape, x.shape[-2:], strict=True)
    )
    bordered = np.zeros((*x.shape[:-2], x.shape[-2] + 2, x.shape[-1] + 2), x.dtype)
    bordered[..., 1:-1, 1:-1] = x
    planes = np.ix_(*(range(size) for size in x.shape[:-2]))
    return bordered[*(plane[..., None, None] for plane in planes), rows[..., :, None], columns[..., None, :]]


window = _moved(
    _window,
    "window",
    "What frames of `shape` from row `top` and column `left` on see of planes, one each or all of one; 0 outside.",
)


def _neighbourhoods(x: NDArray[Any]) -> NDArray[Any]:
    around = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(1, 1), (1, 1)])
    windows = np.lib.stride_tricks.sliding_window_view(around, (3, 3), axis=(-2, -1))
    return np.moveaxis(windows, (-2, -1), (-4, -3))


neighbourhoods = _moved(
    _neighbourhoods, "neighbourhoods", "(…, H, W) → (…, 3, 3, H, W): the pixels around each, zeros beyond the frame."
)


def where(condition: NDArray[np.bool_], chosen: Any, otherwise: Any) -> Any:
    """`chosen` where `condition` holds, else `otherwise`; the condition is one that no rounding can turn."""
    bounded = next((x for x in (chosen, otherwise) if isinstance(x, Bounded)), None)
    if bounded is None:
        return np.where(condition, chosen, otherwise)
    left, right = bounded.coerce(chosen), bounded.coerce(otherwise)
    return bounded.derive(np.where(condition, left.value, right.value), np.where(condition, left.error, right.error))


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Arrays of one shape along a new axis."""
    if not isinstance(arrays[0], Bounded):
        return np.stack(arrays, axis)
    return arrays[0].derive(np.stack([a.value for a in arrays], axis), np.stack([a.error for a in arrays], axis))
