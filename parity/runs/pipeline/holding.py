"""A file held: every step of both stacks measured against the oracle and against each other, and judged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from parity.contracts.contract import Quota
from parity.faults.diagnosis import Diagnosis
from parity.judging.measurement import Measurement
from parity.judging.quantity import Quantity, by_quantity
from parity.judging.verdict import Outcome, Verdict, judge
from parity.physics.kinds import Kind
from parity.physics.precision import Precision
from parity.physics.weights import Weights
from parity.runs.pipeline.causes import Causes
from parity.runs.pipeline.expected import expect
from parity.runs.pipeline.loaded import open_all
from parity.runs.pipeline.model import Model
from parity.runs.pipeline.network import network_size, seeded, weights_in
from parity.runs.pipeline.running import Pipeline
from parity.runs.pipeline.source import read_source
from parity.runs.pipeline.steps import QUANTITIES, PipelineStep
from parity.stacks.base import Framework


@dataclass(frozen=True, slots=True)
class PipelineQuestion:
    """What is asked of a file: `groups` of its groups, which `seed` chooses, as it draws the weights where none come
    from a file; `gridsize` groups the exposures of a file that has none, or is that of its groups."""

    path: Path
    gridsize: int | None = None
    groups: int = 4
    seed: int = 0
    weights: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What became of one step, in which so many `arrays` were compared.

    `left_open` are quantities that a coarser precision than the finest leaves undecided; `inherits` are stacks that do
    the step rightly on the right inputs, and `diagnoses` those of the others that are off.
    """

    step: PipelineStep
    verdict: Verdict
    arrays: int
    left_open: tuple[Quantity, ...] = ()
    inherits: tuple[str, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PipelineResult:
    """What became of all steps, in order, and of what: so many of `groups` groups, through a network."""

    question: PipelineQuestion
    size: int
    gridsize: int
    tried: int
    groups: int
    parameters: int
    kinds: Mapping[Quantity, Kind]
    steps: tuple[Held, ...]


def hold(
    question: PipelineQuestion,
    frameworks: tuple[Framework, ...],
    precisions: Sequence[Precision],
    advance: Callable[[], None] = lambda: None,
) -> PipelineResult:
    """Take a file through the pipelines of both stacks; `advance` is told of every precision.

    Raises CheckNotMade where the loaders refuse the file, no network takes its frames, or the file of the weights
    cannot be read; UsageError where gridsize or weights do not go with the file.
    """
    path, gridsize, seed = question.path, question.gridsize, question.seed
    loaders = [open_all(frameworks, path, gridsize, seed, precision) for precision in precisions]
    source = read_source(path)
    model = Model(network_size(source.frame))
    readings = [expect(source, gridsize, question.groups, seed, precision) for precision in precisions]
    weights = _weights(question, model.size, readings[0].gridsize)
    pipelines = [
        Pipeline(frameworks, opened, reading, model, weights) for opened, reading in zip(loaders, readings, strict=True)
    ]
    for pipeline in pipelines:
        pipeline.run()
        advance()
    finest = min(pipelines, key=lambda one: one.reading.precision.unit_roundoff)
    return PipelineResult(
        question,
        model.size,
        finest.reading.gridsize,
        len(finest.reading.chosen),
        len(finest.reading.groups),
        sum(array.size for array in weights.values()),
        _kinds(model),
        _judged(pipelines, finest, Causes(source, gridsize)),
    )


def _kinds(model: Model) -> dict[Quantity, Kind]:
    """Of all that is compared."""
    results = {name: kind for known in QUANTITIES.values() for name, kind in known.items()}
    return by_quantity(results, {argument.name: argument.kind for argument in model.loss.differentiable})


def _weights(question: PipelineQuestion, size: int, gridsize: int) -> Weights:
    if question.weights is None:
        return seeded(size, gridsize, question.seed)
    return weights_in(question.weights, size, gridsize)


def _judged(pipelines: Sequence[Pipeline], finest: Pipeline, causes: Causes) -> tuple[Held, ...]:
    """The verdict on each step, in order."""
    held: list[Held] = []
    for step in PipelineStep:
        measurements = [m for one in pipelines for m in one.measurements[step]]
        fine = judge(step, finest.measurements[step], _quota(step))
        verdict = replace(judge(step, measurements, _quota(step)), epsilon=fine.epsilon)
        if verdict.outcome is not Outcome.DISAGREE:
            verdict = replace(verdict, outcome=fine.outcome, reason=fine.reason)
        elif not verdict.sides:
            verdict = replace(verdict, reason=_apart(step, measurements))
        arrays = len({m.quantity for m in measurements})
        held.append(Held(step, verdict, arrays, () if step.is_reading else _left_open(step, pipelines, finest)))
    misread = {stack for one in held if one.step.is_reading for stack in one.verdict.sides}
    return tuple(_explained(one, pipelines, causes, misread) for one in held)


def _apart(step: PipelineStep, measurements: Sequence[Measurement]) -> str:
    """What is between two stacks that are both within their bounds."""
    quantity = next(m.quantity for m in measurements if m.is_of_pair and not m.agrees)
    if step.is_reading:
        return f"{quantity}: the loaders give different bits, each within its own bound"
    return f"{quantity}: the stacks are too far apart, each within its own bound"


def _left_open(step: PipelineStep, pipelines: Sequence[Pipeline], finest: Pipeline) -> tuple[Quantity, ...]:
    """What no other precision than the finest decides."""
    coarse = [m for one in pipelines if one is not finest for m in one.measurements[step]]
    return tuple(dict.fromkeys(m.quantity for m in coarse if not m.fault and (m.undecided or not m.informative)))


def _quota(step: PipelineStep) -> Quota:
    """Nothing may be undecided; a place that is 0 shows nothing, and is known all the same."""
    return Quota(uninformative=1.0) if step.is_reading else Quota()


def _explained(held: Held, pipelines: Sequence[Pipeline], causes: Causes, misread: Collection[str]) -> Held:
    """With the cause of what is off, from the finest precision in which it is.

    A stack that has `misread` the file inherits what it does rightly with the right one.
    """
    found: list[Diagnosis] = []
    inherits: list[str] = []
    for stack in held.verdict.sides:
        failing = [m for m in held.verdict.failures if m.stack == stack]
        one = min(
            (p for p in pipelines if p.reading.precision.name in {m.precision for m in failing}),
            key=lambda p: p.reading.precision.unit_roundoff,
        )
        framework = next(framework for framework in one.frameworks if framework.name == stack)
        truth = None if held.step.is_reading else one.truth(held.step)
        diagnosis = causes.of(framework, failing, one.reading, truth, one.model.contracts)
        if diagnosis is None and stack in misread:
            inherits.append(stack)
        else:
            found.append(diagnosis or Diagnosis(stack, None))
    return replace(held, inherits=tuple(inherits), diagnoses=tuple(found))
