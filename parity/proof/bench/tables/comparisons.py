"""The harness beside other work: the same by hand, and the same at another revision."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from parity.proof.bench.ratios import Compared, Ratio
from parity.proof.bench.tables.numbers import milliseconds, numbers_table
from parity.proof.bench.versus_by_hand import Beside

_BY_HAND = (
    "Milliseconds an example. values: the stacks against each other by assert_allclose, in float32 and float64. "
    "Gradients against finite differences, along one direction or every axis. ×: by hand, values and those gradients, "
    "over the harness."
)
_AGAINST = (
    "The code at hand over the other: the ratio of medians, and in brackets those of single rounds. Below 1: faster."
)


def beside_table(beside: Sequence[Beside]) -> RenderableType:
    """A row for every contract that is tested by hand."""
    table = numbers_table("by hand", "N", "values", "one direction", "every axis", "harness", "× one", "× every")
    for b in beside:
        costs = (milliseconds(s) for s in (b.values, b.one_direction, b.every_axis, b.harness))
        table.add_row(b.contract, str(b.size), *costs, f"{b.least_factor:.1f}", f"{b.factor:,.0f}")
    return Group(table, Text(_BY_HAND, "dim"))


def revisions_table(compared: Sequence[Compared]) -> RenderableType:
    """A row for every contract, stack, mode and size that both revisions have."""
    table = numbers_table("contract", "stack", "mode", "N", "bare", "harness")
    for c in compared:
        table.add_row(c.contract, c.stack, c.mode, str(c.size), _spread(c.bare), _spread(c.harness))
    return Group(table, Text(_AGAINST, "dim"))


def _spread(ratio: Ratio) -> str:
    return f"{ratio.of_medians:.2f} ({ratio.low:.2f}–{ratio.high:.2f})"
