"""One case, examined: the oracle is asked, the stacks are run, and what they return is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from numpy.typing import NDArray

from parity.cases import Case, precisions_of
from parity.contract import Entry, Inputs
from parity.facts import examine_facts
from parity.frameworks.base import Framework, StackError
from parity.measure import Label, Measurement, fault_of, measure, measure_pair, missing_gradient
from parity.precision import FLOAT32, Precision
from parity.reference import bounded_gradients, bounded_values, gradient_of, has_readings, witness

Arrays = Mapping[str, NDArray[Any]]
"""What a stack returned, by quantity."""

SIMULATION, VALUES, GRADIENTS, WITNESS, FACTS, JUDGING = (
    "simulation",
    "values",
    "gradients",
    "witness",
    "facts",
    "judging",
)
"""The steps of an examination, beside those of the stacks, which go by the names of their frameworks."""

Clock = Callable[[str], AbstractContextManager[Any]]
"""Told of every step as it is taken."""


def untimed(step: str) -> AbstractContextManager[Any]:
    """The clock of whoever does not want to know."""
    return nullcontext(step)


def examine(
    case: Case,
    frameworks: Sequence[Framework],
    precisions: tuple[Precision, ...],
    with_facts: bool = False,
    clock: Clock = untimed,
) -> list[Measurement]:
    """Every measurement of one case: each stack against the oracle, the stacks against each other, the facts.

    The facts in the finest precision alone: a law is mathematics, and there it is told from rounding best.
    """
    with clock(SIMULATION):
        inputs = case.inputs()
    measurements: list[Measurement] = []
    tried = precisions_of(inputs, precisions)
    finest = min(tried, key=lambda precision: precision.unit_roundoff)
    for precision in tried:
        measurements += Truth(case, inputs, precision, clock).confront(frameworks)
        if with_facts and precision is finest:
            with clock(FACTS):
                for framework in frameworks:
                    measurements += examine_facts(case, inputs, framework, precision)
    return measurements


class Truth:
    """What the oracle says of one case in one precision. `cotangents` are empty where there is nothing to pull back."""

    def __init__(self, case: Case, inputs: Inputs, precision: Precision, clock: Clock = untimed) -> None:
        contract = case.contract
        self._case, self._inputs, self._precision, self._clock = case, inputs, precision, clock
        with clock(VALUES):
            values = bounded_values(contract, inputs, precision)
            cotangents = case.cotangents({name: bounded.value for name, bounded in values.items()})
        with clock(GRADIENTS):
            gradients = {} if has_readings(inputs) else bounded_gradients(contract, inputs, cotangents, precision)
        with clock(WITNESS):
            self._witness = witness(contract, inputs, cotangents, precision) if precision is FLOAT32 else {}
        self.cotangents: Inputs = cotangents if gradients else {}
        self._quantities = values | {gradient_of(name): bounded for name, bounded in gradients.items()}

    def confront(self, frameworks: Sequence[Framework]) -> list[Measurement]:
        """Measure every stack, through every entry it has, and two stacks against each other."""
        found: list[Arrays] = []
        measurements: list[Measurement] = []
        for framework in frameworks:
            for entry in (None, *self._case.contract.entries_of(framework.name, self._inputs)):
                try:
                    arrays = self.evaluate(framework, entry)
                except StackError as error:
                    label = self._label(self._case.contract.results[0].name, entry)
                    measurements.append(label.measurement(framework.name, fault=str(error)))
                    continue
                with self._clock(JUDGING):
                    measurements += self._measured(framework.name, arrays, entry)
                if entry is None:
                    found.append(arrays)
        if len(found) == 2:
            with self._clock(JUDGING):
                measurements += self._pairs(*found)
        return measurements

    def evaluate(self, framework: Framework, entry: Entry | None = None) -> Arrays:
        """What a stack returns, results and gradients. Raises StackError as `Framework.evaluate` does."""
        with self._clock(framework.name):
            evaluation = framework.evaluate(
                self._case.contract, self._inputs, self._precision, self.cotangents or None, entry
            )
        gradients = {gradient_of(name): array for name, array in evaluation.gradients.items()}
        return {**evaluation.values, **gradients}

    def _measured(self, stack: str, arrays: Arrays, entry: Entry | None) -> list[Measurement]:
        return [
            measure(self._label(quantity, entry), stack, arrays[quantity], bounded, self._witness.get(quantity))
            if quantity in arrays
            else missing_gradient(self._label(quantity, entry), stack, bounded)
            for quantity, bounded in self._quantities.items()
        ]

    def _pairs(self, one: Arrays, other: Arrays) -> list[Measurement]:
        """The stacks against each other, wherever both can be compared."""
        return [
            measure_pair(self._label(quantity, None), one[quantity], other[quantity], bounded)
            for quantity, bounded in self._quantities.items()
            if all(quantity in arrays and fault_of(arrays[quantity], bounded) is None for arrays in (one, other))
        ]

    def _label(self, quantity: str, entry: Entry | None) -> Label:
        named = entry.quantity(quantity) if entry else quantity
        return Label(self._case.contract.name, self._case.name, self._precision.name, named)
