"""Faults in the transform to the detector: its norm, its shifts, its modes, its root."""

from __future__ import annotations

import math
from typing import Any

from parity.contracts.changes import Change, given, raw, returning
from parity.contracts.fault import Fault
from parity.contracts.namespace import PLANE, Namespace, Tensor
from parity.faults.catalogue.common import noisy, number, of_the_last, rounded
from parity.faults.generated import Generated

_FAR_FIELD = "optics.far_field_amplitude"
_FACTOR = "the result is off by a constant factor"
_UNDER_THE_ROOT = "a constant is added under the root"
_LIMITED = "the result is limited to a range"


def _times(power: float) -> Change:
    """The amplitude times a power of the number of pixels."""
    return returning(lambda xp, x, a: x * xp.size(x, PLANE) ** power)


def _under_the_root(epsilon: float) -> Change:
    return returning(lambda xp, x, a: xp.sqrt(xp.square(x) + epsilon))


def _columns_undone(xp: Namespace, waves: Tensor) -> Tensor:
    """The inverse transform over the rows of a column, so that the forward one leaves them alone."""
    turned = xp.conj(xp.fft(xp.conj(xp.swapped(waves, -1, -2))))
    return xp.scaled(xp.swapped(turned, -1, -2), 1 / xp.sqrt(xp.size(waves, -2)))


def _without_negative_rows(xp: Namespace, amplitude: Tensor) -> Tensor:
    """0 above the middle row, where the row frequencies are negative."""
    rows = xp.arange(xp.shape(amplitude)[-2], amplitude)
    middle = xp.floor(number(xp, xp.shape(amplitude)[-2], amplitude) / 2)
    return amplitude * xp.cast_like(rows >= middle, amplitude)[:, None]


def _tilted(xp: Namespace, waves: Tensor) -> Tensor:
    """Waves with a ramp of half a turn down the frame, which moves their far field by half a pixel."""
    rows = xp.shape(waves)[-2]
    ramp = math.pi * xp.arange(rows, waves) / number(xp, rows, waves)
    return waves * xp.complex(xp.cos(ramp), xp.sin(ramp))[:, None]


def _sum_of_moduli(xp: Namespace, right: Any) -> Any:
    return lambda field: xp.square((xp.abs(xp.real(field)) + xp.abs(xp.imag(field))) * math.sqrt(0.5))


