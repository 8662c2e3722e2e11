"""What is wrong with entries: with what they say, and with what a run made of them. A fault is a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations

from parity.contracts.contract import Contract, did_you_mean
from parity.contracts.registry import Registry
from parity.judging.divergences.base import Divergence, stratum_of
from parity.judging.measurement import Measurement
from parity.judging.omission import Omission, Omitted
from parity.judging.quantity import gradients_of, results_of
from parity.stacks import STACKS, declared
from parity.stacks.subjects import Subject


def declared_faults(
    divergences: Sequence[Divergence], contracts: Registry, today: date | None = None
) -> tuple[str, ...]:
    """What can be said without a run: names that nothing has, intervals that are none, expiry, overlaps."""
    found: list[str] = []
    subjects = declared() if divergences else {}
    for entry in divergences:
        if entry.contract in contracts:
            said = _faults_of(entry, contracts[entry.contract], subjects, today or date.today())
        else:
            said = iter([f"unknown contract '{entry.contract}'{did_you_mean(entry.contract, contracts)}"])
        found += [f"{entry.title}: {sentence}" for sentence in said]
    known = [entry for entry in divergences if entry.contract in contracts]
    for one, other in combinations(known, 2):
        if _overlap(one, other, contracts[one.contract]):
            found.append(f"{one.title}: expected one entry for what it is in, got another, the {other.title}")
    return tuple(found)


def measured_faults(
    divergences: Iterable[Divergence],
    measurements: Sequence[Measurement],
    contracts: Registry,
    omissions: Sequence[Omission] = (),
) -> tuple[str, ...]:
    """What a run shows: sizes beyond the interval, and entries that never show, break nothing or leave nothing.

    Of an entry whose stack or strata were not all tried, it is not said that it never shows; what the stack does not
    claim to do, as `omissions` say, has been tried.
    """
    return tuple(
        f"{entry.title}: {sentence}"
        for entry in divergences
        if entry.contract in contracts
        for sentence in _measured(entry, contracts[entry.contract], measurements, omissions)
    )


def divergence_faults(
    divergences: Sequence[Divergence],
    measurements: Sequence[Measurement],
    contracts: Registry,
    omissions: Sequence[Omission] = (),
    today: date | None = None,
) -> tuple[str, ...]:
    """Everything that is wrong with entries after a run."""
    before = declared_faults(divergences, contracts, today)
    return (*before, *measured_faults(divergences, measurements, contracts, omissions))


def _faults_of(entry: Divergence, contract: Contract, subjects: Mapping[str, Subject], today: date) -> Iterator[str]:
    quantities = [quantity.text for quantity in (*results_of(contract), *gradients_of(contract))]
    package = f"{subjects[entry.stack].package}." if entry.stack in subjects else ""
    names = [name for name in entry.names if not package or not name.startswith(package)]
    paths = (contract.address, *(other.path for other in contract.entries if other.stack == entry.stack))
    for what, given, known in (
        ("stack", (entry.stack,), tuple(subjects) or STACKS),
        ("result or gradient", entry.quantities, quantities),
        ("stratum", entry.strata, tuple(stratum.name for stratum in contract.strata)),
        ("name", names, paths),
        ("fact", entry.breaks, tuple(fact.statement for fact in contract.facts)),
    ):
        yield from (f"unknown {what} '{name}'{did_you_mean(name, known)}" for name in given if name not in known)
    yield from entry.kind.faults(contract)
    yield from _interval(entry)
    if entry.expires < today:
        yield f"expired on {entry.expires.isoformat()}: find out whether it still has to be accepted"


def _interval(entry: Divergence) -> Iterator[str]:
    if math.isnan(entry.low) or math.isnan(entry.high) or entry.low > entry.high:
        yield f"expected an interval from a lower to a higher size, got {entry.low:g} to {entry.high:g}"
    elif entry.low <= entry.kind.neutral <= entry.high:
        yield (
            f"expected an interval without {entry.kind.neutral:g}, at which nothing differs, "
            f"got {entry.low:g} to {entry.high:g}"
        )


def _overlap(one: Divergence, other: Divergence, contract: Contract) -> bool:
    return (
        (one.contract, one.stack) == (other.contract, other.stack)
        and not set(one.scope(contract)).isdisjoint(other.scope(contract))
        and _meet(one.strata, other.strata)
        and _meet(one.names, other.names)
    )


def _meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two restrictions leave something in common; none restricts nothing."""
    return not one or not other or not set(one).isdisjoint(other)


def _measured(
    entry: Divergence, contract: Contract, measurements: Sequence[Measurement], omissions: Sequence[Omission]
) -> Iterator[str]:
    covered = [m for m in measurements if entry.covers(m, contract)]
    shown = [m for m in covered if m.divergence is not None]
    left = [m for m in shown if m.fault]
    if left:
        worst = max(left, key=lambda m: _beyond(entry, m.divergence))
        size = worst.divergence
        found = worst.fault if size is None or math.isnan(size) else f"measured {size:.6g}"
        yield (
            f"{found} in {worst.quantity} of case {worst.case} in {worst.precision}, expected "
            f"{entry.low:.6g} to {entry.high:.6g}; outside in {len({m.case for m in left})} of "
            f"{len({m.case for m in covered})} examples"
        )
    if shown and not sum(m.elements for m in covered):
        yield "leaves no element to be judged in any example"
    if not _all_tried(entry, contract, covered, omissions):
        return
    if not shown:
        yield f"never shows in {len({m.case for m in covered})} examples: take it out"
        return
    for statement in entry.breaks:
        said = [m for m in measurements if m.quantity.text == statement and entry.applies(m.contract, m.stack, m.case)]
        if said and all(m.divergence is None for m in said):
            yield f"does not break '{statement}', which it is said to"


def _all_tried(
    entry: Divergence, contract: Contract, covered: Sequence[Measurement], omissions: Sequence[Omission]
) -> bool:
    scope = entry.strata or tuple(stratum.name for stratum in contract.strata)
    outside = [o.case for o in omissions if o.omitted is Omitted.OUTSIDE and entry.applies(o.contract, o.stack, o.case)]
    return bool(covered) and set(map(stratum_of, [*(m.case for m in covered), *outside])).issuperset(scope)


def _beyond(entry: Divergence, size: float | None) -> float:
    """How far a size is outside the interval; NaN is as far as can be."""
    distance = math.nan if size is None else max(entry.low - size, size - entry.high)
    return math.inf if math.isnan(distance) else distance
