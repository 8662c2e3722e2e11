"""The score of the catalogue: contract by contract, in one process or in several."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TypeVar

from parity._environment import prepare_environment
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.faults import CATALOGUE, REWRITES
from parity.faults.base import Injectable
from parity.goldens.folder import GoldenSet
from parity.proof.score.preparation import Preparation
from parity.proof.score.result import ContractScore, Score
from parity.proof.score.scoring import Diagnose, Stacks, score_contract
from parity.proof.score.session import GOLDENS
from parity.runs.results import environment
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

    Contracts of `known` that have the defects and rewrites of now are taken as they are, so that a score that was
    interrupted goes on. Several processes are started afresh, each with its own frameworks: one that is forked after a
    framework has started its threads hangs.
    """
    started = time.perf_counter()
    kept = known.contracts if known and known.examples == job.examples else ()
    done = {scored.contract: scored for scored in kept if _is_current(scored)}
    spent = known.seconds if known else 0
    described = {name: said for name, said in environment(load()).items() if name != "platform"}

    def so_far() -> Score:
        contracts_done = tuple(done[contract.name] for contract in contracts if contract.name in done)
        return Score(contracts_done, job.examples, spent + round(time.perf_counter() - started), described)

    for scored in _scored([contract.name for contract in contracts if contract.name not in done], job, processes):
        done[scored.contract] = scored
        advance(so_far())
    return so_far()


def _is_current(scored: ContractScore) -> bool:
    """Whether a contract was scored with the defects and rewrites that it has now."""
    then = {(made.defect, made.stack) for made in scored.defects} | {(r.rewrite, r.stack) for r in scored.rewrites}
    changes = (*_of(scored.contract, CATALOGUE.values()), *_of(scored.contract, REWRITES.values()))
    return then == {(change.full_name, stack) for change in changes for stack in change.stacks}


def _scored(contracts: Sequence[str], job: Job, processes: int) -> Iterator[ContractScore]:
    if processes == 1:
        yield from map(job.score, contracts)
        return
    prepare_environment()
    longest_first = sorted(contracts, key=_work, reverse=True)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(job.score, contract) for contract in longest_first]):
            yield future.result()


def _work(contract: str) -> int:
    """How long a contract takes, in the units of `Contract.cost`, compositions being dearer than their examples."""
    changes = len(_of(contract, CATALOGUE.values())) + len(_of(contract, REWRITES.values()))
    return changes * (4 if REGISTRY[contract].stages else 1)


def _of(contract: str, changes: Iterable[C]) -> tuple[C, ...]:
    return tuple(change for change in changes if change.target == contract)
