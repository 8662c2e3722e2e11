"""Pictures of what is off: the oracle, each stack, and the error in units of the bound."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from parity.judging.stage_tree import JudgedArray, Tree
from parity.physics.precision import ALL_PRECISIONS
from parity.report.content import Picture
from parity.report.deviations import Deviation, deviations, has_plane, place_in_words, shown
from parity.report.pictures import png, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _DPI = 12.0, 100
"""Inches and pixels an inch: 1200 pixels."""

Plane = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class ErrorMap:
    """One quantity that is off, in the plane of its worst element: what is to be drawn, and under which name."""

    deviation: Deviation
    trees: tuple[Tree, ...]
    element: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of its files, without suffix."""
        return _file_name(self.deviation)

    @property
    def caption(self) -> str:
        """What is off and, on a second line, where and by how much."""
        return _title(self.deviation, self.trees[0], self.element)

    def figure(self) -> Figure:
        """It, drawn."""
        return _drawn(self.deviation, self.trees, self.element)


def error_maps(trees: Sequence[Tree]) -> tuple[ErrorMap, ...]:
    """A map of every quantity that is off and has rows and columns, in the order in which they are computed."""
    chosen = shown(trees)
    placed = ((deviation, _element(deviation.worst)) for deviation in deviations(chosen))
    return tuple(ErrorMap(deviation, chosen, element) for deviation, element in placed if element is not None)


def write_error_maps(folder: Path, trees: Sequence[Tree]) -> list[Path]:
    """Draw every quantity that is off and has rows and columns, as PNG and SVG; the paths of what was written.

    The plane is that of the worst element. What a stack raised, or returned in another shape, has none. Raises OSError
    where `folder` cannot be written.
    """
    maps = error_maps(trees)
    return [path for error_map in maps for path in save(error_map.figure(), folder, error_map.name, _DPI)]


def picture(error_map: ErrorMap) -> Picture:
    """One error map as PNG, with what it shows in words."""
    return Picture(error_map.caption.replace("\n", "; "), png(error_map.figure(), _DPI))


def _element(array: JudgedArray) -> tuple[int, ...] | None:
    """The worst element, or the first that is NaN; None where there is no plane to show it in."""
    if not has_plane(array.kind):
        return None
    if array.measurement.index:
        return array.measurement.index
    if array.got is None or array.got.shape != array.oracle.shape:
        return None
    alien = np.argwhere(np.isnan(array.got) & ~np.isnan(array.oracle.value))
    return tuple(int(i) for i in alien[0]) if len(alien) else None


def _file_name(deviation: Deviation) -> str:
    """Contract, stage and quantity; the composition's own have no stage."""
    quantity = "value" if deviation.forward and deviation.path else deviation.quantity.name
    name = quantity if deviation.forward else f"d_{quantity}"
    return re.sub(r"[^\w.@-]+", "_", ".".join((deviation.contract.name, *deviation.path, name)))


