"""The table of a run, one row a contract, and how anything is printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from parity.judging.run import NotChecked
from parity.judging.shards import Shard
from parity.judging.verdict import Outcome, Verdict

WIDTH, NARROWEST = 120, 20

STYLES = {
    Outcome.AGREE: "green",
    Outcome.DISAGREE: "bold red",
    Outcome.UNDECIDED: "yellow",
    Outcome.UNINFORMATIVE: "yellow",
}
"""How each outcome is coloured."""


def verdict_table(verdicts: Iterable[Verdict]) -> RenderableType:
    """Errors in units of the bound for each stack, the stacks' distance in float64, and the smallest visible defect."""
    verdicts = tuple(verdicts)
    rows = [(verdict.contract, verdict.examples, verdict) for verdict in verdicts]
    legend = (
        "Stacks: worst error in units of the bound (≤ 1 agrees). float64 gap: largest relative distance of the stacks. "
        "ε_min: smallest relative defect that one example shows."
    )
    return table_of_verdicts("contract", "examples", stacks_in(verdicts), rows, legend)


def table_of_verdicts(
    name: str, number: str, stacks: Sequence[str], rows: Iterable[tuple[str, int, Verdict]], legend: str
) -> RenderableType:
    """A row for each verdict, behind what it is of and a number of what it counts; `name` and `number` head these."""
    table = bare_table()
    table.add_column(name, no_wrap=True)
    table.add_column(number, justify="right")
    for stack in stacks:
        table.add_column(stack, justify="right", min_width=len(stack))
    table.add_column("float64 gap", justify="right")
    table.add_column("ε_min", justify="right")
    table.add_column("verdict", no_wrap=True)
    for judged, count, verdict in rows:
        table.add_row(
            judged,
            str(count),
            *(in_bounds(verdict.worst.get(stack)) for stack in stacks),
            gap_in_words(verdict.gap),
            epsilon_in_words(verdict.epsilon),
            Text(verdict_in_words(verdict), STYLES[verdict.outcome]),
        )
    return Group(table, Text(legend, style="dim"))


def stacks_in(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """The stacks that were judged, by name, in the order of all tables."""
    return tuple(sorted({stack for verdict in verdicts for stack in verdict.worst}))


def not_checked_lines(lost: Iterable[NotChecked]) -> tuple[str, ...]:
    """A line for each contract that was not checked: its name, and why."""
    return tuple(f"{one.contract}: not checked: {one.reason}" for one in lost)


def summary_line(verdicts: Iterable[Verdict], lost: Sequence[NotChecked] = (), shard: Shard | None = None) -> str:
    """The verdict on the whole run in one line; of a shard, on what it could judge."""
    verdicts = tuple(verdicts)
    off = [v.contract for v in verdicts if not v.agrees]
    said = [_said(verdicts, off, shard)] if verdicts or not lost else []
    if lost:
        names = ", ".join(one.contract for one in lost)
        said.append(f"{len(lost)} of {counted(len(verdicts) + len(lost), 'contract')} not checked: {names}")
    return "; ".join(said)


def _said(verdicts: Sequence[Verdict], off: Sequence[str], shard: Shard | None) -> str:
    examples = sum(v.examples for v in verdicts)
    if not verdicts:
        return f"shard {shard} has no example, and nothing was checked" if shard else "no contract was tried"
    if off:
        return f"{len(off)} of {len(verdicts)} contracts do not agree: {', '.join(off)}"
    tried = f"{counted(len(verdicts), 'contract')} {{}} on {counted(examples, 'example')}"
    if shard:
        return f"shard {shard}: {tried.format('without a failure')}; only parity merge judges all of them"
    return tried.format("agrees" if len(verdicts) == 1 else "agree")


def bare_table(*headings: str, numbers: Iterable[str] = ()) -> Table:
    """A table without lines, headings in bold; columns of numbers come last, and are flush right."""
    flush = (Column(heading, justify="right") for heading in numbers)
    return Table(*headings, *flush, box=None, pad_edge=False, header_style="bold")


def console() -> Console:
    """Where reports are printed: as wide as the terminal, or wide enough for the table where that says little.

    Brackets are brackets, in the names of files too.
    """
    found = Console(markup=False)
    return found if found.is_terminal and found.width >= NARROWEST else Console(width=WIDTH, markup=False)


def plain(renderable: RenderableType) -> str:
    """A renderable as text without colours."""
    console = Console(width=WIDTH, color_system=None, force_terminal=False, markup=False)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def counted(number: int, noun: str) -> str:
    """`1 golden`, `2 goldens`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def verdict_in_words(verdict: Verdict) -> str:
    """The outcome for a table: agree, who disagrees, or why nothing is said."""
    if verdict.outcome is not Outcome.DISAGREE:
        return str(verdict.outcome)
    if verdict.alike:
        return "both disagree alike"
    sides = " and ".join(sorted(verdict.sides))
    return f"{sides} disagree{'s' if len(verdict.sides) == 1 else ''}" if sides else "the stacks disagree"


def in_bounds(ratio: float | None) -> str:
    """An error in units of its bound, for a table; – where there is none."""
    if ratio is None:
        return "–"
    return f"{ratio:.2f}" if ratio < 100 else f"{ratio:.1e}"


def gap_in_words(gap: float | None) -> str:
    """The distance of the stacks, for a table; – where there are not two."""
    return "–" if gap is None else f"{gap:.1e}"


def epsilon_in_words(epsilon: float) -> str:
    """The smallest visible defect, for a table."""
    return "exact" if epsilon < 1e-30 else f"{epsilon:.0e}"
