"""Defects in how patches are translated, and cut out of a canvas."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from parity.contracts.changes import Arguments, Change, given, raw, replaced, returning
from parity.contracts.fault import Fault
from parity.contracts.namespace import Namespace, Tensor
from parity.faults.catalogue.common import number, of_the_last
from parity.faults.catalogue.patches import Source, around, nearest
from parity.faults.catalogue.wiring import own, some
from parity.faults.generated import Generated

EXCHANGED = "x and y of the positions are exchanged"
FLIPPED = "the sign of the positions is flipped"
ROUNDED = "the positions are rounded to whole pixels"
_CUT = "the positions are cut to whole pixels"
SIDES = "f and 1 − f of the interpolation are exchanged"
_CHUNK = 64
"""Patches in a batch, from which on a stack might work chunk by chunk."""

# Behind the check that patches stay on their canvas; x and y are on axis 2 of both stacks' shifts.
X_FOR_Y = given(shifts=lambda xp, x: xp.flip(x, 2))
WHOLE_PIXELS = given(positions=lambda xp, x: xp.round(x))
_TRUNCATED = given(positions=lambda xp, x: xp.sign(x) * xp.floor(xp.abs(x)))


def other_side(xp: Namespace, r: Tensor) -> Tensor:
    """Whole pixels kept, and the fraction exchanged for what it lacks of 1."""
    return 2 * xp.floor(r) + 1 - r


def _bordered(source: Source) -> Change:
    """A translation of frames with something other than 0 around them."""

    def formula(xp: Namespace, a: Arguments) -> Tensor:
        height, width = xp.shape(a.patches)[-2:]
        x, y = (a.positions[..., axis, None, None] for axis in (0, 1))
        lines, pillars = _interpolation(xp, y, height, source), _interpolation(xp, x, width, source)

        def moved(part: Tensor) -> Tensor:
            return xp.matmul(xp.matmul(lines, part), xp.swapped(pillars, -2, -1))

        return xp.complex(moved(xp.real(a.patches)), moved(xp.imag(a.patches)))

    return replaced(formula)


def _interpolation(xp: Namespace, shift: Tensor, size: Any, source: Source) -> Tensor:
    """(…, n, n): how much of each pixel of a line is in each of the line moved by `shift`, (…, 1, 1)."""
    place, n, below = xp.arange(size, shift), number(xp, size, shift), xp.floor(shift)
    near, far = (xp.cast_like(source(xp, place[:, None] - below - step, n) == place, shift) for step in (0, 1))
    return (1 - (shift - below)) * near + (shift - below) * far


def _frequencies(xp: Namespace, x: Tensor, axis: int) -> Tensor:
    """Those of the discrete transform along an axis, cycles a pixel: 0 and up, then the negative ones."""
    n = xp.size(x, axis)
    k = xp.arange(xp.shape(x)[axis], x)
    # Floor of 2k/n, exact at 2k = n: k = n/2 is folded to −n/2, and (n − 1)/2 of an odd n is not.
    return (k - n * xp.floor(2 * k / n)) / n


def _by_fourier(xp: Namespace, a: Arguments) -> Tensor:
    """A translation by the shift theorem: without interpolation, and around the frame."""
    across = a.positions[..., 0, None, None] * _frequencies(xp, a.patches, -1)
    down = a.positions[..., 1, None, None] * _frequencies(xp, a.patches, -2)[:, None]
    phase = -2 * math.pi * (across + down)
    return xp.ifft2(xp.fft2(a.patches) * xp.complex(xp.cos(phase), xp.sin(phase)))


def once_a_chunk_is_full(change: Callable[[Namespace, Tensor], Tensor]) -> Change:
    """The result is changed from `_CHUNK` patches in a batch on."""

    def changed(xp: Namespace, x: Tensor, a: Arguments) -> Tensor:
        full = xp.size(a.positions, (0, 1)) >= _CHUNK
        return xp.where(full, xp.broadcast_like(change(xp, x), x), x)

    return returning(changed)


def _groups_gone(xp: Namespace, x: Tensor, a: Arguments) -> Tensor:
    shape = xp.shape(a.positions)
    return xp.sum(x, 0) if shape[0] * shape[1] >= _CHUNK else x


def _cut_out_at(place: Callable[[Namespace, Arguments], Tensor]) -> Change:
    """Patches that lie elsewhere, even off the canvas, where the stacks' own function refuses them."""

    def formula(xp: Namespace, a: Arguments) -> Tensor:
        canvases = xp.scaled(a.canvas[:, None], xp.ones_like(a.positions[..., :1, None]))
        moved = own(xp, "patches.translate")(patches=canvases, positions=place(xp, a))
        return own(xp, "patches.trim")(patches=moved, **some(a, "rows", "columns"))

    return replaced(formula)


def _from_the_corner(xp: Namespace, a: Arguments) -> Tensor:
    margins = [xp.size(a.canvas, axis) - number(xp, n, a.canvas) for axis, n in ((-1, a.columns), (-2, a.rows))]
    return a.positions + xp.stack(margins, 0) / 2


