"""What a stack is judged by in one case and precision: the oracle's answer, in the terms that the stack has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from parity.contracts.cases.case import Case
from parity.contracts.contract import Contract, Entry, Inputs, has_readings
from parity.contracts.conventions import Conventions
from parity.judging.divergences.base import Comparison, Divergence
from parity.judging.divergences.registry import registered
from parity.judging.divergences.removal import Corrected, corrected, measure_corrected
from parity.judging.expectation import bounded_gradients, bounded_values, witness
from parity.judging.measurement import Label, Measurement, measure, missing_gradient, without_accepted
from parity.judging.omission import Omission, Omitted
from parity.judging.quantity import Arrays, Quantity, by_quantity, gradient_of, result_of
from parity.judging.terms import Masks, expected, judged
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT32, Precision
from parity.stacks.base import Awaited, Evaluation, Framework, OutsideDomain, StackError

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


class Measured(NamedTuple):
    """What a stack returned in one example, None if nothing, how that was measured, and what was not asked."""

    arrays: Arrays | None
    measurements: list[Measurement]
    omissions: tuple[Omission, ...] = ()


def untimed(step: str) -> AbstractContextManager[Any]:
    """The clock of whoever does not want to know."""
    return nullcontext(step)


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """A stack being asked, through each of its entries; None is the contract's own function."""

    stack: str
    asked: tuple[tuple[Entry | None, Conventions, Awaited[Evaluation]], ...]

    @property
    def terms(self) -> Conventions:
        """Those of the contract's own function."""
        return self.asked[0][1]

    @property
    def is_answered(self) -> bool:
        """Whether all has been answered."""
        return all(asked.is_answered() for _, _, asked in self.asked)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What the stacks are judged by in one case and precision: what they are given, and what the oracle says of it.

    `cotangents` are by result, and empty where there is nothing to pull back; `quantities` are results and gradients.
    What `divergences` accept is taken off before anything is measured. The elements `unjudged` are whatever they are.
    """

    contract: Contract
    case: str
    precision: Precision
    inputs: Inputs
    cotangents: Inputs
    quantities: Mapping[Quantity, Bounded]
    witness: Arrays = field(default_factory=dict)
    clock: Clock = untimed
    divergences: tuple[Divergence, ...] = field(default_factory=registered)
    unjudged: Masks = field(default_factory=dict)
    _in_terms: dict[str, Truth] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, case: Case, inputs: Inputs, precision: Precision, clock: Clock = untimed) -> Truth:
        """Ask the oracle."""
        contract = case.contract
        with clock(VALUES):
            values = bounded_values(contract, inputs, precision)
            cotangents = case.cotangents({name: bounded.value for name, bounded in values.items()})
        with clock(GRADIENTS):
            gradients = {} if has_readings(inputs) else bounded_gradients(contract, inputs, cotangents, precision)
        with clock(WITNESS):
            seen = witness(contract, inputs, cotangents, precision) if precision is FLOAT32 else {}
        quantities = by_quantity(values, gradients)
        return cls(contract, case.name, precision, inputs, cotangents if gradients else {}, quantities, seen, clock)

    def in_terms(self, terms: Conventions) -> Truth:
        """What a stack is judged by that has the contract's function in these terms."""
        if terms.contract is None:
            return self
        if terms.stated not in self._in_terms:
            with self.clock(VALUES):
                found = expected(self.contract, terms, self.inputs, self.cotangents, self.precision)
            with self.clock(WITNESS):
                seen = self.witness and found.witness(self.precision)
            self._in_terms[terms.stated] = replace(
                self,
                contract=found.contract,
                inputs=found.inputs,
                cotangents=found.cotangents,
                quantities=found.quantities,
                witness=seen,
                unjudged=found.unjudged,
            )
        return replace(self._in_terms[terms.stated], divergences=self.divergences)

    def hold(self, framework: Framework) -> Measured:
        """What a stack returns, None if it raises, and how far that, and every other entry's, is from the oracle."""
        return self.measured(self.begin(framework))

    def begin(self, framework: Framework) -> Begun:
        """Ask a stack, through every entry that it has."""
        entries = (None, *framework.entries_of(self.contract, self.inputs, self.precision))
        terms = [(entry, framework.conventions(self.contract, entry)) for entry in entries]
        asked = ((entry, each, self.in_terms(each)._begin(framework, entry)) for entry, each in terms)
        return Begun(framework.name, tuple(asked))

    def measured(self, begun: Begun) -> Measured:
        """Wait for a stack, and measure; as `hold` says."""
        own: Arrays | None = None
        measurements: list[Measurement] = []
        omissions: list[Omission] = []
        for entry, terms, asked in begun.asked:
            truth, path = self.in_terms(terms), entry.path if entry else ""
            if terms.words:
                said = "; ".join(terms.words)
                omissions.append(
                    Omission(self.contract.name, begun.stack, Omitted.IN_OWN_TERMS, quantity=path, why=said)
                )
            try:
                evaluation = self._answered(begun.stack, asked)
            except OutsideDomain as outside:
                omissions.append(self._omission(begun.stack, Omitted.OUTSIDE, why=str(outside)))
                continue
            except StackError as error:
                label = self._label(result_of(self.contract.results[0].name), entry)
                measurements.append(label.fault(begun.stack, str(error)))
                continue
            unasked = [gradient_of(name).through(path) for name in evaluation.unasked]
            omissions += [self._omission(begun.stack, Omitted.NO_GRADIENT, each) for each in unasked]
            with self.clock(JUDGING):
                arrays = judged(by_quantity(evaluation.values, evaluation.gradients), truth.unjudged)
                measurements += truth._measured(begun.stack, arrays, entry, evaluation.unasked)
            omissions += truth._unjudged(begun.stack, entry, evaluation.unasked)
            if entry is None:
                own = arrays
        return Measured(own, measurements, tuple(omissions))

    def _omission(self, stack: str, omitted: Omitted, quantity: Quantity | None = None, why: str = "") -> Omission:
        named = quantity.text if quantity else ""
        return Omission(self.contract.name, stack, omitted, self.case, self.precision.name, named, why)

    def _open(self, quantity: Quantity) -> int:
        """How many elements of a quantity are not judged."""
        return int(self.unjudged[quantity].sum()) if quantity in self.unjudged else 0

    def _unjudged(self, stack: str, entry: Entry | None, unasked: Sequence[str]) -> list[Omission]:
        """What was asked, and is not judged."""
        path = entry.path if entry else ""
        return [
            self._omission(stack, Omitted.NOT_JUDGED, q.through(path), f"{int(mask.sum())} of {mask.size}")
            for q, mask in self.unjudged.items()
            if not (q.is_gradient and q.name in unasked) and mask.any()
        ]

    def evaluate(self, framework: Framework, entry: Entry | None = None) -> Arrays:
        """What a stack returns, results and gradients; what it claims no gradient of is the oracle's.

        Raises as `Framework.evaluate` does.
        """
        evaluation = self._answered(framework.name, self._begin(framework, entry))
        right = {gradient_of(name): self.quantities.get(gradient_of(name)) for name in evaluation.unasked}
        granted = {quantity: self.precision.round(oracle.value) for quantity, oracle in right.items() if oracle}
        return {**granted, **judged(by_quantity(evaluation.values, evaluation.gradients), self.unjudged)}

    def _begin(self, framework: Framework, entry: Entry | None) -> Awaited[Evaluation]:
        with self.clock(framework.name):
            return framework.begin(self.contract, self.inputs, self.precision, self.cotangents or None, entry)

    def _answered(self, stack: str, asked: Awaited[Evaluation]) -> Evaluation:
        with self.clock(stack):
            return asked.answer()

    def pairs(self, arrays: Mapping[str, Arrays]) -> list[Measurement]:
        """Two stacks' arrays, by stack, against each other, wherever both can be compared."""
        with self.clock(JUDGING):
            one, other = (self._corrected(stack, found, None) for stack, found in arrays.items())
            return [
                without_accepted(
                    measure_corrected(self._label(quantity, None), one, other, bounded), self._open(quantity)
                )
                for quantity, bounded in self.quantities.items()
                if one.comparable(quantity, bounded) and other.comparable(quantity, bounded)
            ]

    def _measured(
        self, stack: str, arrays: Arrays, entry: Entry | None, unasked: Sequence[str] = ()
    ) -> list[Measurement]:
        found = self._corrected(stack, arrays, entry)
        measurements: list[Measurement] = []
        for quantity, bounded in self.quantities.items():
            label = self._label(quantity, entry)
            if quantity in found.remainders:
                measurements.append(found.measure(label, stack))
            elif quantity in arrays:
                measured = measure(label, stack, arrays[quantity], bounded, self.witness.get(quantity))
                if measured.fault or self._open(quantity) < measured.elements:
                    measurements.append(without_accepted(measured, self._open(quantity)))
            elif quantity.name not in unasked:
                measurements.append(missing_gradient(label, stack, bounded))
        return measurements

    def _corrected(self, stack: str, arrays: Arrays, entry: Entry | None) -> Corrected:
        """A stack's arrays, corrected for the divergences that are accepted there."""
        path = entry.path if entry else ""
        whole = Comparison(self.contract, self.precision, self.inputs, self.cotangents, arrays, self.quantities)
        return corrected(self.divergences, self.case, stack, path, whole)

    def _label(self, quantity: Quantity, entry: Entry | None) -> Label:
        named = quantity.through(entry.path if entry else "")
        return Label(self.contract.name, self.case, self.precision.name, named)