FAULTS = (
    Fault(
        _FAR_FIELD,
        "coherent-modes",
        "the modes are summed coherently",
        given(exit_waves=lambda xp, x: xp.sum(x, 2, keepdims=True)),
        shows="two modes or more",
    ),
    Fault(
        _FAR_FIELD,
        "inverse",
        "the inverse transform stands for the forward one",
        given(exit_waves=lambda xp, x: xp.conj(x)),
        diagnosis=("the inverse transform stands for the forward one", "conjugate of exit_waves"),
    ),
    Fault(
        _FAR_FIELD,
        "no-norm",
        "a factor 1/HW is missing",
        _times(0.5),
        diagnosis=("a factor 1/HW is missing", "the result is a factor √(HW) too large", _FACTOR),
    ),
    Fault(
        _FAR_FIELD,
        "norm-squared",
        "1/(HW)² stands for 1/HW",
        _times(-0.5),
        diagnosis=("1/(HW)² stands for 1/HW", "the result is a factor √(HW) too small", _FACTOR),
    ),
    Fault(
        _FAR_FIELD,
        "square-norm",
        "1/H² stands for 1/HW",
        returning(lambda xp, x, a: x * xp.sqrt(xp.size(x, -1) / xp.size(x, -2))),
        shows="oblong frames",
        diagnosis=("1/H² stands for 1/HW", _FACTOR),
    ),
    Fault(_FAR_FIELD, "no-fftshift", "fftshift is missing", returning(lambda xp, x, a: xp.ifftshift(x))),
    Fault(
        _FAR_FIELD,
        "ifftshift",
        "ifftshift stands for fftshift",
        returning(lambda xp, x, a: xp.ifftshift(xp.ifftshift(x))),
        shows="an odd side",
        diagnosis=("ifftshift stands for fftshift", "the result is rolled by whole pixels"),
    ),
    Fault(
        _FAR_FIELD,
        "rows-unshifted",
        "the rows are not shifted (fftshift of one axis)",
        returning(lambda xp, x, a: xp.ifftshift(x, -2)),
    ),
    Fault(
        _FAR_FIELD,
        "columns-unshifted",
        "the columns are not shifted (fftshift of one axis)",
        returning(lambda xp, x, a: xp.ifftshift(x, -1)),
    ),
    Fault(
        _FAR_FIELD,
        "rows-alone",
        "rows are transformed, columns are not",
        given(exit_waves=_columns_undone),
    ),
    Fault(
        _FAR_FIELD,
        "first-mode",
        "the first mode alone is propagated",
        given(exit_waves=lambda xp, x: x[:, :, :1]),
        shows="two modes or more",
    ),
    Fault(
        _FAR_FIELD,
        "averaged-modes",
        "the modes are averaged, not summed",
        returning(lambda xp, x, a: x / xp.sqrt(xp.size(a.exit_waves, 2))),
        shows="two modes or more",
        diagnosis=("the modes are averaged, not summed", _FACTOR),
    ),
    Fault(
        _FAR_FIELD,
        "epsilon-1e-9",
        "ε = 1e-9 is added under the root",
        _under_the_root(1e-9),
        shows="dark pixels",
        diagnosis=("ε = 1e-9 is added under the root", _UNDER_THE_ROOT),
    ),
    Fault(
        _FAR_FIELD,
        "epsilon-1e-3",
        "ε = 1e-3 is added under the root",
        _under_the_root(1e-3),
        shows="dark pixels",
        diagnosis=("ε = 1e-3 is added under the root", _UNDER_THE_ROOT),
    ),
    Generated(_FAR_FIELD, "result-squared", called="no-root"),
    Generated(_FAR_FIELD, "exit-waves-imaginary-part-detached", called="imaginary-part-detached"),
    Generated(_FAR_FIELD, "exit-waves-gradient-halved", called="half-the-gradient"),
    Generated(_FAR_FIELD, "result-float16", called="float16"),
    Generated(_FAR_FIELD, "exit-waves-bfloat16", called="bfloat16"),
    Fault(
        _FAR_FIELD,
        "epsilon-1e-12",
        "ε = 1e-12 is added under the root",
        _under_the_root(1e-12),
        shows="dark pixels",
        diagnosis=(_UNDER_THE_ROOT,),
    ),
    Fault(
        _FAR_FIELD,
        "probe-broadcast",
        "the probe is broadcast over the groups into the mode axis, coherently",
        returning(lambda xp, x, a: x * xp.size(x, 0)),
        shows="two groups or more",
        diagnosis=("the result is a factor B too large", "exit_waves enters times a constant factor", _FACTOR),
    ),
    Fault(
        _FAR_FIELD,
        "unguarded-root",
        "the slope of the root is 1/0 at a dark pixel",
        raw(lambda xp, right: xp.sqrt),
        at="optics._sqrt",
        shows="dark pixels, and a gradient",
        diagnosis=("returns NaN",),
    ),
    Fault(
        _FAR_FIELD,
        "complex64",
        "exit_waves are rounded to complex64",
        given(exit_waves=rounded("float32")),
        shows="float64",
        diagnosis=("an intermediate is float32",),
    ),
    Fault(
        _FAR_FIELD,
        "float16-intensity",
        "the intensity is rounded to float16",
        given(intensity=rounded("float16")),
        at="optics._sqrt",
        shows="more than 65504 photons a pixel, or fewer than 10⁻⁷",
        diagnosis=("an intermediate is float16",),
    ),
    Fault(
        _FAR_FIELD,
        "saturated",
        "the amplitude is limited to at most 1e3",
        returning(lambda xp, x, a: xp.minimum(x, 1e3)),
        shows="bright pixels",
        diagnosis=(_LIMITED,),
    ),
    Fault(
        _FAR_FIELD,
        "never-dark",
        "the amplitude is limited to at least 1e-4",
        returning(lambda xp, x, a: xp.maximum(x, 1e-4)),
        shows="dark pixels",
        diagnosis=(_LIMITED,),
    ),
    Fault(
        _FAR_FIELD,
        "no-negative-rows",
        "negative row frequencies are missing",
        returning(lambda xp, x, a: _without_negative_rows(xp, x)),
        blind=True,
    ),
    Fault(
        _FAR_FIELD,
        "half-a-pixel-off",
        "the pattern is half a pixel off",
        given(exit_waves=_tilted),
        blind=True,
    ),
    Fault(
        _FAR_FIELD,
        "sum-of-parts",
        "|Re ψ| + |Im ψ| stands for |ψ|",
        raw(_sum_of_moduli),
        at="optics._squared_modulus",
        diagnosis=(),
    ),
    Fault(
        _FAR_FIELD,
        "last-patch",
        "the last patch of every group is not shifted",
        returning(lambda xp, x, a: of_the_last(lambda xp, x: xp.ifftshift(x), 1)(xp, x)),
        diagnosis=(),
    ),
    Fault(
        _FAR_FIELD,
        "noise",
        "noise of 10⁻⁵ is added",
        returning(lambda xp, x, a: noisy(1e-5)(xp, x)),
        diagnosis=(),
    ),
    Fault(
        _FAR_FIELD,
        "bent",
        "bright pixels are compressed",
        returning(lambda xp, x, a: x / (1 + 1e-3 * x / (1 + xp.max(x, PLANE, keepdims=True)))),
        diagnosis=(),
    ),
)
