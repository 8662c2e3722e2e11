"""Defects in how the patches of a group are merged into a canvas."""

from __future__ import annotations

from parity.contracts.changes import Arguments, Change, Of, given, replaced, returning
from parity.contracts.fault import Fault
from parity.contracts.namespace import Namespace, Tensor
from parity.faults.catalogue.common import of_the_last, pixel
from parity.faults.catalogue.patches_moved import (
    EXCHANGED,
    FLIPPED,
    ROUNDED,
    SIDES,
    WHOLE_PIXELS,
    X_FOR_Y,
    once_a_chunk_is_full,
    other_side,
)
from parity.faults.catalogue.wiring import own, some
from parity.faults.generated import Generated


def _placed(xp: Namespace, a: Arguments, images: Tensor, place: Of = lambda xp, r: r) -> Tensor:
    """Images (B, C, H, W) on the canvas, each moved to its place: translate(pad(image c), −r_c)."""
    framed = own(xp, "patches.pad")(patches=images, **some(a, "rows", "columns"))
    return own(xp, "patches.translate")(patches=framed, positions=-place(xp, a.positions))


def _merged(
    share: Of,
    above: Of = lambda xp, weight: weight,
    below: Of = lambda xp, weight: weight,
    place: Of = lambda xp, r: r,
) -> Change:
    """A merge that takes another `share` of the sum for the mean, from the sum of weights.

    Or with other weights `above` or `below`, or with the patches at another `place`.
    """

    def formula(xp: Namespace, a: Arguments) -> Tensor:
        ground = xp.broadcast_like(below(xp, a.weight), xp.real(a.patches))
        images = xp.scaled(a.patches, above(xp, a.weight)), xp.complex(ground, xp.zeros_like(ground))
        content, cover = (xp.sum(_placed(xp, a, each, place), 1) for each in images)
        return xp.scaled(content, share(xp, xp.real(cover)))

    return replaced(formula)


def _one(xp: Namespace, weight: Tensor) -> Tensor:
    return xp.ones_like(weight)


def _any(xp: Namespace, weight: Tensor) -> Tensor:
    return xp.cast_like(weight > 0, weight)


def _counting_content(xp: Namespace, a: Arguments) -> Tensor:
    """A merge that divides by how many patches have anything at a pixel of the canvas."""
    count = xp.sum(xp.cast_like(xp.abs(_placed(xp, a, a.patches)) > 0, a.weight), 1)
    return xp.scaled(xp.sum(_placed(xp, a, xp.scaled(a.patches, a.weight)), 1), _right(xp, count))


def _right(xp: Namespace, cover: Tensor) -> Tensor:
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
        _merged(lambda xp, m: 1 / xp.maximum(m, 1.0)),
        shows="pixels that patches cover in part",
    ),
    Fault(
        "patches.reassemble_patches",
        "epsilon-0.1",
        "ε = .1 is added to the sum of weights",
        _merged(lambda xp, m: 1 / (m + 0.1)),
    ),
    Fault(
        "patches.reassemble_patches",
        "epsilon-1e-9",
        "ε = 1e-9 is added to the sum of weights",
        _merged(lambda xp, m: 1 / (m + 1e-9)),
    ),
    Fault(
        "patches.reassemble_patches",
        "undivided",
        "the sum of weights is not divided by",
        _merged(lambda xp, m: xp.ones_like(m)),
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
        "sign",
        "the sign of extraction is used",
        given(positions=lambda xp, x: -x),
        diagnosis=("the sign of extraction is used", FLIPPED, "positions enters times a constant factor"),
    ),
    Fault("patches.reassemble_patches", "whole-pixels", ROUNDED, WHOLE_PIXELS),
    Fault("patches.reassemble_patches", "other-sides", SIDES, _merged(_right, place=other_side)),
    Fault("patches.reassemble_patches", "x-for-y", EXCHANGED, X_FOR_Y, at="patches._moved"),
    Generated("patches.reassemble_patches", "positions-of-first-group", called="first-group"),
    Generated(
        "patches.reassemble_patches",
        "patches-conjugated",
        called="conjugated",
        diagnosis=("conjugate of patches", "the result is conjugated"),
    ),
    Generated("patches.reassemble_patches", "weight-bfloat16", shows="weights other than 0 and 1"),
    Generated("patches.reassemble_patches", "weight-detached"),
    Generated("patches.reassemble_patches", "positions-detached"),
    Generated("patches.reassemble_patches", "patches-reshaped", called="channels-last-reshaped"),
    Fault(
        "patches.reassemble_patches",
        "not-zero",
        "pixels of the object that are not 0 are counted, not the weight",
        replaced(_counting_content),
        blind=True,
    ),
    Fault(
        "patches.reassemble_patches",
        "soft-weight",
        "a twentieth is added to the weight",
        given(weight=lambda xp, x: x + 0.05),
        diagnosis=("a constant is added to weight",),
    ),
    Fault(
        "patches.reassemble_patches",
        "cover-detached",
        "the sum of weights is detached",
        _merged(lambda xp, m: xp.detach(_right(xp, m))),
        shows="a gradient",
        blind=True,
    ),
    Fault(
        "patches.reassemble_patches",
        "chunks-mixed",
        "all groups get the first one's canvas once a chunk of 64 patches is full",
        once_a_chunk_is_full(lambda xp, x: x[:1]),
        shows="64 patches or more",
        blind=True,
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
