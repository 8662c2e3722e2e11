"""That stored results hold all that was asked, and nothing that nobody can have found.

What was asked names the contracts, their cases, the stacks and the precisions. How often each quantity was measured
is counted when results are written, by stack and precision, and counted again when they are read: whatever a file has
lost since, by damage or by an editor, is missed. None of it is proof against somebody who writes both anew.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

from parity.contracts.cases.families.family import MEASURED
from parity.contracts.contract import Contract, did_you_mean
from parity.contracts.declared import REGISTRY
from parity.judging.measurement import Measurement
from parity.judging.omission import Omission, Omitted
from parity.judging.possible import Asking, impossible
from parity.physics.precision import ALL_PRECISIONS, FLOAT64
from parity.runs.scope import Asked
from parity.stacks.base import PAIR

Counts: TypeAlias = Mapping[str, Mapping[str, Mapping[str, int]]]
"""How many measurements there are of each stack, quantity and precision."""

_CASE = re.compile(r"[a-z][a-z0-9_-]*/[0-9]{1,20}")
_STACK = re.compile(r"[a-z0-9_-]+")
_OPEN = re.compile(r"[0-9]{1,18} of [0-9]{1,18}")


class Incomplete(ValueError):
    """What stored results lack, or have that cannot be; to be read after the name of the file and a colon."""


def counted(measurements: Iterable[Measurement]) -> dict[str, dict[str, dict[str, int]]]:
    """How often each quantity was measured, in the order in which it first was."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for (stack, quantity, precision), number in Counter(
        (m.stack, m.quantity.text, m.precision) for m in measurements
    ).items():
        counts.setdefault(stack, {}).setdefault(quantity, {})[precision] = number
    return counts


def require_possible_plan(asked: Asked) -> None:
    """Raise Incomplete where nobody can have asked this: contracts, strata, stacks or precisions that there are not."""
    if not asked.stacks or len({*asked.stacks}) < len(asked.stacks):
        raise Incomplete(f"asked: stacks: expected some, each once, got {', '.join(asked.stacks) or 'none'}")
    for stack in asked.stacks:
        if stack == PAIR or not _STACK.fullmatch(stack):
            raise Incomplete(f"asked: stacks: expected the name of a stack, got '{stack}'")
    for precision in asked.precisions:
        if precision not in ALL_PRECISIONS:
            raise Incomplete(f"asked: precisions: expected {', '.join(ALL_PRECISIONS)}, got '{precision}'")
    if not asked.precisions:
        raise Incomplete("asked: precisions: expected some, got none")
    for name, cases in asked.cases.items():
        if name not in REGISTRY:
            raise Incomplete(f"unknown contract '{name}'{did_you_mean(name, REGISTRY)}")
        strata = {stratum.name for stratum in REGISTRY[name].strata} | {MEASURED}
        for case in cases:
            if not _CASE.fullmatch(case) or case.partition("/")[0] not in strata:
                raise Incomplete(f"asked: {name}: expected stratum/seed, of a stratum of the contract, got '{case}'")
        if len({*cases}) < len(cases):
            twice = next(case for case in cases if cases.count(case) > 1)
            raise Incomplete(f"asked: {name}: expected each case once, got {twice} twice")


def require_all_contracts(
    asked: Asked, held: Iterable[str], not_checked: Iterable[str], unbound: Iterable[str]
) -> None:
    """Raise Incomplete where a contract that was asked has no results, and nothing says why, or one was not asked."""
    held, known = {*held}, {*held, *not_checked, *unbound}
    for name in asked.cases:
        if name not in known and (asked.shard is None or asked.cases_of(name)):
            raise Incomplete(f"expected results of {name}, which was asked, got none")
    for name in sorted({*held, *unbound} - asked.cases.keys()):
        raise Incomplete(f"expected contracts that were asked, got {name}")
    for name in not_checked:
        if name not in REGISTRY:
            raise Incomplete(f"unknown contract '{name}'{did_you_mean(name, REGISTRY)}")


def require_complete(
    name: str, measurements: Sequence[Measurement], omissions: Sequence[Omission], counts: Counts, asked: Asked
) -> None:
    """Raise Incomplete for the results of a contract that lack something, or have what nobody can have found."""
    contract = REGISTRY[name]
    for omission in omissions:
        _require_omission(omission, contract, asked)
    _require_measured(measurements, omissions, contract, asked)
    _require_every_case(name, measurements, omissions, asked)
    _require_counts(name, counts, counted(measurements))
    _require_one_shape(measurements, omissions)