def _drawn(deviation: Deviation, trees: Sequence[Tree], element: tuple[int, ...]) -> Figure:
    """One figure: a column for the oracle and for each stack; rows for modulus, phase and error."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    worst = deviation.worst
    at = element[:-2]
    is_complex = np.iscomplexobj(worst.oracle.value)
    names = ["oracle", *(tree.stack for tree in trees)]
    planes = [worst.oracle.value[at], *(_plane(array, at) for array in deviation.arrays)]
    rows = 3 if is_complex else 2
    height, width = planes[0].shape
    panel = min(3.4, max(1.8, _WIDTH / (len(names) + 0.6) * height / width))
    figure = Figure(figsize=(_WIDTH, rows * (panel + 0.3) + 1.0), layout="constrained")
    axes = figure.subplots(rows, len(names), squeeze=False)
    figure.suptitle(_title(deviation, trees[0], element), fontsize=13)
    _draw_values(figure, axes[0], names, planes, _unit(deviation))
    if is_complex:
        _draw_phases(figure, axes[1], names, planes)
    _draw_errors(figure, axes[-1], names, planes, worst.oracle.allowed[at], worst.oracle.precision.unit_roundoff)
    for axis in axes[:, [0, *(1 + i for i, array in enumerate(deviation.arrays) if not array.agrees)]].flat:
        _mark(axis, element)
    for axis in axes.flat:
        axis.tick_params(labelsize=9)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    for axis in axes[-1]:
        axis.set_xlabel("column")
    for axis in axes[:, 0]:
        axis.set_ylabel("row")
    return figure


def _plane(array: JudgedArray, at: tuple[int, ...]) -> Plane:
    """What a stack has in the plane; NaN where it has nothing, and 0 where it found no path for a gradient."""
    if array.got is not None and array.got.shape == array.oracle.shape:
        return array.got[at]
    plane = array.oracle.value[at]
    return np.full_like(plane, np.nan if array.measurement.fault else 0.0)


def _title(deviation: Deviation, tree: Tree, element: tuple[int, ...]) -> str:
    measured = deviation.worst.measurement
    what = f"{deviation.name}, {deviation.mark}" if deviation.path else deviation.name
    place = ", ".join(place_in_words(deviation.worst.kind, element).split("\n"))
    size = measured.fault or f"{measured.ratio:.3g} times the bound"
    return (
        f"{deviation.contract.name}: {what}\n"
        f"case {measured.case}, {ALL_PRECISIONS[tree.precision].real}; worst in {measured.stack} at {place}: {size}"
    )


def _unit(deviation: Deviation) -> str:
    unit = deviation.worst.kind.unit
    if deviation.quantity.is_gradient:
        return f"per {unit}" if unit != "1" else "dimensionless"
    return "dimensionless" if unit == "1" else unit


def _draw_values(
    figure: Figure, axes: Sequence[Axes], names: Sequence[str], planes: Sequence[Plane], unit: str
) -> None:
    """The modulus of complex numbers, and real ones as they are, on one scale for all."""
    is_complex = np.iscomplexobj(planes[0])
    shown_values = [np.abs(plane) if is_complex else plane for plane in planes]
    finite = np.concatenate([plane[np.isfinite(plane)] for plane in shown_values])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    limit = max(-low, high)
    bottom, colours = (-limit, "RdBu_r") if low < 0 else (0.0, "viridis")
    for axis, name, plane in zip(axes, names, shown_values, strict=True):
        image = axis.imshow(plane, interpolation="nearest", vmin=bottom, vmax=limit, cmap=colours)
        axis.set_title(f"{name}: {'modulus' if is_complex else 'value'}", fontsize=11)
    figure.colorbar(image, ax=axes, label=unit)


def _draw_phases(figure: Figure, axes: Sequence[Axes], names: Sequence[str], planes: Sequence[Plane]) -> None:
    """Phases; what is 0 has none."""
    for axis, name, plane in zip(axes, names, planes, strict=True):
        phase = np.ma.masked_where(plane == 0, np.angle(plane))
        image = axis.imshow(phase, interpolation="nearest", vmin=-np.pi, vmax=np.pi, cmap="twilight")
        axis.set_facecolor("lightgrey")
        axis.set_title(f"{name}: phase", fontsize=11)
    bar = figure.colorbar(image, ax=axes, label="radians")
    bar.set_ticks([-np.pi, 0, np.pi], labels=["−π", "0", "π"])


def _draw_errors(
    figure: Figure, axes: Sequence[Axes], names: Sequence[str], planes: Sequence[Plane], allowed: Plane, roundoff: float
) -> None:
    """What is allowed, under the oracle, and each stack's error in units of that: grey within the bound.

    Both scales are logarithmic. A wrong number where the oracle is exact is off beyond any scale; the scale ends where
    every digit is wrong.
    """
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm

    first, *others = axes
    inexact = allowed[np.isfinite(allowed) & (allowed > 1e-300)]
    low, high = (float(inexact.min()), float(inexact.max())) if inexact.size else (0.1, 1.0)
    within = colormaps["cividis"].with_extremes(under="lightgrey", bad="white")
    if high < 1.1 * low:  # as good as one number
        low, high = low / 2, 2 * high
    image = first.imshow(allowed, interpolation="nearest", norm=LogNorm(low, high), cmap=within)
    first.set_title("allowed error" if inexact.size == allowed.size else "allowed error (grey: none)", fontsize=11)
    bar = figure.colorbar(image, ax=first, location="left")
    bar.set_ticks([low, high], labels=[f"{low:.1e}", f"{high:.1e}"])
    bar.minorticks_off()
    with np.errstate(all="ignore"):
        # No error at all is within the bound; a logarithm would leave it out.
        ratios = [np.maximum(np.abs(plane - planes[0]) / allowed, 1e-3) for plane in planes[1:]]
    finite = [ratio[np.isfinite(ratio)] for ratio in ratios]
    most = max([10.0, *(float(ratio.max()) for ratio in finite if ratio.size)])
    beyond = colormaps["inferno_r"].with_extremes(under="lightgrey", bad="cyan", over="black")
    norm = LogNorm(1.0, min(most, 1 / roundoff))
    for axis, name, ratio in zip(others, names[1:], ratios, strict=True):
        image = axis.imshow(ratio, interpolation="nearest", norm=norm, cmap=beyond)
        axis.set_title(f"{name}: |error| / allowed", fontsize=11)
    extend = "both" if most > 1 / roundoff else "min"
    figure.colorbar(image, ax=others, extend=extend, label="times the bound (grey: within)")


def _mark(axis: Axes, element: tuple[int, ...]) -> None:
    """A ring around the worst element, light and dark, so that it stands out on any colour."""
    row, column = element[-2:]
    for width, colour in ((3.5, "white"), (1.5, "red")):
        axis.plot([column], [row], "o", markersize=15, markerfacecolor="none", markeredgewidth=width, color=colour)
