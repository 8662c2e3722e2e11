"""Single examples by size: what each costs, as a table and drawn, and beside another revision."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from parity.proof.bench.sizes import Compared, Ratio, Refused, Timed
from parity.report.pictures import save
from parity.report.terminal import bare_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OF = ("stack", "mode", "N")

_LEGEND = (
    "An example of one stack in float32 and float64, results and gradients. bare: its calls alone; harness: "
    "simulation, oracle, stack and judgement. /s: examples a second, all traced and compiled; first ms: the first, "
    "which traces and compiles."
)


def sizes_table(timed: Sequence[Timed], refused: Sequence[Refused]) -> RenderableType:
    """A row for every contract, stack, mode and size, then what could not be run."""
    table = bare_table("contract", numbers=(*_OF, "bare /s", "first ms", "harness /s", "first ms", "factor"))
    for t in timed:
        rates = (f"{t.bare.per_second:,.4g}", _milliseconds(t.bare.first))
        whole = (f"{t.harness.per_second:,.4g}", _milliseconds(t.harness.first))
        table.add_row(t.contract, t.stack, t.mode, str(t.size), *rates, *whole, f"{t.factor:.1f}")
    return Group(table, Text(_LEGEND, "dim"), *(Text(r.reason, "yellow") for r in refused))


def revisions_table(compared: Sequence[Compared]) -> RenderableType:
    """A row for every contract, stack, mode and size that both revisions have."""
    table = bare_table("contract", numbers=(*_OF, "bare", "harness"))
    for c in compared:
        table.add_row(c.contract, c.stack, c.mode, str(c.size), _spread(c.bare), _spread(c.harness))
    legend = "The code at hand over the other: the ratio of medians, and in brackets those of single rounds."
    return Group(table, Text(f"{legend} Below 1: faster.", "dim"))


def _spread(ratio: Ratio) -> str:
    return f"{ratio.of_medians:.2f} ({ratio.low:.2f}–{ratio.high:.2f})"


def _milliseconds(seconds: float) -> str:
    """To three digits, however large or small."""
    return f"{1000 * seconds:,.0f}" if seconds >= 0.1 else f"{1000 * seconds:.3g}"


def draw_sizes(folder: Path, timed: Sequence[Timed]) -> list[Path]:
    """The cost against N and against the number of examples, a row for each contract, as PNG and SVG.

    Raises OSError where `folder` cannot be written.
    """
    from matplotlib.figure import Figure

    contracts = list(dict.fromkeys(t.contract for t in timed))
    figure = Figure(figsize=(10, 3.4 * len(contracts) + 0.6), layout="constrained")
    rows = figure.subplots(len(contracts), 2, squeeze=False)
    for (by_size, by_number), contract in zip(rows, contracts, strict=True):
        of_contract = [t for t in timed if t.contract == contract]
        _draw_by_size(by_size, of_contract)
        _draw_by_number(by_number, of_contract)
        by_size.set_title(contract, loc="left", fontsize="medium")
    lines = {
        label: handle for axes in rows[:, 0] for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=3, frameon=False)
    return save(figure, folder, "bench")


def _draw_by_size(axes: Axes, timed: Sequence[Timed]) -> None:
    for color, (name, group) in enumerate(_by_stack_and_mode(timed).items()):
        sizes = [t.size for t in group]
        axes.plot(sizes, [1000 * t.bare.steady for t in group], "o:", color=f"C{color}", label=f"{name}, bare")
        axes.plot(sizes, [1000 * t.harness.steady for t in group], "o-", color=f"C{color}", label=f"{name}, harness")
    axes.set(xlabel="N", ylabel="ms an example", xscale="log", yscale="log")
    axes.set_xticks(sorted({t.size for t in timed}), labels=[str(size) for size in sorted({t.size for t in timed})])
    axes.minorticks_off()


def _draw_by_number(axes: Axes, timed: Sequence[Timed]) -> None:
    """Of the size in the middle, all that was spent up to each example."""
    sizes = sorted({t.size for t in timed})
    middle = sizes[len(sizes) // 2]
    for color, (_, group) in enumerate(_by_stack_and_mode(timed).items()):
        for t in group:
            if t.size == middle:
                for pace, line in ((t.bare, ":"), (t.harness, "-")):
                    axes.plot(range(1, len(pace.seconds) + 1), list(accumulate(pace.seconds)), line, color=f"C{color}")
    axes.set(xlabel=f"examples, N = {middle}", ylabel="s in all", xscale="log", yscale="log")


def _by_stack_and_mode(timed: Sequence[Timed]) -> dict[str, list[Timed]]:
    groups: dict[str, list[Timed]] = {}
    for t in timed:
        groups.setdefault(f"{t.stack} {t.mode}", []).append(t)
    return groups
