"""What a score says, as data: what noticed which defect, and what raised an alarm for nothing."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from parity.contracts.declared import REGISTRY


class Look(StrEnum):
    """The ways of looking: a result in either precision, a gradient in either, a law of one stack alone, a golden, the
    stages of a composition that has the contract as one, and the common gain error of a run.
    """

    FLOAT32 = "float32"
    FLOAT64 = "float64"
    GRADIENT = "gradient"
    FACT = "fact"
    GOLDEN = "golden"
    STAGE = "stage"
    POOLED = "pooled"


@dataclass(frozen=True, slots=True)
class Seen:
    """In how many of the examples that it looked at something was seen, and the first of them."""

    caught: int
    tried: int
    first: str = ""

    @classmethod
    def among(cls, examples: Mapping[str, bool]) -> Seen:
        """From examples by name, in order: whether it was seen there."""
        seen = [name for name, caught in examples.items() if caught]
        return cls(len(seen), len(examples), seen[0] if seen else "")

    @property
    def share(self) -> float:
        """The chance that one example, picked at random, shows it."""
        return self.caught / self.tried if self.tried else 0.0


@dataclass(frozen=True, slots=True)
class Explained:
    """The cause that a diagnosis gave, None for none, beside those that are right; without any, none is right."""

    cause: str | None
    right: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        return self.cause in self.right if self.right else self.cause is None


@dataclass(frozen=True, slots=True)
class DefectScore:
    """One defect in one stack.

    `caught` is whether the verdict was a disagreement, `sided` whether it named that stack and no other. `seen` has
    what was looked at, by `Look`, `any_column` all that one example shows, and `baselines` what fixed tolerances
    see where they are silent on correct code. `pytest` is the exit code of `pytest -m parity`, where it was asked.
    """

    defect: str
    stack: str
    caught: bool
    sided: bool
    any_column: Seen
    seen: Mapping[str, Seen]
    baselines: Mapping[str, Seen]
    explained: Explained | None = None
    pytest: int | None = None

    @property
    def first_column(self) -> str:
        """The first way of looking that saw it; – for none."""
        return next((column for column in Look if column in self.seen and self.seen[column].caught), "–")


@dataclass(frozen=True, slots=True)
class RewriteScore:
    """One rewrite in one stack: whether the verdict was that all agrees, and what it was if not."""

    rewrite: str
    stack: str
    silent: bool
    said: str = ""


@dataclass(frozen=True, slots=True)
class ContractScore:
    """One contract.

    `agrees` is the verdict on the stacks as they are. `epsilon` is the smallest relative defect that one example
    shows, `pooled` the smallest common gain that the whole run does; None where nothing does. `alarms`
    are those that fixed tolerances raise on correct code.
    """

    contract: str
    examples: int
    agrees: bool
    epsilon: float | None
    pooled: float | None
    alarms: Mapping[str, Seen]
    defects: tuple[DefectScore, ...] = ()
    rewrites: tuple[RewriteScore, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoreRun:
    """The contracts that one run of the command scored.

    `examples` were drawn of each beside its strata. `sources` is the digest of the harness and both stacks as they were
    then, "" where it was not recorded: by it a reader tells rows that were made of other code.
    """

    contracts: tuple[ContractScore, ...]
    examples: int
    seconds: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    sources: str = ""

    def without(self, names: Container[str]) -> ScoreRun:
        """The run without the contracts of these names."""
        return replace(self, contracts=tuple(c for c in self.contracts if c.contract not in names))


@dataclass(frozen=True, slots=True)
class Score:
    """Every contract, from the run that scored it last."""

    runs: tuple[ScoreRun, ...]

    def updated(self, runs: Iterable[ScoreRun]) -> Score:
        """With what later runs found of their contracts; a run of which nothing is left goes."""
        newer = tuple(runs)
        names = {contract.contract for run in newer for contract in run.contracts}
        return Score(tuple(run for run in (*(old.without(names) for old in self.runs), *newer) if run.contracts))

    @property
    def contracts(self) -> tuple[ContractScore, ...]:
        """In the order in which contracts are declared, those that are no more last."""
        place = {name: number for number, name in enumerate(REGISTRY)}
        every = [contract for run in self.runs for contract in run.contracts]
        return tuple(sorted(every, key=lambda contract: place.get(contract.contract, len(place))))

    @property
    def seconds(self) -> int:
        """Of all runs, also where only a part of a run is left."""
        return sum(run.seconds for run in self.runs)

    @property
    def defects(self) -> tuple[DefectScore, ...]:
        return tuple(defect for contract in self.contracts for defect in contract.defects)

    @property
    def rewrites(self) -> tuple[RewriteScore, ...]:
        return tuple(rewrite for contract in self.contracts for rewrite in contract.rewrites)

    @property
    def missed(self) -> tuple[DefectScore, ...]:
        """The defects that nothing noticed."""
        return tuple(defect for defect in self.defects if not defect.caught)

    @property
    def misattributed(self) -> tuple[DefectScore, ...]:
        """The defects that were noticed and blamed on somebody else too."""
        return tuple(defect for defect in self.defects if defect.caught and not defect.sided)

    @property
    def false_alarms(self) -> tuple[str, ...]:
        """The rewrites, and contracts as they are, that did not stay silent."""
        wrong = [f"{r.rewrite} in {r.stack}" for r in self.rewrites if not r.silent]
        return (*(c.contract for c in self.contracts if not c.agrees), *wrong)

    @property
    def holds(self) -> bool:
        """Whether every defect was noticed and its side named, and nothing else was."""
        return not (self.missed or self.misattributed or self.false_alarms)

    @property
    def explained(self) -> tuple[DefectScore, ...]:
        """The defects whose cause was asked."""
        return tuple(defect for defect in self.defects if defect.explained)


def accuracy(defects: Iterable[DefectScore]) -> tuple[int, int]:
    """How many of these were explained rightly, of how many whose cause was asked."""
    asked = [defect.explained for defect in defects if defect.explained]
    return sum(explained.is_right for explained in asked), len(asked)


def mean_share(seen: Sequence[Seen]) -> float:
    """The mean chance that one example shows it; 0 of nothing."""
    return sum(s.share for s in seen) / len(seen) if seen else 0.0
