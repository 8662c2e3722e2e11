"""Stored results of several subjects in one table: a row a contract, a column a subject, in Markdown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from parity._ground.errors import UsageError
from parity.contracts.declared import REGISTRY
from parity.judging.measurement import Measurement
from parity.judging.omission import Omission, Omitted
from parity.judging.verdict import judge
from parity.physics.precision import ALL_PRECISIONS
from parity.report.terminal import in_bounds

Own = TypeVar("Own", Measurement, Omission)

BEGIN, END = "<!-- begin of the table of `parity table` -->", "<!-- end of the table -->"
"""Between these lines a page has a table that the command writes."""

LEGEND = (
    "*ok*: agrees; a number: the worst error in units of its bound; *raises*: nothing can be compared; "
    "*outside*: not claimed; *not checked*: it could not be run; —: not bound, or not asked in this precision; "
    "†: held to conventions of its binding."
)


@dataclass(frozen=True, slots=True)
class Column:
    """Everything that one results file holds of one subject."""

    heading: str
    stack: str
    measurements: Mapping[str, Sequence[Measurement]]
    """By contract; those of other subjects are not among them."""
    omissions: Mapping[str, Sequence[Omission]]
    not_checked: Collection[str] = ()
    """The contracts that could not be checked."""

    def names(self) -> set[str]:
        """The contracts of which there is something to say."""
        return {*self.measurements, *self.omissions, *self.not_checked}


def columns_of(
    measurements: Mapping[str, Sequence[Measurement]],
    omissions: Mapping[str, Sequence[Omission]],
    not_checked: Collection[str],
    name: str = "",
) -> list[Column]:
    """A column for each subject of a results file, headed by the subject, and by the file's `name` if it has one."""
    measured = {m.stack for found in measurements.values() for m in found if not m.is_of_pair}
    stacks = sorted(measured | {o.stack for found in omissions.values() for o in found})
    return [
        Column(
            heading=f"{stack}, {name}" if name else stack,
            stack=stack,
            measurements=_of(stack, measurements),
            omissions=_of(stack, omissions),
            not_checked=tuple(not_checked),
        )
        for stack in stacks
    ]


def table(columns: Sequence[Column], *, differing: bool = False) -> str:
    """All measurements by contract, in each column, as a table: float32 / float64 / widened.

    Of a table that is `differing` only the rows are left in which a subject has different entries.
    """
    measured = {m.precision for column in columns for found in column.measurements.values() for m in found}
    run = [name for name in ALL_PRECISIONS if name in measured]
    known = {name for column in columns for name in column.names()}
    rows = [(name, [_cell(name, column, run) for column in columns]) for name in REGISTRY if name in known]
    shown = [(name, cells) for name, cells in rows if not differing or _differ(columns, cells)]
    lines = [
        ["contract", *(column.heading for column in columns)],
        ["---"] * (1 + len(columns)),
        *([f"`{name}`", *cells] for name, cells in shown),
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    same = f" {len(rows) - len(shown)} more contracts have one entry in all columns of a subject." if differing else ""
    return f"{table}\n\nIn {' / '.join(run)}. {LEGEND}{same}\n"


def inserted(page: str, table: str, name: str) -> str:
    """A page with another table between the two lines. Raises UsageError for a page without them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UsageError(f"{name}: expected the lines '{BEGIN}' and '{END}', got a page without them")
    return f"{before}{begin}\n{table}{end}{after}"


def united(columns: Sequence[Column]) -> dict[str, list[Measurement]]:
    """The measurements of all columns, by contract."""
    found: dict[str, list[Measurement]] = {}
    for column in columns:
        for name, measurements in column.measurements.items():
            found.setdefault(name, []).extend(measurements)
    return found


def _of(stack: str, by_contract: Mapping[str, Sequence[Own]]) -> dict[str, list[Own]]:
    own = {name: [one for one in found if one.stack == stack] for name, found in by_contract.items()}
    return {name: found for name, found in own.items() if found}


def _differ(columns: Sequence[Column], cells: Sequence[str]) -> bool:
    """Whether some subject has two different entries among the cells of a row."""
    return len({(column.stack, cell) for column, cell in zip(columns, cells, strict=True)}) > len(
        {column.stack for column in columns}
    )


def _cell(contract: str, column: Column, run: Sequence[str]) -> str:
    own = column.measurements.get(contract, ())
    if contract in column.not_checked:
        return "not checked"
    if not own:
        outside = any(o.omitted is Omitted.OUTSIDE for o in column.omissions.get(contract, ()))
        return "outside" if outside else "—"
    mark = " †" if any(o.omitted is Omitted.IN_OWN_TERMS for o in column.omissions.get(contract, ())) else ""
    return " / ".join(_outcome(contract, [m for m in own if m.precision == name]) for name in run) + mark


def _outcome(contract: str, measurements: Sequence[Measurement]) -> str:
    if not measurements:
        return "—"
    verdict = judge(contract, measurements, REGISTRY[contract].quota)
    if not verdict.failures:
        return "ok" if verdict.agrees else str(verdict.outcome)
    if all(m.fault for m in verdict.failures):
        return "**raises**"
    return f"**{in_bounds(max(m.ratio for m in verdict.failures if not m.fault))}**"
