"""The functions the oracle is written in, each with the rule for its rounding error.

Every operation is one entry: the NumPy function that evaluates it, and under `@operation` the error of its result. The
constants in the rules cover how TensorFlow and PyTorch really evaluate (`x**2` through pow, sums in pairs, FFTs by
factors), not only correctly rounded operations. To add an operation, add its entry;
`tests/oracle/test_operations.py` holds it against measured rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft as _fft
from scipy import special as _special

from parity.oracle.bounded import Array, Bounded, Reals, underflow

Axes = int | Sequence[int] | None


def operation(evaluate: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make an operation of the oracle from its NumPy evaluation and the decorated error rule.

    The rule gets the Bounded operand and the value of the result (then the operation's own arguments) and returns the
    error of the result in units of u.
    """

    def decorate(rule: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(rule)
        def apply(operand: Array, *arguments: Any, **options: Any) -> Any:
            if not isinstance(operand, Bounded):
                return evaluate(operand, *arguments, **options)
            with np.errstate(all="ignore"):
                value = evaluate(operand.value, *arguments, **options)
                return operand.derive(value, rule(operand, value, *arguments, **options))

        return apply

    return decorate


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


@operation(lambda phase: np.exp(1j * phase))
def cis(phase: Bounded, value: NDArray[Any]) -> Reals:
    """e^{i·phase}, real phase: cosine and sine."""
    return phase.error + 3


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


def _angle(z: NDArray[Any]) -> NDArray[Any]:
    """arg z, and 0 at 0, where NumPy tells the signs of the zeros apart."""
    return np.where(z == 0, z.real, np.angle(z))


@operation(_angle)
def angle(z: Bounded, value: Reals) -> Reals:
    """arg z in (−π, π], 0 at 0; its error taken around the circle: it means something only after `wrap`."""
    error = np.where(z.error > 0, z.error / np.abs(z.value), 0.0) + 4 * np.abs(value)
    return np.fmin(error, np.pi / z.precision.unit_roundoff)


def _wrap(difference: NDArray[Any]) -> NDArray[Any]:
    turn = 2 * np.pi
    return difference - turn * np.round(difference / turn)


@operation(_wrap)
def wrap(difference: Bounded, value: Reals) -> Reals:
    """An angle brought into [−π, π] by whole turns, its error taken around the circle."""
    error = difference.error + 2 * np.abs(difference.value) + np.abs(value)
    return np.fmin(error, np.pi / difference.precision.unit_roundoff)


@operation(np.sign)
def sign(x: Bounded, value: Reals) -> Reals:
    """The sign of a real x; where rounding can turn it, any value from −1 to 1 may come."""
    u = x.precision.unit_roundoff
    return np.where((x.error > 0) & (np.abs(x.value) <= x.error * u), 2 / u, 0.0)


@operation(np.sign)
def turn_sign(angle: Bounded, value: Reals) -> Reals:
    """The sign of an angle in [−π, π]: it can turn at 0 and, once around the circle, at ±π."""
    u = angle.precision.unit_roundoff
    magnitude, reach = np.abs(angle.value), angle.error * u
    return np.where((angle.error > 0) & ((magnitude <= reach) | (magnitude >= np.pi - reach)), 2 / u, 0.0)


def _direction(z: NDArray[Any], axis: Axes = None) -> NDArray[Any]:
    length = np.abs(z) if axis is None else np.sqrt(np.sum(_absolute_square(z), axis=axis, keepdims=True))
    return np.divide(z, length, out=np.zeros_like(z), where=length > 0)


@operation(_direction)
def direction(z: Bounded, value: NDArray[Any], axis: Axes = None) -> Reals:
    """z / ‖z‖ over `axis` (elementwise z / |z| without one), 0 at 0. A direction never leaves the unit ball, so its
    error is at most 2 where z is lost in its own."""
    if axis is None:
        length, error = np.abs(z.value), z.error
    else:
        length = np.sqrt(np.sum(_absolute_square(z.value), axis=axis, keepdims=True))
        error = np.sqrt(np.sum(z.error**2, axis=axis, keepdims=True))
    inherited = np.where(error > 0, 2 * error / length, 0.0)
    return np.fmin(inherited + 6 * np.abs(value), 2 / z.precision.unit_roundoff)


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


def _summation(x: Bounded, value: NDArray[Any]) -> float:
    """Roundings of a sum of n terms, relative to Σ|v|, in whatever order they are added.

    Added one by one they walk as √n; sums in pairs stay near 3. Neither framework adds in pairs throughout, and the
    order is not part of any contract.
    """
    return 3 + 0.8 * float(np.sqrt(x.value.size / max(1, value.size)))


@operation(np.sum)
def total(x: Bounded, value: NDArray[Any], axis: Axes = None, keepdims: bool = False) -> Reals:
    """Σ over `axis`."""
    inherited = np.sum(x.error, axis=axis, keepdims=keepdims)
    return inherited + _summation(x, value) * np.sum(np.abs(x.value), axis=axis, keepdims=keepdims)


@operation(np.mean)
def mean(x: Bounded, value: NDArray[Any], axis: Axes = None, keepdims: bool = False) -> Reals:
    """The mean over `axis`."""
    inherited = np.mean(x.error, axis=axis, keepdims=keepdims)
    return inherited + _summation(x, value) * np.mean(np.abs(x.value), axis=axis, keepdims=keepdims)


def _transform_error(x: Bounded) -> Reals:
    """Normwise: the rounding of a DFT spreads over the whole plane, log₂ n roundings of its largest coefficient."""
    rows, columns = x.shape[-2:]
    coefficient = np.max(np.abs(_fft.fft2(x.value)), axis=(-2, -1), keepdims=True)
    inherited = np.sqrt(np.sum(x.error**2, axis=(-2, -1), keepdims=True))
    bluestein = 2.0 if max(_largest_prime(rows), _largest_prime(columns)) > 11 else 1.0
    return bluestein * (np.log2(rows * columns) * coefficient + 3 * inherited)


def _largest_prime(n: int) -> int:
    factor, largest = 2, 1
    while n > 1:
        while n % factor == 0:
            n, largest = n // factor, factor
        factor += 1
    return largest


@operation(_fft.fft2)
def dft2(x: Bounded, value: NDArray[Any]) -> Reals:
    """The forward DFT over the last two axes, unnormalised."""
    return _transform_error(x)


@operation(lambda x: _fft.ifft2(x, norm="forward"))
def adjoint_dft2(x: Bounded, value: NDArray[Any]) -> Reals:
    """The adjoint of `dft2`: the inverse DFT without its 1/n."""
    return _transform_error(x)


def _moved(evaluate: Callable[..., Any], name: str, doc: str) -> Callable[..., Any]:
    """An operation that only moves elements, and their errors with them."""

    def rule(x: Bounded, value: NDArray[Any], *arguments: Any, **options: Any) -> Any:
        return evaluate(x.error, *arguments, **options)

    rule.__name__, rule.__doc__ = name, doc
    return operation(evaluate)(rule)


fftshift = _moved(np.fft.fftshift, "fftshift", "Zero frequency to the centre, over `axes`.")
ifftshift = _moved(np.fft.ifftshift, "ifftshift", "The inverse of `fftshift`, over `axes`.")
broadcast = _moved(np.broadcast_to, "broadcast", "The array repeated into a larger `shape`.")
pad = _moved(np.pad, "pad", "Zeros around the array, as many as numpy.pad's widths say.")


def where(condition: NDArray[np.bool_], chosen: Any, otherwise: Any) -> Any:
    """`chosen` where `condition` holds, else `otherwise`; the condition is one that no rounding can turn."""
    bounded = next((x for x in (chosen, otherwise) if isinstance(x, Bounded)), None)
    if bounded is None:
        return np.where(condition, chosen, otherwise)
    left, right = bounded.coerce(chosen), bounded.coerce(otherwise)
    return bounded.derive(np.where(condition, left.value, right.value), np.where(condition, left.error, right.error))


def stack(arrays: Sequence[Any]) -> Any:
    """Arrays of one shape along a new first axis."""
    if not isinstance(arrays[0], Bounded):
        return np.stack(arrays)
    return arrays[0].derive(np.stack([a.value for a in arrays]), np.stack([a.error for a in arrays]))


def values(x: Array) -> NDArray[Any]:
    """The plain values of x, for conditions and shapes."""
    return x.value if isinstance(x, Bounded) else np.asarray(x)


def grid_dtype(x: Array) -> np.dtype[Any]:
    """The real dtype in which a grid or a weight beside x is written."""
    return values(x).real.dtype
