"""Faults of photon bookkeeping, and of the two scalings of an amplitude."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from parity.contracts.changes import Arguments, Change, given, replaced, returning
from parity.contracts.fault import Fault
from parity.contracts.namespace import PLANE, Namespace, Tensor
from parity.faults.catalogue.common import pixel, rounded
from parity.faults.catalogue.wiring import first_kept
from parity.faults.generated import Generated
from parity.faults.namespace import NUMPY

_TOGETHER = "the photons of all patches are counted together"
_UNEQUAL = "patterns of unequal energy"
_SEVERAL = "several patches"
_SCALED = "a scale other than 1"


def _is_integer(x: Tensor) -> bool:
    return "int" in str(x.dtype)


def widened(xp: Namespace, amplitude: Tensor) -> Tensor:
    """An amplitude as it is to be squared: float64 where a detector has counted in integers."""
    return xp.cast(amplitude, "float64") if _is_integer(amplitude) else amplitude


def _squared_in_uint16(xp: Namespace, amplitude: Tensor) -> Tensor:
    """Readings whose squares are what is left of them in sixteen bits."""
    if xp is not NUMPY and not _is_integer(amplitude):  # the oracle has readings widened, and is asked of no others
        return amplitude
    square = xp.square(xp.cast(amplitude, "float64"))
    return xp.sqrt(square - 2**16 * xp.floor(square / 2**16))


def squared_too_soon(target: str, readings: str = "amplitude", at: str = "") -> Fault:
    """That of a contract which counts the photons of an argument."""
    return Fault(
        target,
        "squared-in-uint16",
        "integers are squared before they are widened",
        given(amplitude=_squared_in_uint16),
        at=at,
        shows="readings of 256 and more",
        where=lambda inputs: np.issubdtype(inputs[readings].dtype, np.integer),
    )


def _unsquared(target: str) -> Fault:
    what = "the amplitude is not squared"
    change = given(amplitude=lambda xp, x: xp.sqrt(widened(xp, x)))
    enters = "amplitude enters unsquared (an amplitude where an intensity is meant)"
    return Fault(target, "unsquared", what, change, diagnosis=(what, enters))


def _squares(xp: Namespace, a: Arguments) -> Tensor:
    return xp.square(widened(xp, a.amplitude))


def _photons(xp: Namespace, a: Arguments) -> Tensor:
    return xp.sum(_squares(xp, a), PLANE)


def _number(xp: Namespace, a: Arguments, axes: int | tuple[int, ...], like: Tensor) -> Tensor:
    return xp.cast_like(xp.size(widened(xp, a.amplitude), axes), like)


def _of_all_patches(xp: Namespace, scaled: Tensor, a: Arguments) -> Tensor:
    """What is scaled to a mean count, where that is of groups, not of patterns."""
    return scaled / xp.sqrt(_number(xp, a, 1, scaled))


def _divided_by(size: Callable[[Namespace, Arguments], Tensor]) -> Change:
    """The amplitude over twice what stands for the root of its mean square."""
    return replaced(lambda xp, a: widened(xp, a.amplitude) / (2 * size(xp, a)))


def _scaled_by(*axes: int) -> Change:
    """Each of the pictures that lie along `axes` has a scale of its own."""
    return _divided_by(lambda xp, a: xp.sqrt(xp.mean(_squares(xp, a), axes, True)))


def _last_row_left_out(xp: Namespace, amplitude: Tensor) -> Tensor:
    amplitude = widened(xp, amplitude)
    return xp.concat([amplitude[:, :, :-1], xp.zeros_like(amplitude[:, :, -1:])], -2)


COUNTING: tuple[Fault | Generated, ...] = (
    squared_too_soon("scaling.count_photons"),
    _unsquared("scaling.count_photons"),
    Fault(
        "scaling.count_photons",
        "averaged",
        "the mean over pixels stands for the sum",
        returning(lambda xp, count, a: count / _number(xp, a, PLANE, count)),
        diagnosis=("the mean over pixels stands for the sum", "the result is a factor HW too small"),
    ),
    Fault(
        "scaling.count_photons",
        "patches-together",
        _TOGETHER,
        returning(lambda xp, count, a: xp.broadcast_like(xp.sum(count, 1, True), count)),
        shows=_SEVERAL,
    ),
    Fault(
        "scaling.count_photons",
        "patches-averaged",
        "the patches of a group are averaged",
        returning(lambda xp, count, a: xp.broadcast_like(xp.mean(count, 1, True), count)),
        shows=_UNEQUAL,
    ),
    Generated("scaling.count_photons", "amplitude-reshaped", called="reshaped", shows=_SEVERAL),
    Fault(
        "scaling.count_photons",
        "float32",
        "the photons are rounded to float32",
        returning(lambda xp, count, a: xp.through(count, "float32")),
        shows="a float64 run",
        diagnosis=("an intermediate is float32",),
    ),
    Fault(
        "scaling.count_photons",
        "last-row-left-out",
        "the last row is not counted",
        given(amplitude=_last_row_left_out),
        diagnosis=(),
    ),
    Fault(
        "scaling.count_photons",
        "saturated",
        "the detector saturates at an amplitude of 10",
        given(amplitude=lambda xp, x: xp.minimum(widened(xp, x), 10.0)),
        shows="more than 100 photons on a pixel",
        diagnosis=(),
    ),
)
"""Of photon counts."""

DOSE: tuple[Fault | Generated, ...] = (
    squared_too_soon("scaling.scale_nphotons"),
    Fault("scaling.scale_nphotons", "inverted", "the scale is inverted", returning(lambda xp, scale, a: 1 / scale)),
    Fault(
        "scaling.scale_nphotons",
        "root-missing",
        "the root is missing",
        returning(lambda xp, scale, a: xp.square(scale)),
    ),
    Fault("scaling.scale_nphotons", "patches-together", _TOGETHER, returning(_of_all_patches), shows=_SEVERAL),
    Fault(
        "scaling.scale_nphotons",
        "whole-data-set",
        "the photons of the whole data set stand for the mean pattern's",
        returning(lambda xp, scale, a: scale / xp.sqrt(_number(xp, a, (0, 1), scale))),
        shows="several patterns",
    ),
    Fault(
        "scaling.scale_nphotons",
        "averaged",
        "the mean over pixels stands for the sum",
        returning(lambda xp, scale, a: scale * xp.sqrt(_number(xp, a, PLANE, scale))),
        diagnosis=("the mean over pixels stands for the sum", "the result is a factor √(HW) too large"),
    ),
    Fault(
        "scaling.scale_nphotons",
        "brightest",
        "the brightest pattern stands for the mean one",
        replaced(lambda xp, a: xp.sqrt(a.nphotons / xp.max(_photons(xp, a)))),
        shows=_UNEQUAL,
    ),
    _unsquared("scaling.scale_nphotons"),
    Generated("scaling.scale_nphotons", "nphotons-as-1", called="dose-forgotten"),
    Fault(
        "scaling.scale_nphotons",
        "mean-of-roots",
        "the root of each count is averaged, not the count",
        replaced(lambda xp, a: xp.sqrt(a.nphotons) / xp.mean(xp.sqrt(_photons(xp, a)))),
        shows=_UNEQUAL,
        diagnosis=(),
    ),
)
"""Of the scale that a photon count asks for."""

NORMALISING: tuple[Fault | Generated, ...] = (
    squared_too_soon("scaling.normalize_amplitude"),
    Fault(
        "scaling.normalize_amplitude",
        "whole-frame",
        "HW stands for HW/4",
        returning(lambda xp, x, a: 2 * x),
        diagnosis=("HW stands for HW/4", "the result is off by a constant factor"),
    ),
    Fault(
        "scaling.normalize_amplitude",
        "root-missing",
        "the root is missing",
        _divided_by(lambda xp, a: 2 * xp.mean(_squares(xp, a))),
    ),
    Fault(
        "scaling.normalize_amplitude",
        "image-by-image",
        "each image has a scale of its own",
        _scaled_by(2, 3),
        shows=_UNEQUAL,
    ),
    Fault(
        "scaling.normalize_amplitude",
        "group-by-group",
        "each group has a scale of its own",
        _scaled_by(1, 2, 3),
        shows=_UNEQUAL,
    ),
    Fault("scaling.normalize_amplitude", "patches-together", _TOGETHER, returning(_of_all_patches), shows=_SEVERAL),
    Fault(
        "scaling.normalize_amplitude",
        "largest-is-one",
        "the largest amplitude is 1",
        _divided_by(lambda xp, a: xp.max(widened(xp, a.amplitude)) / 2),
    ),
    Generated("scaling.normalize_amplitude", "result-float16", called="float16"),
    Fault(
        "scaling.normalize_amplitude",
        "norm-detached",
        "the norm is detached",
        _divided_by(lambda xp, a: xp.detach(xp.sqrt(xp.mean(_squares(xp, a))))),
        diagnosis=(),
    ),
    Fault(
        "scaling.normalize_amplitude",
        "epsilon",
        "ε = 1e-8 is added to the mean square",
        _divided_by(lambda xp, a: xp.sqrt(xp.mean(_squares(xp, a)) + 1e-8)),
        shows="hardly any photons",
        diagnosis=(),
    ),
    Fault(
        "scaling.normalize_amplitude",
        "square-frame",
        "HH stands for HW",
        returning(lambda xp, x, a: x * xp.sqrt(_number(xp, a, -2, x) / _number(xp, a, -1, x))),
        shows="an oblong frame",
        diagnosis=(),
    ),
)
"""Of the normalisation of what a network is given."""


def _misread(target: str, twice: str, unexponentiated: Change) -> tuple[Fault, ...]:
    """Those of a contract that applies a scale e^w, where another is made of w; twice in the words of the contract."""
    return (
        Fault(target, "root", "the root of the scale is used", given(log_scale=lambda xp, w: w / 2), shows=_SCALED),
        Fault(target, "twice", twice, given(log_scale=lambda xp, w: 2 * w), shows=_SCALED),
        Fault(target, "no-exponential", "the logarithm of the scale is taken for the scale", unexponentiated),
        Fault(
            target,
            "decimal",
            "the logarithm is taken to be decimal",
            given(log_scale=lambda xp, w: math.log(10) * w),
            shows=_SCALED,
        ),
    )


APPLYING: tuple[Fault | Generated, ...] = (
    Fault(
        "scaling.apply_intensity_scale",
        "divided",
        "the scale divides where it must multiply",
        given(log_scale=lambda xp, w: -w),
        shows=_SCALED,
    ),
    *_misread(
        "scaling.apply_intensity_scale",
        "the square of the scale is used",
        replaced(lambda xp, a: a.amplitude * a.log_scale),
    ),
    Generated("scaling.apply_intensity_scale", "log-scale-as-0", called="forgotten", shows=_SCALED),
    Generated(
        "scaling.apply_intensity_scale", "log-scale-detached", called="not-a-parameter", shows="a trainable scale"
    ),
    Fault(
        "scaling.apply_intensity_scale",
        "stale",
        "the scale of the first call is kept",
        first_kept("log_scale"),
        stacks=("torch",),
        shows="two scales in one process",
        diagnosis=(),
    ),
    Fault(
        "scaling.apply_intensity_scale",
        "first-order",
        "1 + w stands for e^w",
        replaced(lambda xp, a: a.amplitude * (1 + a.log_scale)),
        diagnosis=(),
    ),
    Fault(
        "scaling.apply_intensity_scale",
        "float32",
        "log_scale is rounded to float32",
        given(log_scale=rounded("float32")),
        shows="a float64 run",
        diagnosis=("an intermediate is float32",),
    ),
    Fault(
        "scaling.apply_intensity_scale",
        "dead-pixel",
        "one pixel is 0",
        returning(lambda xp, x, a: x * (1 - pixel(xp, x, 4, 4))),
        diagnosis=(),
    ),
)
"""Of the scaling to photons."""

REMOVING: tuple[Fault | Generated, ...] = (
    Fault(
        "scaling.remove_intensity_scale",
        "multiplied",
        "the scale multiplies where it must divide",
        given(log_scale=lambda xp, w: -w),
        shows=_SCALED,
    ),
    *_misread(
        "scaling.remove_intensity_scale",
        "the scale is divided out twice",
        replaced(lambda xp, a: a.amplitude / a.log_scale),
    ),
    Generated("scaling.remove_intensity_scale", "amplitude-detached"),
    Fault(
        "scaling.remove_intensity_scale",
        "epsilon",
        "ε = 1e-6 is added to the scale",
        replaced(lambda xp, a: a.amplitude / (xp.exp(a.log_scale) + 1e-6)),
        diagnosis=(),
    ),
)
"""Of its inverse."""

FAULTS: tuple[Fault | Generated, ...] = (*COUNTING, *DOSE, *NORMALISING, *APPLYING, *REMOVING)
