"""The arithmetic of the oracle: values that know how far a working-precision evaluation of them can stray.

The oracle is written once over the operations of this module. On plain arrays they are NumPy's, and the result is
the value. On `Bounded` arrays each also carries the accumulated first-order rounding error of the same
computation in working precision, in units of the unit roundoff u: a running error analysis after Wilkinson (Higham,
Accuracy and Stability of Numerical Algorithms, 2nd ed., ch. 3).

Here are the pair and its four operators; `parity.physics.oracle.operations` has the functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from parity.physics.precision import Precision

Reals = NDArray[np.float64]

COMPLEX_PRODUCT = np.sqrt(5.0)
"""Brent, Percival, Zimmermann (2007): the relative error of a complex product is at most √5 u."""


class Array(Protocol):
    """What the oracle computes with: an ndarray or a `Bounded`; the same expressions serve both."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def ndim(self) -> int: ...
    def __getitem__(self, key: Any, /) -> Any: ...
    def __add__(self, other: Any, /) -> Any: ...
    def __radd__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __rsub__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __rmul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...
    def __rtruediv__(self, other: Any, /) -> Any: ...
    def __neg__(self) -> Any: ...


@dataclass(frozen=True, slots=True, eq=False)
class Bounded:
    """`value` with `error`: a working-precision evaluation lies within `error`·u of it, elementwise, to first order.

    `value` is float64 or complex128, `error` float64 of the same shape and, for complex values, a bound on the
    modulus. An infinite error says that nothing is known.
    """

    value: NDArray[Any]
    error: Reals
    precision: Precision

    __array_ufunc__ = None  # ndarray ∘ Bounded is left to the reflected operators below

    @classmethod
    def exact(cls, value: NDArray[Any], precision: Precision) -> Self:
        """A value known to every side alike, such as an input."""
        wide = np.asarray(value, np.complex128 if np.iscomplexobj(value) else np.float64)
        return cls(wide, np.zeros(wide.shape), precision)

    @classmethod
    def allowing(cls, value: NDArray[Any], allowed: Reals, precision: Precision) -> Self:
        """A value known with what it allows, as where both were stored: the inverse of `allowed`."""
        return cls(value, np.maximum(allowed - precision.smallest_normal, 0) / (2 * precision.unit_roundoff), precision)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def ndim(self) -> int:
        return self.value.ndim

    @property
    def allowed(self) -> Reals:
        """How far one stack may stray, elementwise: 2·u·error, and the smallest normal number as a floor.

        Twice, because the error is of first order and the order of additions is the stack's own.
        """
        return 2 * self.precision.unit_roundoff * self.error + self.precision.smallest_normal

    def derive(self, value: Any, error: Any) -> Bounded:
        """A result computed from this one, in the same precision."""
        value, error = np.asarray(value), np.asarray(error, np.float64)
        if error.shape != value.shape:
            error = np.broadcast_to(error, value.shape)
        return Bounded(value, error, self.precision)

    def coerce(self, other: Any) -> Bounded:
        """A plain operand is exact where the working precision holds it, and correctly rounded otherwise."""
        if isinstance(other, Bounded):
            return other
        value = np.asarray(other)
        representable = self.precision.round(value) == value
        return self.derive(value, np.where(representable, 0.0, np.abs(value)))

    def __getitem__(self, key: Any) -> Bounded:
        return self.derive(self.value[key], self.error[key])

    def __neg__(self) -> Bounded:
        return self.derive(-self.value, self.error)

    def __add__(self, other: Any) -> Bounded:
        other = self.coerce(other)
        value = self.value + other.value
        return self.derive(value, self.error + other.error + np.abs(value))

    def __sub__(self, other: Any) -> Bounded:
        return self + -self.coerce(other)

    def __mul__(self, other: Any) -> Bounded:
        other = self.coerce(other)
        a, b, u = np.abs(self.value), np.abs(other.value), self.precision.unit_roundoff
        with np.errstate(invalid="ignore"):
            value = self.value * other.value
        both_complex = np.iscomplexobj(self.value) and np.iscomplexobj(other.value)
        rounding = np.abs(value) * (COMPLEX_PRODUCT if both_complex else 1.0)
        inherited = _finite_product(a, other.error) + _finite_product(b, self.error)
        second_order = _finite_product(self.error, other.error) * u
        return self.derive(value, inherited + second_order + rounding + underflow(value, self.precision))

    def __truediv__(self, other: Any) -> Bounded:
        other = self.coerce(other)
        b, u = np.abs(other.value), self.precision.unit_roundoff
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            value = self.value / other.value
            rounding = np.abs(value) * (4.0 if np.iscomplexobj(other.value) else 1.0)
            inherited = (self.error + np.abs(value) * other.error) / (b - u * other.error)
        lost = u * other.error >= b
        error = np.where(lost, np.inf, inherited + rounding + underflow(value, self.precision))
        return self.derive(value, error)

    def __radd__(self, other: Any) -> Bounded:
        return self + other

    def __rsub__(self, other: Any) -> Bounded:
        return self.coerce(other) - self

    def __rmul__(self, other: Any) -> Bounded:
        return self * other

    def __rtruediv__(self, other: Any) -> Bounded:
        return self.coerce(other) / self


def _finite_product(magnitude: Reals, error: Reals) -> Reals:
    """magnitude · error, where 0 · ∞ is 0: a factor that is exactly zero hides what is not known."""
    with np.errstate(invalid="ignore"):
        return np.where((magnitude == 0) | (error == 0), 0.0, magnitude * error)


def underflow(value: NDArray[Any], precision: Precision) -> Reals:
    """What is lost where a result, or both parts of a complex one, fall below the normal numbers, in units of u."""
    tiny = precision.smallest_normal * (np.sqrt(2) if np.iscomplexobj(value) else 1)
    magnitude = np.abs(value)
    return np.where((magnitude > 0) & (magnitude < tiny), tiny / precision.unit_roundoff, 0.0)
