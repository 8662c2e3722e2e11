"""Accepted divergences: their table, and the lines that name them below a tree of stages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import RenderableType

from parity.contracts.registry import Registry
from parity.judging.divergences.base import Divergence
from parity.judging.divergences.registry import registered
from parity.judging.measurement import Measurement
from parity.judging.stages import Tree
from parity.report.terminal import bare_table


def divergence_table(
    divergences: Iterable[Divergence], measurements: Sequence[Measurement], contracts: Registry
) -> RenderableType:
    """A row for each entry: its place, its kind, the sizes it accepts, and the sizes that were measured."""
    table = bare_table("contract", "stack", "kind", "interval", "measured", "expires", "reason")
    for entry in divergences:
        table.add_row(
            entry.contract,
            entry.stack,
            f"{type(entry.kind).__name__}: {entry.kind.words}",
            _interval(entry.low, entry.high),
            _measured(entry, measurements, contracts),
            entry.expires.isoformat(),
            entry.reason,
        )
    return table


def accepted_lines(trees: Iterable[Tree]) -> list[str]:
    """A line for each divergence that is accepted in a composition or its stages. A tree takes nothing off, and shows
    the stage as wrong.
    """
    at = {(contract, tree.stack): None for tree in trees for contract in _contracts(tree)}
    return [
        f"accepted, and not taken off here: {entry.title}: {entry.kind.words}"
        for entry in registered()
        if (entry.contract, entry.stack) in at
    ]


def _contracts(tree: Tree) -> Iterable[str]:
    yield tree.contract.name
    for step in tree.steps:
        yield step.stage.contract
        if step.within:
            yield from _contracts(step.within)


def _measured(entry: Divergence, measurements: Sequence[Measurement], contracts: Registry) -> str:
    if entry.contract not in contracts:
        return "–"
    contract = contracts[entry.contract]
    sizes = [m.divergence for m in measurements if m.divergence is not None and entry.covers(m, contract)]
    return _interval(min(sizes), max(sizes)) if sizes else "–"


def _interval(low: float, high: float) -> str:
    return f"{low:.4g}" if low == high else f"{low:.4g} … {high:.4g}"
