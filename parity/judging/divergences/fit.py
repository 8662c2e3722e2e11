"""One number fitted to many elements, and how far their rounding can have taken it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.physics.oracle.bounded import Bounded, Reals
from parity.physics.precision import FLOAT64, Precision


@dataclass(frozen=True, slots=True)
class Fit:
    """A number, real or complex, with its error in units of u, and the number of elements that it was fitted to."""

    number: complex
    error: float
    elements: int

    def bounded(self, precision: Precision) -> Bounded:
        """The number in the oracle's arithmetic, as a real number if it has no imaginary part; the fit was made in
        float64.
        """
        value = np.asarray(self.number if self.number.imag else self.number.real)
        return Bounded(value, np.asarray(self.error + 4 * _in_float64(precision) * abs(self.number)), precision)

    def rounding(self, precision: Precision) -> float:
        """How far the number may be from the stack's own: as for every value, twice its error."""
        return 2 * precision.unit_roundoff * self.error


def noise_of(bounded: Bounded) -> Reals:
    """How far a stack may stray, in units of 2u, the floor of the smallest normal number included."""
    return bounded.allowed / (2 * bounded.precision.unit_roundoff)


def fitted(basis: NDArray[Any], target: NDArray[Any], noise: Reals) -> Fit | None:
    """The s that brings s·basis nearest to target, elements weighted by their noise; None where none of them tells.

    With target = s·basis + δ, |δ| ≤ noise, s is known to Σw|b|·noise / Σw|b|²: roundings are not taken to cancel.
    """
    with np.errstate(all="ignore"):
        usable = np.isfinite(basis) & np.isfinite(target) & np.isfinite(noise) & (np.abs(basis) > 0)
        b, t, n = basis[usable], target[usable], noise[usable]
        if not b.size:
            return None
        weight = np.square(n.min() / n)
        power = float(np.sum(weight * np.square(np.abs(b))))
        number = complex(np.sum(weight * np.conj(b) * t) / power)
        error = float(np.sum(weight * np.abs(b) * n) / power)
    return Fit(number, error, b.size) if np.isfinite(number) and np.isfinite(error) else None


def restored(oracle: Bounded, error: Reals) -> Bounded:
    """The oracle with another error, and with the rounding of the two operations in float64 that took a difference off
    an array.
    """
    return oracle.derive(oracle.value, error + 2 * _in_float64(oracle.precision) * np.abs(oracle.value))


def _in_float64(precision: Precision) -> float:
    """One rounding in float64, in units of u."""
    return FLOAT64.unit_roundoff / precision.unit_roundoff


def joined(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """Arrays of any shapes in one row."""
    return np.concatenate([np.ravel(array) for array in arrays]) if arrays else np.zeros(0)
