"""Differences that multiply: one positive factor for a result and its gradients, fitted or known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

import numpy as np

from parity.contracts.contract import Contract
from parity.judging.divergences.base import Comparison, Difference, Remainder
from parity.judging.divergences.fit import Fit, fitted, joined, noise_of, restored
from parity.judging.divergences.terms import unknown_argument
from parity.judging.quantity import Quantity, gradients_of, results_of
from parity.physics.oracle.bounded import Bounded


@dataclass(frozen=True, slots=True)
class PositiveFactor(Difference):
    """Results and gradients are the oracle's times one f > 0, the same for all of them in an example. The size is f."""

    neutral: ClassVar[float] = 1.0

    @property
    def words(self) -> str:
        return "times one factor"

    def touches(self, contract: Contract) -> tuple[Quantity, ...]:
        return (*results_of(contract), *gradients_of(contract))

    def remove(self, comparison: Comparison) -> Mapping[Quantity, Remainder]:
        fit = _factor(comparison)
        if fit is None:
            return {}
        sensitivity = 1 / fit.number.real if fit.elements == 1 else None
        return _divided(comparison, fit.bounded(comparison.precision), fit, sensitivity)


class To(StrEnum):
    """What stands where the oracle has the other."""

    MEAN = "mean"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class Reduction(Difference):
    """A mean stands for a sum over axes of an argument, or a sum for a mean: f is their lengths' product, or 1 over it.

    `axes` are letters of the argument's kind, such as HW. Nothing is fitted, but the size that is measured: f.
    """

    argument: str
    axes: str
    to: To

    neutral: ClassVar[float] = 1.0

    @property
    def words(self) -> str:
        other = To.SUM if self.to is To.MEAN else To.MEAN
        return f"the {self.to} over {', '.join(self.axes)} of {self.argument} for the {other}"

    def touches(self, contract: Contract) -> tuple[Quantity, ...]:
        return (*results_of(contract), *gradients_of(contract))

    def faults(self, contract: Contract) -> tuple[str, ...]:
        unknown = unknown_argument(contract, self.argument)
        if unknown:
            return unknown
        (kind,) = (argument.kind for argument in contract.arguments if argument.name == self.argument)
        return tuple(
            f"unknown axis '{axis}' of {self.argument}; there are: {', '.join(kind.axes) or 'none'}"
            for axis in self.axes
            if axis not in kind.axes
        )

    def remove(self, comparison: Comparison) -> Mapping[Quantity, Remainder]:
        fit = _factor(comparison)
        if fit is None:
            return {}
        number = self._length(comparison) if self.to is To.SUM else 1 / self._length(comparison)
        some = next(iter(comparison.quantities.values()))
        return _divided(comparison, some.coerce(number), fit, None)

    def _length(self, comparison: Comparison) -> float:
        (kind,) = (argument.kind for argument in comparison.contract.arguments if argument.name == self.argument)
        shape = comparison.inputs[self.argument].shape
        return float(math.prod(shape[kind.axes.index(axis)] for axis in self.axes))


def _factor(comparison: Comparison) -> Fit | None:
    """One f for everything in scope; None where it is not positive, or where nothing tells it."""
    got = joined([comparison.arrays[quantity] for quantity in comparison.quantities])
    value = joined([bounded.value for bounded in comparison.quantities.values()])
    known = (
        joined([noise_of(bounded) for bounded in comparison.quantities.values()]) * comparison.precision.unit_roundoff
    )
    with np.errstate(all="ignore"):
        ratios = np.real(np.conj(value) * got) / np.square(np.abs(value))
    telling = np.isfinite(ratios) & (np.abs(value) > known)
    roughly = float(np.median(ratios[telling])) if telling.any() else 0.0
    if roughly <= 0:
        return None
    noise = joined([noise_of(bounded * roughly) for bounded in comparison.quantities.values()])
    fit = fitted(value, got, noise)
    return replace(fit, number=fit.number.real) if fit and fit.number.real > 0 else None


def _divided(comparison: Comparison, factor: Bounded, fit: Fit, sensitivity: float | None) -> dict[Quantity, Remainder]:
    """Everything in scope over the factor, with the rounding of both; the size is what was measured."""
    remainders: dict[Quantity, Remainder] = {}
    number = factor.value.real
    for quantity, bounded in comparison.quantities.items():
        oracle = restored(bounded, (bounded * factor).error / number)
        size, rounding = fit.number.real, fit.rounding(comparison.precision)
        remainders[quantity] = Remainder(
            comparison.arrays[quantity] / number, oracle, size, rounding, sensitivity=sensitivity
        )
    return remainders
