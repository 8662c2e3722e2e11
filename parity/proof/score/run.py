"""The score of the catalogue: contract by contract, in one process or in several."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from parity._ground.environment import prepare_environment
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Injectable
from parity.faults import CATALOGUE, REWRITES
from parity.goldens.folder import GoldenSet
from parity.proof.score.preparation import Preparation
from parity.proof.score.result import ContractScore, Score, ScoreRun
from parity.proof.score.scoring import Diagnose, Stacks, score_contract
from parity.proof.score.session import GOLDENS
from parity.proof.score.stored import ScoreError
from parity.runs.results import environment
from parity.runs.scope import sources
from parity.runs.workers import Lost, in_processes
from parity.stacks import load

C = TypeVar("C", bound=Injectable)

CI_EXAMPLES = 20
"""Cases besides the strata, as profile ci draws."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to score: how many cases are drawn of a contract, who names the cause, whether pytest is asked too."""

    examples: int = CI_EXAMPLES
    diagnose: Diagnose | None = None
    ask_pytest: bool = False

    def score(self, contract: str) -> ContractScore:
        """Score one contract, in this process. What it takes is loaded here: a process of its own has nothing yet."""
        stacks = Stacks.loaded()
        goldens = GoldenSet.read(GOLDENS) if GOLDENS.is_dir() else None
        preparation = Preparation.of(REGISTRY[contract], tuple(stacks.many.values()), self.examples, goldens)
        defects, rewrites = _of(contract, CATALOGUE.values()), _of(contract, REWRITES.values())
        return score_contract(preparation, stacks, defects, rewrites, self.diagnose, self.ask_pytest)


def score(
    contracts: Sequence[Contract],
    job: Job,
    processes: int = 1,
    advance: Callable[[Score], None] = lambda so_far: None,
    known: Score | None = None,
) -> Score:
    """Score contracts; `advance` is given the score so far, whenever one more is done.

    Contracts of `known` that are not stale are taken as they are, with the run that scored them, so that a score that
    was interrupted goes on. Each of several processes loads its own frameworks.
    """
    started = time.perf_counter()
    names = [contract.name for contract in contracts]
    kept = _kept(known, names, job.examples) if known else Score(())
    known_names = {scored.contract for scored in kept.contracts}
    described = {name: said for name, said in environment(load()).items() if name != "platform"}
    made_of, done = sources(), list[ContractScore]()

    def so_far() -> Score:
        seconds = round(time.perf_counter() - started)
        return kept.updated([ScoreRun(tuple(done), job.examples, seconds, described, made_of)])

    for scored in _scored([name for name in names if name not in known_names], job, processes):
        done.append(scored)
        advance(so_far())
    return so_far()


def stale(score: Score) -> tuple[str, ...]:
    """The contracts whose rows are not those of the defects and rewrites of now, or are missing, or should be."""
    scored = {contract.contract: contract for contract in score.contracts}
    targets = {change.target for change in (*CATALOGUE.values(), *REWRITES.values())}
    return tuple(sorted(name for name in scored.keys() | targets if not _is_current(name, scored.get(name))))


def _kept(known: Score, names: Container[str], examples: int) -> Score:
    """What a score has of these contracts that is neither stale nor of another number of examples."""
    old = {*stale(known), *(c.contract for c in known.contracts if c.contract not in names)}
    return Score(tuple(run for run in known.runs if run.examples == examples)).without(old)


def _is_current(name: str, scored: ContractScore | None) -> bool:
    """Whether a contract was scored with the defects and rewrites that it has now, and marked by the right causes."""
    if scored is None or name not in REGISTRY:
        return False
    defects, rewrites = _of(name, CATALOGUE.values()), _of(name, REWRITES.values())
    right = {(defect.full_name, stack): defect.right_diagnoses for defect in defects for stack in defect.stacks}
    silent = {(rewrite.full_name, stack) for rewrite in rewrites for stack in rewrite.stacks}
    marked = {(row.defect, row.stack): row.explained.right for row in scored.defects if row.explained}
    return (
        {(row.defect, row.stack) for row in scored.defects} == right.keys()
        and {(row.rewrite, row.stack) for row in scored.rewrites} == silent
        and all(right[made] == marked_by for made, marked_by in marked.items())
    )


def _scored(contracts: Sequence[str], job: Job, processes: int) -> Iterator[ContractScore]:
    """The score of each, as they end. Raises ScoreError in the end for those whose process was lost."""
    if processes == 1:
        yield from map(job.score, contracts)
        return
    prepare_environment()
    lost: list[str] = []
    for contract, answer in in_processes(load, job.score, sorted(contracts, key=_work, reverse=True), processes):
        if isinstance(answer, Lost):
            lost.append(f"{contract}: {answer.reason}")
        else:
            yield answer
    if lost:
        raise ScoreError(f"score: expected every contract scored, got none of {'; '.join(lost)}")


def _work(contract: str) -> int:
    """How long a contract takes, in the units of `Contract.cost`, compositions being dearer than their examples."""
    changes = len(_of(contract, CATALOGUE.values())) + len(_of(contract, REWRITES.values()))
    return changes * (4 if REGISTRY[contract].stages else 1)


def _of(contract: str, changes: Iterable[C]) -> tuple[C, ...]:
    return tuple(change for change in changes if change.target == contract)
