"""Sums of many terms: reductions, and products of matrices with what is added to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.physics.oracle.bounded import Array, Bounded, Reals
from parity.physics.oracle.operations.base import Axes, operation


def _summation(x: Bounded, value: NDArray[Any]) -> float:
    """Roundings of a sum of n terms, relative to Σ|v|, in whatever order they are added.

    Added one by one they walk as √n; sums in pairs stay near 3. Neither framework adds in pairs throughout, and the
    order is not part of any contract.
    """
    terms = x.value.size / max(1, value.size)
    return 3 + 0.8 * float(np.sqrt(terms)) if terms > 1 else 0.0


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
