"""Contracts held in processes of their own, so that none that hangs, dies or runs out of memory takes others with it.

A process has the frameworks loaded once and is given contracts by name: neither frameworks nor contracts can be
pickled. What comes back is numbers and text; the message of a failure, which needs the frameworks, is made there. The
same contracts held in this process come back in the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from parity._ground.environment import prepare_environment
from parity.contracts.cases.datasets import Dataset, read_dataset
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.judging.run import NotChecked, Plan, run
from parity.judging.shards import Shard
from parity.physics.precision import PRECISIONS
from parity.report.content import ContractReport
from parity.report.gathering import gather
from parity.runs.workers import Lost, in_processes
from parity.stacks import load
from parity.stacks.base import Framework


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Which stacks, and how they run."""

    stacks: tuple[str, ...]
    mode: str | None = None
    device: str = "cpu"

    def load(self) -> tuple[Framework, ...]:
        """The adapters, their frameworks imported; raises as `frameworks.load` does."""
        return load(self.stacks, self.mode, self.device)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of every contract of a plan, in its order, and how the stacks describe themselves, by name.

    Nothing describes a stack that no process could load.
    """

    found: tuple[ContractReport | NotChecked, ...]
    descriptions: Mapping[str, str]


def hold_here(
    plan: Plan,
    frameworks: Sequence[Framework],
    options: Sequence[str] = (),
    advance: Callable[[], None] = lambda: None,
    in_depth: bool = False,
) -> Outcomes:
    """Hold the contracts of a plan in this process; `advance` is told of every case.

    `options` are those of `parity run`, for the messages; `in_depth` asks for stages and pictures of what fails. A
    contract for which memory runs out is not checked.
    """
    found: list[ContractReport | NotChecked] = []
    for contract in plan.tried:
        try:
            found.append(_held(replace(plan, contracts=(contract,)), frameworks, options, advance, in_depth))
        except MemoryError as error:
            found.append(NotChecked(contract.name, ": ".join(filter(None, ("ran out of memory", str(error))))))
    return Outcomes(tuple(found), {framework.name: framework.description for framework in frameworks})


def hold_isolated(
    plan: Plan,
    circumstances: Circumstances,
    options: Sequence[str] = (),
    jobs: int = 1,
    limit: float | None = None,
    advance: Callable[[], None] = lambda: None,
    in_depth: bool = False,
) -> Outcomes:
    """Hold the contracts of a plan in up to `jobs` processes, longest first; `advance` is told of every contract.

    A contract is not checked if it takes longer than `limit` seconds, its process dies or cannot start, or something
    other than a stack raises. The measurements are those of one process, to the last bit.
    """
    prepare_environment()
    task = _Task(
        examples=plan.examples,
        precisions=tuple(precision.name for precision in plan.precisions),
        case=plan.case,
        data=plan.dataset.path if plan.dataset else None,
        shard=plan.shard,
        circumstances=circumstances,
        options=tuple(options),
        in_depth=in_depth,
    )
    longest_first = sorted(plan.tried, key=partial(_work, plan), reverse=True)
    tasks = [replace(task, contract=contract.name) for contract in longest_first]
    found: dict[str, ContractReport | NotChecked] = {}
    descriptions: Mapping[str, str] = {}
    for done, answer in in_processes(task.prepare, _Task.hold, tasks, jobs, limit):
        if isinstance(answer, Lost):
            found[done.contract] = NotChecked(done.contract, answer.reason)
        else:
            found[done.contract], descriptions = answer
        advance()
    return Outcomes(tuple(found[contract.name] for contract in plan.tried), descriptions)


@dataclass(frozen=True, slots=True)
class _Task:
    """A contract by its name, and everything else that is asked of it: the plan, as it can be sent to a process."""

    examples: int
    precisions: tuple[str, ...]
    case: str | None
    data: Path | None
    shard: Shard | None
    circumstances: Circumstances
    options: tuple[str, ...]
    in_depth: bool
    contract: str = ""

    def prepare(self) -> None:
        """Load what every contract needs."""
        _loaded(self.circumstances)
        _dataset(self.data)

    def hold(self) -> tuple[ContractReport, Mapping[str, str]]:
        """Hold the contract; what is found, and how the stacks describe themselves."""
        frameworks = _loaded(self.circumstances)
        precisions = tuple(PRECISIONS[name] for name in self.precisions)
        contracts = (REGISTRY[self.contract],)
        plan = Plan(contracts, self.examples, precisions, self.case, _dataset(self.data), self.shard)
        held = _held(plan, frameworks, self.options, in_depth=self.in_depth)
        return held, {f.name: f.description for f in frameworks}


@cache
def _loaded(circumstances: Circumstances) -> tuple[Framework, ...]:
    return circumstances.load()


@cache
def _dataset(path: Path | None) -> Dataset | None:
    return read_dataset(path) if path else None


def _held(
    plan: Plan,
    frameworks: Sequence[Framework],
    options: Sequence[str],
    advance: Callable[[], None] = lambda: None,
    in_depth: bool = False,
) -> ContractReport:
    """The one contract of a plan, held."""
    (contract,) = plan.contracts
    (result,) = run(plan, frameworks, lambda case: advance())
    return gather(result, contract, frameworks, plan.dataset, options, in_depth)


def _work(plan: Plan, contract: Contract) -> int:
    """How long a contract takes, roughly: its examples at their cost, compositions being dearer."""
    return len(plan.cases(contract)) * contract.cost * (4 if contract.stages else 1)
