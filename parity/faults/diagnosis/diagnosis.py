"""The search for the cause of a failure: two failing cases, the battery, and every other case that could contradict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from parity.contracts.cases.case import Case, parse_case
from parity.contracts.cases.datasets import Dataset
from parity.contracts.contract import Contract, Entry
from parity.contracts.declared import REGISTRY
from parity.contracts.registry import Registry
from parity.faults.diagnosis import observations as facts
from parity.faults.diagnosis.candidates import battery
from parity.faults.diagnosis.digits import narrow
from parity.faults.diagnosis.evidence import Exhibit
from parity.faults.diagnosis.explanation import Explanation
from parity.faults.diagnosis.results import FACTOR
from parity.judging.expectation import bounded_gradients, bounded_values
from parity.judging.measurement import Measurement
from parity.judging.quantity import by_quantity
from parity.judging.stage_tree import StageRun, Tree
from parity.judging.stages import stage_tree
from parity.judging.truth import Truth
from parity.physics.precision import FLOAT32, FLOAT64, WIDENED, Precision
from parity.stacks.base import HALF, SINGLE, Framework, OutsideDomain

EXHIBITS, OTHERS, CONTROLS = 2, 3, 2
"""Failing cases that are searched with, further ones that can contradict, and passing ones that can."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What would explain the failures of a stack.

    `cause` is the explanation's name, None if there is none; `detail` says it with numbers where it has any; `stage` is
    the contract of the stage that is wrong in itself, for a composition that has one.
    """

    stack: str
    cause: str | None
    detail: str = ""
    stage: str = ""

    @property
    def words(self) -> str:
        """The cause, to stand behind the stack's name."""
        said = self.detail or self.cause or "unexplained"
        return f"{self.stage}: {said}" if self.stage else said


def diagnoses(
    contract: Contract,
    frameworks: Iterable[Framework],
    sides: Sequence[str],
    measurements: Sequence[Measurement],
    dataset: Dataset | None = None,
) -> tuple[Diagnosis, ...]:
    """The diagnosis of every stack among `sides`, those that disagree with the oracle.

    A verdict stands whatever becomes of its explanation: what the search raises is said in its place.
    """
    found = []
    for framework in frameworks:
        if framework.name in sides:
            try:
                found.append(diagnose(contract, framework, measurements, dataset))
            except Exception as error:
                said = f"not known: the search raised {type(error).__name__}: {error}"
                found.append(Diagnosis(framework.name, None, said))
    return tuple(found)


def diagnose(
    contract: Contract, framework: Framework, measurements: Sequence[Measurement], dataset: Dataset | None = None
) -> Diagnosis:
    """Explain why a stack fails a contract, from all measurements of it; the stack is run again on a few cases."""
    own = [m for m in measurements if m.stack == framework.name]
    failing = [m for m in own if not m.agrees and not m.quantity.is_law]
    if not failing:
        return Diagnosis(framework.name, FACTOR if not any(not m.agrees for m in own) else None)
    search = _Search(contract, framework, own, failing, dataset)
    return search.of_stage() if contract.stages else search.of_contract()


def diagnose_example(
    truth: Truth, framework: Framework, contracts: Registry, entry: Entry | None = None
) -> Diagnosis | None:
    """Explain what a stack makes of inputs that no case has; None where it makes the right thing of them.

    `contracts` has those of the stages, where the contract is a composition.
    """
    exhibit = Exhibit.of(truth, framework, entry)
    if not (exhibit.fault or exhibit.wrong):
        return None
    if truth.contract.stages:
        cotangent = truth.cotangents[truth.contract.results[0].name]
        tree = stage_tree(truth.contract, truth.case, truth.inputs, cotangent, framework, truth.precision, contracts)
        step = _wrong_in_itself(tree)
        if step is not None:
            contract = contracts[step.stage.contract]
            found = _explained(contract, framework, [_exhibit_of(step, contract, framework, truth.precision)])
            return replace(found, stage=contract.name)
    return _explained(truth.contract, framework, [exhibit], entry=entry)


