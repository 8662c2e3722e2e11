"""Contracts × cases × precisions × stacks → measurements."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from parity._ground.errors import CheckNotMade, UsageError
from parity.contracts.cases.case import Case, forced, parse_case, sweep
from parity.contracts.cases.datasets import Dataset
from parity.contracts.contract import Contract
from parity.judging.divergences.registry import registered
from parity.judging.examine import Confrontation, Expect, prepare
from parity.judging.measurement import Measurement
from parity.judging.omission import Omission, Omitted
from parity.judging.shards import Shard
from parity.judging.truth import Measured, Truth
from parity.judging.verdict import Verdict, judge
from parity.physics.precision import FLOAT32, FLOAT64, Precision
from parity.stacks.base import Framework, StackLost


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: contracts, how many examples of each besides the strata, in which precisions, on what data.

    With a `shard` only its cases are run, and a contract that has none in it is left out.
    """

    contracts: tuple[Contract, ...]
    examples: int = 30
    precisions: tuple[Precision, ...] = (FLOAT32, FLOAT64)
    case: str | None = None
    dataset: Dataset | None = None
    shard: Shard | None = None

    def check(self) -> None:
        """Raise UsageError for a case or a frame that some contract does not have, before anything slow begins.

        And for a shard of a single case, which cannot be shared out, and for divergences that cannot be read.
        """
        registered()
        if self.case is not None and self.shard:
            raise UsageError(f"shard: expected no single case beside it, got case {self.case} and shard {self.shard}")
        for contract in self.contracts:
            self.cases(contract)
            if not self.takes(contract):
                raise UsageError(
                    f"{contract.name}: expected frames whose sides are multiples of {contract.divisor}, "
                    f"got {self.frame} in the data set"
                )

    def takes(self, contract: Contract) -> bool:
        """Whether a contract can be asked about the data set, if there is one."""
        return contract.takes(self.frame)

    @property
    def frame(self) -> tuple[int, ...]:
        """The sides of the data set's patterns; () without one."""
        return self.dataset.diffraction.shape[1:] if self.dataset else ()

    def cases(self, contract: Contract) -> tuple[Case, ...]:
        """Those that are run of a contract, in order."""
        return tuple(c for c in self.all_cases(contract) if not self.shard or self.shard.has(contract.name, c.name))

    def all_cases(self, contract: Contract) -> tuple[Case, ...]:
        """Those of a contract in all shards, in order."""
        if self.case is not None:
            return (parse_case(contract, self.case, self.dataset),)
        return tuple(sweep(contract, self.examples, self.dataset))

    @property
    def tried(self) -> tuple[Contract, ...]:
        """The contracts that are run: all of them, but for those that have no case in the shard."""
        return tuple(contract for contract in self.contracts if not self.shard or self.cases(contract))


