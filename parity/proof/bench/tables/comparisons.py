"""The harness beside itself at another revision."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from parity.proof.bench.ratios import Compared, Ratio
from parity.proof.bench.tables.numbers import numbers_table

_AGAINST = (
    "The code at hand over the other: the ratio of medians, and in brackets those of single rounds. Below 1: faster."
)


def revisions_table(compared: Sequence[Compared]) -> RenderableType:
    """A row for every contract, stack, mode and size that both revisions have."""
    table = numbers_table("contract", "stack", "mode", "N", "bare", "harness")
    for c in compared:
        table.add_row(c.contract, c.stack, c.mode, str(c.size), _spread(c.bare), _spread(c.harness))
    return Group(table, Text(_AGAINST, "dim"))


def _spread(ratio: Ratio) -> str:
    return f"{ratio.of_medians:.2f} ({ratio.low:.2f}–{ratio.high:.2f})"
