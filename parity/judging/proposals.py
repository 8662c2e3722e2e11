"""Divergences that would explain what disagrees: the kinds that need no function of a user's, fitted in every example.

A kind is proposed if it leaves nothing to be judged in any example, with its interval and with all else as it is; of
several, the one that leaves the least open. A person decides whether it is meant: a proposal has no reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations

from parity.contracts.cases.case import Case
from parity.contracts.contract import Contract, Inputs
from parity.contracts.registry import Registry
from parity.judging.divergences import (
    ConstantTerm,
    Difference,
    Divergence,
    Gauge,
    InexactArgument,
    PositiveFactor,
    Reduction,
)
from parity.judging.divergences.factors import To
from parity.judging.divergences.faults import measured_faults
from parity.judging.divergences.inexact import LEAST
from parity.judging.divergences.removal import without_broken
from parity.judging.examine import prepare
from parity.judging.run import Attempt, Holder, judged
from parity.judging.truth import Clock, Truth, untimed
from parity.judging.verdict import judge
from parity.physics.precision import Precision
from parity.stacks.base import Framework

MARGIN = 0.01
"""An interval is wider than the sizes that were measured by their spread, but by this share of the largest at least."""

LIFETIME = timedelta(days=182)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is said of a stack that disagrees in a contract: an entry that would accept it, or None."""

    contract: str
    stack: str
    entry: Divergence | None


def propose(
    contract: Contract, framework: Framework, cases: Sequence[Case], precisions: tuple[Precision, ...]
) -> Proposal | None:
    """What would be accepted of a stack in a contract; None where it agrees in all cases, with the accepted entries.

    Raises CheckNotMade where the stack does not answer.
    """
    found = _explaining(contract, framework, cases, precisions)
    if found is None:
        return None
    for kind, sizes in sorted(found.items(), key=lambda item: _open(*item)):
        entry = _tried(_entry(contract, framework.name, kind, sizes), contract, framework, cases, precisions)
        if entry:
            return Proposal(contract.name, framework.name, entry)
    return Proposal(contract.name, framework.name, None)


def _explaining(
    contract: Contract, framework: Framework, cases: Sequence[Case], precisions: tuple[Precision, ...]
) -> dict[Difference, list[float]] | None:
    """The kinds that leave nothing in any case, with the sizes that were measured; None where nothing is to explain."""
    kinds: dict[Difference, list[float]] = {kind: [] for kind in candidates(contract)}
    differs = False
    for example in (example for case in cases for example in prepare(case, precisions)):
        begun = example.truth.begin(framework)
        if all(m.agrees for m in example.truth.measured(begun).measurements):
            continue
        differs = True
        for kind in tuple(kinds):
            entry = _entry(contract, framework.name, kind, ())
            measured = replace(example.truth, divergences=(entry,)).measured(begun).measurements
            kinds[kind] += [m.divergence for m in measured if m.divergence is not None]
            if not all(m.agrees for m in measured):
                del kinds[kind]
    return {kind: sizes for kind, sizes in kinds.items() if sizes} if differs else None


def candidates(contract: Contract) -> Iterator[Difference]:
    """The kinds that a contract can show and that need no function, those that leave the least open first."""
    arrays = [argument for argument in contract.arguments if not argument.kind.static]
    axes = {a.kind.axes[i:j]: a.name for a in reversed(arrays) for i, j in combinations(range(len(a.kind.axes) + 1), 2)}
    kinds: list[Difference] = [Reduction(name, over, to) for over, name in axes.items() for to in To]
    kinds += [Gauge(), ConstantTerm(), *(ConstantTerm(argument.name) for argument in arrays), PositiveFactor()]
    for argument in arrays:
        around = [other.name for other in contract.arguments if other is not argument]
        kinds += [InexactArgument(argument.name, within) for within in ("", *around)]
    return (kind for kind in kinds if not kind.faults(contract))


def _open(kind: Difference, sizes: Sequence[float]) -> tuple[int, float]:
    """How much a kind leaves open: nothing is fitted, or one number, that varies so much from example to example."""
    if isinstance(kind, InexactArgument):
        return 2, max(sizes)
    spread = (max(sizes) - min(sizes)) / max(map(abs, sizes))
    return (0 if isinstance(kind, Reduction) else 1), spread


def _entry(contract: Contract, stack: str, kind: Difference, sizes: Sequence[float]) -> Divergence:
    """An entry with no reason, for the sizes that were measured; any size, where there are none."""
    low, high = _interval(kind, sizes) if sizes else (-float("inf"), float("inf"))
    return Divergence(contract.name, stack, kind, low, high, "", date.today() + LIFETIME)


def _interval(kind: Difference, sizes: Sequence[float]) -> tuple[float, float]:
    """The sizes with a margin that does not reach the size at which nothing differs."""
    least, most, neutral = min(sizes), max(sizes), kind.neutral
    if isinstance(kind, InexactArgument):
        return LEAST, 2 * most  # an example may need hardly any
    margin = max(most - least, MARGIN * max(abs(least), abs(most)))
    low, high = least - margin, most + margin
    if low <= neutral < least:
        low = (neutral + least) / 2
    if most < neutral <= high:
        high = (neutral + most) / 2
    return low, high


def _tried(
    entry: Divergence,
    contract: Contract,
    framework: Framework,
    cases: Sequence[Case],
    precisions: tuple[Precision, ...],
) -> Divergence | None:
    """The entry, with the facts that it breaks, if it accepts everything and nothing is wrong with it."""
    if entry.low <= entry.kind.neutral <= entry.high:
        return None

    def expect(case: Case, inputs: Inputs, precision: Precision, clock: Clock = untimed) -> Truth:
        return replace(Truth.of(case, inputs, precision, clock), divergences=(entry,))

    attempt = Attempt(contract, Holder((framework,), precisions, expect))
    attempt.try_all(cases)
    run = judged(attempt.end())
    broken = dict.fromkeys(m.quantity.text for m in run.measurements if m.quantity.is_law and not m.agrees)
    entry = replace(entry, breaks=tuple(broken))
    measurements = without_broken(run.measurements, (entry,))
    agrees = judge(contract.name, measurements, contract.quota).agrees
    wrong = measured_faults((entry,), measurements, Registry([contract]), run.omissions)
    return entry if agrees and not wrong else None