@dataclass(frozen=True, slots=True)
class ContractRun:
    """All measurements of one contract, the verdict on them, the seconds they took, and what was not asked."""

    verdict: Verdict
    measurements: tuple[Measurement, ...]
    seconds: float
    omissions: tuple[Omission, ...] = ()


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A contract of which nothing can be said, and why: to be read after its name and a colon."""

    contract: str
    reason: str


@dataclass(frozen=True, slots=True)
class Holder:
    """What contracts are held with: the stacks, in which precisions, and who says what is expected of them."""

    frameworks: tuple[Framework, ...]
    precisions: tuple[Precision, ...] = (FLOAT32, FLOAT64)
    expect: Expect = Truth.of


AHEAD = 2**25
"""Bytes of inputs by which the oracle may be ahead of the slowest stack; some ten times as much waits in memory."""


class Attempt:
    """One contract being held: its cases are tried one after another, and judged together in the end.

    A case that is tried again, as a search for a smaller one does, takes the place of its namesake.
    """

    def __init__(self, contract: Contract, holder: Holder) -> None:
        self._contract, self._holder = contract, holder
        self._frameworks = tuple(framework for framework in holder.frameworks if framework.binds(contract))
        self._found: dict[str, Measured] = {}
        self._begun: deque[tuple[Case, list[Confrontation]]] = deque()
        self._lost: NotChecked | None = None
        self._started = time.perf_counter()

    def holds(self, case: Case, with_facts: bool) -> bool:
        """Whether all measurements of a case agree; the facts of the contract are measured if they are asked for.

        Raises MemoryError, and StackLost where a stack's process does not answer.
        """
        self._found[case.name] = _united(list(self._confronted(case, with_facts)))
        return _agree(self._found[case.name])

    def try_all(self, cases: Iterable[Case]) -> list[str]:
        """Try cases, with the facts of the contract; the names of those that do not hold.

        While the stacks compute, the oracle goes on.
        """
        for case in cases:
            self.begin(case, with_facts=True)
            while self.is_answered or self.ahead > AHEAD:
                self.settle()
        while self.waiting:
            self.settle()
        return [name for name, found in self._found.items() if not _agree(found)]

    def begin(self, case: Case, with_facts: bool) -> None:
        """Ask the oracle about a case, and have the stacks asked; `settle` waits for what they answer."""
        if self._lost is None:
            with self._losing():
                self._begun.append((case, list(self._confronted(case, with_facts))))

    @property
    def waiting(self) -> int:
        """How many cases have begun and are not settled."""
        return len(self._begun)

    @property
    def ahead(self) -> int:
        """How many bytes of inputs the cases have that have begun and are not settled."""
        return sum(confrontation.size for _, begun in self._begun for confrontation in begun)

    @property
    def is_answered(self) -> bool:
        """Whether the first case that waits need not wait."""
        return bool(self._begun) and all(confrontation.is_answered for confrontation in self._begun[0][1])

    def settle(self) -> Case:
        """Measure the first case that waits."""
        case, confrontations = self._begun.popleft()
        with self._losing():
            self._found[case.name] = _united(confrontations)
        return case

    def end(self, whole: bool = True) -> ContractRun | NotChecked:
        """All measurements so far, judged; `whole` is false of a shard, as in `judge`.

        Nothing is judged of a contract for which memory ran out, or of which a stack's process did not answer.
        """
        if self._lost:
            return self._lost
        name, found = self._contract.name, self._found.values()
        measurements = tuple(measurement for one in found for measurement in one.measurements)
        unbound = [f.name for f in self._holder.frameworks if f not in self._frameworks]
        left_out = [Omission(name, stack, Omitted.NOT_BOUND) for stack in unbound]
        omissions = tuple(dict.fromkeys([*left_out, *(omission for one in found for omission in one.omissions)]))
        verdict = judge(name, measurements, self._contract.quota, whole)
        return ContractRun(verdict, measurements, time.perf_counter() - self._started, omissions)

    def _confronted(self, case: Case, with_facts: bool) -> Iterator[Confrontation]:
        holder = self._holder
        for example in prepare(case, holder.precisions, with_facts, expect=holder.expect):
            yield example.begin(self._frameworks)

    @contextmanager
    def _losing(self) -> Iterator[None]:
        try:
            yield
        except StackLost as error:
            self._lost = self._lost or NotChecked(self._contract.name, str(error))
        except MemoryError as error:
            said = ": ".join(filter(None, ("ran out of memory", str(error))))
            self._lost = self._lost or NotChecked(self._contract.name, said)


def _united(confrontations: Sequence[Confrontation]) -> Measured:
    """What was measured of a case in all precisions."""
    found = [confrontation.measured() for confrontation in confrontations]
    measurements = [measurement for one in found for measurement in one.measurements]
    return Measured(None, measurements, tuple(omission for one in found for omission in one.omissions))


def _agree(measured: Measured) -> bool:
    return all(measurement.agrees for measurement in measured.measurements)


def run(
    plan: Plan, frameworks: Sequence[Framework], advance: Callable[[Case], None] = lambda case: None
) -> Iterator[ContractRun | NotChecked]:
    """Run a plan; every contract in its order, as soon as it is judged. `advance` is told of every case that is done.

    While stacks in processes of their own compute, the oracle goes on with the next cases, also of the next contract.
    """
    holder = Holder(tuple(frameworks), plan.precisions)
    attempts: deque[Attempt] = deque()
    for contract in plan.tried:
        attempts.append(Attempt(contract, holder))
        yield from _ended(attempts, plan)
        facts_at = {case.name for case in forced(contract, plan.dataset)} | {plan.case}
        for case in plan.cases(contract):
            attempts[-1].begin(case, case.name in facts_at)
            # No more than two at once: while what has been answered is judged, nobody asks.
            for _ in range(2):
                if attempts[0].is_answered or sum(attempt.ahead for attempt in attempts) > AHEAD:
                    advance(attempts[0].settle())
                    yield from _ended(attempts, plan)
    for attempt in attempts:
        while attempt.waiting:
            advance(attempt.settle())
        yield attempt.end(whole=plan.shard is None)


def run_one(plan: Plan, frameworks: Sequence[Framework]) -> ContractRun:
    """The run of a plan's one contract. Raises CheckNotMade, which says why, where nothing can be said of it."""
    (result,) = run(plan, frameworks)
    return judged(result)


def judged(result: ContractRun | NotChecked) -> ContractRun:
    """The run of a contract. Raises CheckNotMade, which says why, where nothing can be said of it."""
    if isinstance(result, NotChecked):
        raise CheckNotMade(f"{result.contract}: {result.reason}")
    return result


def _ended(attempts: deque[Attempt], plan: Plan) -> Iterator[ContractRun | NotChecked]:
    """The first attempts, while none of their cases waits; the last may have more cases to begin."""
    while len(attempts) > 1 and not attempts[0].waiting:
        yield attempts.popleft().end(whole=plan.shard is None)
