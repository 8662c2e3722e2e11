"""Both stacks in one precision, step by step: each goes on from what it came to before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.judging.expectation import exactly
from parity.judging.measurement import Label, Measurement, fault_of, measure, measure_pair, missing_gradient
from parity.judging.quantity import Arrays, Quantity, by_quantity, gradients_of, result_of
from parity.judging.truth import Truth
from parity.physics.oracle.bounded import Bounded
from parity.physics.weights import Weights
from parity.runs.pipeline.expected import FileReading
from parity.runs.pipeline.loaded import Loader
from parity.runs.pipeline.model import Model
from parity.runs.pipeline.network import as_vector, moved
from parity.runs.pipeline.steps import QUANTITIES, PipelineStep
from parity.stacks.base import Framework, StackError

CASE = "groups"
"""The one example of a pipeline, as measurements name it: the groups that were chosen."""


@dataclass(slots=True, eq=False)
class Pipeline:
    """Both stacks in one precision: what each has come to so far, and every measurement of it by step."""

    frameworks: tuple[Framework, ...]
    loaders: Mapping[str, Loader | StackError]
    reading: FileReading
    model: Model
    weights: Weights
    expected: dict[Quantity, Bounded] = field(default_factory=dict)
    found: dict[str, Arrays] = field(default_factory=dict)
    own_weights: dict[str, Weights] = field(default_factory=dict)
    measurements: dict[PipelineStep, list[Measurement]] = field(default_factory=dict)

    def run(self) -> None:
        """Every step, in every stack that an earlier one has left something to go on from."""
        precision = self.reading.precision
        rounded = {name: precision.round(array) for name, array in self.weights.items()}
        read = {**self.reading.quantities, "weights": exactly(as_vector(rounded), precision)}
        self.expected = {**by_quantity(read, {}), **self.model.expect(self.reading, rounded)}
        running = list(self.frameworks)
        for step in PipelineStep:
            quantities = self._quantities(step)
            self.measurements[step], found = [], {}
            for framework in running:
                try:
                    found[framework.name] = self._taken(step, framework)
                except StackError as error:
                    label = self._label(step, quantities[0])
                    self.measurements[step].append(label.fault(framework.name, str(error)))
            self._measure(step, quantities, found)
            stopped = {m.stack for m in self.measurements[step] if m.fault}
            running = [framework for framework in running if framework.name not in stopped]

    def truth(self, step: PipelineStep) -> Truth:
        """What the stacks are judged by from the images on, on what they should have been given."""
        precision = self.reading.precision
        given = {quantity: precision.round(bounded.value) for quantity, bounded in self.expected.items()}
        inputs = self.model.arguments(_results(given), self.weights, self.reading.canvas)
        contract = self.model.loss
        judged = (result_of(contract.results[0].name), *gradients_of(contract))
        quantities = {quantity: self.expected[quantity] for quantity in judged}
        return Truth(contract, step, precision, inputs, {"loss": np.array(1.0)}, quantities)

    def _quantities(self, step: PipelineStep) -> tuple[Quantity, ...]:
        if step is PipelineStep.GRADIENT:
            return gradients_of(self.model.loss)
        return tuple(quantity for quantity in map(result_of, QUANTITIES[step]) if quantity in self.expected)

    def _taken(self, step: PipelineStep, framework: Framework) -> Arrays:
        """One step in one stack, on what it came to before."""
        loader = self.loaders[framework.name]
        if isinstance(loader, StackError):
            raise loader
        if step is PipelineStep.LOAD:
            weights = moved(self.weights, framework, self.reading.precision)
            self.own_weights[framework.name] = weights
            fresh = by_quantity({**loader.read(self.reading), "weights": as_vector(weights)}, {})
        elif step is PipelineStep.GROUP:
            fresh = by_quantity(loader.group(self.reading), {})
        elif step is PipelineStep.NORMALISE:
            fresh = by_quantity(loader.normalise(self.reading), {})
        elif step is PipelineStep.PREDICT:
            fresh = self._predicted(framework)
        elif step is PipelineStep.LOSS:
            fresh = self._lost(framework)
        else:
            return self.found[framework.name]
        self.found[framework.name] = {**self.found.get(framework.name, {}), **fresh}
        return self.found[framework.name]

    def _predicted(self, framework: Framework) -> dict[Quantity, NDArray[Any]]:
        """Patches of the stack's images, and the amplitude of its patches."""
        arguments, precision = self._arguments(framework), self.reading.precision
        patches = framework.evaluate(self.model.autoencode, arguments, precision).values
        fault = fault_of(patches["patches"], self.expected[result_of("patches")])
        if fault:
            raise StackError(fault)
        predicted = framework.evaluate(self.model.predict, {**arguments, **patches}, precision).values
        return by_quantity({**patches, **predicted}, {})

    def _lost(self, framework: Framework) -> dict[Quantity, NDArray[Any]]:
        """The loss with its gradients, and each of its terms by itself, so that the one that is off has a name."""
        arguments, precision = self._arguments(framework), self.reading.precision
        terms: dict[str, NDArray[Any]] = {}
        predicted = self.found[framework.name][result_of("predicted")]
        for contract in self.model.terms:
            given = self.model.compared(contract, predicted, arguments["observed"])
            terms |= framework.evaluate(contract, given, precision).values
        found = framework.evaluate(self.model.loss, arguments, precision, {"loss": np.array(1.0)})
        return by_quantity({**terms, **found.values}, found.gradients)

    def _arguments(self, framework: Framework) -> dict[str, NDArray[Any]]:
        known, weights = _results(self.found[framework.name]), self.own_weights[framework.name]
        return self.model.arguments(known, weights, self.reading.canvas)

    def _measure(self, step: PipelineStep, quantities: Sequence[Quantity], found: Mapping[str, Arrays]) -> None:
        for quantity in quantities:
            label, oracle = self._label(step, quantity), self.expected[quantity]
            for stack, arrays in found.items():
                self.measurements[step].append(_measured(label, stack, arrays.get(quantity), oracle))
            returned = [arrays[quantity] for arrays in found.values() if quantity in arrays]
            comparable = [array for array in returned if not fault_of(array, oracle)]
            apart = _bits_apart if step.is_reading else measure_pair
            self.measurements[step] += [apart(label, *two, oracle) for two in combinations(comparable, 2)]

    def _label(self, step: PipelineStep, quantity: Quantity) -> Label:
        return Label(step, CASE, self.reading.precision.name, quantity)


def _results(arrays: Arrays) -> dict[str, NDArray[Any]]:
    """What is no gradient, by name."""
    return {quantity.name: array for quantity, array in arrays.items() if not quantity.is_gradient}


def _measured(label: Label, stack: str, got: NDArray[Any] | None, oracle: Bounded) -> Measurement:
    if got is not None:
        return measure(label, stack, got, oracle)
    if label.contract == PipelineStep.GRADIENT:
        return missing_gradient(label, stack, oracle)
    return label.fault(stack, "returned nothing")


def _bits_apart(label: Label, one: NDArray[Any], other: NDArray[Any], oracle: Bounded) -> Measurement:
    """Two loaders against each other: any difference is too large."""
    return measure_pair(label, one, other, oracle, allowed=np.zeros(oracle.shape))
