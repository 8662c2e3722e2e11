"""Both stacks in one precision, step by step: each goes on from what it came to before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.judging.examine import Truth
from parity.judging.expectation import exactly, gradient_of
from parity.judging.measurement import (
    PAIR,
    Label,
    Measurement,
    distance,
    fault_of,
    measure,
    measure_pair,
    missing_gradient,
)
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

Found = dict[str, NDArray[Any]]


@dataclass(slots=True, eq=False)
class Pipeline:
    """Both stacks in one precision: what each has come to so far, and every measurement of it by step."""

    frameworks: tuple[Framework, ...]
    loaders: Mapping[str, Loader | StackError]
    reading: FileReading
    model: Model
    weights: Weights
    expected: dict[str, Bounded] = field(default_factory=dict)
    found: dict[str, Found] = field(default_factory=dict)
    own_weights: dict[str, Weights] = field(default_factory=dict)
    measurements: dict[PipelineStep, list[Measurement]] = field(default_factory=dict)

    def run(self) -> None:
        """Every step, in every stack that an earlier one has left something to go on from."""
        precision = self.reading.precision
        rounded = {name: precision.round(array) for name, array in self.weights.items()}
        self.expected = {
            **self.reading.quantities,
            "weights": exactly(as_vector(rounded), precision),
            **self.model.expect(self.reading, rounded),
        }
        running = list(self.frameworks)
        for step in PipelineStep:
            quantities = self._quantities(step)
            self.measurements[step], found = [], {}
            for framework in running:
                try:
                    found[framework.name] = self._taken(step, framework)
                except StackError as error:
                    label = self._label(step, quantities[0])
                    self.measurements[step].append(label.measurement(framework.name, fault=str(error)))
            self._measure(step, quantities, found)
            stopped = {m.stack for m in self.measurements[step] if m.fault}
            running = [framework for framework in running if framework.name not in stopped]

    def truth(self, step: PipelineStep) -> Truth:
        """What the stacks are judged by from the images on, on what they should have been given."""
        precision = self.reading.precision
        given = {name: precision.round(bounded.value) for name, bounded in self.expected.items()}
        inputs = self.model.arguments(given, self.weights, self.reading.canvas)
        contract = self.model.loss
        names = [contract.results[0].name, *(gradient_of(a.name) for a in contract.differentiable)]
        quantities = {name: self.expected[name] for name in names}
        return Truth(contract, step, precision, inputs, {"loss": np.array(1.0)}, quantities)

    def _quantities(self, step: PipelineStep) -> tuple[str, ...]:
        if step is PipelineStep.GRADIENT:
            return tuple(gradient_of(argument.name) for argument in self.model.loss.differentiable)
        return tuple(name for name in QUANTITIES[step] if name in self.expected)

    def _taken(self, step: PipelineStep, framework: Framework) -> Found:
        """One step in one stack, on what it came to before."""
        loader = self.loaders[framework.name]
        if isinstance(loader, StackError):
            raise loader
        if step is PipelineStep.LOAD:
            weights = moved(self.weights, framework, self.reading.precision)
            self.own_weights[framework.name] = weights
            fresh = loader.read(self.reading) | {"weights": as_vector(weights)}
        elif step is PipelineStep.GROUP:
            fresh = loader.group(self.reading)
        elif step is PipelineStep.NORMALISE:
            fresh = loader.normalise(self.reading)
        elif step is PipelineStep.PREDICT:
            fresh = self._predicted(framework)
        elif step is PipelineStep.LOSS:
            fresh = self._lost(framework)
        else:
            return self.found[framework.name]
        known = self.found.setdefault(framework.name, {})
        known.update(fresh)
        return known

    def _predicted(self, framework: Framework) -> Found:
        """Patches of the stack's images, and the amplitude of its patches."""
        arguments, precision = self._arguments(framework), self.reading.precision
        patches = framework.evaluate(self.model.autoencode, arguments, precision).values
        fault = fault_of(patches["patches"], self.expected["patches"])
        if fault:
            raise StackError(fault)
        predicted = framework.evaluate(self.model.predict, {**arguments, **patches}, precision).values
        return {**patches, **predicted}

    def _lost(self, framework: Framework) -> Found:
        """The loss with its gradients, and each of its terms by itself, so that the one that is off has a name."""
        arguments, precision = self._arguments(framework), self.reading.precision
        terms: Found = {}
        for contract in self.model.terms:
            given = self.model.compared(contract, self.found[framework.name]["predicted"], arguments["observed"])
            terms |= framework.evaluate(contract, given, precision).values
        found = framework.evaluate(self.model.loss, arguments, precision, {"loss": np.array(1.0)})
        return {**terms, **found.values, **{gradient_of(name): array for name, array in found.gradients.items()}}

    def _arguments(self, framework: Framework) -> Found:
        known, weights = self.found[framework.name], self.own_weights[framework.name]
        return self.model.arguments(known, weights, self.reading.canvas)

    def _measure(self, step: PipelineStep, quantities: Sequence[str], found: Mapping[str, Found]) -> None:
        for quantity in quantities:
            label, oracle = self._label(step, quantity), self.expected[quantity]
            for stack, arrays in found.items():
                self.measurements[step].append(_measured(label, stack, arrays.get(quantity), oracle))
            pair = [arrays[quantity] for arrays in found.values() if quantity in arrays]
            if len(pair) == 2 and not any(fault_of(array, oracle) for array in pair):
                apart = _bits_apart if step.is_reading else measure_pair
                self.measurements[step].append(apart(label, pair[0], pair[1], oracle))

    def _label(self, step: PipelineStep, quantity: str) -> Label:
        return Label(step, CASE, self.reading.precision.name, quantity)


def _measured(label: Label, stack: str, got: NDArray[Any] | None, oracle: Bounded) -> Measurement:
    if got is not None:
        return measure(label, stack, got, oracle)
    if label.contract == PipelineStep.GRADIENT:
        return missing_gradient(label, stack, oracle)
    return label.measurement(stack, fault="returned nothing")


def _bits_apart(label: Label, one: NDArray[Any], other: NDArray[Any], oracle: Bounded) -> Measurement:
    """Two loaders against each other: any difference is too large."""
    informed = measure_pair(label, one, other, oracle).epsilon
    apart = distance(one, other, np.zeros(oracle.shape), truth=oracle.value)
    return label.measurement(PAIR, **apart, epsilon=informed)
