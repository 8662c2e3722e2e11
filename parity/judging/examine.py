"""One case, examined: the oracle is asked, the stacks are run, and what they return is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import combinations

from parity.contracts.cases.case import Case, precisions_of
from parity.contracts.contract import Inputs
from parity.judging.divergences.removal import without_broken
from parity.judging.laws import examine_facts
from parity.judging.measurement import Measurement
from parity.judging.omission import Omission
from parity.judging.truth import FACTS, SIMULATION, Begun, Clock, Measured, Truth, untimed
from parity.physics.precision import Precision
from parity.stacks.base import Framework

Expect = Callable[[Case, Inputs, Precision, Clock], "Truth"]
"""Gives what the stacks are judged by in a case and a precision: `Truth.of`, or something that remembers it."""

Facts = tuple[list[Measurement], list[Omission]]
"""What became of the facts of a stack in one example."""


def examine(
    case: Case,
    frameworks: Sequence[Framework],
    precisions: tuple[Precision, ...],
    with_facts: bool = False,
    clock: Clock = untimed,
    expect: Expect | None = None,
) -> list[Measurement]:
    """Every measurement of one case: each stack against the oracle, the stacks against each other, the facts."""
    examples = prepare(case, precisions, with_facts, clock, expect)
    return [measurement for example in examples for measurement in example.confront(frameworks)]


def prepare(
    case: Case,
    precisions: tuple[Precision, ...],
    with_facts: bool = False,
    clock: Clock = untimed,
    expect: Expect | None = None,
) -> Iterator[PreparedExample]:
    """The case in each precision that it can be tried in; the oracle is asked by `expect`, `Truth.of` without one.

    The facts in the finest precision alone: a law is mathematics, and there it is told from rounding best.
    """
    with clock(SIMULATION):
        inputs = case.inputs()
    tried = precisions_of(inputs, precisions)
    finest = min(tried, key=lambda precision: precision.unit_roundoff)
    for precision in tried:
        truth = (expect or Truth.of)(case, inputs, precision, clock)
        yield PreparedExample(case, truth, with_facts and precision is finest)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedExample:
    """One case in one precision: what stacks are held to there, and whether facts are tried besides."""

    case: Case
    truth: Truth
    with_facts: bool

    def hold(self, framework: Framework) -> Measured:
        """What a stack returns as it is now, and every measurement of that stack alone, the facts last."""
        held, (facts, unasked) = self.truth.hold(framework), self._facts(framework)
        return Measured(held.arrays, [*held.measurements, *facts], (*held.omissions, *unasked))

    def confront(self, frameworks: Sequence[Framework]) -> list[Measurement]:
        """Every measurement of all stacks, and of two against each other; the facts of all last."""
        return self.begin(frameworks).measured().measurements

    def begin(self, frameworks: Sequence[Framework]) -> Confrontation:
        """Ask all stacks, each as soon as it can be: those in processes of their own answer meanwhile."""
        begun = {framework.name: self.truth.begin(framework) for framework in frameworks}
        return Confrontation(self.truth, begun, [f.submit(self._facts, f) for f in frameworks if self.with_facts])

    def _facts(self, framework: Framework) -> Facts:
        if not self.with_facts:
            return [], []
        truth = self.truth
        with truth.clock(FACTS):
            found = list(examine_facts(self.case, truth.inputs, framework, truth.precision))
            facts = [fact for fact in found if isinstance(fact, Measurement)]
            unasked = [fact for fact in found if isinstance(fact, Omission)]
            return list(without_broken(facts, truth.divergences)), unasked


@dataclass(frozen=True, slots=True, eq=False)
class Confrontation:
    """All stacks being asked about one case in one precision: what each returns, by name, and its facts."""

    truth: Truth
    begun: Mapping[str, Begun]
    facts: Sequence[Future[Facts]]

    @property
    def size(self) -> int:
        """How many bytes the inputs have."""
        return sum(array.nbytes for array in self.truth.inputs.values())

    @property
    def is_answered(self) -> bool:
        """Whether all stacks have answered."""
        return all(begun.is_answered for begun in self.begun.values()) and all(facts.done() for facts in self.facts)

    def measured(self) -> Measured:
        """Wait for all; every stack's measurements, two stacks against each other, then the facts.

        Raises as `Framework.evaluate` does, but for StackError and OutsideDomain.
        """
        held = {stack: self.truth.measured(begun) for stack, begun in self.begun.items()}
        measurements = [measurement for one in held.values() for measurement in one.measurements]
        omissions = [omission for one in held.values() for omission in one.omissions]
        found = {stack: one.arrays for stack, one in held.items() if one.arrays is not None}
        for one, other in combinations(found, 2):
            terms, others = self.begun[one].terms, self.begun[other].terms
            if terms.values_stated == others.values_stated:
                measurements += self.truth.in_terms(terms).pairs({stack: found[stack] for stack in (one, other)})
        for future in self.facts:
            facts, unasked = future.result()
            measurements += facts
            omissions += unasked
        return Measured(None, measurements, tuple(omissions))
