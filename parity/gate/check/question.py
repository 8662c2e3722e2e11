"""One contract of a check, asked where the stacks are: held, its goldens replayed, a few defects made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from parity._ground.errors import CheckNotMade
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.gate.check.planning import SPOTS
from parity.gate.check.sharpness import sample, unnoticed
from parity.gate.check.sight import blind, sights_of
from parity.goldens.folder import GoldenSet
from parity.goldens.message import replay_message
from parity.goldens.recomputed import as_computed
from parity.goldens.replay import replay
from parity.judging.run import ContractRun, NotChecked, Plan, run_one
from parity.physics.precision import FLOAT32, FLOAT64
from parity.report.content import ContractReport, Remark, Weight
from parity.report.gathering import gather
from parity.report.terminal import plain
from parity.runs.baseline import BASELINE, changes_in
from parity.runs.isolation import hold
from parity.stacks import in_modes
from parity.stacks.base import Framework

GRAPH, EAGER = "graph", "eager"

SAMPLERS = "samplers"
"""Stands for them where a contract has its name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found of a contract, and how the stacks describe themselves, by name.

    Nothing is found of the samplers, and of a contract that no stack binds.
    """

    report: ContractReport | None
    remarks: tuple[Remark, ...]
    descriptions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _OfContract:
    """A contract by name and what to ask of it, as it can be sent to a process.

    `examples` are drawn besides the strata, `in_depth` asks for pictures of a failure.
    """

    contract: str
    touched: bool
    examples: int
    goldens: Path
    in_depth: bool

    @property
    def work(self) -> float:
        """How long the contract takes, roughly; compositions are dearer than their examples."""
        contract = REGISTRY[self.contract]
        return (len(contract.strata) + contract.drawn(self.examples)) * contract.cost * (8 if contract.stages else 1)


@dataclass(frozen=True, slots=True)
class ContractQuestion(_OfContract):
    """What is asked of the stacks of this repository; `seed` picks the defects, `sighted` asks what is still seen.

    What only uses what is touched is asked in float64, where nothing hides wiring, and eagerly: a trace of TensorFlow's
    pays for itself in some twenty examples.
    """

    seed: str
    sighted: bool = False

    def answer(self, stacks: Sequence[Framework]) -> Answer:
        """Ask. Raises GoldenError where the goldens are not whole, and CheckNotMade where a stack does not answer.

        What else the harness raises is the fault of the change that is asked what it still sees.
        """
        try:
            return self._answer(stacks)
        except (CheckNotMade, MemoryError):
            raise
        except Exception as error:
            if not self.sighted:
                raise
            said = f"the harness raised {type(error).__name__}: {error}"
            return Answer(None, (Remark(Weight.FAILED, f"{self.contract} cannot be held", said),), {})

    def _answer(self, stacks: Sequence[Framework]) -> Answer:
        contract = REGISTRY[self.contract]
        frameworks = in_modes(stacks, GRAPH if self.examples else EAGER)
        precisions = (FLOAT32, FLOAT64) if self.touched or self.examples else (FLOAT64,)
        result = run_one(Plan((contract,), self.examples, precisions), frameworks)
        held = gather(result, contract, frameworks, in_depth=self.in_depth)
        eager = in_modes(stacks, EAGER)
        remarks = goldens_off(self.goldens, contract, eager, result.verdict.agrees)
        if self.touched and result.verdict.agrees:
            remarks += self._blunt(contract, eager)
        if self.sighted and result.verdict.agrees:
            remarks += self._blind(contract, eager, result)
        return Answer(held, tuple(remarks), {f.name: f.description for f in frameworks})

    def _blind(self, contract: Contract, frameworks: Sequence[Framework], result: ContractRun) -> Iterator[Remark]:
        sights = sights_of(contract, {framework.name: framework for framework in frameworks})
        for said in blind(contract, sights, result):
            yield Remark(Weight.FAILED, f"{contract.name} has gone blind", said)

    def _blunt(self, contract: Contract, frameworks: Sequence[Framework]) -> Iterator[Remark]:
        """Of a contract that holds; one that does not has noticed something."""
        by_name = {framework.name: framework for framework in frameworks}
        made = sample(contract, tuple(by_name), SPOTS, self.seed)
        for said in unnoticed(contract, made, by_name):
            yield Remark(Weight.FAILED, f"{contract.name} has gone blind", said)


def goldens_off(folder: Path, contract: Contract, frameworks: Sequence[Framework], agrees: bool) -> list[Remark]:
    """The goldens that the stacks do not hold; in a word where the contract itself has said that they are wrong."""
    stored = _stored(folder)
    names = [name for name in stored.names if name.startswith(f"{contract.name}/")]
    replays = [replay(as_computed(stored.golden(name), contract), contract, frameworks) for name in names]
    off = [replayed for replayed in replays if not replayed.verdict.agrees]
    if not off:
        return []
    title = f"{contract.name}: {len(off)} of {len(names)} goldens do not hold"
    messages = [replay_message(contract, replayed) for replayed in off]
    if agrees:
        return [Remark(Weight.FAILED, title, "\n".join(messages))]
    return [Remark(Weight.NOTED, title, ", ".join(replayed.golden.name for replayed in off))]


def _as_known(held: ContractReport, stacks: Sequence[Framework]) -> ContractReport:
    """With what the baseline of the repository says of a disagreement."""
    changes = changes_in(held, [framework.name for framework in stacks])
    if changes is None:
        return held
    said = changes or [f"known: it is in {BASELINE}, with this cause"]
    return replace(held, message="\n  ".join([held.message, *said]), is_known=not changes)


@cache
def _stored(folder: Path) -> GoldenSet:
    return GoldenSet.read(folder) if folder.is_dir() else GoldenSet.empty()


@dataclass(frozen=True, slots=True)
class SubjectQuestion(_OfContract):
    """The subjects that bind a contract are held to it, if there are any, on what they claim to do."""

    def answer(self, stacks: Sequence[Framework]) -> Answer:
        """Ask. Raises GoldenError where the goldens are not whole, and CheckNotMade where a stack does not answer."""
        contract = REGISTRY[self.contract]
        outcomes = hold(Plan((contract,), self.examples), stacks, in_depth=self.in_depth)
        for held in outcomes.found:
            if isinstance(held, NotChecked):
                raise CheckNotMade(held.reason)
            remarks = goldens_off(self.goldens, contract, stacks, held.run.verdict.agrees)
            return Answer(_as_known(held, stacks), tuple(remarks), outcomes.descriptions)
        return Answer(None, (), outcomes.descriptions)


@dataclass(frozen=True, slots=True)
class SamplersQuestion:
    """The Poisson samplers of both stacks and of the simulation, which have no oracle but their distribution."""

    contract: str = SAMPLERS
    touched: bool = True
    work: float = 0.0

    def answer(self, stacks: Sequence[Framework]) -> Answer:
        """Ask."""
        from parity.judging.samplers import judge_samplers, simulation_sampler, stack_samplers
        from parity.report.samplers import sampler_table  # scipy.stats takes long to start

        frameworks = in_modes(stacks, EAGER)
        judgement = judge_samplers((*stack_samplers(frameworks), simulation_sampler()))
        table = plain(sampler_table(judgement))
        remarks = (
            () if judgement.agrees else (Remark(Weight.FAILED, "a sampler draws from another distribution", table),)
        )
        return Answer(None, remarks, {f.name: f.description for f in frameworks})


AnyQuestion = ContractQuestion | SubjectQuestion | SamplersQuestion