def _require_omission(omission: Omission, contract: Contract, asked: Asked) -> None:
    where = f"{contract.name}: omissions"
    if omission.contract != contract.name or omission.stack not in asked.stacks:
        raise Incomplete(f"{where}: expected its own, of {' or '.join(asked.stacks)}, got one of {omission.stack}")
    if omission.case and not _CASE.fullmatch(omission.case):
        raise Incomplete(f"{where}: expected a case, got '{omission.case}'")
    if omission.omitted is Omitted.NOT_JUDGED and not _OPEN.fullmatch(omission.why):
        raise Incomplete(f"{where}: expected how many of how many elements, got '{omission.why}'")


def _require_measured(
    measurements: Sequence[Measurement], omissions: Sequence[Omission], contract: Contract, asked: Asked
) -> None:
    """That each measurement is of something that was asked, there once, and possible."""
    asking, cases = Asking.of(contract), {*asked.cases_of(contract.name)}
    stacks, precisions = {*asked.stacks, PAIR}, {*asked.precisions, FLOAT64.name}  # to which readings are widened
    own_terms = {o.stack for o in omissions if o.omitted is Omitted.IN_OWN_TERMS}
    is_open = any(o.omitted is Omitted.NOT_JUDGED for o in omissions) or any(
        m.divergence is not None for m in measurements
    )
    pairs = len([*combinations(asked.stacks, 2)])
    seen: Counter[tuple[str, ...]] = Counter()
    for number, m in enumerate(measurements):
        where = f"{contract.name}: measurements[{number}]"
        for field, value, known in (
            ("contract", m.contract, {contract.name}),
            ("case", m.case, cases),
            ("precision", m.precision, precisions),
            ("stack", m.stack, stacks),
        ):
            if value not in known:
                some = ", ".join(sorted(known)[:6]) if len(known) <= 6 else "one that was asked"
                raise Incomplete(f"{where}: {field}: expected {some or 'none'}, got '{value}'")
        key = (m.case, m.precision, m.quantity.text, m.stack)
        seen[key] += 1
        if seen[key] > (pairs if m.is_of_pair else 1):
            raise Incomplete(f"{where}: expected {' '.join(key)} once, got it {seen[key]} times")
        reason = impossible(
            m, asking, in_own_terms=m.stack in own_terms or (m.is_of_pair and bool(own_terms)), open_elements=is_open
        )
        if reason:
            raise Incomplete(f"{where}: {reason}")


def _require_every_case(
    name: str, measurements: Sequence[Measurement], omissions: Sequence[Omission], asked: Asked
) -> None:
    """That each stack was measured in each case, or is said not to have been asked there."""
    there = {(m.stack, m.case) for m in measurements}
    left_out = {(o.stack, o.case) for o in omissions if o.omitted is Omitted.OUTSIDE}
    unbound = {o.stack for o in omissions if o.omitted is Omitted.NOT_BOUND}
    open_cases = {(o.stack, o.case) for o in omissions if o.omitted is Omitted.NOT_JUDGED}
    for case in asked.cases_of(name):
        for stack in asked.stacks:
            if stack not in unbound and (stack, case) not in there | left_out | open_cases:
                raise Incomplete(f"expected measurements of {name} by {stack}, case {case}, got none")


def _require_counts(name: str, expected: Counts, found: Counts) -> None:
    for stack, quantity, precision in dict.fromkeys([*_keys(expected), *_keys(found)]):
        due, came = (_at(counts, stack, quantity, precision) for counts in (expected, found))
        if due != came:
            what = f"{name}: {stack} in {precision}, {quantity}"
            raise Incomplete(f"{what}: expected {due or 'no'} measurements, got {came or 'none'}")


def _keys(counts: Counts) -> Iterator[tuple[str, str, str]]:
    for stack, quantities in counts.items():
        for quantity, precisions in quantities.items():
            yield from ((stack, quantity, precision) for precision in precisions)


def _at(counts: Counts, stack: str, quantity: str, precision: str) -> int:
    return counts.get(stack, {}).get(quantity, {}).get(precision, 0)


def _require_one_shape(measurements: Sequence[Measurement], omissions: Sequence[Omission]) -> None:
    """That a quantity has one shape in a case, whichever stack returned it, but for those in terms of their own."""
    own_terms = {o.stack for o in omissions if o.omitted is Omitted.IN_OWN_TERMS}
    shapes: dict[tuple[str, str], Measurement] = {}
    for m in measurements:
        if m.fault is None and m.stack not in own_terms and not (m.is_of_pair and own_terms):
            first = shapes.setdefault((m.case, m.quantity.own.text), m)
            if first.shape != m.shape:
                expected = f"shape {first.shape}, as {first.stack} has in {first.precision}"
                raise Incomplete(
                    f"{m.contract}: {m.stack} in {m.precision}, {m.quantity}, case {m.case}: expected {expected}, "
                    f"got {m.shape}"
                )
