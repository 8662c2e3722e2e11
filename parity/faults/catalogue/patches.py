"""Defects in how patches are weighted and framed; their orders, moves and merging have modules of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parity.contracts.changes import Arguments, Change, given, replaced, returning
from parity.contracts.contract import Inputs
from parity.contracts.fault import Fault
from parity.contracts.namespace import PLANE, Namespace, Tensor
from parity.faults.catalogue.common import noisy, number, of_the_last, pixel
from parity.faults.catalogue.wiring import own
from parity.faults.generated import Generated

_ROLLED = "the result is rolled by whole pixels"
_FACTOR = "the result is off by a constant factor"
_OFF_BY_ONE = "the middle is off by one pixel"


def _moved_diagonally(xp: Namespace, x: Tensor) -> Tensor:
    return xp.roll(xp.roll(x, 1, -2), 1, -1)


Line = Callable[[Namespace, Tensor], Tensor]
"""Where 1 of the weights on n pixels begins, or how many there are; real, from n."""


def _half(xp: Namespace, n: Tensor) -> Tensor:
    return xp.floor(n / 2)


def _central(start: Line, count: Line = _half) -> Change:
    """The weight 1 on `count` pixels from `start` on, along either axis."""

    def line(xp: Namespace, size: Any, like: Tensor) -> Tensor:
        place, n = xp.arange(size, like), number(xp, size, like)
        first = start(xp, n)
        return xp.cast_like((place >= first) & (place < first + count(xp, n)), place)

    def formula(xp: Namespace, a: Arguments) -> Tensor:
        height, width = xp.shape(a.patches)[-2:]
        return line(xp, height, a.patches)[:, None] * line(xp, width, a.patches)

    return replaced(formula)


def _modes(formula: Callable[[Namespace, Tensor], Tensor]) -> Change:
    return replaced(lambda xp, a: formula(xp, a.probe))


def _power(xp: Namespace, x: Tensor) -> Tensor:
    return xp.square(xp.real(x)) + xp.square(xp.imag(x))


def _has_a_margin(inputs: Inputs) -> bool:
    return inputs["patches"].shape[-2:] != (inputs["rows"].item(), inputs["columns"].item())


def _padded_behind(xp: Namespace, padded: Tensor, a: Arguments) -> Tensor:
    height, width = xp.shape(a.patches)[-2:]
    return xp.roll(xp.roll(padded, -((a.rows - height) // 2), -2), -((a.columns - width) // 2), -1)


Source = Callable[[Namespace, Tensor, Tensor], Tensor]
"""The pixel of a line that shows at a place on it or beyond, from place and size."""


def nearest(xp: Namespace, place: Tensor, size: Tensor) -> Tensor:
    """The border, beyond it."""
    return xp.minimum(xp.maximum(place, 0.0), size - 1)


def around(xp: Namespace, place: Tensor, size: Tensor) -> Tensor:
    """The line again, beyond its ends."""
    return place - size * xp.floor(place / size)


def _padded_with(source: Source) -> Change:
    """Patches with something other than 0 around them."""

    def formula(xp: Namespace, a: Arguments) -> Tensor:
        padded = a.patches
        for axis, size in ((-2, a.rows), (-1, a.columns)):
            present, frame = (number(xp, n, padded) for n in (xp.shape(padded)[axis], size))
            place = xp.arange(size, padded) - xp.floor((frame - present) / 2)
            padded = xp.take(padded, source(xp, place, present), axis)
        return padded

    return replaced(formula)


def _cut_with_negative_ends(xp: Namespace, a: Arguments) -> Tensor:
    """x[m:−m], which is nothing where m is 0."""
    height, width = xp.shape(a.patches)[-2:]
    top, left = (height - a.rows) // 2, (width - a.columns) // 2
    return a.patches[..., top:-top, left:-left]


WEIGHTS = (
    Fault(
        "patches.central_weight",
        "rounded-up",
        "an odd half is rounded up",
        _central(lambda xp, n: xp.floor((n - xp.floor(n / 2)) / 2), lambda xp, n: xp.floor((n + 1) / 2)),
        shows="an odd side",
    ),
    Fault(
        "patches.central_weight",
        "from-a-quarter",
        "the half begins at H//4",
        _central(lambda xp, n: xp.floor(n / 4)),
        shows="a side of 4k + 3",
    ),
    Fault("patches.central_weight", "corner", "the half is at the corner", _central(lambda xp, n: 0 * n)),
    Fault(
        "patches.central_weight",
        "quarter",
        "a quarter stands for the half",
        _central(lambda xp, n: xp.floor((n - xp.floor(n / 4)) / 2), lambda xp, n: xp.floor(n / 4)),
    ),
    Fault(
        "patches.central_weight",
        "everywhere",
        "the weight is 1 everywhere",
        returning(lambda xp, x, a: xp.ones_like(x)),
    ),
    Fault(
        "patches.central_weight",
        "off-by-one",
        "the half is a column further to the right",
        returning(lambda xp, x, a: xp.roll(x, 1, -1)),
        diagnosis=(_ROLLED,),
    ),
    Fault(
        "patches.central_weight",
        "soft",
        "a tenth is added to the weight",
        returning(lambda xp, x, a: x + 0.1),
        diagnosis=("a constant is added to the result",),
    ),
    Fault(
        "patches.uniform_weight",
        "central",
        "the central weight stands for the uniform one",
        replaced(lambda xp, a: own(xp, "patches.central_weight")(patches=a.patches)),
    ),
    Fault(
        "patches.uniform_weight",
        "unit-sum",
        "the weights sum to 1",
        returning(lambda xp, x, a: x / xp.size(x, PLANE)),
        diagnosis=("the weights sum to 1", _FACTOR),
    ),
    Fault(
        "patches.uniform_weight",
        "last-line",
        "the last row and column have no weight",
        _central(lambda xp, n: 0 * n, lambda xp, n: n - 1),
        diagnosis=("the last row and column have no weight", "only the frame's border is wrong"),
    ),
    Fault(
        "patches.probe_weight",
        "modulus",
        "the modulus stands for its square",
        _modes(lambda xp, p: xp.sum(xp.abs(p), 0)),
    ),
    Fault(
        "patches.probe_weight",
        "coherent",
        "the modes are summed coherently",
        _modes(lambda xp, p: _power(xp, xp.sum(p, 0))),
        shows="two modes or more",
    ),
    Fault(
        "patches.probe_weight",
        "mean",
        "the mean over modes stands for the sum",
        _modes(lambda xp, p: xp.mean(_power(xp, p), 0)),
        shows="two modes or more",
        diagnosis=("the mean over modes stands for the sum", _FACTOR),
    ),
    Fault(
        "patches.probe_weight",
        "square",
        "the square stands for the modulus's",
        _modes(lambda xp, p: xp.sum(xp.square(xp.real(p)) - xp.square(xp.imag(p)), 0)),
        shows="a probe with a phase",
    ),
    Fault(
        "patches.probe_weight",
        "largest-1",
        "the largest weight is 1",
        returning(lambda xp, x, a: x / xp.max(x)),
    ),
    Generated("patches.probe_weight", "probe-detached", called="detached"),
    Generated("patches.probe_weight", "probe-gradient-halved", called="half-the-gradient"),
    Fault(
        "patches.probe_weight",
        "noise",
        "noise of 10⁻⁵ is added",
        returning(lambda xp, x, a: noisy(1e-5)(xp, x)),
        diagnosis=(),
    ),
)


FRAMES = (
    Fault(
        "patches.pad",
        "behind",
        "the zeros are on one side only",
        returning(_padded_behind),
        diagnosis=("the zeros are on one side only", _ROLLED),
    ),
    Fault(
        "patches.pad",
        "off-by-one",
        _OFF_BY_ONE,
        returning(lambda xp, x, a: _moved_diagonally(xp, x)),
        diagnosis=(_OFF_BY_ONE, _ROLLED),
        where=_has_a_margin,
    ),
    Fault("patches.pad", "edge", "the border is repeated where zeros should be", _padded_with(nearest)),
    Fault("patches.pad", "wrap", "the frame is wrapped around where zeros should be", _padded_with(around)),
    Generated("patches.pad", "patches-imaginary-part-detached", called="imaginary-part-detached"),
    Fault(
        "patches.pad",
        "hot-pixel",
        "one pixel is doubled",
        returning(lambda xp, x, a: xp.scaled(x, 1 + pixel(xp, x, 5, 6))),
        diagnosis=(),
    ),
    Fault("patches.trim", "off-by-one", _OFF_BY_ONE, given(patches=_moved_diagonally)),
    Fault(
        "patches.trim",
        "corner",
        "the corner is cut out, not the middle",
        replaced(lambda xp, a: a.patches[..., : a.rows, : a.columns]),
    ),
    Fault(
        "patches.trim",
        "last-pixels",
        "the last pixels are cut out, not the middle",
        replaced(lambda xp, a: a.patches[..., -a.rows :, -a.columns :]),
    ),
    Fault(
        "patches.trim",
        "nothing",
        "nothing is left where nothing should be cut off",
        replaced(_cut_with_negative_ends),
        shows="a frame of the patches' own size",
        blind=True,
    ),
    Fault(
        "patches.trim",
        "last-patch",
        "the last patch of every group is cut out a row off",
        given(patches=of_the_last(lambda xp, x: xp.roll(x, 1, -2), 1)),
        diagnosis=(),
    ),
)

FAULTS = (*WEIGHTS, *FRAMES)
