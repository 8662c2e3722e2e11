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
        if not x.error.any():
            return np.zeros(value.shape)
        return evaluate(x.error, *arguments, **options)

    rule.__name__, rule.__doc__ = name, doc
    return operation(evaluate)(rule)


fftshift = _moved(np.fft.fftshift, "fftshift", "Zero frequency to the centre, over `axes`.")
ifftshift = _moved(np.fft.ifftshift, "ifftshift", "The inverse of `fftshift`, over `axes`.")
broadcast = _moved(np.broadcast_to, "broadcast", "The array repeated into a larger `shape`.")
pad = _moved(np.pad, "pad", "Zeros around the array, as many as numpy.pad's widths say.")


def _window(x: NDArray[Any], top: NDArray[np.int64], left: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[Any]:
    rows, columns = (
        np.clip(start[..., None] + np.arange(1, size + 1), 0, extent + 1)
        for start, size, extent in zip((top, left), shape, x.shape[-2:], strict=True)
    )
    bordered = np.zeros((*x.shape[:-2], x.shape[-2] + 2, x.shape[-1] + 2), x.dtype)
    bordered[..., 1:-1, 1:-1] = x
    planes = np.ix_(*(range(size) for size in x.shape[:-2]))
    return bordered[*(plane[..., None, None] for plane in planes), rows[..., :, None], columns[..., None, :]]


window = _moved(
    _window,
    "window",
    "What frames of `shape` from row `top` and column `left` on see of planes, one each or all of one; 0 outside.",
)
reshape = _moved(np.reshape, "reshape", "The same elements, in the same order, under another `shape`.")


def interpolate(x: Array, down: Array | None, across: Array | None) -> Any:
    """Planes moved on by fractions f of a pixel: (1 − f)·x[j + 1] + f·x[j], along rows and then along columns.

    An axis has one pixel less afterwards, or stays as it is where its fraction is None. Each rounds two weights, two
    products and their sum: at most 3 times the interpolated modulus, and nothing where f is exactly 0. A fraction that
    is itself in error turns that into slope.
    """
    fractions = [f for f in (down, across) if f is not None]
    bounded = next((f for f in fractions if isinstance(f, Bounded)), None)
    weights = [None if f is None else values(f) for f in (down, across)]
    if bounded is None:
        return _interpolated(values(x), *weights)
    corners = bounded.coerce(x)
    value = _interpolated(corners.value, *weights)
    errors = [f.error for f in fractions if isinstance(f, Bounded)]
    steps = sum(3.0 * ((values(f) != 0) | (e != 0)) for f, e in zip(fractions, errors, strict=True))
    error = _interpolated(corners.error + steps * np.abs(corners.value), *weights)
    for axis, fraction in ((-2, down), (-1, across)):
        if isinstance(fraction, Bounded) and fraction.error.any():
            slope = np.abs(np.diff(corners.value, axis=axis))
            error = error + fraction.error * _steepest(slope, other=-3 - axis, both=len(fractions) == 2)
    return bounded.derive(value, error + underflow(value, bounded.precision))


def _interpolated(x: NDArray[Any], down: NDArray[Any] | None, across: NDArray[Any] | None) -> NDArray[Any]:
    if down is not None:
        x = _between(x[..., 1:, :], x[..., :-1, :], down)
    return x if across is None else _between(x[..., 1:], x[..., :-1], across)


def _between(here: NDArray[Any], there: NDArray[Any], fraction: NDArray[Any]) -> NDArray[Any]:
    between = (1 - fraction) * here
    between += fraction * there
    return between


def _steepest(slope: Reals, other: int, both: bool) -> Reals:
    """The larger of two neighbouring slopes, where there was an interpolation along the `other` axis too."""
    if not both:
        return slope
    first, second = (slope.take(range(start, slope.shape[other] - 1 + start), other) for start in (0, 1))
    return np.fmax(first, second)


def either(slope: Array, other: Array, kink: NDArray[np.bool_]) -> Any:
    """`slope`; at a `kink`, where anything from `slope` to the `other` beyond it may come, their mean."""
    middle = where(kink, (slope + other) * 0.5, slope)
    if not isinstance(middle, Bounded):
        return middle
    reach = np.abs(values(slope) - values(other)) / 2 / middle.precision.unit_roundoff
    return middle.derive(middle.value, middle.error + np.where(kink, reach, 0.0))


def where(condition: NDArray[np.bool_], chosen: Any, otherwise: Any) -> Any:
    """`chosen` where `condition` holds, else `otherwise`; the condition is one that no rounding can turn."""
    bounded = next((x for x in (chosen, otherwise) if isinstance(x, Bounded)), None)
    if bounded is None:
        return np.where(condition, chosen, otherwise)
    left, right = bounded.coerce(chosen), bounded.coerce(otherwise)
    return bounded.derive(np.where(condition, left.value, right.value), np.where(condition, left.error, right.error))


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Arrays of one shape along a new axis."""
    if not isinstance(arrays[0], Bounded):
        return np.stack(arrays, axis)
    return arrays[0].derive(np.stack([a.value for a in arrays], axis), np.stack([a.error for a in arrays], axis))


def values(x: Array) -> NDArray[Any]:
    """The plain values of x, for conditions and shapes."""
    return x.value if isinstance(x, Bounded) else np.asarray(x)


def grid_dtype(x: Array) -> np.dtype[Any]:
    """The real dtype in which a grid or a weight beside x is written."""
    return values(x).real.dtype


def matmul(left: Any, right: Any) -> Any:
    """The matrix product, over leading axes alike.

    The errors that arrive at a sum of products come from as many different roundings, so that their squares add (Higham
    and Mary, A New Approach to Probabilistic Rounding Error Analysis, 2019); summed as they are, they would
    overestimate a chain of convolutions by √n at every step. But they need not be independent: copies of a value bring
    copies of its error. They are taken to add up as the values do (`_coherence`).

    The products' own roundings walk as √n where one of them outweighs the rest, and of the many elements of a product
    some lie five standard deviations out: 5·√(n/3), half of it here, because twice the error is allowed.
    """
    bounded = next((x for x in (left, right) if isinstance(x, Bounded)), None)
    if bounded is None:
        return np.matmul(left, right)
    a, b = bounded.coerce(left), bounded.coerce(right)
    value, magnitude = np.matmul(a.value, b.value), np.matmul(np.abs(a.value), np.abs(b.value))
    terms, u = a.shape[-1], a.precision.unit_roundoff
    inherited = _inherited(a, b)
    if np.any(inherited):
        inherited = inherited * _coherence(a, b, value)
    lost = np.where(magnitude > 0, terms * a.precision.smallest_normal / u, 0.0)
    own = (3 + 1.5 * np.sqrt(terms)) * magnitude + lost
    return bounded.derive(value, inherited + own)


def _inherited(a: Bounded, b: Bounded) -> Reals:
    """The errors of both factors, added in the mean square; as they are where their squares underflow."""
    if not (a.error.any() or b.error.any()):
        return np.zeros(())
    u = a.precision.unit_roundoff
    left, right = np.abs(a.value), np.abs(b.value)
    with np.errstate(invalid="ignore"):
        squares = _squares(a.error, right) + _squares(left, b.error) + _squares(u * a.error, b.error)
        inherited = np.sqrt(squares)
        if np.any(squares < _LEAST_SQUARE):
            summed = np.matmul(a.error, right) + np.matmul(left + u * a.error, b.error)
            inherited = np.where(squares < _LEAST_SQUARE, summed, inherited)
    return np.where(np.isnan(inherited), np.inf, inherited)


_LEAST_SQUARE = 1e-280
"""Sums of squares below it have lost digits, or everything."""


def _coherence(a: Bounded, b: Bounded, value: NDArray[Any]) -> Any:
    """By how much a product is larger, in the mean square, than terms of independent signs make it; at least 1."""
    alone = np.sum(np.broadcast_to(_squares(a.value, b.value), value.shape), axis=(-2, -1), keepdims=True)
    together = np.sum(np.square(value), axis=(-2, -1), keepdims=True)
    return np.sqrt(np.divide(together, alone, out=np.ones_like(alone), where=together > alone))


def _squares(left: NDArray[Any], right: NDArray[Any]) -> Any:
    """Σ left²·right², 0 at once where one of them is 0 throughout."""
    return np.matmul(np.square(left), np.square(right)) if left.any() and right.any() else 0.0


def biased(x: Array, bias: Any) -> Any:
    """x + bias, where nothing is rounded if x is known to be 0: a filter that meets nothing has its bias exactly."""
    shifted = x + bias
    if not isinstance(x, Bounded):
        return shifted
    silent = (x.value == 0) & (x.error == 0)
    return shifted.derive(shifted.value, np.where(silent, x.coerce(bias).error, shifted.error))


@operation(lambda x: np.maximum(x, 0))
def rectify(x: Bounded, value: Reals) -> Reals:
    """max(x, 0); nothing is left of an error that does not reach 0 from below."""
    return np.clip(x.error + x.value / x.precision.unit_roundoff, 0.0, x.error)


@operation(lambda x: (x > 0).astype(x.dtype))
def step(x: Bounded, value: Reals) -> Reals:
    """1 for x > 0, else 0: the slope of `rectify`. Where rounding can turn the sign, anything between may come.

    The error of each is that of all that may turn, as they may turn together (`_together`).
    """
    u = x.precision.unit_roundoff
    return _together((x.error > 0) & (np.abs(x.value) <= x.error * u)) / u


def _together(undecided: NDArray[np.bool_]) -> Reals:
    """3·√m where a choice is undecided, m of them in all.

    Copies of each other fall as one: by Cauchy and Schwarz Σ|w| ≤ √m·√Σw², and `matmul` adds up squares. It takes an
    error for three standard deviations of what may come, where a choice that falls the other way is its own.
    """
    return np.where(undecided, 3 * np.sqrt(np.sum(undecided)), 0.0)


@operation(lambda x: np.max(x, axis=-1))
def largest(x: Bounded, value: Reals) -> Reals:
    """The maximum over the last axis, no farther off than the worst of those among which it was found."""
    return np.max(x.error, axis=-1)


def _first_largest(x: NDArray[Any]) -> NDArray[Any]:
    return (np.arange(x.shape[-1]) == np.argmax(x, axis=-1)[..., None]).astype(x.dtype)


@operation(_first_largest)
def selection(x: Bounded, value: Reals) -> Reals:
    """1 for the maximum over the last axis and 0 beside it: the slope of `largest`.

    Of equals the first; but where rounding can make another the largest, any choice may come, and a share of each.
    """
    u = x.precision.unit_roundoff
    surely = np.max(x.value - u * x.error, axis=-1, keepdims=True)
    rivals = x.value + u * x.error >= surely
    contested = rivals & (np.sum(rivals, axis=-1, keepdims=True) > 1)
    exact = contested & ~np.any(contested & (x.error > 0), axis=-1, keepdims=True)
    return np.fmax(_together(contested & ~exact), exact) / u


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


def _neighbourhoods(x: NDArray[Any]) -> NDArray[Any]:
    around = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(1, 1), (1, 1)])
    windows = np.lib.stride_tricks.sliding_window_view(around, (3, 3), axis=(-2, -1))
    return np.moveaxis(windows, (-2, -1), (-4, -3))


neighbourhoods = _moved(
    _neighbourhoods, "neighbourhoods", "(…, H, W) → (…, 3, 3, H, W): the pixels around each, zeros beyond the frame."
)
transpose = _moved(np.transpose, "transpose", "The axes in another order.")
