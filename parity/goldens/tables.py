"""What people read of goldens: which there are, what changed in them, and their history."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from parity.goldens.difference import GoldenDiff
from parity.goldens.drift import Drift, Nature, worst_first, worst_nature
from parity.goldens.history import Regeneration, version_changes
from parity.goldens.manifest import MOST_BYTES
from parity.goldens.record import Golden
from parity.report.terminal import bare_table, counted

NATURE_STYLES = {
    Nature.SAME: "green",
    Nature.ROUNDING: "green",
    Nature.ADDED: "cyan",
    Nature.SEMANTIC: "bold red",
}

_NAMED = 3
"""How many goldens a line names."""


@dataclass(frozen=True, slots=True)
class ListedGolden:
    """A golden of the list, and how many bytes its file has."""

    golden: Golden
    size: int


def drift_table(drifts: Iterable[Drift], most: int = 20) -> RenderableType:
    """One row an array that changed, the worst first, `most` of them; then how many more there are."""
    found = worst_first(drifts)
    if not found:
        return Text("nothing changed")
    table = bare_table()
    for heading in ("golden", "array"):
        table.add_column(heading, overflow="fold")
    for heading in ("× bound", "ulps", "digits left"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("nature", no_wrap=True)
    table.add_column("note", overflow="fold")
    for drift in found[:most]:
        table.add_row(
            Text(drift.golden),
            Text(drift.array),
            _number(drift.bounds),
            _count(drift.ulps),
            f"{drift.digits:.1f}",
            _nature(drift.nature),
            Text(drift.note),
        )
    if len(found) > most:
        table.add_row(Text(f"and {len(found) - most:,} more", "dim"))
    legend = Text(
        "× bound: largest change in units of the bound (–: nothing to compare, or no bound). ulps: in units in the "
        "last place of the array's dtype. digits left: significant digits of the largest value that still agree.",
        style="dim",
    )
    return Group(table, legend)


def difference_summary(difference: GoldenDiff) -> Text:
    """What changed between two sets in one line, what is most serious first."""
    natures = {name: worst_nature(drift.nature for drift in found) for name, found in difference.drifts.items()}
    by_nature = {nature: [name for name in natures if natures[name] is nature] for nature in Nature}
    clauses = []
    if meant := by_nature[Nature.SEMANTIC]:
        clauses.append(f"semantic: {_names(meant)}")
    if difference.removed:
        clauses.append(f"removed: {_names(difference.removed)}")
    if difference.added:
        clauses.append(f"{counted(len(difference.added), 'golden')} added: {_names(difference.added)}")
    if filled := by_nature[Nature.ADDED]:
        clauses.append(f"outputs added to {counted(len(filled), 'golden')}: {_names(filled)}")
    if rounded := by_nature[Nature.ROUNDING]:
        most = max(drift.bounds for name in rounded for drift in difference.drifts[name])
        clauses.append(
            f"{counted(len(rounded), 'golden')} changed by rounding alone, at most {_number(most)} of the bound"
        )
    return Text("; ".join(clauses) or "no golden changed", NATURE_STYLES[difference.nature])


def golden_table(rows: Iterable[ListedGolden], contracts: Iterable[str], today: str, total: int) -> RenderableType:
    """One row a golden; below, how much room there is, and which of `contracts` have none.

    `today` is YYYY-MM-DD, `total` how many bytes the whole set has.
    """
    rows = sorted(rows, key=lambda row: row.golden.name)
    table = bare_table()
    table.add_column("contract", overflow="fold")
    table.add_column("golden", no_wrap=True)
    table.add_column("precision", no_wrap=True)
    for heading in ("kB", "days"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("outputs", no_wrap=True)
    table.add_column("tells", justify="right", no_wrap=True)
    table.add_column("last change", overflow="fold")
    for row in rows:
        golden = row.golden
        table.add_row(
            Text(golden.contract),
            f"{golden.stratum}-{golden.seed}",
            golden.precision.real,
            f"{row.size / 1000:.1f}",
            _age(golden, today),
            ", ".join(sorted(golden.outputs)) or Text("none", "yellow"),
            str(len(golden.proof)) if golden.proof else Text("0", "yellow"),
            Text(str(golden.provenance.get("reason", "–"))),
        )
    said = f"{counted(len(rows), 'golden')}, {total / 1e6:.2f} MB of the {MOST_BYTES / 1e6:g} MB that they may take"
    lines = [Text(said, "" if total <= MOST_BYTES else "bold red")]
    have = {row.golden.contract for row in rows}
    without = [contract for contract in contracts if contract not in have]
    if without:
        lines.append(Text(f"{counted(len(without), 'contract')} without a golden: {', '.join(without)}", "yellow"))
    legend = Text(
        "days: since its arrays last changed. outputs: of which stacks they are stored. tells: how many faults it "
        "tells from the truth.",
        style="dim",
    )
    return Group(table, legend, *lines)


def history_table(entries: Sequence[Regeneration]) -> RenderableType:
    """One row a regeneration, the oldest first: what moved farthest, and which versions had changed."""
    if not entries:
        return Text("nothing was regenerated yet")
    table = bare_table()
    for heading in ("date", "commit"):
        table.add_column(heading, no_wrap=True)
    for heading in ("goldens", "× bound"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("nature", no_wrap=True)
    for heading in ("moved farthest", "versions", "reason"):
        table.add_column(heading, overflow="fold")
    for before, entry in zip([entries[0], *entries], entries, strict=False):
        largest = entry.largest
        table.add_row(
            entry.date,
            entry.commit[:10] or "–",
            f"{entry.goldens:,}",
            _number(largest.bounds) if largest else "–",
            _nature(entry.nature),
            Text(f"{largest.golden} {largest.array}" if largest else "–"),
            Text(", ".join(version_changes(before, entry)) or "–"),
            Text(entry.reason),
        )
    legend = Text(
        "× bound: largest change in units of the bound (–: none moved, or not to be compared). versions: what had "
        "changed since the line above.",
        style="dim",
    )
    return Group(table, legend)


def _nature(nature: Nature) -> Text:
    return Text(str(nature), NATURE_STYLES[nature])


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _number(bounds: float) -> str:
    return f"{bounds:.2g}" if math.isfinite(bounds) else "–"


def _count(ulps: float) -> str:
    if math.isinf(ulps):
        return "–"
    return f"{ulps:,.0f}" if ulps < 1e6 else f"{ulps:.1e}"


def _age(golden: Golden, today: str) -> str:
    try:
        then = datetime.date.fromisoformat(str(golden.provenance.get("date")))
    except ValueError:
        return "–"
    return str((datetime.date.fromisoformat(today) - then).days)