class _Search:
    """One stack that fails one contract."""

    def __init__(
        self,
        contract: Contract,
        framework: Framework,
        measurements: Sequence[Measurement],
        failing: Sequence[Measurement],
        dataset: Dataset | None,
    ) -> None:
        self._contract, self._framework, self._dataset = contract, framework, dataset
        self._precision = _finest(failing)
        self._entry = _entry_of(contract, framework, failing)
        seen = [m for m in failing if m.precision == self._precision.name and _is_of(m, self._entry)]
        comparable = [m for m in seen if not m.fault] or seen
        told = [m for m in comparable if not m.quantity.is_gradient] or comparable
        finite = [m for m in told if isfinite(m.ratio)] or told
        self._cases = self._ranked({m.case for m in told}, max(finite, key=lambda m: m.ratio).case)
        wrong = {m.case for m in failing}
        tried = {m.case for m in measurements if m.precision == self._precision.name and _is_of(m, self._entry)}
        self._controls = self._ranked(tried - wrong)

    def of_contract(self) -> Diagnosis:
        exhibits = self._exhibits(self._cases[:EXHIBITS])
        if not exhibits:
            return Diagnosis(self._framework.name, None)
        others = self._exhibits((*self._cases[EXHIBITS:][:OTHERS], *self._controls[:CONTROLS]))
        return _explained(self._contract, self._framework, exhibits, others, self._entry)

    def of_stage(self) -> Diagnosis:
        """The diagnosis of the stage that is wrong in itself, on what it is fed; of the whole if there is none."""
        trees = [self._tree(case) for case in self._cases[:EXHIBITS]]
        wrong = [_wrong_in_itself(tree) for tree in trees]
        first = wrong[0]
        if first is None:
            return self.of_contract()
        name = first.stage.contract
        contract, framework = REGISTRY[name], self._framework
        exhibits = [
            _exhibit_of(step, contract, framework, self._precision)
            for step in wrong
            if step is not None and step.stage.contract == name
        ]
        return replace(_explained(contract, framework, exhibits, entry=self._entry), stage=name)

    def _exhibits(self, cases: Iterable[Case]) -> list[Exhibit]:
        """Without those to which the stack lays no claim: a law may lead from there to where it does."""
        exhibits = []
        for case in cases:
            truth = Truth.of(case, case.inputs(), self._precision)
            with suppress(OutsideDomain):
                exhibits.append(Exhibit.of(truth, self._framework, self._entry))
        return exhibits

    def _tree(self, case: Case) -> Tree:
        inputs, precision = case.inputs(), self._precision
        values = {name: bound.value for name, bound in bounded_values(self._contract, inputs, precision).items()}
        cotangent = case.cotangents(values)[self._contract.results[0].name]
        return stage_tree(self._contract, case.name, inputs, cotangent, self._framework, precision, REGISTRY)

    def _ranked(self, names: set[str], clearest: str = "") -> list[Case]:
        """Cases by how much they tell apart, then by how little they cost; the clearest failure is the second."""
        cases = sorted(
            (parse_case(self._contract, name, self._dataset) for name in names if name != clearest),
            key=lambda case: (-case.spec.telling, case.spec.elements, case.name),
        )
        second = [parse_case(self._contract, clearest, self._dataset)] if clearest else []
        return [*cases[:1], *second, *cases[1:]]


def _explained(
    contract: Contract,
    framework: Framework,
    exhibits: list[Exhibit],
    others: Sequence[Exhibit] = (),
    entry: Entry | None = None,
) -> Diagnosis:
    """What can be seen of the exhibits or, if nothing can, the first explanation that all of them bear out."""
    stack, contract = framework.name, exhibits[0].truth.contract
    seen = narrow(framework, exhibits, entry) or facts.of_faults(exhibits)
    if seen:
        return Diagnosis(stack, seen.cause, seen.detail)
    if any(exhibit.is_beyond_comparison for exhibit in exhibits):
        return Diagnosis(stack, None)
    with np.errstate(all="ignore"):  # what an explanation makes of arguments that it was not meant for
        found = next(_accepted(contract, exhibits, others), None)
    if found:
        return Diagnosis(stack, found.cause, found.detail)
    return Diagnosis(stack, facts.BORDER if facts.border_alone(exhibits) else None)


def _exhibit_of(step: StageRun, contract: Contract, framework: Framework, precision: Precision) -> Exhibit:
    """A stage, which is this contract, on what the oracle feeds it."""
    gradients = {}
    if step.cotangents and contract.differentiable:
        gradients = bounded_gradients(contract, step.inputs, step.cotangents, precision)
    quantities = by_quantity(bounded_values(contract, step.inputs, precision), gradients)
    cotangents = step.cotangents if contract.differentiable else {}
    truth = Truth(contract, step.stage.result, precision, step.inputs, cotangents, quantities)
    return Exhibit.of(truth, framework)


def _accepted(contract: Contract, exhibits: list[Exhibit], others: Sequence[Exhibit]) -> Iterator[Explanation]:
    """The explanations that all exhibits bear out; whichever other case contradicts one becomes an exhibit."""
    for fit in battery(contract):
        explanation = fit(exhibits)
        if explanation is None or not all(explanation.explains(exhibit) for exhibit in exhibits):
            continue
        contrary = next((other for other in others if not explanation.explains(other)), None)
        if contrary is None:
            yield explanation
        elif contrary.wrong and contrary not in exhibits:
            exhibits.append(contrary)


def _wrong_in_itself(tree: Tree) -> StageRun | None:
    """The first stage that is wrong in itself, the innermost where it is a composition; backwards if none forward."""
    step = next(iter(tree.wrong_forward), None) or next(reversed(tree.wrong_backward), None)
    if step is None:
        return None
    return (_wrong_in_itself(step.within) if step.within else None) or step


def _finest(failing: Sequence[Measurement]) -> Precision:
    """The finest precision that fails, and in which results have its digits, where there is one."""
    failed = {m.precision for m in failing}
    without_digits = {m.precision for m in failing if _lacks_digits(m)}
    finest_first = (WIDENED, FLOAT64, FLOAT32)
    names = failed - without_digits or failed
    return next(precision for precision in finest_first if precision.name in names)


def _lacks_digits(measurement: Measurement) -> bool:
    """Whether a result is of a narrower dtype than it was asked in: nothing but that could be told of it."""
    fault = measurement.fault or ""
    return not measurement.quantity.is_gradient and fault.startswith(tuple(f"returned {d}, " for d in (*HALF, *SINGLE)))


def _entry_of(contract: Contract, framework: Framework, failing: Sequence[Measurement]) -> Entry | None:
    """The entry that is wrong where the function itself is right."""
    if any(_is_of(m, None) for m in failing):
        return None
    return next(entry for entry in framework.named(contract) if any(_is_of(m, entry) for m in failing))


def _is_of(measurement: Measurement, entry: Entry | None) -> bool:
    return measurement.quantity.entry == (entry.path if entry else "")
