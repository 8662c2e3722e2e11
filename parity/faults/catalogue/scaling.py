"""Defects of photon bookkeeping, and of the two scalings of an amplitude."""

from __future__ import annotations

from parity.faults.base import Fault
from parity.faults.catalogue.common import pixel, read_in_the_order, rounded
from parity.faults.catalogue.wiring import first_kept
from parity.faults.changes import Arguments, Change, given, replaced, returning
from parity.faults.namespace import PLANE, Namespace, Tensor

_TOO_SOON = "integers are squared before they are widened"
_TOGETHER = "the photons of all patches are counted together"
_UNEQUAL = "patterns of unequal energy"
_SEVERAL = "several patches"
_SCALED = "a scale other than 1"


def _is_integer(x: Tensor) -> bool:
    return "int" in str(x.dtype)


def _real(xp: Namespace, amplitude: Tensor) -> Tensor:
    return xp.cast(amplitude, "float64") if _is_integer(amplitude) else amplitude


def squared_in_uint16(xp: Namespace, amplitude: Tensor) -> Tensor:
    """Amplitudes whose squares are what is left of them in sixteen bits."""
    if not _is_integer(amplitude):
        return amplitude
    wide = xp.cast(amplitude, "int64")
    return xp.sqrt(xp.cast(wide * wide % 2**16, "float64"))


def _photons(xp: Namespace, a: Arguments, axes: tuple[int, ...] = PLANE) -> Tensor:
    return xp.sum(xp.square(_real(xp, a.amplitude)), axes, True)


def _number(xp: Namespace, a: Arguments, axes: int | tuple[int, ...], like: Tensor) -> Tensor:
    return xp.cast_like(xp.size(_real(xp, a.amplitude), axes), like)


def _scaled_by(*axes: int) -> Change:
    """Each of the pictures that lie along `axes` has a scale of its own."""

    def normalized(xp: Namespace, a: Arguments) -> Tensor:
        amplitude = _real(xp, a.amplitude)
        return amplitude / (2 * xp.sqrt(xp.mean(xp.square(amplitude), axes, True)))

    return replaced(normalized)


def _together(xp: Namespace, count: Tensor, a: Arguments) -> Tensor:
    return xp.broadcast_like(xp.sum(count, 1, True), count)


def _last_row_left_out(xp: Namespace, amplitude: Tensor) -> Tensor:
    amplitude = _real(xp, amplitude)
    return xp.concat([amplitude[:, :, :-1], xp.zeros_like(amplitude[:, :, -1:])], -2)


def _norm_detached(xp: Namespace, a: Arguments) -> Tensor:
    amplitude = _real(xp, a.amplitude)
    return amplitude / xp.detach(2 * xp.sqrt(xp.mean(xp.square(amplitude))))


def _held_up(xp: Namespace, a: Arguments) -> Tensor:
    amplitude = _real(xp, a.amplitude)
    return amplitude / (2 * xp.sqrt(xp.mean(xp.square(amplitude)) + 1e-8))


COUNTING = (
    Fault(
        "scaling.count_photons",
        "squared-in-uint16",
        _TOO_SOON,
        given(amplitude=squared_in_uint16),
        shows="readings of 256 and more",
    ),
    Fault(
        "scaling.count_photons",
        "averaged",
        "the mean over pixels stands for the sum",
        returning(lambda xp, count, a: count / _number(xp, a, PLANE, count)),
        diagnosis=("the mean over pixels stands for the sum", "the result is a factor HW too small"),
    ),
    Fault(
        "scaling.count_photons",
        "unsquared",
        "the amplitude is not squared",
        replaced(lambda xp, a: xp.sum(_real(xp, a.amplitude), PLANE)),
        diagnosis=(
            "the amplitude is not squared",
            "amplitude enters unsquared (an amplitude where an intensity is meant)",
        ),
    ),
    Fault("scaling.count_photons", "patches-together", _TOGETHER, returning(_together), shows=_SEVERAL),
    Fault(
        "scaling.count_photons",
        "float32",
        "an intermediate is float32",
        returning(lambda xp, count, a: xp.through(count, "float32")),
        shows="a float64 run",
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
        given(amplitude=lambda xp, x: xp.minimum(_real(xp, x), 10.0)),
        shows="more than 100 photons on a pixel",
        diagnosis=(),
    ),
    Fault(
        "scaling.count_photons",
        "reshaped",
        "channels last of amplitude are reshaped, not transposed",
        given(amplitude=read_in_the_order(0, 2, 3, 1)),
        shows=_SEVERAL,
    ),
    Fault(
        "scaling.scale_nphotons",
        "patches-together",
        _TOGETHER,
        returning(lambda xp, scale, a: scale / xp.sqrt(_number(xp, a, 1, scale))),
        shows=_SEVERAL,
    ),
    Fault(
        "scaling.scale_nphotons",
        "whole-data-set",
        "the photons of the whole data set stand for the mean pattern's",
        returning(lambda xp, scale, a: scale / xp.sqrt(_number(xp, a, (0, 1), scale))),
        shows="several patterns",
    ),
    Fault(
        "scaling.scale_nphotons",
        "root-missing",
        "the root is missing",
        returning(lambda xp, scale, a: xp.square(scale)),
    ),
    Fault(
        "scaling.scale_nphotons",
        "inverted",
        "the scale is inverted",
        returning(lambda xp, scale, a: 1 / scale),
    ),
    Fault(
        "scaling.scale_nphotons",
        "brightest",
        "the brightest pattern stands for the mean one",
        replaced(lambda xp, a: xp.sqrt(a.nphotons / xp.max(_photons(xp, a)))),
        shows=_UNEQUAL,
    ),
    Fault(
        "scaling.scale_nphotons",
        "dose-forgotten",
        "nphotons is forgotten (1 in its place)",
        given(nphotons=lambda xp, x: xp.ones_like(x)),
    ),
    Fault(
        "scaling.scale_nphotons",
        "squared-in-uint16",
        _TOO_SOON,
        given(amplitude=squared_in_uint16),
        shows="readings of 256 and more",
    ),
    Fault(
        "scaling.scale_nphotons",
        "mean-of-roots",
        "the root of each count is averaged, not the count",
        replaced(lambda xp, a: xp.sqrt(a.nphotons) / xp.mean(xp.sqrt(_photons(xp, a)))),
        shows=_UNEQUAL,
        diagnosis=(),
    ),
)
"""Of photon counts and of the scale that they ask for."""

