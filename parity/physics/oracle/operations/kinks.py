"""Where a function bends or jumps, and rounding can choose the side: signs, maxima and their slopes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.physics.oracle.bounded import Array, Bounded, Reals
from parity.physics.oracle.operations.base import operation, values
from parity.physics.oracle.operations.moves import where


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


def either(slope: Array, other: Array, kink: NDArray[np.bool_]) -> Any:
    """`slope`; at a `kink`, where anything from `slope` to the `other` beyond it may come, their mean."""
    middle = where(kink, (slope + other) * 0.5, slope)
    if not isinstance(middle, Bounded):
        return middle
    reach = np.abs(values(slope) - values(other)) / 2 / middle.precision.unit_roundoff
    return middle.derive(middle.value, middle.error + np.where(kink, reach, 0.0))


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
    """The maximum over the last axis, no farther off than the worst of those that rounding can make the largest."""
    return np.max(np.where(_rivals(x), x.error, 0.0), axis=-1)


def _rivals(x: Bounded) -> NDArray[np.bool_]:
    """What may be the largest along the last axis."""
    reach = x.precision.unit_roundoff * x.error
    surely = np.max(x.value - reach, axis=-1, keepdims=True)
    return np.asarray(x.value + reach >= surely)


def _first_largest(x: NDArray[Any]) -> NDArray[Any]:
    return (np.arange(x.shape[-1]) == np.argmax(x, axis=-1)[..., None]).astype(x.dtype)


@operation(_first_largest)
def selection(x: Bounded, value: Reals) -> Reals:
    """1 for the maximum over the last axis and 0 beside it: the slope of `largest`.

    Of equals the first; but where rounding can make another the largest, any choice may come, and a share of each.
    """
    u, rivals = x.precision.unit_roundoff, _rivals(x)
    contested = rivals & (np.sum(rivals, axis=-1, keepdims=True) > 1)
    exact = contested & ~np.any(contested & (x.error > 0), axis=-1, keepdims=True)
    return np.fmax(_together(contested & ~exact), exact) / u
