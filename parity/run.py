"""Contracts × cases × precisions × stacks → measurements."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from parity.cases import Case, forced, parse_case, precisions_of, sweep
from parity.contract import Contract, Entry
from parity.datasets import Dataset
from parity.facts import examine_facts
from parity.frameworks.base import Evaluation, Framework, StackError
from parity.judge import Verdict, judge
from parity.measure import Label, Measurement, fault_of, measure, measure_pair, missing_gradient
from parity.precision import FLOAT32, FLOAT64, Precision
from parity.reference import bounded_gradients, bounded_values, gradient_of, has_readings, witness


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: contracts, how many examples of each besides the strata, in which precisions, on what data."""

    contracts: tuple[Contract, ...]
    examples: int = 30
    precisions: tuple[Precision, ...] = (FLOAT32, FLOAT64)
    case: str | None = None
    dataset: Dataset | None = None

    def cases(self, contract: Contract) -> tuple[Case, ...]:
        if self.case is not None:
            return (parse_case(contract, self.case, self.dataset),)
        return tuple(sweep(contract, self.examples, self.dataset))


@dataclass(frozen=True, slots=True)
class ContractRun:
    """All measurements of one contract, the verdict on them, and the seconds they took."""

    verdict: Verdict
    measurements: tuple[Measurement, ...]
    seconds: float


def run(
    plan: Plan, frameworks: Sequence[Framework], advance: Callable[[Case], None] = lambda case: None
) -> Iterator[ContractRun]:
    """Run a plan, a contract at a time; `advance` is told of every case that is done."""
    for contract in plan.contracts:
        started = time.perf_counter()
        measurements: list[Measurement] = []
        facts_at = {case.name for case in forced(contract, plan.dataset)} | {plan.case}
        for case in plan.cases(contract):
            measurements += examine(case, frameworks, plan.precisions, with_facts=case.name in facts_at)
            advance(case)
        verdict = judge(contract.name, measurements, contract.quota)
        yield ContractRun(verdict, tuple(measurements), time.perf_counter() - started)


def examine(
    case: Case, frameworks: Sequence[Framework], precisions: tuple[Precision, ...], with_facts: bool = False
) -> list[Measurement]:
    """Every measurement of one case: each stack against the oracle, the stacks against each other, the facts."""
    inputs = case.inputs()
    measurements: list[Measurement] = []
    for precision in precisions_of(inputs, precisions):
        measurements += _examine_at(case, inputs, frameworks, precision)
        if with_facts:
            for framework in frameworks:
                measurements += examine_facts(case, inputs, framework, precision)
    return measurements


def _examine_at(
    case: Case, inputs: Mapping[str, NDArray[Any]], frameworks: Sequence[Framework], precision: Precision
) -> list[Measurement]:
    contract = case.contract
    truth = _Truth(case, inputs, precision)
    found: list[dict[str, NDArray[Any]]] = []
    measurements: list[Measurement] = []
    for framework in frameworks:
        arrays = truth.ask(framework, None, measurements)
        if arrays is not None:
            found.append(arrays)
        for entry in contract.entries:
            if entry.stack == framework.name and entry.applies(inputs):
                truth.ask(framework, entry, measurements)
    if len(found) == 2:
        measurements += truth.pairs(*found)
    return measurements


class _Truth:
    """What the oracle says of one case in one precision, and the measuring of stacks against it."""

    def __init__(self, case: Case, inputs: Mapping[str, NDArray[Any]], precision: Precision) -> None:
        contract = case.contract
        values = bounded_values(contract, inputs, precision)
        self._case, self._inputs, self._precision = case, inputs, precision
        self._cotangents = case.cotangents({name: bounded.value for name, bounded in values.items()})
        gradients = {} if has_readings(inputs) else bounded_gradients(contract, inputs, self._cotangents, precision)
        self._with_gradients = bool(gradients)
        self._quantities = values | {gradient_of(name): bounded for name, bounded in gradients.items()}
        self._witness = witness(contract, inputs, self._cotangents, precision) if precision is FLOAT32 else {}

    def ask(
        self, framework: Framework, entry: Entry | None, measurements: list[Measurement]
    ) -> dict[str, NDArray[Any]] | None:
        """A stack's arrays by quantity, measured into `measurements`; None if the stack raised."""
        contract, cotangents = self._case.contract, self._cotangents if self._with_gradients else None
        try:
            evaluation = framework.evaluate(contract, self._inputs, self._precision, cotangents, entry)
        except StackError as error:
            label = self._label(contract.results[0].name, entry)
            measurements.append(label.measurement(framework.name, fault=str(error)))
            return None
        arrays = _by_quantity(evaluation)
        for quantity, bounded in self._quantities.items():
            label = self._label(quantity, entry)
            measurements.append(
                measure(label, framework.name, arrays[quantity], bounded, self._witness.get(quantity))
                if quantity in arrays
                else missing_gradient(label, framework.name, bounded)
            )
        return arrays

    def pairs(self, one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> list[Measurement]:
        """The stacks against each other, wherever both can be compared."""
        return [
            measure_pair(self._label(quantity, None), one[quantity], other[quantity], bounded)
            for quantity, bounded in self._quantities.items()
            if all(quantity in arrays and fault_of(arrays[quantity], bounded) is None for arrays in (one, other))
        ]

    def _label(self, quantity: str, entry: Entry | None) -> Label:
        named = entry.quantity(quantity) if entry else quantity
        return Label(self._case.contract.name, self._case.name, self._precision.name, named)


def _by_quantity(evaluation: Evaluation) -> dict[str, NDArray[Any]]:
    gradients = {gradient_of(name): array for name, array in evaluation.gradients.items()}
    return {**evaluation.values, **gradients}
