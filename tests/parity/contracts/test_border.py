"""At the border of what numbers are: nothing at all, NaN, infinity and subnormals, in every argument of every contract.

The contracts are those of the registry, one for each function, on the smallest case of their first stratum.
docs/physics.md has the rule. What the oracle refuses, its contract does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest

from parity.contracts.cases.case import Case
from parity.contracts.contract import Argument, Contract, Inputs
from parity.contracts.declared import REGISTRY
from parity.judging.expectation import bounded_gradients, bounded_values, witness
from parity.judging.measurement import distance
from parity.judging.quantity import Arrays, by_quantity
from parity.physics.kinds import BIAS, KERNEL, Numbers
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT32, FLOAT64, Precision
from parity.stacks import load
from parity.stacks.base import Framework, StackError

REFUSAL = re.compile(r"\w+: expected .+, got .+")
FUNCTIONS = {contract.address: contract for contract in [*REGISTRY.values()][::-1]}
PARTS = sorted(address for address, contract in FUNCTIONS.items() if not contract.stages)

OTHER_GRADIENTS = {
    ("patches.translate", "positions"): "the oracle's is NaN for pixels that have left the frame, too",
    (
        "forward.reconstruction_loss",
        "target",
    ): "a rectifier that is closed passes 0 for NaN in PyTorch, and NaN elsewhere",
}
"""Arguments whose NaN makes other gradients NaN here than there; results are NaN alike."""

Answer = Arrays | None
"""What a stack returns, or None where it refuses."""


@dataclass(frozen=True, slots=True)
class Example:
    """A contract's smallest case, with cotangents for its gradients."""

    contract: Contract
    inputs: Inputs
    cotangents: Inputs

    @classmethod
    def of(cls, contract: Contract) -> Example:
        case = Case(contract, contract.strata[0], 0)
        inputs = case.inputs()
        values = bounded_values(contract, inputs, FLOAT64)
        return cls(contract, inputs, case.cotangents({name: found.value for name, found in values.items()}))

    @property
    def numbers(self) -> list[Argument]:
        """The arguments that could be NaN."""
        arguments = self.contract.arguments
        return [a for a in arguments if not a.kind.static and np.issubdtype(self.inputs[a.name].dtype, np.inexact)]

    def with_element(self, argument: Argument, value: float) -> Inputs:
        """The inputs with another number in the middle of an argument."""
        array = np.array(self.inputs[argument.name])
        array[tuple(size // 2 for size in array.shape)] = value
        return {**self.inputs, argument.name: array}

    def without(self, argument: Argument, axis: str) -> Inputs:
        """The inputs without an element along an axis, of all arguments that share it."""
        changed = dict(self.inputs)
        for other in self.contract.arguments:
            if axis in other.kind.axes and (axis.isupper() or other is argument):
                changed[other.name] = np.take(changed[other.name], [], axis=other.kind.axes.index(axis))
        return changed

    def ask(self, framework: Framework, inputs: Inputs, precision: Precision, gradients: bool = False) -> Answer:
        """What a stack says. It refuses in the usual sentence, which names an argument."""
        try:
            found = framework.evaluate(self.contract, inputs, precision, self.cotangents if gradients else None)
        except StackError as error:
            cause = error.__cause__
            if type(cause).__name__ not in ("ValueError", "InvalidArgumentError") or not REFUSAL.search(str(cause)):
                raise
            return None
        return by_quantity(found.values, found.gradients)

    def bounded(self, inputs: Inputs, precision: Precision) -> Mapping[object, Bounded]:
        with np.errstate(all="ignore"):
            values = bounded_values(self.contract, inputs, precision)
            return by_quantity(values, bounded_gradients(self.contract, inputs, self.cotangents, precision))


@pytest.fixture(scope="module")
def ways() -> Mapping[str, Framework]:
    """PyTorch, and TensorFlow with and without a graph."""
    torch, eager = load(mode="eager")
    (graph,) = load(["tensorflow"], mode="graph")
    return {"torch": torch, "eager": eager, "graph": graph}


@pytest.fixture(scope="module", params=sorted(FUNCTIONS))
def example(request: pytest.FixtureRequest) -> Example:
    return Example.of(FUNCTIONS[request.param])


def sort_of(array: np.ndarray, apart: bool) -> np.ndarray:
    """0 for a number; if they are told apart, NaN and the two infinities each have another."""
    return np.isnan(array) + 2 * np.isposinf(array) + 3 * np.isneginf(array) if apart else ~np.isfinite(array)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)
def test_what_is_not_finite_is_refused_by_all_or_passed_on_by_all(ways, example: Example, value: float) -> None:
    contract, gradients = example.contract, math.isnan(value) and bool(example.contract.differentiable)
    apart = all(kind.numbers is not Numbers.COMPLEX for kind in contract.kinds.values())
    for argument in example.numbers:
        if argument.kind in (KERNEL, BIAS) and contract.stages and not math.isnan(value):
            continue  # the stages are held to it
        inputs = example.with_element(argument, value)
        with pytest.raises(ValueError, match=f"^{argument.name}: expected finite"):
            contract.check(inputs)
        expected = witness(contract, inputs, example.cotangents, FLOAT64)
        other = (contract.address, argument.name) in OTHER_GRADIENTS
        for precision in (FLOAT32, FLOAT64):
            found = {name: example.ask(way, inputs, precision, gradients) for name, way in ways.items()}
            refusing = [name for name, answer in found.items() if answer is None]
            assert refusing in ([], [*ways]), f"{argument.name}: refused by {refusing} alone"
            for (name, answer), (quantity, truth) in product(found.items(), expected.items()):
                if answer is None or (quantity.is_gradient and (other or not gradients)):
                    continue
                same = sort_of(answer[quantity], apart) == sort_of(truth, apart)
                assert same.all(), f"{argument.name}: {quantity} of {name} in {precision.name}"


def test_what_has_no_element_is_refused_by_all(ways, example: Example) -> None:
    for argument in example.contract.arguments:
        for axis in argument.kind.axes:
            inputs = example.without(argument, axis)
            with pytest.raises(
                ValueError, match=r"^\w+: expected at least one element along each of \(.+\), got shape \("
            ):
                example.contract.check(inputs)
            for name, way in ways.items():
                assert example.ask(way, inputs, FLOAT32) is None, f"{argument.name} without {axis}: {name}"


@pytest.mark.parametrize("precision", [FLOAT32, FLOAT64], ids=lambda precision: precision.name)
@pytest.mark.parametrize("address", PARTS)
def test_what_is_subnormal_counts_as_what_it_is_or_as_zero(ways, address: str, precision: Precision) -> None:
    """So does a complex number whose square is. What divides by it is not held: at 0 it is not finite."""
    example = Example.of(FUNCTIONS[address])
    least = precision.smallest_normal
    for argument, value in product(example.numbers, _values(precision)):
        if not argument.kind.axes:
            continue
        inputs = example.with_element(argument, value)
        truths = [example.bounded(inputs, precision)]
        zero = example.bounded(example.with_element(argument, 0.0), precision)
        if value < least or (value**2 < least and argument.kind.numbers is Numbers.COMPLEX):
            truths.append(zero)
        for name, way in ways.items():
            answer = example.ask(way, inputs, precision, bool(example.contract.differentiable))
            for quantity in (quantity for quantity in zero if np.isfinite(zero[quantity].value).all()):
                ratios = [ratio_to(truth[quantity], answer[quantity]) for truth in truths]
                assert min(ratios) <= 1, f"{argument.name} = {value}: {quantity} of {name}, {ratios}"


def _values(precision: Precision) -> tuple[float, ...]:
    """Two subnormals, one whose square is, and one whose square is not."""
    least = precision.smallest_normal
    return least * precision.unit_roundoff * 2, least * 0.7, least**0.5 / 3, least**0.5 * 4


def ratio_to(truth: Bounded, answer: np.ndarray) -> float:
    """How far an answer is from the truth; beyond the largest number, anything that is not finite is right."""
    with np.errstate(over="ignore"):
        beyond = ~np.isfinite(truth.precision.round(truth.value)) & ~np.isfinite(answer)
    return distance(np.where(beyond, 0, answer), np.where(beyond, 0, truth.value), truth.allowed).ratio
