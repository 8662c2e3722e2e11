"""Functions of one element: powers, exponentials, special functions, and the parts of a complex number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special as _special

from parity.physics.oracle.bounded import Bounded, Reals, underflow
from parity.physics.oracle.operations.base import operation


def _absolute_square(z: NDArray[Any]) -> NDArray[Any]:
    return z.real**2 + z.imag**2 if np.iscomplexobj(z) else np.square(z)


@operation(np.square)
def square(x: Bounded, value: Reals) -> Reals:
    """x², real."""
    u = x.precision.unit_roundoff
    return 2 * np.abs(x.value) * x.error + x.error**2 * u + 2 * value + underflow(value, x.precision)


@operation(_absolute_square)
def absolute_square(z: Bounded, value: Reals) -> Reals:
    """|z|²."""
    u = z.precision.unit_roundoff
    return 2 * np.abs(z.value) * z.error + z.error**2 * u + 2 * value + underflow(value, z.precision)


@operation(np.abs)
def absolute(z: Bounded, value: Reals) -> Reals:
    """|z|; exact for real z."""
    return z.error + (2 * value if np.iscomplexobj(z.value) else 0.0)


@operation(np.sqrt)
def sqrt(x: Bounded, value: Reals) -> Reals:
    """√x. The derivative grows without limit at 0, the error does not: √(x + e·u) ≤ √x + √(e·u)."""
    u = x.precision.unit_roundoff
    return np.fmin(x.error / value, np.sqrt(x.error / u)) + 2 * value


@operation(np.log)
def log(x: Bounded, value: Reals) -> Reals:
    """ln x; unbounded where the error of x reaches x."""
    u = x.precision.unit_roundoff
    relative = np.where(x.error > 0, x.error * u / x.value, 0.0)
    rounding = np.where(np.isfinite(value), 4 * np.abs(value), 0.0)
    return np.where(relative < 1, -np.log1p(-relative) / u, np.inf) + rounding


@operation(np.exp)
def exp(x: Bounded, value: Reals) -> Reals:
    """eˣ."""
    u = x.precision.unit_roundoff
    return value * (np.expm1(x.error * u) / u + 3)


@operation(lambda x: _special.gammaln(x + 1))
def log_gamma_plus_one(x: Bounded, value: Reals) -> Reals:
    """ln Γ(x + 1), x ≥ 0; the rounding of x + 1 is part of it, and the second order counts where ψ(x + 1) vanishes."""
    u, reach = x.precision.unit_roundoff, x.error + x.value + 1
    slope = np.abs(_special.digamma(x.value + 1))
    curvature = _special.polygamma(1, np.fmax(x.value - u * reach, 0.0) + 1)
    return slope * reach + u * curvature * reach**2 / 2 + 3.5 * np.abs(value)


@operation(lambda x: _special.digamma(x + 1))
def digamma_plus_one(x: Bounded, value: Reals) -> Reals:
    """ψ(x + 1), x ≥ 0; the rounding of x + 1 and the recurrence down to the asymptotic series are part of it."""
    return _special.polygamma(1, x.value + 1) * (x.error + x.value + 1) + 4 * np.abs(value) + 8


@operation(_special.expit)
def sigmoid(x: Bounded, value: Reals) -> Reals:
    """1 / (1 + e⁻ˣ). Its slope s·(1 − s) grows by e^{|h|} at most over a distance h, and is never above 1/4.

    TensorFlow's rational approximation errs by up to 8.4 u.
    """
    u = x.precision.unit_roundoff
    inherited = value * _special.expit(-x.value) * np.expm1(x.error * u) / u
    return np.fmin(np.fmin(inherited, x.error / 4), 1 / u) + 9 * value + underflow(value, x.precision)


@operation(np.tanh)
def tanh(x: Bounded, value: Reals) -> Reals:
    """The hyperbolic tangent. Its slope 1 − t² grows by e^{2|h|} at most over a distance h, and is never above 1.

    TensorFlow's rational approximation errs by up to 6.1 u, and with one sign over whole planes of like pixels, so
    that errors of 1 − t² add up: hence twice as much.
    """
    u = x.precision.unit_roundoff
    inherited = np.cosh(x.value) ** -2 * np.expm1(2 * x.error * u) / (2 * u)
    return np.fmin(np.fmin(inherited, x.error), 2 / u) + 12 * np.abs(value) + underflow(value, x.precision)


@operation(np.real)
def real(z: Bounded, value: Reals) -> Reals:
    """Re z."""
    return z.error


@operation(np.imag)
def imaginary(z: Bounded, value: Reals) -> Reals:
    """Im z."""
    return z.error


@operation(np.conj)
def conjugate(z: Bounded, value: NDArray[Any]) -> Reals:
    """z̄."""
    return z.error
