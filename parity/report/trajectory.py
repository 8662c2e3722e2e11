"""What fifty steps of training did: a table, and a picture for each precision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from parity.judging.trajectory import Separation
from parity.report.pictures import save
from parity.report.terminal import bare_table


def separation_table(separations: Iterable[Separation]) -> RenderableType:
    """How far the stacks drifted apart, and how far each drifts from itself."""
    table = bare_table()
    table.add_column("optimizer")
    table.add_column("precision")
    for heading in ("steps", "loss before", "loss after", "apart", "spread", "apart / spread"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for separation in separations:
        losses = next(iter(separation.trajectories.values())).losses
        table.add_row(
            separation.optimizer,
            separation.precision.real,
            str(len(losses)),
            f"{losses[0]:.6g}",
            f"{losses[-1]:.6g}",
            f"{separation.apart[-1]:.2e}",
            f"{separation.allowed[-1]:.2e}",
            f"{separation.ratio:.2f}",
            Text("agree", "green") if separation.agrees else Text("disagree", "bold red"),
        )
    legend = Text(
        "apart: distance of the stacks' weights after the last step. spread: that of trajectories of one stack that "
        "began one unit in the last place apart. apart / spread: the largest of all steps (≤ 1 agrees).",
        style="dim",
    )
    return Group(table, legend)


def draw_separations(folder: Path, separations: Sequence[Separation]) -> list[Path]:
    """One picture for all separations, PNG and SVG: losses above, distances below, a column a precision.

    Raises ModuleNotFoundError without matplotlib.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5 * len(separations), 7), layout="constrained")
    axes = figure.subplots(2, len(separations), squeeze=False, sharex=True)
    for (upper, lower), separation in zip(axes.T, separations, strict=True):
        for style, (stack, trajectory) in zip(("-", "--"), separation.trajectories.items(), strict=True):
            upper.plot(trajectory.losses, style, label=stack)
        upper.set(title=f"{separation.optimizer}, {separation.precision.real}", ylabel="loss", yscale="log")
        for style, (stack, spread) in zip((":", "-."), separation.spread.items(), strict=True):
            lower.plot(spread, style, color="grey", label=f"{stack} from itself, one ulp away")
        lower.fill_between(
            np.arange(len(separation.allowed)), separation.allowed, 0, color="grey", alpha=0.15, label="allowed"
        )
        lower.plot(separation.apart, color="C3", label="the stacks from each other")
        lower.set(xlabel="step", ylabel="‖difference of the weights‖₂", yscale="log", ylim=_limits(separation))
        upper.legend()
        lower.legend()
    return save(figure, folder, f"trajectory-{separations[0].optimizer}")


def _limits(separation: Separation) -> tuple[float | None, float | None]:
    """From below the smallest distance that is one to above all; what is not finite has no place in a picture."""
    distances = np.concatenate([separation.apart, separation.allowed])
    shown = distances[np.isfinite(distances) & (distances > 0)]
    return (float(shown.min()) / 3, 3 * float(shown.max())) if shown.size else (None, None)
