"""What rows of several files are written with: changes of one tensor, and changes made of others."""

from __future__ import annotations

from typing import Any

from parity.contracts.changes import Of
from parity.contracts.namespace import Namespace, Tensor


def rounded(dtype: str) -> Of:
    """Through another dtype and back."""
    return lambda xp, x: xp.through(x, dtype)


def modulus(xp: Namespace, x: Tensor) -> Tensor:
    """|x| as a complex number."""
    return xp.complex(xp.abs(x), xp.zeros_like(xp.abs(x)))


def number(xp: Namespace, size: Any, like: Tensor) -> Tensor:
    """A size, of one element or more, as a real scalar; a trace may have left it open."""
    return xp.max(xp.arange(size, like)) + 1


def pixel(xp: Namespace, x: Tensor, row: int, column: int) -> Tensor:
    """(H, W): 1 at one pixel of the frames (…, H, W) of x, and 0 elsewhere; real."""
    height, width = xp.shape(x)[-2:]
    lines = xp.arange(height, x) == row, xp.arange(width, x) == column
    return xp.cast_like(lines[0][:, None] & lines[1], xp.real(x) if xp.is_complex(x) else x)


def noisy(size: float) -> Of:
    """Each pixel times a factor of its own, about 1: noise that comes again with every call."""

    def changed(xp: Namespace, x: Tensor) -> Tensor:
        height, width = xp.shape(x)[-2:]
        seed = xp.arange(height, x)[:, None] * 12.9898 + xp.arange(width, x) * 78.233
        return xp.scaled(x, 1 + size * xp.sin(seed * seed))

    return changed


def of_the_last(change: Of, axis: int) -> Of:
    """Changed in the last element of an axis, of the first two, alone."""

    def changed(xp: Namespace, x: Tensor) -> Tensor:
        rest, last = (x[:-1], x[-1:]) if axis == 0 else (x[:, :-1], x[:, -1:])
        return xp.concat([rest, change(xp, last)], axis)

    return changed


def moved_in_zeros(xp: Namespace, x: Tensor, axis: int, by: Any) -> Tensor:
    """The content of an axis moved to larger places by a whole number of pixels; zeros follow."""
    size = xp.shape(x)[axis]
    last, source = number(xp, size, x) - 1, xp.arange(size, x) - by
    inside = xp.cast_like((source >= 0) & (source <= last), source)
    at = xp.take(x, xp.minimum(xp.maximum(source, 0), last), axis)
    return xp.scaled(at, inside[:, None] if axis == -2 else inside)


def radius(xp: Namespace, size: Any, like: Tensor, off: float = 0.0) -> Tensor:
    """(N, N): the distance from the middle of a square grid, or from a point that is off it on both axes."""
    place = xp.arange(size, like)
    x = place - xp.max(place) / 2 - off
    return xp.sqrt(xp.square(x)[:, None] + xp.square(x))


def softplus(xp: Namespace, x: Tensor) -> Tensor:
    """ln(1 + e^x)."""
    return xp.maximum(x, 0.0) + xp.log(1 + xp.exp(-xp.abs(x)))
