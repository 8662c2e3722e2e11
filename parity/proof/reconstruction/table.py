"""What a defect does to a reconstruction and to the training of a network: tables, and pictures of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.text import Text

from parity.proof.reconstruction import Effect, Errors, Run
from parity.proof.reconstruction.training import Trained, TrainingEffect
from parity.report.pictures import save
from parity.report.terminal import bare_table

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure

    from ptycho_torch.metrics import Metrics

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
        table.add_row("  without it", _fall(effect.without.minimised), *_cells(effect.without.end))
        table.add_row("  with it", _fall(effect.with_defect.minimised), *_cells(effect.with_defect.end))
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


def _fall(losses: Sequence[float] | NDArray[np.float64]) -> str:
    return f"{losses[0]:.4g} → {losses[-1]:.4g}"


def _cells(errors: Errors) -> list[str]:
    return [
        f"{errors.loss:.4g}",
        f"{errors.amplitude:.4f}",
        f"{errors.amplitude_rescaled:.4f}",
        f"{errors.photons:.5f}",
        *("" if np.isnan(error) else f"{error:.4f}" for error in (errors.object, errors.object_rescaled)),
    ]


def training_table(effects: Iterable[TrainingEffect]) -> RenderableType:
    """Losses and metrics without each defect and with it, and those of a constant object."""
    table = bare_table("", "minimised", numbers=("amplitude", "SSIM", "rescaled", "SSIM", "phase", "SSIM"))
    for effect in effects:
        table.add_row(Text(effect.defect.full_name, "bold"))
        for label, _, run in _runs(effect):
            table.add_row(
                f"  {label}",
                _fall([epoch["loss"] for epoch in run.history]),
                *_training_cells(run.metrics, run.rescaled_metrics),
            )
        if effect.with_defect is None:
            table.add_row("  with it", "none trained")
        table.add_row("  constant object", "", *_training_cells(effect.constant, effect.constant))
    legend = Text(
        "minimised: the mean loss as the stack has it, of the first epoch and of the last. amplitude: its mean "
        "absolute error; phase: the same, in radians, up to one that all pixels share. SSIM: structural similarity, at "
        "most 1. rescaled: of the amplitude at the best common factor. constant object: the best one, which a network "
        "should beat.",
        style="dim",
    )
    return Group(table, legend)


def draw_training(folder: Path, effects: Sequence[TrainingEffect], name: str = "training") -> list[Path]:
    """One picture for all effects, PNG and SVG: of each the losses, and the objects, also at their best factor.

    Raises ModuleNotFoundError without matplotlib, OSError where `folder` cannot be made or written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.9 * len(effects)), layout="constrained")
    rows = figure.subfigures(len(effects), 1, squeeze=False)[:, 0]
    for effect, row in zip(effects, rows, strict=True):
        row.suptitle(f"{effect.defect.full_name} in torch", fontweight="bold")
        curves, objects = row.subfigures(1, 2, width_ratios=(1, 3))
        _draw_losses(curves, effect)
        _draw_trained_objects(objects, effect)
    return save(figure, folder, name)


def _draw_losses(figure: SubFigure, effect: TrainingEffect) -> None:
    axes = figure.subplots()
    for label, color, run in _runs(effect):
        losses = [epoch["loss"] for epoch in run.history]
        axes.plot(range(1, len(losses) + 1), losses, ".-", color=color, label=label)
    axes.set(xlabel="epoch", yscale="log")
    axes.set_title("the loss that is minimised", fontsize="medium")
    axes.legend(frameon=False)


def _draw_trained_objects(figure: SubFigure, effect: TrainingEffect) -> None:
    shown = {"true": effect.truth, "without it": effect.without.object}
    if wrong := effect.with_defect:
        shown |= {"with it": wrong.object, "with it, at the best factor": wrong.rescaled}
    panels = figure.subplots(2, len(shown))
    for column, (title, image) in zip(panels.T, shown.items(), strict=True):
        column[0].imshow(np.abs(image), cmap="gray", vmin=0, vmax=np.abs(effect.truth).max())
        column[1].imshow(np.angle(image), cmap="twilight", vmin=-np.pi, vmax=np.pi)
        column[0].set_title(title, fontsize="medium")
    for axes, part in zip(panels[:, 0], ("modulus", "phase"), strict=True):
        axes.set_ylabel(part)
    for axes in panels.flat:
        axes.set(xticks=[], yticks=[])


def _runs(effect: TrainingEffect) -> Iterator[tuple[str, str, Trained]]:
    """Label, colour and outcome of the networks that were trained."""
    yield "without it", _RIGHT, effect.without
    if effect.with_defect:
        yield "with it", _WRONG, effect.with_defect


def _training_cells(metrics: Metrics, rescaled: Metrics) -> list[str]:
    images = (metrics.amplitude, rescaled.amplitude, metrics.phase)
    return [cell for image in images for cell in (f"{image.mae:.4f}", f"{image.ssim:.3f}")]