def _digits_lost(xp: Namespace, between: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """near + f·(far − near): beside the frame, where far is 0 and f near 1, near − f·near cancels."""
    return lambda near, far, fraction: near + xp.scaled(far - near, fraction)


TRANSLATION = (
    Fault("patches.translate", "whole-pixels", ROUNDED, WHOLE_PIXELS),
    Fault("patches.translate", "truncated", _CUT, _TRUNCATED),
    Fault("patches.translate", "other-sides", SIDES, given(positions=other_side)),
    Fault(
        "patches.translate",
        "wrapped-around",
        "what leaves the frame comes in again on the other side",
        _bordered(around),
        shows="content at the frame",
    ),
    Fault(
        "patches.translate",
        "border-repeated",
        "the border is repeated beyond the frame",
        _bordered(nearest),
        shows="content at the frame",
    ),
    Fault(
        "patches.translate",
        "shift-theorem",
        "the shift theorem stands for bilinear interpolation",
        replaced(_by_fourier),
    ),
    Generated("patches.translate", "positions-exchanged", called="x-for-y"),
    Generated("patches.translate", "positions-negated", called="sign"),
    Generated("patches.translate", "positions-half-a-pixel-off", called="half-a-pixel"),
    Generated("patches.translate", "positions-float16"),
    Generated("patches.translate", "positions-detached"),
    Generated("patches.translate", "positions-gradient-negated", called="positions-gradient-sign"),
    Generated("patches.translate", "positions-of-first-group", called="first-group"),
    Generated("patches.translate", "positions-of-first-patch", called="first-patch"),
    Generated("patches.translate", "positions-reshaped", called="channels-last-reshaped"),
    Fault(
        "patches.translate",
        "digits-lost",
        "the near pixel is weighted by what is left of it, not by 1 − f",
        raw(_digits_lost),
        shows="f near 1 beside the frame",
        at="patches._between",
        diagnosis=(),
    ),
    Fault(
        "patches.translate",
        "chunks-summed",
        "the groups are summed once a chunk of 64 patches is full",
        once_a_chunk_is_full(lambda xp, x: xp.sum(x, 0, keepdims=True)),
        shows="64 patches or more",
        blind=True,
    ),
    Fault(
        "patches.translate",
        "centred-in-the-batch",
        "the mean position of the batch is taken away",
        given(positions=lambda xp, x: x - xp.mean(x, (0, 1), keepdims=True)),
        diagnosis=(),
    ),
)


CUTTING = (
    Fault(
        "patches.extract_patches",
        "sign",
        "the sign of reassembly is used",
        given(positions=lambda xp, x: -x),
        diagnosis=("the sign of reassembly is used", FLIPPED, "positions enters times a constant factor"),
    ),
    Fault("patches.extract_patches", "whole-pixels", ROUNDED, WHOLE_PIXELS),
    Fault("patches.extract_patches", "truncated", _CUT, _TRUNCATED),
    Fault("patches.extract_patches", "other-sides", SIDES, _cut_out_at(lambda xp, a: other_side(xp, a.positions))),
    Fault(
        "patches.extract_patches",
        "from-the-corner",
        "positions count from the corner of the canvas",
        _cut_out_at(_from_the_corner),
    ),
    Fault(
        "patches.extract_patches",
        "a-pixel-off",
        "patches are cut out off by one pixel",
        _cut_out_at(lambda xp, a: a.positions + 1),
        diagnosis=("patches are cut out off by one pixel", "a constant is added to positions"),
    ),
    Fault("patches.extract_patches", "x-for-y", EXCHANGED, X_FOR_Y, at="patches._moved"),
    Generated(
        "patches.extract_patches",
        "canvas-conjugated",
        called="conjugated",
        diagnosis=("conjugate of canvas", "the result is conjugated"),
    ),
    Generated("patches.extract_patches", "canvas-detached"),
    Generated("patches.extract_patches", "canvas-imaginary-part-detached", called="imaginary-part-detached"),
    Generated("patches.extract_patches", "positions-of-first-group", called="first-group"),
    Generated(
        "patches.extract_patches",
        "result-without-last-row",
        called="last-row",
        diagnosis=("the result lacks its last row", "only the frame's border is wrong"),
    ),
    Fault(
        "patches.extract_patches",
        "chunks-summed",
        "the groups are summed once a chunk of 64 patches is full",
        returning(_groups_gone),
        stacks=("torch",),
        shows="64 patches or more",
        blind=True,
    ),
    Fault(
        "patches.extract_patches",
        "last-group",
        "the last group's patches are conjugated",
        returning(lambda xp, x, a: of_the_last(lambda xp, x: xp.conj(x), 0)(xp, x)),
        diagnosis=(),
    ),
)

FAULTS = (*TRANSLATION, *CUTTING)
