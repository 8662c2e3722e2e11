"""What all defects of one contract are judged on: examples, truths and the right stacks' arrays, made once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from parity.contracts.cases.case import Case, forced, sweep
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.goldens.folder import GoldenSet
from parity.goldens.record import Golden
from parity.judging.examine import PreparedExample, prepare
from parity.judging.measurement import Measurement
from parity.judging.stages import stages_of
from parity.judging.truth import Measured
from parity.judging.verdict import Verdict, judge
from parity.physics.precision import PRECISIONS
from parity.stacks.base import Framework


@dataclass(frozen=True, slots=True, eq=False)
class ScoredExample(PreparedExample):
    """An example on which defects are judged: with what every right stack returned in it."""

    right: Mapping[str, Measured]

    def beside(self, stack: str, wrong: Measured) -> list[Measurement]:
        """All measurements of the example where one stack has gone wrong: its own, the others', and of the pairs."""
        everything = list(wrong.measurements)
        for name, right in self.right.items():
            if name != stack:
                pairs = self.truth.pairs({stack: wrong.arrays or {}, name: right.arrays or {}})
                everything += right.measurements + pairs
        return everything


@dataclass(frozen=True, eq=False)
class Preparation:
    """One contract, ready for its defects: its examples, and its goldens."""

    contract: Contract
    examples: tuple[ScoredExample, ...]
    goldens: tuple[Golden, ...]

    @classmethod
    def of(
        cls, contract: Contract, frameworks: Sequence[Framework], examples: int, goldens: GoldenSet | None = None
    ) -> Preparation:
        """Ask the oracle and the right stacks of the strata and `examples` cases besides, as profile ci would."""
        stored = tuple(_goldens_of(contract, goldens)) if goldens else ()
        return cls(contract, tuple(examples_of(contract, frameworks, examples)), stored)

    @cached_property
    def verdict(self) -> Verdict:
        """On the stacks as they are."""
        (first, *_) = self.examples[0].right
        return self.judged(self.beside(first, [example.right[first] for example in self.examples]))

    def beside(self, stack: str, found: Iterable[Measured]) -> list[Measurement]:
        """All measurements of the examples, where one stack has been measured anew."""
        pairs = zip(self.examples, found, strict=True)
        return [measurement for example, anew in pairs for measurement in example.beside(stack, anew)]

    def judged(self, measurements: Sequence[Measurement]) -> Verdict:
        return judge(self.contract.name, measurements, self.contract.quota)

    @cached_property
    def compositions(self) -> tuple[Case, ...]:
        """The strata of the first composition that has the contract as a stage, where it has; none without one."""
        for composition in REGISTRY.values():
            cases = tuple(case for case in forced(composition) if self._is_stage_of(case)) if composition.stages else ()
            if cases:
                return cases
        return ()

    def _is_stage_of(self, case: Case) -> bool:
        return self.contract.name in [stage.contract for stage in stages_of(case.contract, case.inputs())]


def examples_of(contract: Contract, frameworks: Sequence[Framework], examples: int) -> Iterator[ScoredExample]:
    """The examples of a contract, strata first, each made when it is asked for."""
    strata = {case.name for case in forced(contract)}
    for case in sweep(contract, examples):
        for example in prepare(case, tuple(PRECISIONS.values()), case.name in strata):
            right = {framework.name: example.hold(framework) for framework in frameworks}
            yield ScoredExample(example.case, example.truth, example.with_facts, right)


def _goldens_of(contract: Contract, goldens: GoldenSet) -> Iterator[Golden]:
    return (goldens.golden(name) for name in goldens.names if name.startswith(f"{contract.name}/"))
