"""Where a composition first goes wrong.

Each stage of a composition is a contract already. It is run twice: *free*, on what its own stack made of the stages
before, and *fed*, on what the oracle says it should have been given. A stage that fails when it is fed is wrong in
itself; one that fails only when it is free inherits. Two errors that cancel leave the end result right and both their
stages wrong. Backwards likewise: one cotangent is pulled through the stack's own stages, and through the oracle's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.case import Case, precisions_of
from parity.contracts.contract import Argument, Contract, Inputs, Result, Stage, has_readings
from parity.contracts.registry import Registry
from parity.judging.expectation import bounded_gradients, bounded_values, exactly
from parity.judging.measurement import Label, measure, missing_gradient
from parity.judging.quantity import Quantity, gradient_of, result_of
from parity.judging.stage_tree import JudgedArray, JudgedArrays, StageRun, Tree
from parity.judging.terms import expected
from parity.physics.kinds import Kind
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import Precision
from parity.stacks.base import Framework, OutsideDomain, StackError

Known = Bounded | NDArray[Any]
"""An argument or a result, with what the oracle knows of its error; a size, a flag or a choice is a plain array."""

Addend = TypeVar("Addend", Bounded, NDArray[Any])
T = TypeVar("T")


def stage_tree(
    contract: Contract,
    case: str,
    inputs: Inputs,
    cotangent: NDArray[Any],
    framework: Framework,
    precision: Precision,
    contracts: Registry,
) -> Tree:
    """The stages of a contract on inputs, with one cotangent of its first result; no stages if it is no composition.

    `case` is the name under which the measurements go. An exception of the stack is a fault of the stage it is in.
    """
    return _Walk(contract, case, inputs, cotangent, framework, precision, contracts).tree()


def trees_of(
    case: Case, frameworks: Iterable[Framework], precisions: tuple[Precision, ...], contracts: Registry
) -> tuple[Tree, ...]:
    """The tree of one case in every precision and stack."""
    contract, inputs = case.contract, case.inputs()
    frameworks, trees = tuple(frameworks), []
    for precision in precisions_of(inputs, precisions):
        values = {name: bound.value for name, bound in bounded_values(contract, inputs, precision).items()}
        cotangent = case.cotangents(values)[contract.results[0].name]
        trees += [
            stage_tree(contract, case.name, inputs, cotangent, framework, precision, contracts)
            for framework in frameworks
        ]
    return tuple(trees)


def stages_of(contract: Contract, inputs: Inputs) -> tuple[Stage, ...]:
    """The stages of a contract on inputs, in order; none if it is no composition."""
    return contract.stages(inputs) if contract.stages else ()


class _Walk:
    """One walk through the stages of a composition, there and back."""

    def __init__(
        self,
        contract: Contract,
        case: str,
        inputs: Inputs,
        cotangent: NDArray[Any],
        framework: Framework,
        precision: Precision,
        contracts: Registry,
    ) -> None:
        self._contract, self._case, self._contracts = contract, case, contracts
        self._framework, self._precision = framework, precision
        self._stages = stages_of(contract, inputs)
        self._inputs, self._cotangent = inputs, precision.round(cotangent)
        self._truth: dict[str, Known] = {
            a.name: inputs[a.name] if a.kind.static else exactly(inputs[a.name], precision) for a in contract.arguments
        }
        self._stack: dict[str, NDArray[Any]] = {a.name: inputs[a.name] for a in contract.arguments}
        last = [stage.result for stage in self._stages[-1:]]
        self._pulled: dict[str, Bounded] = {result: exactly(self._cotangent, precision) for result in last}
        self._pulled_by_stack: dict[str, NDArray[Any]] = dict.fromkeys(last, self._cotangent)

    def tree(self) -> Tree:
        frees = [self._free_value(stage) for stage in self._stages]
        steps = [self._step(stage, free) for stage, free in zip(reversed(self._stages), reversed(frees), strict=True)]
        return Tree(self._contract, self._framework.name, self._precision.name, self._whole(), tuple(reversed(steps)))

    def _whole(self) -> JudgedArrays:
        """The composition's own function in the stack."""
        bounds = bounded_values(self._contract, self._inputs, self._precision)
        cotangents = {name: np.zeros_like(bound.value) for name, bound in bounds.items()}
        cotangents[self._contract.results[0].name] = self._cotangent
        results, gradients = self._held(self._contract, self._inputs, cotangents)
        return (*results, *gradients)

    def _held(
        self, contract: Contract, inputs: Inputs, cotangents: Inputs, named: str = ""
    ) -> tuple[JudgedArrays, JudgedArrays]:
        """Results and gradients of the stack's function in its own terms, the result `named` as the stage has it."""
        pulled = {} if has_readings(inputs) or not contract.differentiable else cotangents
        terms = self._framework.conventions(contract, None)
        found = expected(contract, terms, inputs, pulled, self._precision)
        run = self._run(found.contract, found.inputs, found.cotangents or cotangents)
        run = replace(run, values=found.judged_results(run.values), gradients=found.judged_gradients(run.gradients))
        results = [(result, found.quantities[result_of(result.name)]) for result in found.contract.results]
        gradients = [(a, found.quantities[gradient_of(a.name)]) for a in found.contract.differentiable if pulled]
        return (
            tuple(self._read(result, named or result.name, run, bound) for result, bound in results),
            tuple(self._read_gradient(argument, run, bound) for argument, bound in gradients),
        )

    def _free_value(self, stage: Stage) -> JudgedArray:
        """What a stage makes of the stack's own values; the oracle's and the stack's go on from it."""
        contract = self._contracts[stage.contract]
        given = self._arguments(stage, self._truth)
        oracle = contract.oracle()(**{name: _plain(x) for name, x in given.items()})
        right = oracle if isinstance(oracle, Bounded) else exactly(oracle, self._precision)
        self._truth[stage.result] = right
        run = self._run(contract, self._arguments(stage, self._stack))
        free = self._read(contract.results[0], stage.result, run, right)
        if free.got is not None and free.got.ndim == free.oracle.ndim:
            self._stack[stage.result] = free.got
        return free

    def _step(self, stage: Stage, free: JudgedArray) -> StageRun:
        """One stage on the way back: its gradients, and everything again on what the oracle gives it."""
        contract = self._contracts[stage.contract]
        result = contract.results[0]
        inputs = self._fed(stage)
        cotangent = self._precision.round(_value_of(self._pulled.get(stage.result, np.zeros_like(free.oracle.value))))
        results, gradients = self._held(contract, inputs, {result.name: cotangent}, stage.result)
        return StageRun(
            stage,
            free,
            results[0],
            self._free_gradients(stage, contract) if stage.result in self._pulled else (),
            gradients if stage.result in self._pulled else (),
            self._within(contract, inputs, cotangent),
            inputs,
            {result.name: cotangent} if stage.result in self._pulled else {},
        )

    def _free_gradients(self, stage: Stage, contract: Contract) -> JudgedArrays:
        """Pull the stack's own cotangent back through one stage, and the oracle's; both go on from there."""
        if not contract.differentiable:
            return ()
        given = self._arguments(stage, self._truth)
        bounds = contract.oracle_vjp()(self._pulled[stage.result], **{name: _plain(x) for name, x in given.items()})
        if stage.result in self._pulled_by_stack:
            cotangents = {contract.results[0].name: self._pulled_by_stack[stage.result]}
            run = self._run(contract, self._arguments(stage, self._stack), cotangents)
        else:
            run = _Run(gradient_fault="was given nothing by a later stage")
        arrays = tuple(
            self._read_gradient(argument, run, bound)
            for argument, bound in zip(contract.differentiable, bounds, strict=True)
        )
        for argument, array in zip(contract.differentiable, arrays, strict=True):
            source, got = stage.source(argument.name), array.got
            _add(self._pulled, source, array.oracle)
            if got is None and not array.measurement.fault:
                got = np.zeros_like(array.oracle.value)
            if got is not None and got.shape == array.oracle.shape:
                _add(self._pulled_by_stack, source, got)
        return arrays

    def _within(self, contract: Contract, inputs: Inputs, cotangent: NDArray[Any]) -> Tree | None:
        if not stages_of(contract, inputs):
            return None
        return stage_tree(contract, self._case, inputs, cotangent, self._framework, self._precision, self._contracts)

    def _arguments(self, stage: Stage, known: Mapping[str, T]) -> dict[str, T | NDArray[Any]]:
        return {
            a.name: np.array(stage.sizes[a.name]) if a.name in stage.sizes else known[stage.source(a.name)]
            for a in self._contracts[stage.contract].arguments
            if a.name in stage.sizes or stage.source(a.name) in known
        }

    def _fed(self, stage: Stage) -> dict[str, NDArray[Any]]:
        return {name: self._precision.round(_value_of(x)) for name, x in self._arguments(stage, self._truth).items()}

    def _run(self, contract: Contract, inputs: Inputs, cotangents: Inputs | None = None) -> _Run:
        """The stack's function: its values and, with cotangents, its gradients. A gradient may fail alone."""
        if len(inputs) < len(contract.arguments):
            fault = "was given nothing by an earlier stage"
            return _Run(fault=fault, gradient_fault=fault)
        wanted = cotangents if contract.differentiable and not has_readings(inputs) else None
        try:
            return self._asked(contract, inputs, wanted)
        except StackError as error:
            fault = str(error)
        if wanted is None:
            return _Run(fault=fault, gradient_fault=fault)
        return replace(self._run(contract, inputs), gradient_fault=fault)

    def _asked(self, contract: Contract, inputs: Inputs, cotangents: Inputs | None) -> _Run:
        """What the stack returns; what it claims nothing of is the oracle's own, which is not what is wrong.

        So are the gradients of what it has in other terms, and its values, where these cannot be told from there.
        """
        if not self._framework.binds(contract):
            return self._stand_in(contract, inputs, cotangents)
        terms = self._framework.conventions(contract, None)
        try:
            if terms.contract and contract.around is None:
                own = self._stand_in(contract, inputs, cotangents)
                values = self._framework.evaluate(terms.contract, terms.given(inputs), self._precision).values
                return replace(own, values={**own.values, **terms.recovered(values)})
            found = self._framework.evaluate(contract, inputs, self._precision, cotangents)
        except OutsideDomain:
            return self._stand_in(contract, inputs, cotangents)
        if not found.unasked:
            return _Run(found.values, found.gradients)
        granted = self._stand_in(contract, inputs, cotangents).gradients
        return _Run(found.values, {**{name: granted[name] for name in found.unasked}, **found.gradients})

    def _stand_in(self, contract: Contract, inputs: Inputs, cotangents: Inputs | None) -> _Run:
        values = bounded_values(contract, inputs, self._precision)
        gradients = bounded_gradients(contract, inputs, cotangents, self._precision) if cotangents else {}
        return _Run(self._rounded(values), self._rounded(gradients))

    def _rounded(self, bounds: Mapping[str, Bounded]) -> Inputs:
        return {name: self._precision.round(bounded.value) for name, bounded in bounds.items()}

    def _read(self, result: Result, quantity: str, run: _Run, oracle: Bounded) -> JudgedArray:
        """A result, under the name by which the composition knows it."""
        return self._judged(result_of(quantity), run.values.get(result.name), oracle, result.kind, run.fault)

    def _read_gradient(self, argument: Argument, run: _Run, oracle: Bounded) -> JudgedArray:
        quantity, got = gradient_of(argument.name), run.gradients.get(argument.name)
        if got is None and run.gradient_fault is None:
            missing = missing_gradient(self._label(quantity), self._framework.name, oracle)
            return JudgedArray(missing, None, oracle, argument.kind)
        return self._judged(quantity, got, oracle, argument.kind, run.gradient_fault)

    def _judged(
        self, quantity: Quantity, got: NDArray[Any] | None, oracle: Bounded, kind: Kind, fault: str | None
    ) -> JudgedArray:
        label = self._label(quantity)
        if got is None:
            return JudgedArray(label.fault(self._framework.name, fault or "returned nothing"), None, oracle, kind)
        return JudgedArray(measure(label, self._framework.name, got, oracle), got, oracle, kind)

    def _label(self, quantity: Quantity) -> Label:
        return Label(self._contract.name, self._case, self._precision.name, quantity)


@dataclass(frozen=True, slots=True)
class _Run:
    """What one call of a stack's function came to: values and gradients by name, or why there are none."""

    values: Inputs = field(default_factory=dict)
    gradients: Inputs = field(default_factory=dict)
    fault: str | None = None
    gradient_fault: str | None = None


def _add(known: dict[str, Addend], name: str, gradient: Addend) -> None:
    """Gradients of what is used twice are added up."""
    known[name] = known[name] + gradient if name in known else gradient


def _plain(x: Known) -> Any:
    """An argument as the oracle takes it: what is no `Bounded` is a size, a flag or a choice."""
    return x if isinstance(x, Bounded) else x.item()


def _value_of(x: Known) -> NDArray[Any]:
    return x.value if isinstance(x, Bounded) else np.asarray(x)
