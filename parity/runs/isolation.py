"""The contracts of a plan, held: side by side in several processes, each of which has its own stacks, or in this one.

What goes to such a process is given by name: neither stacks nor contracts can be pickled. What comes back is numbers
and text; the message of a failure, which needs the stacks, is made there. The same contracts held in this process come
back in the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from parity._ground.errors import UsageError
from parity.contracts.cases.datasets import Dataset, read_dataset, require_same
from parity.contracts.cases.domain import shared
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.judging.omission import Omission, Omitted
from parity.judging.run import NotChecked, Plan, run
from parity.judging.shards import Shard
from parity.physics.precision import ALL_PRECISIONS, WIDENED
from parity.report.content import ContractReport
from parity.report.gathering import gather
from parity.runs.workers import Lost, in_processes
from parity.stacks import engaged
from parity.stacks.base import Framework, StackLost
from ptycho_exposures.regions import Seen


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Which stacks, and how they run: each in a process of its own, or `in_process`.

    A stack in a process of its own may take `limit` seconds for a contract.
    """

    stacks: tuple[str, ...]
    mode: str | None = None
    device: str = "cpu"
    limit: float | None = None
    in_process: bool = False

    def engaged(self) -> AbstractContextManager[tuple[Framework, ...]]:
        """The stacks, for the length of a block; raises as `parity.stacks.engaged` does."""
        return engaged(self.stacks, self.mode, self.device, self.limit, self.in_process)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of every contract of a plan, in its order, and how the stacks describe themselves, by name.

    Nothing describes a stack that no process could load. What is `unbound` was asked of no stack.
    """

    found: tuple[ContractReport | NotChecked, ...]
    descriptions: Mapping[str, str]
    unbound: tuple[str, ...] = ()


def hold(
    plan: Plan,
    frameworks: Sequence[Framework],
    options: Sequence[str] = (),
    advance: Callable[[], None] = lambda: None,
    in_depth: bool = False,
) -> Outcomes:
    """Hold the contracts of a plan; `advance` is told of every case.

    `options` are those of `parity run`, for the messages; `in_depth` asks for stages and pictures of what fails. A
    contract for which memory runs out, or of which a stack's process does not answer, is not checked.
    """
    narrow = [f.name for f in frameworks if WIDENED in plan.precisions and not f.widens]
    if narrow:
        raise UsageError(f"precision: expected subjects for wide, got {' and '.join(narrow)}")
    unbound = tuple(c.name for c in plan.contracts if not any(f.binds(c) for f in frameworks))
    plan, never = _claimed(plan, frameworks, unbound)
    longest_first = replace(plan, contracts=_longest_first(plan, plan.contracts))
    held = _held(longest_first, frameworks, options, advance, in_depth, never)
    found = dict(zip((contract.name for contract in longest_first.tried), held, strict=True))
    in_order = tuple(found[contract.name] for contract in plan.tried)
    return Outcomes(in_order, _descriptions(frameworks), unbound)


def hold_side_by_side(
    plan: Plan,
    circumstances: Circumstances,
    options: Sequence[str] = (),
    jobs: int = 1,
    advance: Callable[[], None] = lambda: None,
    in_depth: bool = False,
) -> Outcomes:
    """Hold the contracts of a plan in up to `jobs` processes, longest first; `advance` is told of every contract.

    A contract is not checked either if its process dies or cannot start, or something other than a stack raises. The
    measurements are those of `hold`, to the last bit.
    """
    task = _Task(
        examples=plan.examples,
        precisions=tuple(precision.name for precision in plan.precisions),
        case=plan.case,
        data=plan.dataset.path if plan.dataset else None,
        seen=plan.dataset.seen if plan.dataset else None,
        shard=plan.shard,
        circumstances=circumstances,
        options=tuple(options),
        in_depth=in_depth,
    )
    tasks = [replace(task, contract=contract.name) for contract in _longest_first(plan, plan.tried)]
    found: dict[str, ContractReport | NotChecked] = {}
    descriptions: Mapping[str, str] = {}
    unbound: set[str] = set()
    for done, answer in in_processes(task.prepare, _Task.hold, tasks, jobs):
        if isinstance(answer, Lost):
            found[done.contract] = NotChecked(done.contract, answer.reason)
        else:
            found.update(zip([done.contract], answer.found, strict=False))
            descriptions = answer.descriptions or descriptions
            unbound |= set(answer.unbound)
        advance()
    names = [contract.name for contract in plan.tried]
    in_order = tuple(found[name] for name in names if name in found)
    return Outcomes(in_order, descriptions, tuple(name for name in names if name in unbound))


@dataclass(frozen=True, slots=True)
class _Task:
    """A contract by its name, and everything else that is asked of it: the plan, as it can be sent to a process."""

    examples: int
    precisions: tuple[str, ...]
    case: str | None
    data: Path | None
    seen: Seen | None
    shard: Shard | None
    circumstances: Circumstances
    options: tuple[str, ...]
    in_depth: bool
    contract: str = ""

    def prepare(self) -> None:
        """Load what every contract needs."""
        _engaged_here(self.circumstances)
        _dataset(self.data, self.seen)

    def hold(self) -> Outcomes:
        """Hold the contract."""
        frameworks = _engaged_here(self.circumstances)
        precisions = tuple(ALL_PRECISIONS[name] for name in self.precisions)
        contracts = (REGISTRY[self.contract],)
        plan = Plan(contracts, self.examples, precisions, self.case, _dataset(self.data, self.seen), self.shard)
        return hold(plan, frameworks, self.options, in_depth=self.in_depth)


_UNTIL_THE_END = ExitStack()
"""What lasts as long as this process; a process of a stack ends with the one that began it, however that ends."""


@cache
def _engaged_here(circumstances: Circumstances) -> tuple[Framework, ...]:
    return _UNTIL_THE_END.enter_context(circumstances.engaged())


@cache
def _dataset(path: Path | None, seen: Seen | None) -> Dataset | None:
    """The data set, which is to be the one that the command has read."""
    if path is None:
        return None
    dataset = read_dataset(path)
    require_same(path, seen, dataset.seen)
    return dataset


def _claimed(
    plan: Plan, frameworks: Sequence[Framework], unbound: Sequence[str]
) -> tuple[Plan, Mapping[str, tuple[str, ...]]]:
    """The plan on what some stack claims to do, and by contract the strata of which no stack claims anything."""
    domain = shared([framework.domain for framework in frameworks])
    claimed = [domain.restricted(contract) for contract in plan.contracts if contract.name not in unbound]
    never = {contract.name: strata for contract, strata in claimed}
    return replace(plan, contracts=tuple(contract for contract, _ in claimed)), never


def _held(
    plan: Plan,
    frameworks: Sequence[Framework],
    options: Sequence[str],
    advance: Callable[[], None],
    in_depth: bool,
    never: Mapping[str, tuple[str, ...]],
) -> Iterator[ContractReport | NotChecked]:
    """The contracts of a plan, held, with everything that a report says of them."""
    for contract, result in zip(plan.tried, run(plan, frameworks, lambda case: advance()), strict=True):
        if isinstance(result, NotChecked):
            yield result
        else:
            left_out = [
                Omission(contract.name, framework.name, Omitted.OUTSIDE, f"{stratum}/0", why="outside the domain")
                for framework in frameworks
                for stratum in never[contract.name]
                if framework.binds(contract)
            ]
            result = replace(result, omissions=(*result.omissions, *left_out))
            yield gather(result, contract, frameworks, plan.dataset, options, in_depth)


def _descriptions(frameworks: Sequence[Framework]) -> Mapping[str, str]:
    """How the stacks describe themselves; nothing where a process of theirs could not start."""
    described: dict[str, str] = {}
    for framework in frameworks:
        with suppress(StackLost):
            described[framework.name] = framework.description
    return described


def _longest_first(plan: Plan, contracts: Iterable[Contract]) -> tuple[Contract, ...]:
    """By how long they take, roughly: their examples at their cost, compositions being dearer."""

    def work(contract: Contract) -> int:
        return len(plan.cases(contract)) * contract.cost * (4 if contract.stages else 1)

    return tuple(sorted(contracts, key=work, reverse=True))
