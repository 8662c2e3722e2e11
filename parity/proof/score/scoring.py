"""One contract scored: each of its defects made in a stack, one after the other, and everything asked what it sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from parity.contracts.cases.case import Case
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault, Rewrite
from parity.faults.injection import injected
from parity.goldens.replay import replay
from parity.judging.measurement import Measurement
from parity.judging.stage_tree import StageRun, Tree
from parity.judging.stages import trees_of
from parity.judging.truth import Measured
from parity.judging.verdict import Outcome, PooledGain, Verdict, judge
from parity.physics.precision import FLOAT32, FLOAT64
from parity.proof.score.baselines import BASELINES
from parity.proof.score.preparation import Preparation
from parity.proof.score.result import ContractScore, DefectScore, Explained, Look, RewriteScore, Seen
from parity.proof.score.session import held_by_pytest
from parity.stacks import load
from parity.stacks.base import Framework


class Diagnosed(Protocol):
    """What a diagnosis says: the name of the cause, None where there is none."""

    @property
    def cause(self) -> str | None: ...


Diagnose = Callable[[Contract, Framework, Sequence[Measurement]], Diagnosed]
"""Explains the failures of a stack, which is still as it was when it failed."""


@dataclass(frozen=True, slots=True)
class Stacks:
    """The stacks by name: for many examples of one function, as `pytest -m parity` runs them, and for one of each.

    A trace of TensorFlow's pays for itself in some twenty examples.
    """

    many: Mapping[str, Framework]
    once: Mapping[str, Framework]

    @classmethod
    def loaded(cls) -> Stacks:
        """Both."""
        many, once = load(), load(mode="eager")
        return cls({f.name: f for f in many}, {f.name: f for f in once})


def score_contract(
    preparation: Preparation,
    stacks: Stacks,
    defects: Iterable[Fault],
    rewrites: Iterable[Rewrite] = (),
    diagnose: Diagnose | None = None,
    ask_pytest: bool = False,
) -> ContractScore:
    """Score the defects and rewrites of a contract, each in each of its stacks."""
    verdict = preparation.verdict
    return ContractScore(
        contract=preparation.contract.name,
        examples=verdict.examples,
        agrees=verdict.agrees,
        epsilon=verdict.epsilon if math.isfinite(verdict.epsilon) else None,
        pooled=_smallest_pooled(verdict.gains),
        alarms=_alarms(preparation),
        defects=tuple(
            _score_defect(preparation, defect, stacks, stack, diagnose, ask_pytest)
            for defect in defects
            for stack in defect.stacks
        ),
        rewrites=tuple(
            _score_rewrite(preparation, rewrite, stacks.many[stack]) for rewrite in rewrites for stack in rewrite.stacks
        ),
    )


def _score_defect(
    preparation: Preparation, defect: Fault, stacks: Stacks, stack: str, diagnose: Diagnose | None, ask_pytest: bool
) -> DefectScore:
    contract, once = preparation.contract, stacks.once[stack]
    with injected(defect, stack):
        found = [example.hold(stacks.many[stack]) for example in preparation.examples]
        measurements = _beside(preparation, stack, found)
        verdict = judge(contract.name, measurements, contract.quota)
        caught = verdict.outcome is Outcome.DISAGREE
        cause = _cause(diagnose, contract, once, measurements) if diagnose and caught else None
        golden = {golden.name: not replay(golden, contract, (once,)).verdict.agrees for golden in preparation.goldens}
        stage = _stages(preparation.compositions, contract.name, once)
        code = held_by_pytest([contract.name], frameworks=tuple(stacks.many.values())) if ask_pytest else None
    own = [m for measured in found for m in measured.measurements]
    gains = {g.quantity.text: not g.agrees for g in verdict.gains if g.stack == stack}
    besides = {Look.GOLDEN: golden, Look.STAGE: stage, Look.POOLED: gains}
    return DefectScore(
        defect=defect.full_name,
        stack=stack,
        caught=caught,
        sided=verdict.sides == (stack,),
        any_column=_by_case(own),
        seen=_columns(own) | {column: Seen.among(tried) for column, tried in besides.items() if tried},
        baselines=_baselines(preparation, stack, found),
        explained=Explained(cause, defect.right_diagnoses) if diagnose else None,
        pytest=code,
    )


def _cause(
    diagnose: Diagnose, contract: Contract, framework: Framework, measurements: Sequence[Measurement]
) -> str | None:
    """The cause; what a diagnosis raises is a wrong answer, and no reason to end the score of everything else."""
    try:
        return diagnose(contract, framework, measurements).cause
    except Exception as error:
        return f"the diagnosis raised {type(error).__name__}: {error}"


def _score_rewrite(preparation: Preparation, rewrite: Rewrite, framework: Framework) -> RewriteScore:
    with injected(rewrite, framework.name):
        found = [example.hold(framework) for example in preparation.examples]
    measurements = _beside(preparation, framework.name, found)
    verdict = judge(preparation.contract.name, measurements, preparation.contract.quota)
    return RewriteScore(rewrite.full_name, framework.name, verdict.agrees, "" if verdict.agrees else _said(verdict))


def _beside(preparation: Preparation, stack: str, found: Iterable[Measured]) -> list[Measurement]:
    pairs = zip(preparation.examples, found, strict=True)
    return [measurement for example, wrong in pairs for measurement in example.beside(stack, wrong)]


def _said(verdict: Verdict) -> str:
    if not verdict.failures:
        return f"{verdict.outcome}: {verdict.reason}"
    worst = verdict.failures[0]
    return f"{worst.quantity} in {worst.precision}, case {worst.case}: " + (
        worst.fault or f"{worst.ratio:.3g} times the bound"
    )


def _columns(measurements: Sequence[Measurement]) -> dict[str, Seen]:
    """What the measurements of a stack see, by way of looking."""
    columns: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        columns.setdefault(_column(measurement), []).append(measurement)
    return {name: _by_case(group) for name, group in columns.items()}


def _column(measurement: Measurement) -> Look:
    if measurement.quantity.is_law:
        return Look.FACT
    if measurement.quantity.is_gradient:
        return Look.GRADIENT
    return {FLOAT32.name: Look.FLOAT32, FLOAT64.name: Look.FLOAT64}[measurement.precision]


def _by_case(measurements: Iterable[Measurement]) -> Seen:
    """In how many cases some of these measurements fail."""
    cases: dict[str, bool] = {}
    for measurement in measurements:
        cases[measurement.case] = cases.get(measurement.case, False) or not measurement.agrees
    return Seen.among(cases)


def _stages(cases: Iterable[Case], contract: str, framework: Framework) -> dict[str, bool]:
    """Whether the stages of a composition name the contract in a case; no case after the first that does."""
    named: dict[str, bool] = {}
    for case in cases:
        (tree,) = trees_of(case, (framework,), (FLOAT64,), REGISTRY)
        named[case.name] = contract in _wrong_in_itself(tree)
        if named[case.name]:
            break
    return named


def _wrong_in_itself(tree: Tree) -> tuple[str, ...]:
    """The stage that is wrong in itself where the composition first goes wrong, and those that it is a stage of."""
    step: StageRun | None = tree.first
    if step is None or not step.is_wrong:
        return ()
    return (step.stage.contract, *(_wrong_in_itself(step.within) if step.within else ()))


def _baselines(preparation: Preparation, stack: str, found: Sequence[Measured]) -> dict[str, Seen]:
    """Where a fixed tolerance holds the right stacks together and does not hold this one to the other."""
    noticed: dict[str, dict[str, bool]] = {baseline.name: {} for baseline in BASELINES}
    for example, wrong in zip(preparation.examples, found, strict=True):
        (other,) = (right.arrays for name, right in example.right.items() if name != stack)
        right = example.right[stack].arrays
        for baseline in BASELINES:
            if example.truth.precision is baseline.precision and other is not None:
                flagged = baseline.fires(wrong.arrays, other) and not baseline.fires(right, other)
                noticed[baseline.name][example.case.name] = flagged
    return {name: Seen.among(examples) for name, examples in noticed.items()}


def _alarms(preparation: Preparation) -> dict[str, Seen]:
    """The examples of correct code that each fixed tolerance flags."""
    fired: dict[str, dict[str, bool]] = {baseline.name: {} for baseline in BASELINES}
    for example in preparation.examples:
        one, other = (right.arrays for right in example.right.values())
        for baseline in BASELINES:
            if example.truth.precision is baseline.precision:
                fired[baseline.name][example.case.name] = other is None or baseline.fires(one, other)
    return {name: Seen.among(examples) for name, examples in fired.items()}


def _smallest_pooled(gains: Iterable[PooledGain]) -> float | None:
    """The smallest common gain that shows in every quantity: what is allowed, and how far correct code is from 0."""
    visible = [max(gain.allowed - gain.low, gain.allowed + gain.high) for gain in gains]
    return max(visible, default=None)
