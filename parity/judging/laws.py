"""Unit facts: laws that hold in each stack alone, judged in the arithmetic of the oracle.

A stack's result enters a law with the error that the oracle grants it there; what the law computes from it adds
its own. So a fact needs no tolerance: left and right must lie within the sum of their allowances.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.case import Case
from parity.contracts.contract import Contract, Inputs, Law, has_readings
from parity.judging.expectation import bounded_gradients, bounded_values
from parity.judging.measurement import Distance, Label, Measurement, distance, fault_of
from parity.judging.omission import Omission, Omitted
from parity.judging.quantity import law_of
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import Precision
from parity.stacks.base import Framework, OutsideDomain, StackError


class StackTrial:
    """One stack on the inputs of one case (see `parity.contracts.contract.Trial`)."""

    def __init__(self, contract: Contract, inputs: Inputs, framework: Framework, precision: Precision) -> None:
        self.contract = contract
        self.inputs = inputs
        self._framework = framework
        self._precision = precision
        self._unchanged: Bounded | None = None

    def value(self, **changed: NDArray[Any]) -> Bounded:
        if changed:
            return self._value(changed)
        self._unchanged = self._unchanged or self._value({})
        return self._unchanged

    def _value(self, changed: Inputs) -> Bounded:
        inputs = {**self.inputs, **changed}
        name = self.contract.results[0].name
        oracle = bounded_values(self.contract, inputs, self._precision)
        # With cotangents where there are gradients: TensorFlow has traced that already.
        differentiable = self.contract.differentiable and not has_readings(inputs)
        ones = {r: np.ones_like(bounded.value) for r, bounded in oracle.items()} if differentiable else None
        return _granted(
            self._framework.evaluate(self.contract, inputs, self._precision, ones).values[name], oracle[name]
        )

    def gradient(self, argument: str, **changed: NDArray[Any]) -> Bounded:
        inputs = {**self.inputs, **changed}
        result = self.contract.results[0]
        shape = bounded_values(self.contract, inputs, self._precision)[result.name].shape
        ones = {result.name: np.ones(shape)}
        oracle = bounded_gradients(self.contract, inputs, ones, self._precision)[argument]
        found = self._framework.evaluate(self.contract, inputs, self._precision, ones)
        if argument in found.unasked:
            raise OutsideDomain(f"no gradient is asked with respect to {argument}")
        if argument not in found.gradients:
            raise StackError(f"has no gradient with respect to {argument}")
        return _granted(found.gradients[argument], oracle)

    def exact(self, array: Any) -> Bounded:
        return Bounded.exact(self._precision.round(np.asarray(array)), self._precision)


def examine_facts(
    case: Case, inputs: Inputs, framework: Framework, precision: Precision
) -> Iterator[Measurement | Omission]:
    """A measurement for every fact of the case's contract: `got` is the left side of the law, `expected` the right.

    Of a law that takes the stack to where it claims nothing, nothing is measured, nor of one that has the function in
    other terms than the law.
    """
    trial = StackTrial(case.contract, inputs, framework, precision)
    in_own_terms = framework.conventions(case.contract, None).contract is not None
    for fact in case.contract.facts:
        if not fact.applies(inputs):
            continue
        label = Label(case.contract.name, case.name, precision.name, law_of(fact.statement))
        if in_own_terms:
            yield Omission(label.contract, framework.name, Omitted.IN_OWN_TERMS, quantity=fact.statement)
            continue
        try:
            law = fact.law(trial)
        except OutsideDomain as outside:
            yield Omission(
                label.contract, framework.name, Omitted.OUTSIDE, case.name, precision.name, fact.statement, str(outside)
            )
        except StackError as error:
            yield label.fault(framework.name, str(error))
        else:
            yield label.measurement(framework.name, _departure(law), epsilon=0.0)


def _departure(law: Law) -> Distance:
    """How far the left side is from the right, or how far it falls short of it."""
    left, right, allowed = law.left.value, law.right.value, law.left.allowed + law.right.allowed
    if law.at_least:
        left, allowed = np.minimum(left, right), np.where(left >= right, 0.0, allowed)
    return distance(left, np.broadcast_to(right, left.shape), allowed)


def _granted(got: NDArray[Any], oracle: Bounded) -> Bounded:
    """The stack's array with the error that the oracle grants it."""
    fault = fault_of(got, oracle)
    if fault:
        raise StackError(fault)
    return oracle.derive(got.astype(oracle.value.dtype), oracle.error)
