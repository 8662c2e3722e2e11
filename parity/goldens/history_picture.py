"""A picture of how far goldens moved each time they were regenerated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from parity.goldens.drift import SIDES, Nature
from parity.goldens.history import Regeneration, version_changes
from parity.report.pictures import require_matplotlib, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKS = {
    Nature.SAME: ("o", "C7"),
    Nature.ROUNDING: ("o", "C0"),
    Nature.ADDED: ("s", "C2"),
    Nature.SEMANTIC: ("D", "C3"),
}
_LABELS = 30
"""How many dates have room below the picture."""


def draw_history(folder: Path, entries: Sequence[Regeneration]) -> list[Path]:
    """Draw the regenerations in their order, PNG and SVG, with the same bytes each time; the paths of what was written.

    Raises MatplotlibMissing without matplotlib, ValueError for no entry, and OSError where `folder` cannot be written.
    """
    require_matplotlib("the history")
    if not entries:
        raise ValueError("entries: expected at least one regeneration, got none")
    return save(_drawn(entries), folder, "golden-history")


def _drawn(entries: Sequence[Regeneration]) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(min(16.0, max(8.0, 3.5 + 0.5 * len(entries))), 6.0), layout="constrained")
    axis = figure.subplots()
    low, high = _limits(entries)
    axis.set(yscale="log", ylim=(low, high), xlim=(-0.7, len(entries) - 0.3))
    axis.set(ylabel="largest change / bound", title="Regenerations of the goldens")
    axis.axhspan(SIDES, high, color="C3", alpha=0.07, linewidth=0)
    axis.axhline(1, color="black", linewidth=1, label="the bound of a stack")
    axis.axhline(SIDES, color="C3", linewidth=1, linestyle="--", label="the most that rounding moves an output")
    _draw_versions(axis, entries)
    for nature in Nature:
        _draw_marks(axis, entries, nature, low, high)
    step = math.ceil(len(entries) / _LABELS)
    axis.set_xticks(
        range(0, len(entries), step), [entry.date for entry in entries[::step]], rotation=45, ha="right", fontsize=9
    )
    figure.legend(loc="outside lower center", ncols=3, fontsize=9)
    return figure


def _limits(entries: Sequence[Regeneration]) -> tuple[float, float]:
    """Room for every change that is a number, and above and below for those that are none."""
    sizes = [entry.largest.bounds for entry in entries if entry.largest]
    shown = [1.0, float(SIDES), *(size for size in sizes if 0 < size < math.inf)]
    return min(0.01, min(shown)) / 10, max(10.0, max(shown)) * 100


def _draw_marks(axis: Axes, entries: Sequence[Regeneration], nature: Nature, low: float, high: float) -> None:
    """Filled where something moved; open, at the bottom, where nothing did; an arrow at the top for no size."""
    shape, colour = _MARKS[nature]
    bottom, top = low * 2, high / 2
    places: dict[str, list[tuple[int, float]]] = {"moved": [], "none": [], "no size": []}
    for x, entry in enumerate(entries):
        if entry.nature is not nature:
            continue
        if entry.largest is None:
            places["none"].append((x, bottom))
        elif math.isinf(entry.largest.bounds):
            places["no size"].append((x, top))
        else:
            places["moved"].append((x, max(entry.largest.bounds, bottom)))
    marks = {
        "moved": (shape, colour, str(nature)),
        "none": (shape, "white", f"{nature}, nothing moved" if nature is not Nature.ADDED else "made new"),
        "no size": ("^", colour, f"{nature}, not to be compared"),
    }
    for what, found in places.items():
        if found:
            mark, fill, label = marks[what]
            axis.plot(
                *zip(*found, strict=True),
                mark,
                markersize=8,
                markerfacecolor=fill,
                markeredgecolor=colour,
                linestyle="none",
                label=label,
                zorder=3,
            )


def _draw_versions(axis: Axes, entries: Sequence[Regeneration]) -> None:
    """A line before each regeneration that ran on other versions than the last, and which they are."""
    for x in range(1, len(entries)):
        changes = version_changes(entries[x - 1], entries[x])
        if changes:
            axis.axvline(x - 0.5, color="grey", linewidth=0.8, linestyle=":")
            axis.annotate(
                "\n".join(changes),
                (x - 0.5, 0.985),
                xycoords=("data", "axes fraction"),
                xytext=(2, 0),
                textcoords="offset points",
                rotation=90,
                ha="left",
                va="top",
                fontsize=7,
                color="dimgrey",
            )
