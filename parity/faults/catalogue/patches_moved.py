"""Defects in how patches are translated, and cut out of a canvas."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

from parity.faults.base import Fault
from parity.faults.catalogue.common import (
    gradient_times,
    imaginary_part_detached,
    moved_in_zeros,
    number,
    of_the_last,
    read_in_the_order,
    rounded,
)
from parity.faults.catalogue.wiring import exchanged
from parity.faults.changes import Arguments, Change, given, giving, raw, replaced, returning, summed
from parity.faults.namespace import Namespace, Tensor

EXCHANGED = "x and y of the positions are exchanged"
FLIPPED = "the sign of the positions is flipped"
ROUNDED = "the positions are rounded to whole pixels"
_CUT = "the positions are cut to whole pixels"
SIDES = "f and 1 − f of the interpolation are exchanged"
FIRST_GROUP = "the first group's positions are used for all groups"
_CHUNK = 64
"""Patches in a batch, from which on a stack might work chunk by chunk."""

# Behind the check that patches stay on their canvas; x and y are on axis 2 of both stacks' shifts.
X_FOR_Y = given(shifts=lambda xp, x: xp.flip(x, 2))
_TRUNCATED = given(positions=lambda xp, x: xp.sign(x) * xp.floor(xp.abs(x)))
OF_THE_FIRST_GROUP = given(positions=lambda xp, x: xp.broadcast_like(x[:1], x))
OTHER_SIDES = exchanged("near", "far")


def _around_the_frame() -> Change:
    """A translation on a ring: of each position the two copies that can be seen, along either axis."""

    def copy(across: int, down: int) -> Change:
        def placed(xp: Namespace, a: Arguments) -> dict[str, Tensor]:
            sides = xp.stack([xp.size(a.patches, -1), xp.size(a.patches, -2)], 0)
            steps = xp.stack([xp.constant(across, a.positions), xp.constant(down, a.positions)], 0)
            return {"positions": a.positions - sides * (xp.floor(a.positions / sides) + steps)}

        return giving(placed)

    return summed([copy(across, down) for across, down in product((0, 1), repeat=2)])


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


def _counted_from_the_corner(xp: Namespace, a: Arguments) -> dict[str, Tensor]:
    canvas = a.canvas
    for axis, size in ((-2, a.rows), (-1, a.columns)):
        by = (xp.size(canvas, axis) - number(xp, size, canvas)) / 2
        canvas = moved_in_zeros(xp, canvas, axis, by)
    return {"canvas": canvas}


def _a_pixel_off(xp: Namespace, canvas: Tensor) -> Tensor:
    return moved_in_zeros(xp, moved_in_zeros(xp, canvas, -2, 1), -1, 1)


def _digits_lost(xp: Namespace, between: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """near + f·(far − near): beside the frame, where far is 0 and f near 1, near − f·near cancels."""
    return lambda near, far, fraction: near + xp.scaled(far - near, fraction)


TRANSLATION = (
    Fault(
        "patches.translate",
        "digits-lost",
        "the near pixel is weighted by what is left of it, not by 1 − f",
        raw(_digits_lost),
        shows="f near 1 beside the frame",
        at="patches._between",
        diagnosis=(),
    ),
    Fault("patches.translate", "x-for-y", EXCHANGED, given(positions=lambda xp, x: xp.flip(x, -1))),
    Fault(
        "patches.translate",
        "sign",
        FLIPPED,
        given(positions=lambda xp, x: -x),
        diagnosis=(FLIPPED, "positions enters times a constant factor"),
    ),
    Fault(
        "patches.translate",
        "half-a-pixel",
        "the positions are half a pixel off",
        given(positions=lambda xp, x: x + 0.5),
        diagnosis=("the positions are half a pixel off", "a constant is added to positions"),
    ),
    Fault("patches.translate", "whole-pixels", ROUNDED, given(positions=lambda xp, x: xp.round(x))),
    Fault("patches.translate", "truncated", _CUT, _TRUNCATED),
    Fault("patches.translate", "other-sides", SIDES, OTHER_SIDES, at="patches._between"),
    Fault(
        "patches.translate",
        "wrapped-around",
        "what leaves the frame comes in again on the other side",
        _around_the_frame(),
        shows="content at the frame",
    ),
    Fault(
        "patches.translate",
        "shift-theorem",
        "the shift theorem stands for bilinear interpolation",
        replaced(_by_fourier),
    ),
    Fault(
        "patches.translate",
        "positions-float16",
        "positions are rounded to float16",
        given(positions=rounded("float16")),
        diagnosis=("positions are rounded to float16", "an intermediate is float16"),
    ),
    Fault(
        "patches.translate",
        "positions-detached",
        "positions are detached",
        given(positions=lambda xp, x: xp.detach(x)),
        shows="a gradient",
    ),
    Fault(
        "patches.translate",
        "positions-gradient-sign",
        "the gradient of positions has the opposite sign",
        given(positions=gradient_times(-1.0)),
        shows="a gradient",
        diagnosis=(
            "the gradient of positions has the opposite sign",
            "the gradient of positions is off by a constant factor",
        ),
    ),
    Fault("patches.translate", "first-group", FIRST_GROUP, OF_THE_FIRST_GROUP, shows="two groups or more"),
    Fault(
        "patches.translate",
        "first-patch",
        "the first patch's positions are used for all patches",
        given(positions=lambda xp, x: xp.broadcast_like(x[:, :1], x)),
        shows="two patches or more",
    ),
    Fault(
        "patches.translate",
        "channels-last-reshaped",
        "channels last of positions are reshaped, not transposed",
        given(positions=read_in_the_order(0, 2, 1)),
        shows="two patches or more",
    ),
    Fault(
        "patches.translate",
        "chunks-summed",
        "the groups are summed once a chunk of 64 patches is full",
        once_a_chunk_is_full(lambda xp, x: xp.sum(x, 0, keepdims=True)),
        shows="64 patches or more",
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
    Fault("patches.extract_patches", "x-for-y", EXCHANGED, X_FOR_Y, at="patches._moved"),
    Fault(
        "patches.extract_patches",
        "a-pixel-off",
        "patches are cut out off by one pixel",
        given(canvas=_a_pixel_off),
        diagnosis=("patches are cut out off by one pixel", "a constant is added to positions"),
    ),
    Fault(
        "patches.extract_patches",
        "from-the-corner",
        "positions count from the corner of the canvas",
        giving(_counted_from_the_corner),
    ),
    Fault("patches.extract_patches", "whole-pixels", ROUNDED, given(positions=lambda xp, x: xp.round(x))),
    Fault("patches.extract_patches", "truncated", _CUT, _TRUNCATED),
    Fault("patches.extract_patches", "other-sides", SIDES, OTHER_SIDES, at="patches._between"),
    Fault(
        "patches.extract_patches",
        "conjugated",
        "conjugate of canvas",
        given(canvas=lambda xp, x: xp.conj(x)),
        diagnosis=("conjugate of canvas", "the result is conjugated"),
    ),
    Fault(
        "patches.extract_patches",
        "canvas-detached",
        "canvas is detached",
        given(canvas=lambda xp, x: xp.detach(x)),
        shows="a gradient",
    ),
    Fault(
        "patches.extract_patches",
        "imaginary-part-detached",
        "the imaginary part of canvas is detached",
        given(canvas=imaginary_part_detached),
        shows="a gradient",
    ),
    Fault("patches.extract_patches", "first-group", FIRST_GROUP, OF_THE_FIRST_GROUP, shows="two groups or more"),
    Fault(
        "patches.extract_patches",
        "chunks-summed",
        "the groups are summed once a chunk of 64 patches is full",
        returning(_groups_gone),
        stacks=("torch",),
        shows="64 patches or more",
    ),
    Fault(
        "patches.extract_patches",
        "last-row",
        "only the frame's border is wrong",
        returning(lambda xp, x, a: moved_in_zeros(xp, moved_in_zeros(xp, x, -2, 1), -2, -1)),
        diagnosis=("the result lacks its last row", "only the frame's border is wrong"),
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
