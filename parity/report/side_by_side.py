"""Stored results of several subjects in one table: a row a contract, a column a subject, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from parity._ground.errors import UsageError
from parity.contracts.declared import REGISTRY
from parity.judging.measurement import Measurement
from parity.judging.omission import Omission, Omitted
from parity.judging.verdict import judge
from parity.physics.precision import ALL_PRECISIONS
from parity.report.terminal import in_bounds

BEGIN, END = "<!-- begin of the table of `parity table` -->", "<!-- end of the table -->"
"""Between these lines a page has a table that the command writes."""

LEGEND = (
    "*ok*: agrees; a number: the worst error in units of its bound; *raises*: nothing can be compared; "
    "*outside*: not claimed; —: not bound, or not asked in this precision; †: held to conventions of its binding."
)


def table(measurements: Mapping[str, Sequence[Measurement]], omissions: Mapping[str, Sequence[Omission]]) -> str:
    """All measurements by contract, those of all stacks together, as a table: float32 / float64 / widened."""
    found = [m for each in measurements.values() for m in each if not m.is_of_pair]
    stacks = sorted({m.stack for m in found} | {o.stack for each in omissions.values() for o in each})
    run = [name for name in ALL_PRECISIONS if any(m.precision == name for m in found)]
    names = [name for name in REGISTRY if name in measurements or name in omissions]
    rows = [
        [f"`{name}`", *(_cell(name, measurements.get(name, ()), omissions.get(name, ()), s, run) for s in stacks)]
        for name in names
    ]
    lines = [["contract", *stacks], ["---"] * (1 + len(stacks)), *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{table}\n\nIn {' / '.join(run)}. {LEGEND}\n"


def inserted(page: str, table: str, name: str) -> str:
    """A page with another table between the two lines. Raises UsageError for a page without them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UsageError(f"{name}: expected the lines '{BEGIN}' and '{END}', got a page without them")
    return f"{before}{begin}\n{table}{end}{after}"


def united(parts: Iterable[Mapping[str, Sequence[Measurement]]]) -> dict[str, list[Measurement]]:
    """The measurements of several runs, by contract."""
    found: dict[str, list[Measurement]] = {}
    for part in parts:
        for name, measurements in part.items():
            found.setdefault(name, []).extend(measurements)
    return found


def _cell(
    contract: str, measurements: Sequence[Measurement], omissions: Sequence[Omission], stack: str, run: Sequence[str]
) -> str:
    own = [m for m in measurements if m.stack == stack]
    outside = any(o.stack == stack and o.omitted is Omitted.OUTSIDE for o in omissions)
    if not own:
        return "outside" if outside else "—"
    by_precision = {name: [m for m in own if m.precision == name] for name in run}
    mark = " †" if any(o.stack == stack and o.omitted is Omitted.IN_OWN_TERMS for o in omissions) else ""
    return " / ".join(_outcome(contract, found) for found in by_precision.values()) + mark


def _outcome(contract: str, measurements: Sequence[Measurement]) -> str:
    if not measurements:
        return "—"
    verdict = judge(contract, measurements, REGISTRY[contract].quota)
    if not verdict.failures:
        return "ok" if verdict.agrees else str(verdict.outcome)
    if all(m.fault for m in verdict.failures):
        return "**raises**"
    return f"**{in_bounds(max(m.ratio for m in verdict.failures if not m.fault))}**"
