"""What a training and its reconstruction look like. Matplotlib is imported here alone."""

import io
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from ptycho_torch.metrics import FRC_THRESHOLD, Complex, phases, ring_correlation

PICTURES: Final = ("reconstruction.png", "frc.png", "losses.png")
"""The files of a training's pictures."""


def draw_all(found: Complex, truth: Complex, history: Sequence[Mapping[str, float]]) -> Mapping[str, bytes]:
    """The pictures as PNG, by file name: an object, aligned, beside the true one, ring correlations, and losses."""
    figures = (reconstruction(found, truth), correlations(found, truth), losses(history))
    return {name: _png(figure) for name, figure in zip(PICTURES, figures, strict=True)}


def reconstruction(found: Complex, truth: Complex) -> Figure:
    """Amplitude and phase, true and found, in one scale of colours, and how far they are apart."""
    figure = Figure(figsize=(10, 6), layout="constrained")
    rows = (
        ("amplitude", (np.abs(found), np.abs(truth)), "gray"),
        ("phase, rad", phases(found, truth), "viridis"),
    )
    for row, (name, (made, true), colours) in zip(figure.subplots(2, 3), rows, strict=True):
        error = made - true
        most = float(np.abs(error).max()) or 1.0
        low, high = float(true.min()), float(true.max())
        for axes, title, image, low_, high_, map_ in (
            (row[0], f"{name}: truth", true, low, high, colours),
            (row[1], "reconstruction", made, low, high, colours),
            (row[2], "reconstruction − truth", error, -most, most, "RdBu_r"),
        ):
            shown = axes.imshow(image, cmap=map_, vmin=low_, vmax=high_, interpolation="nearest")
            axes.set(title=title, xticks=[], yticks=[])
            figure.colorbar(shown, ax=axes, shrink=0.8)
    return figure


def correlations(found: Complex, truth: Complex) -> Figure:
    """The Fourier ring correlation of amplitude and phase."""
    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.subplots()
    for name, images in (("amplitude", (np.abs(found), np.abs(truth))), ("phase", phases(found, truth))):
        rings = ring_correlation(*images)
        axes.plot(rings["frequency"], rings["correlation"], label=name)
    axes.axhline(FRC_THRESHOLD, color="gray", linewidth=0.8)
    axes.set(xlabel="spatial frequency / Nyquist's", ylabel="ring correlation", xlim=(0, 1), ylim=(-0.2, 1.05))
    axes.legend()
    return figure


def losses(history: Sequence[Mapping[str, float]]) -> Figure:
    """The mean losses of each epoch."""
    figure = Figure(figsize=(8, 3.5), layout="constrained")
    epochs = range(1, len(history) + 1)
    for axes, name, unit in zip(figure.subplots(1, 2), ("mae", "nll"), ("√photons", "nats a pixel"), strict=True):
        axes.plot(epochs, [epoch[name] for epoch in history], marker=".")
        axes.set(xlabel="epoch", ylabel=f"{name}, {unit}", yscale="log")
    return figure


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()
