"""Defects in how the patches of a group are merged into a canvas."""

from __future__ import annotations

from collections.abc import Callable

from parity.faults.base import Fault
from parity.faults.catalogue.common import of_the_last, pixel, read_in_the_order, rounded
from parity.faults.catalogue.patches_moved import (
    EXCHANGED,
    FIRST_GROUP,
    FLIPPED,
    OF_THE_FIRST_GROUP,
    OTHER_SIDES,
    ROUNDED,
    SIDES,
    X_FOR_Y,
    once_a_chunk_is_full,
)
from parity.faults.catalogue.wiring import own
from parity.faults.changes import Arguments, Change, given, raw, replaced, returning
from parity.faults.namespace import Namespace, Tensor


def _placed(xp: Namespace, a: Arguments, images: Tensor) -> Tensor:
    """Σ_c translate(pad(image c), −r_c), (B, rows, columns)."""
    framed = own(xp, "patches.pad")(patches=images, rows=a.rows, columns=a.columns)
    return xp.sum(own(xp, "patches.translate")(patches=framed, positions=-a.positions), 1)


def _merged(
    divide: Callable[[Namespace, Tensor, Tensor], Tensor],
    above: Callable[[Namespace, Tensor], Tensor] = lambda xp, weight: weight,
    below: Callable[[Namespace, Tensor], Tensor] = lambda xp, weight: weight,
) -> Change:
    """A merge that divides in its own way, or has other weights `above` or `below`."""

    def formula(xp: Namespace, a: Arguments) -> Tensor:
        content = _placed(xp, a, xp.scaled(a.patches, above(xp, a.weight)))
        ground = xp.broadcast_like(below(xp, a.weight), xp.real(a.patches))
        cover = xp.real(_placed(xp, a, xp.complex(ground, xp.zeros_like(ground))))
        return xp.scaled(content, divide(xp, content, cover))

    return replaced(formula)


def _one(xp: Namespace, weight: Tensor) -> Tensor:
    return xp.ones_like(weight)


def _any(xp: Namespace, weight: Tensor) -> Tensor:
    return xp.cast_like(weight > 0, weight)


def _counting_content(xp: Namespace, a: Arguments) -> Tensor:
    """A merge that divides by how many patches have anything at a pixel of the canvas."""
    framed = own(xp, "patches.pad")(patches=a.patches, rows=a.rows, columns=a.columns)
    placed = own(xp, "patches.translate")(patches=framed, positions=-a.positions)
    count = xp.sum(xp.cast_like(xp.abs(placed) > 0, a.weight), 1)
    return xp.scaled(_placed(xp, a, xp.scaled(a.patches, a.weight)), 1 / (count + 1e-3))


def _right(xp: Namespace, content: Tensor, cover: Tensor) -> Tensor:
    return 1 / (cover + 1e-3)


UNWEIGHTED_NUMERATOR = _merged(_right, above=_one)

FAULTS = (
    Fault(
        "patches.reassemble_patches",
        "numerator-unweighted",
        "the numerator is unweighted",
        UNWEIGHTED_NUMERATOR,
        shows="a weight that is not 1 everywhere",
    ),
    Fault(
        "patches.reassemble_patches",
        "denominator-unweighted",
        "the denominator is unweighted",
        _merged(_right, below=_one),
        shows="a weight that is not 1 everywhere",
    ),
    Fault(
        "patches.reassemble_patches",
        "clamped",
        "the sum of weights is clamped to ≥ 1",
        _merged(lambda xp, n, m: 1 / xp.maximum(m, 1.0)),
        shows="pixels that patches cover in part",
    ),
    Fault(
        "patches.reassemble_patches",
        "epsilon-0.1",
        "ε = .1 is added to the sum of weights",
        raw(lambda xp, floor: 0.1),
        at="patches._FLOOR",
    ),
    Fault(
        "patches.reassemble_patches",
        "epsilon-1e-9",
        "ε = 1e-9 is added to the sum of weights",
        raw(lambda xp, floor: 1e-9),
        at="patches._FLOOR",
    ),
    Fault(
        "patches.reassemble_patches",
        "undivided",
        "the sum of weights is not divided by",
        _merged(lambda xp, n, m: xp.ones_like(m)),
    ),
    Fault(
        "patches.reassemble_patches",
        "any-weight",
        "pixels with any weight are counted, not the weight",
        _merged(_right, below=_any),
        shows="weights other than 0 and 1",
    ),
    Fault(
        "patches.reassemble_patches",
        "not-zero",
        "pixels of the object that are not 0 are counted, not the weight",
        replaced(_counting_content),
    ),
    Fault(
        "patches.reassemble_patches",
        "sign",
        "the sign of extraction is used",
        given(positions=lambda xp, x: -x),
        diagnosis=("the sign of extraction is used", FLIPPED, "positions enters times a constant factor"),
    ),
    Fault("patches.reassemble_patches", "x-for-y", EXCHANGED, X_FOR_Y, at="patches._moved"),
    Fault("patches.reassemble_patches", "other-sides", SIDES, OTHER_SIDES, at="patches._between"),
    Fault("patches.reassemble_patches", "whole-pixels", ROUNDED, given(positions=lambda xp, x: xp.round(x))),
    Fault("patches.reassemble_patches", "first-group", FIRST_GROUP, OF_THE_FIRST_GROUP, shows="two groups or more"),
    Fault(
        "patches.reassemble_patches",
        "conjugated",
        "conjugate of patches",
        given(patches=lambda xp, x: xp.conj(x)),
        diagnosis=("conjugate of patches", "the result is conjugated"),
    ),
    Fault(
        "patches.reassemble_patches",
        "soft-weight",
        "a constant is added to weight",
        given(weight=lambda xp, x: x + 0.05),
    ),
    Fault(
        "patches.reassemble_patches",
        "weight-bfloat16",
        "weight is truncated to bfloat16",
        given(weight=rounded("bfloat16")),
        shows="weights other than 0 and 1",
        diagnosis=("weight is truncated to bfloat16", "an intermediate is bfloat16"),
    ),
    Fault(
        "patches.reassemble_patches",
        "weight-detached",
        "weight is detached",
        given(weight=lambda xp, x: xp.detach(x)),
        shows="a gradient",
    ),
    Fault(
        "patches.reassemble_patches",
        "positions-detached",
        "positions are detached",
        given(positions=lambda xp, x: xp.detach(x)),
        shows="a gradient",
    ),
    Fault(
        "patches.reassemble_patches",
        "cover-detached",
        "the sum of weights is detached",
        _merged(lambda xp, n, m: xp.detach(_right(xp, n, m))),
        shows="a gradient",
    ),
    Fault(
        "patches.reassemble_patches",
        "channels-last-reshaped",
        "channels last of patches are reshaped, not transposed",
        given(patches=read_in_the_order(0, 2, 3, 1)),
        shows="two patches or more",
    ),
    Fault(
        "patches.reassemble_patches",
        "chunks-mixed",
        "all groups get the first one's canvas once a chunk of 64 patches is full",
        once_a_chunk_is_full(lambda xp, x: x[:1]),
        shows="64 patches or more",
    ),
    Fault(
        "patches.reassemble_patches",
        "last-patch",
        "the last patch of every group lies a pixel off",
        given(patches=of_the_last(lambda xp, x: xp.roll(x, 1, -1), 1)),
        diagnosis=(),
    ),
    Fault(
        "patches.reassemble_patches",
        "hot-pixel",
        "one pixel of the canvas is doubled",
        returning(lambda xp, x, a: xp.scaled(x, 1 + pixel(xp, x, 6, 5))),
        diagnosis=(),
    ),
)
