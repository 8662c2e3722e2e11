"""What a defect does to the training of a network: a table, and a picture of losses and objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from parity.proof.reconstruction.training import Trained, TrainingEffect
from parity.report.pictures import save
from parity.report.terminal import bare_table

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure

    from ptycho_torch.metrics import Metrics


def training_table(effects: Iterable[TrainingEffect]) -> RenderableType:
    """Losses and metrics without each defect and with it, and those of a constant object."""
    table = bare_table("", "minimised", numbers=("amplitude", "SSIM", "rescaled", "SSIM", "phase", "SSIM"))
    for effect in effects:
        table.add_row(Text(effect.defect.full_name, "bold"))
        for label, _, run in _runs(effect):
            table.add_row(f"  {label}", _fall(run), *_cells(run.metrics, run.rescaled_metrics))
        if effect.with_defect is None:
            table.add_row("  with it", "none trained")
        table.add_row("  constant object", "", *_cells(effect.constant, effect.constant))
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
        _draw_objects(objects, effect)
    return save(figure, folder, name)


def _draw_losses(figure: SubFigure, effect: TrainingEffect) -> None:
    axes = figure.subplots()
    for label, color, run in _runs(effect):
        losses = [epoch["loss"] for epoch in run.history]
        axes.plot(range(1, len(losses) + 1), losses, ".-", color=color, label=label)
    axes.set(xlabel="epoch", yscale="log")
    axes.set_title("the loss that is minimised", fontsize="medium")
    axes.legend(frameon=False)


def _draw_objects(figure: SubFigure, effect: TrainingEffect) -> None:
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
    yield "without it", "C0", effect.without
    if effect.with_defect:
        yield "with it", "C3", effect.with_defect


def _fall(run: Trained) -> str:
    first, last = run.history[0]["loss"], run.history[-1]["loss"]
    return f"{first:.4g} → {last:.4g}"


def _cells(metrics: Metrics, rescaled: Metrics) -> list[str]:
    images = (metrics.amplitude, rescaled.amplitude, metrics.phase)
    return [cell for image in images for cell in (f"{image.mae:.4f}", f"{image.ssim:.3f}")]
