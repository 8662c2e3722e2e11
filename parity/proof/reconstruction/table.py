"""What a defect does to training: a table, and a picture of losses, errors and objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from parity.proof.reconstruction import Effect, Errors, Run
from parity.report.pictures import save
from parity.report.terminal import bare_table

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure

_RIGHT, _WRONG = "C0", "C3"

_DIM = 1e-3
"""The share of the brightest pixel's light below which a picture of the object fades out."""


def effect_table(effects: Iterable[Effect]) -> RenderableType:
    """The errors at the start, at the end without each defect and with it, as predicted, and of the true object."""
    numbers = ("loss", "amplitude", "rescaled", "photons", "object", "rescaled")
    table = bare_table("", "minimised", numbers=numbers)
    for effect in effects:
        table.add_row(Text(f"{effect.defect.full_name}, {effect.stack}", "bold"))
        table.add_row("  flat start", "", *_cells(effect.without.start))
        table.add_row("  without it", _fall(effect.without), *_cells(effect.without.end))
        table.add_row("  with it", _fall(effect.with_defect), *_cells(effect.with_defect.end))
        if effect.predicted:
            table.add_row("  predicted with it", "", *_cells(effect.predicted))
        table.add_row("  true object", "", *_cells(effect.noise))
    legend = Text(
        "minimised: the loss as the stack has it, first and last. loss: the right one of a pixel, beyond the least it "
        "can be. amplitude: ‖Â − A‖ / ‖A‖. photons: Σ Â² / Σ A². object: error where light falls, up to a phase. "
        "rescaled: the same at the best common factor.",
        style="dim",
    )
    return Group(table, legend)


def draw_effects(folder: Path, effects: Sequence[Effect], name: str = "reconstruction") -> list[Path]:
    """One picture for all effects, PNG and SVG: of each the loss, the errors, and the objects at their best factor.

    Raises ModuleNotFoundError without matplotlib, OSError where `folder` cannot be made or written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.6 * len(effects)), layout="constrained")
    rows = figure.subfigures(2 * len(effects), 1, squeeze=False, height_ratios=(3, 2) * len(effects))[:, 0]
    for effect, curves, objects in zip(effects, rows[::2], rows[1::2], strict=True):
        curves.suptitle(f"{effect.defect.full_name} in {effect.stack}", fontweight="bold")
        _draw_curves(curves, effect)
        _draw_objects(objects, effect)
    return save(figure, folder, name)


def _draw_curves(figure: SubFigure, effect: Effect) -> None:
    minimised, loss, amplitude, object_ = figure.subplots(1, 4)
    for run, color, label in ((effect.without, _RIGHT, "without it"), (effect.with_defect, _WRONG, "with it")):
        minimised.plot(run.minimised, color=color)
        loss.plot(*_course(run, "loss"), color=color)
        for axes, field in ((amplitude, "amplitude"), (object_, "object")):
            axes.plot(*_course(run, field), color=color, label=label)
            axes.plot(*_course(run, f"{field}_rescaled"), ":", color=color, label=f"{label}, at the best factor")
    if effect.predicted:
        for axes, value in ((loss, effect.predicted.loss), (amplitude, effect.predicted.amplitude)):
            axes.axhline(value, color="black", linestyle="--", linewidth=1, label="predicted with it")
    titles = ("the loss that is minimised", "the right loss, beyond its least", "‖Â − A‖ / ‖A‖", "error of the object")
    for axes, title in zip((minimised, loss, amplitude, object_), titles, strict=True):
        axes.set(xlabel="step", yscale="log")
        axes.set_title(title, fontsize="medium")
    figure.legend(*amplitude.get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False)


def _course(run: Run, field: str) -> tuple[list[int], list[float]]:
    return list(run.errors), [getattr(errors, field) for errors in run.errors.values()]


def _draw_objects(figure: SubFigure, effect: Effect) -> None:
    lit = np.clip(effect.light / (_DIM * effect.light.max()), 0, 1)
    shown = (("true", effect.truth), ("without it", effect.without.canvas), ("with it", effect.with_defect.canvas))
    panels = figure.subplots(1, 2 * len(shown))
    for axes, (title, canvas) in zip(panels[: len(shown)], shown, strict=True):
        axes.imshow(np.abs(canvas), cmap="gray", alpha=lit, vmin=0, vmax=np.abs(effect.truth).max())
        axes.set_title(f"modulus, {title}", fontsize="medium")
    for axes, (title, canvas) in zip(panels[len(shown) :], shown, strict=True):
        axes.imshow(np.angle(canvas), cmap="twilight", alpha=lit, vmin=-np.pi, vmax=np.pi)
        axes.set_title(f"phase, {title}", fontsize="medium")
    for axes in panels:
        axes.set_axis_off()


def _fall(run: Run) -> str:
    return f"{run.minimised[0]:.4g} → {run.minimised[-1]:.4g}"


def _cells(errors: Errors) -> list[str]:
    return [
        f"{errors.loss:.4g}",
        f"{errors.amplitude:.4f}",
        f"{errors.amplitude_rescaled:.4f}",
        f"{errors.photons:.5f}",
        *("" if np.isnan(error) else f"{error:.4f}" for error in (errors.object, errors.object_rescaled)),
    ]
