"""A difference in the digits of an argument: a stack has fewer of them than it was given."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Contract, Inputs
from parity.judging.divergences.base import Comparison, Difference, Remainder
from parity.judging.divergences.terms import unknown_argument
from parity.judging.expectation import bounded_gradients, bounded_values, exactly
from parity.judging.quantity import Quantity, by_quantity, gradients_of, results_of
from parity.physics.kinds import Numbers
from parity.physics.oracle.bounded import Bounded

LARGEST = 1024
"""The largest c: more is no rounding."""

LEAST = 1e-3
"""The smallest c that is measured, which explains any less."""

_CLOSE = 1.25
"""The c that is found is at most so many times the smallest that explains an example."""


@dataclass(frozen=True, slots=True)
class InexactArgument(Difference):
    """A stack knows an argument only to c·u·N, such as a position that was added to a corner before it was used.

    N is the argument's largest magnitude, and the longest side of the frames of `within` besides, or that size, where
    it is given. The oracle gets the argument with this error, and carries it into results and gradients: that is
    what they are judged by. The size is c, the smallest that explains an example.
    """

    argument: str
    within: str = ""

    @property
    def words(self) -> str:
        beside = f" and the size of {self.within}" if self.within else ""
        return f"for {self.argument} with an error of c units of the last place of its largest{beside}"

    def touches(self, contract: Contract) -> tuple[Quantity, ...]:
        return (*results_of(contract), *gradients_of(contract))

    def faults(self, contract: Contract) -> tuple[str, ...]:
        names = [self.argument, *([self.within] if self.within else [])]
        unknown = tuple(fault for name in names for fault in unknown_argument(contract, name))
        if unknown:
            return unknown
        kinds = {argument.name: argument.kind for argument in contract.arguments}
        found: list[str] = []
        if kinds[self.argument].numbers is not Numbers.REAL:
            found.append(f"expected a real argument, got {self.argument}: {kinds[self.argument].numbers}")
        if self.within and kinds[self.within].numbers is not Numbers.INTEGER and len(kinds[self.within].axes) < 2:
            found.append(f"within: expected an argument that has frames, or a size, got {self.within}")
        return tuple(found)

    def remove(self, comparison: Comparison) -> Mapping[Quantity, Remainder]:
        found = self._smallest(comparison)
        if found is None:
            return {}
        c, widened = found
        return {q: Remainder(got, widened[q], c, c - c / _CLOSE) for q, got in comparison.arrays.items()}

    def _smallest(self, comparison: Comparison) -> tuple[float, Mapping[Quantity, Bounded]] | None:
        """The c that explains an example, and what may come with it; None where no c up to `LARGEST` does."""
        c, below, found = 1.0, 0.0, None
        while c <= LARGEST:
            widened = self._widened(comparison, c)
            needed = _needed(comparison, widened, c)
            if needed <= c:
                found = c, widened
                if c <= max(LEAST, _CLOSE**2 * needed):
                    break
            else:
                below = c
            if found and found[0] <= _CLOSE * below:
                break
            c = _next(c, max(LEAST, _CLOSE * needed), below, found[0] if found else None)
        return found

    def _widened(self, comparison: Comparison, c: float) -> dict[Quantity, Bounded]:
        """What may come of everything in scope, the argument being known to c·u·N."""
        reached = list(self._either_side(comparison, c))
        return {
            quantity: oracle.derive(
                oracle.value, np.maximum.reduce([_reach(oracle, side[quantity]) for side in reached])
            )
            for quantity, oracle in comparison.quantities.items()
        }

    def _either_side(self, comparison: Comparison, c: float) -> Iterator[dict[Quantity, Bounded]]:
        """The oracle of the argument moved to either side, where a kink may be, and known no better there."""
        contract, precision = comparison.contract, comparison.precision
        given = exactly(comparison.inputs[self.argument], precision)
        error = np.full(given.shape, c * self._largest(comparison.given))
        for way in (-1, 1):
            moved = given.derive(given.value + way * precision.unit_roundoff * error, error)
            inputs: dict[str, Any] = {**comparison.inputs, self.argument: moved}
            values = bounded_values(contract, inputs, precision)
            pulled = comparison.cotangents
            yield by_quantity(values, bounded_gradients(contract, inputs, pulled, precision) if pulled else {})

    def _largest(self, given: Inputs) -> float:
        """N."""
        largest = float(np.max(np.abs(given[self.argument]), initial=0.0))
        if not self.within:
            return largest
        frames = given[self.within]
        return largest + float(max(frames.shape[-2:]) if frames.ndim else frames)


def _next(c: float, guess: float, below: float, explaining: float | None) -> float:
    """The c to try next, after one that explains nothing, `below`, and one that does, if any has been found."""
    if explaining is None:
        return min(guess, 2 * c)
    return guess if below < guess < explaining else math.sqrt(below * explaining)


def _reach(oracle: Bounded, moved: Bounded) -> NDArray[np.float64]:
    """How far the value of a moved argument, with its error, is from the oracle's, in units of u."""
    with np.errstate(invalid="ignore"):
        apart = np.where(moved.value == oracle.value, 0.0, np.abs(moved.value - oracle.value))
    return np.maximum(oracle.error, apart / oracle.precision.unit_roundoff + moved.error)


def _needed(comparison: Comparison, widened: Mapping[Quantity, Bounded], c: float) -> float:
    """The c that would explain all there is, if what c adds to the bounds grew with it; 0 where nothing need be."""
    return max((_needed_for(got, comparison.quantities[q], widened[q], c) for q, got in comparison.arrays.items()))


def _needed_for(got: NDArray[Any], oracle: Bounded, widened: Bounded, c: float) -> float:
    with np.errstate(all="ignore"):
        error = np.where(got == oracle.value, 0.0, np.abs(got - oracle.value))
        beyond, added = error - oracle.allowed, widened.allowed - oracle.allowed
        needed = np.where(beyond <= 0, 0.0, np.where(np.isinf(added), 0.0, c * beyond / added))
    return float(np.max(np.where(np.isnan(needed), np.inf, needed), initial=0.0))
