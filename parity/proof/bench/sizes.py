"""Single examples by size, stack and mode: the bare call of a stack, and the whole harness on the same inputs; and two
series of the same, beside each other.

An example has frames of N × N pixels, in float32 and float64, results and gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from parity._ground.errors import UsageError
from parity.contracts.cases.case import Case, precisions_of
from parity.contracts.contract import Contract
from parity.judging.examine import examine
from parity.judging.truth import Truth
from parity.physics.precision import PRECISIONS
from parity.proof.bench.timing import Pace, paced
from parity.stacks.here import Here
from parity.stacks.worker import Call

SIZES = (16, 32, 64, 128, 256)

_BOTH = tuple(PRECISIONS.values())


@dataclass(frozen=True, slots=True)
class Timed:
    """One contract in one stack and mode at N × N pixels: seconds of example after example.

    `bare` are the stack's function and gradients alone, `harness` all that `parity run --stack` does for an example:
    simulation, oracle, stack, judgement. Both begin with nothing traced or compiled.
    """

    contract: str
    stack: str
    mode: str
    size: int
    bare: Pace
    harness: Pace

    @property
    def factor(self) -> float:
        """How many times the bare call the harness takes."""
        return self.harness.steady / self.bare.steady


@dataclass(frozen=True, slots=True)
class Refused:
    """A contract that cannot be run in a mode, and why."""

    contract: str
    stack: str
    mode: str
    reason: str


def sized(contract: Contract, size: int) -> Case | None:
    """A case of N × N pixels, as few groups, patches and modes as the first stratum has; None if none is taken."""
    if not contract.takes((size, size)):
        return None
    return Case(contract, contract.strata[0].sized(size), 0)


def check_sizes(contracts: Iterable[Contract], sizes: Sequence[int]) -> None:
    """Raise UsageError for a contract that takes none of the sizes, before anything slow begins."""
    for contract in contracts:
        if not any(contract.takes((size, size)) for size in sizes):
            given = ", ".join(map(str, sizes))
            raise UsageError(f"{contract.name}: expected sizes that are multiples of {contract.divisor}, got {given}")


def time_sizes(
    contracts: Iterable[Contract],
    frameworks: Sequence[Here],
    sizes: Sequence[int],
    advance: Callable[[], None] = lambda: None,
) -> Iterator[Timed | Refused]:
    """Time every contract in every framework, each in its mode, at every size that it takes.

    Raises StackError for whatever a stack raises: only what works is worth timing. `advance` is told of every size.
    """
    for contract in contracts:
        for framework in frameworks:
            yield from _time_contract(contract, framework, sizes, advance)


def _time_contract(
    contract: Contract, framework: Here, sizes: Sequence[int], advance: Callable[[], None]
) -> Iterator[Timed | Refused]:
    for number, size in enumerate(sizes):
        case = sized(contract, size)
        try:
            if case:
                yield _time(case, framework, size)
        except UsageError as error:
            yield Refused(contract.name, framework.name, framework.mode, str(error))
            for _ in sizes[number:]:
                advance()
            return
        advance()


def _time(case: Case, framework: Here, size: int) -> Timed:
    framework.forget()
    calls = _bare_calls(case, framework)
    bare = paced(lambda: [call() for call in calls])
    framework.forget()
    harness = paced(lambda: examine(case, [framework], _BOTH))
    return Timed(case.contract.name, framework.name, framework.mode, size, bare, harness)


def _bare_calls(case: Case, framework: Here) -> list[Call]:
    """The stack's call in each precision, its tensors ready."""
    inputs = case.inputs()
    truths = [Truth.of(case, inputs, precision) for precision in precisions_of(inputs, _BOTH)]
    return [framework.ready(case.contract, inputs, truth.precision, truth.cotangents or None) for truth in truths]


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median over rounds of the code at hand over that of the other; the least and the largest of a round."""

    of_medians: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One contract in one stack and mode at N × N pixels, steady, in both revisions."""

    contract: str
    stack: str
    mode: str
    size: int
    bare: Ratio
    harness: Ratio


def compared(here: Sequence[Timed], there: Sequence[Timed]) -> Compared:
    """What was timed round by round at hand and there, all of the same contract, stack, mode and size."""
    one = here[0]
    return Compared(
        one.contract,
        one.stack,
        one.mode,
        one.size,
        bare=_ratio([timed.bare.steady for timed in here], [timed.bare.steady for timed in there]),
        harness=_ratio([timed.harness.steady for timed in here], [timed.harness.steady for timed in there]),
    )


def _ratio(here: Sequence[float], there: Sequence[float]) -> Ratio:
    by_round = [one / other for one, other in zip(here, there, strict=True)]
    return Ratio(median(here) / median(there), min(by_round), max(by_round))
