"""Planes between their pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.physics.oracle.bounded import Array, Bounded, Reals, underflow
from parity.physics.oracle.operations.base import values


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
    with np.errstate(invalid="ignore"):
        error = _interpolated(corners.error + steps * np.abs(corners.value), *weights)
    error = np.where(np.isnan(error), np.inf, error)  # no part of what is not known
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