NORMALISING = (
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
        replaced(lambda xp, a: _real(xp, a.amplitude) / (4 * xp.mean(xp.square(_real(xp, a.amplitude))))),
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
    Fault(
        "scaling.normalize_amplitude",
        "largest-is-one",
        "the largest amplitude is 1",
        replaced(lambda xp, a: _real(xp, a.amplitude) / xp.max(_real(xp, a.amplitude))),
    ),
    Fault(
        "scaling.normalize_amplitude",
        "float16",
        "the result is rounded to float16",
        returning(lambda xp, x, a: xp.through(x, "float16")),
        diagnosis=("the result is rounded to float16", "an intermediate is float16"),
    ),
    Fault(
        "scaling.normalize_amplitude",
        "norm-detached",
        "the norm is detached",
        replaced(_norm_detached),
        diagnosis=(),
    ),
    Fault(
        "scaling.normalize_amplitude",
        "epsilon",
        "ε = 1e-8 is added to the mean square",
        replaced(_held_up),
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

SCALING = (
    Fault(
        "scaling.apply_intensity_scale",
        "divided",
        "the scale divides where it must multiply",
        given(log_scale=lambda xp, w: -w),
        shows=_SCALED,
    ),
    Fault(
        "scaling.apply_intensity_scale",
        "root",
        "the root of the scale is used",
        given(log_scale=lambda xp, w: w / 2),
        shows=_SCALED,
    ),
    Fault(
        "scaling.apply_intensity_scale",
        "twice",
        "the square of the scale is used",
        given(log_scale=lambda xp, w: 2 * w),
        shows=_SCALED,
    ),
    Fault(
        "scaling.apply_intensity_scale",
        "decimal",
        "the logarithm is taken to be decimal",
        replaced(lambda xp, a: a.amplitude * 10**a.log_scale),
        shows=_SCALED,
    ),
    Fault(
        "scaling.apply_intensity_scale",
        "forgotten",
        "log_scale is forgotten (0 in its place)",
        given(log_scale=lambda xp, w: xp.zeros_like(w)),
        shows=_SCALED,
    ),
    Fault(
        "scaling.apply_intensity_scale",
        "not-a-parameter",
        "log_scale is detached",
        given(log_scale=lambda xp, w: xp.detach(w)),
        shows="a trainable scale",
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
        "an intermediate is float32",
        given(log_scale=rounded("float32")),
        shows="a float64 run",
    ),
    Fault(
        "scaling.apply_intensity_scale",
        "dead-pixel",
        "one pixel is 0",
        returning(lambda xp, x, a: x * (1 - pixel(xp, x, 4, 4))),
        diagnosis=(),
    ),
    Fault(
        "scaling.remove_intensity_scale",
        "multiplied",
        "the scale multiplies where it must divide",
        given(log_scale=lambda xp, w: -w),
        shows=_SCALED,
    ),
    Fault(
        "scaling.remove_intensity_scale",
        "root",
        "the root of the scale is used",
        given(log_scale=lambda xp, w: w / 2),
        shows=_SCALED,
    ),
    Fault(
        "scaling.remove_intensity_scale",
        "twice",
        "the scale is divided out twice",
        given(log_scale=lambda xp, w: 2 * w),
        shows=_SCALED,
    ),
    Fault(
        "scaling.remove_intensity_scale",
        "epsilon",
        "ε = 1e-6 is added to the scale",
        replaced(lambda xp, a: a.amplitude / (xp.exp(a.log_scale) + 1e-6)),
        diagnosis=(),
    ),
    Fault(
        "scaling.remove_intensity_scale",
        "amplitude-detached",
        "amplitude is detached",
        given(amplitude=lambda xp, x: xp.detach(x)),
    ),
)
"""Of the two scalings of an amplitude."""

FAULTS = (*COUNTING, *NORMALISING, *SCALING)
