"""What there is to explain: what a stack returned in one case, beside what it should have returned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contract import Entry, Inputs
from parity.examination import Arrays, Truth
from parity.frameworks.base import Framework, StackError
from parity.measure import GRADIENT, distance, fault_of
from parity.mistakes import Values
from parity.mistakes.base import wide
from parity.oracle.bounded import Bounded


@dataclass(frozen=True, eq=False)
class Exhibit:
    """One case of one contract in one precision, and what a stack returned there, by quantity.

    `fault` is what the stack raised, if it did; then it returned nothing. A gradient without a path is 0.
    """

    truth: Truth
    got: Arrays
    fault: str | None = None
    _entry: Entry | None = field(default=None, repr=False)

    @classmethod
    def of(cls, truth: Truth, framework: Framework, entry: Entry | None = None) -> Exhibit:
        """Run the stack, through one of its entries."""
        try:
            got = truth.evaluate(framework, entry)
        except StackError as error:
            return cls(truth, {}, str(error), entry)
        return cls(
            truth, {q: got.get(q, truth.precision.round(np.zeros(b.shape))) for q, b in truth.quantities.items()}
        )

    @cached_property
    def inputs(self) -> Inputs:
        """The arguments as the stack was given them: rounded, in float64 or complex128."""
        arguments = self.truth.contract.arguments
        given = self.truth.inputs
        return {
            a.name: given[a.name] if a.kind.static else wide(self.truth.precision.round(given[a.name]))
            for a in arguments
        }

    @cached_property
    def right(self) -> Values:
        """What the oracle says, in float64 or complex128."""
        return {quantity: bounded.value for quantity, bounded in self.truth.quantities.items()}

    @cached_property
    def faults(self) -> Mapping[str, str]:
        """Why a quantity cannot be compared, for those that cannot."""
        found = {q: fault_of(x, self.bounds[q]) for q, x in self.got.items()}
        return {quantity: fault for quantity, fault in found.items() if fault}

    @property
    def bounds(self) -> Mapping[str, Bounded]:
        return self.truth.quantities

    @property
    def results(self) -> tuple[str, ...]:
        """The quantities that are no gradients."""
        return tuple(quantity for quantity in self.bounds if not quantity.startswith(GRADIENT))

    @cached_property
    def before(self) -> Mapping[str, float]:
        """How far what came is from what is right, in units of the bound, for what can be compared."""
        return {
            q: distance(x, self.bounds[q].value, self.bounds[q].allowed)["ratio"]
            for q, x in self.got.items()
            if q not in self.faults
        }

    @property
    def wrong(self) -> tuple[str, ...]:
        """The quantities that are out of bounds or cannot be compared: of results, if there are any, of those alone."""
        off = [q for q in self.got if q in self.faults or self.before[q] > 1]
        return tuple(q for q in off if q in self.results) or tuple(off)

    @property
    def is_beyond_comparison(self) -> bool:
        """Whether the stack raised, or a result cannot be compared with the right one."""
        return self.fault is not None or any(quantity in self.faults for quantity in self.results)

    def left_by(self, quantity: str, predicted: NDArray[Any]) -> float:
        """How far what came is from `predicted`, in units of what a stack may stray that computes exactly that.

        The bound is that of the right result; it grows with the result, and is never below what rounding the
        prediction leaves.
        """
        bounded, got = self.bounds[quantity], self.got[quantity]
        growth = max(1.0, _largest(predicted) / (_largest(bounded.value) or 1.0))
        with np.errstate(all="ignore"):
            allowed = bounded.allowed * growth + 8 * self.truth.precision.unit_roundoff * np.abs(predicted)
        return float(distance(got, predicted, allowed)["ratio"])


def _largest(array: NDArray[Any]) -> float:
    magnitude = np.abs(array)
    return float(np.max(magnitude, initial=0.0, where=np.isfinite(magnitude)))
