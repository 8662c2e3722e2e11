"""What there is to explain: what a stack returned in one case, beside what it should have returned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Entry, Inputs
from parity.faults.in_oracle import wide
from parity.judging.measurement import distance, fault_of
from parity.judging.quantity import Arrays, Quantity
from parity.judging.truth import Truth
from parity.physics.oracle.bounded import Bounded
from parity.stacks.base import Framework, StackError


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
        """Run the stack, through one of its entries, in terms of its own."""
        truth = truth.in_terms(framework.conventions(truth.contract, entry))
        try:
            got = truth.evaluate(framework, entry)
        except StackError as error:
            return cls(truth, {}, str(error), entry)
        return cls(
            truth, {q: got.get(q, truth.precision.round(np.zeros_like(b.value))) for q, b in truth.quantities.items()}
        )

    @cached_property
    def inputs(self) -> Inputs:
        """The arguments as the stack was given them: rounded, in float64 or complex128; readings as they are."""
        given, precision = self.truth.inputs, self.truth.precision
        return {
            a.name: given[a.name] if a.kind.static else _widened(precision.round(given[a.name]))
            for a in self.truth.contract.arguments
        }

    @cached_property
    def nearby(self) -> tuple[Exhibit, ...]:
        """The same, its arguments moved by a few roundings: predictions differ there by their own rounding."""
        return tuple(self._moved(np.random.default_rng(seed)) for seed in range(_NEIGHBOURS))

    def _moved(self, random: np.random.Generator) -> Exhibit:
        moved = replace(self)
        unit = 2 * self.truth.precision.unit_roundoff
        arguments = {a.name: a.kind.static for a in self.truth.contract.arguments}
        moved.__dict__["inputs"] = {
            name: x if arguments[name] or not np.issubdtype(x.dtype, np.inexact) else x * (1 + unit * _signs(random, x))
            for name, x in self.inputs.items()
        }
        return moved

    @cached_property
    def right(self) -> Arrays:
        """What the oracle says, in float64 or complex128."""
        return {quantity: bounded.value for quantity, bounded in self.truth.quantities.items()}

    @cached_property
    def faults(self) -> Mapping[Quantity, str]:
        """Why a quantity cannot be compared, for those that cannot."""
        found = {q: fault_of(x, self.bounds[q]) for q, x in self.got.items()}
        return {quantity: fault for quantity, fault in found.items() if fault}

    @property
    def bounds(self) -> Mapping[Quantity, Bounded]:
        return self.truth.quantities

    @property
    def results(self) -> tuple[Quantity, ...]:
        """The quantities that are no gradients."""
        return tuple(quantity for quantity in self.bounds if not quantity.is_gradient)

    @cached_property
    def before(self) -> Mapping[Quantity, float]:
        """How far what came is from what is right, as `left_by` says it, for what can be compared."""
        return {q: self.left_by(q, self.right[q]) for q in self.got if q not in self.faults}

    @cached_property
    def _off(self) -> tuple[Quantity, ...]:
        return tuple(
            q
            for q, x in self.got.items()
            if q in self.faults or distance(x, self.bounds[q].value, self.bounds[q].allowed).ratio > 1
        )

    @property
    def wrong(self) -> tuple[Quantity, ...]:
        """The quantities that are out of bounds or cannot be compared: of results, if there are any, of those alone."""
        return tuple(q for q in self._off if q in self.results) or self._off

    @property
    def is_beyond_comparison(self) -> bool:
        """Whether the stack raised, or a result cannot be compared with the right one."""
        return self.fault is not None or any(quantity in self.faults for quantity in self.results)

    def left_by(self, quantity: Quantity, predicted: NDArray[Any], noise: NDArray[Any] | float = 0.0) -> float:
        """How far what came is from `predicted`, in units of what a stack may stray that computes exactly that.

        The bound is that of the right result, which grows with the result, and never less than what rounds off a number
        of the size of the largest; `noise` is the prediction's own.
        """
        bounded, got = self.bounds[quantity], self.got[quantity]
        largest, right = _largest(predicted), _largest(bounded.value)
        with np.errstate(all="ignore"):
            rounding = 8 * self.truth.precision.unit_roundoff * max(largest, right)
            allowed = bounded.allowed * max(1.0, largest / (right or 1.0)) + rounding + noise
        return float(distance(got, predicted, allowed).ratio)


_NEIGHBOURS = 3


def _widened(array: NDArray[Any]) -> NDArray[Any]:
    return wide(array) if np.issubdtype(array.dtype, np.inexact) else array


def _signs(random: np.random.Generator, like: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(random.choice((-1.0, 0.0, 1.0), like.shape))


def _largest(array: NDArray[Any]) -> float:
    magnitude = np.abs(array)
    return float(np.max(magnitude, initial=0.0, where=np.isfinite(magnitude)))
