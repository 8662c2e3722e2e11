"""Pictures: whether matplotlib can draw them, and how they are written."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from typing import TYPE_CHECKING

from parity._ground.errors import CheckNotMade

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")


class MatplotlibMissing(CheckNotMade):
    """A command has to draw pictures, and matplotlib is not installed; the message says what to do."""


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def require_matplotlib(what: str) -> None:
    """Raise MatplotlibMissing before anything slow begins if matplotlib is missing; `what` names the pictures."""
    if not can_draw():
        raise MatplotlibMissing(
            f"matplotlib is not installed, so {what} cannot be drawn: pip install 'ptycho-parity[report]', "
            "or leave out --report"
        )


def save(figure: Figure, folder: Path, name: str, dpi: int = 120) -> list[Path]:
    """Write a figure as PNG and SVG, with the same bytes each time, and return the paths of both files.

    Raises OSError where `folder` cannot be made or written.
    """
    from matplotlib import rc_context

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{suffix}" for suffix in FORMATS]
    # The salt in place of a random one, of which the names in an SVG are made.
    with rc_context({"svg.hashsalt": name}):
        for path in paths:
            figure.savefig(path, dpi=dpi, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})
            figure.set_layout_engine("none")  # once laid out, as it is
    return paths


def png(figure: Figure, dpi: int = 120) -> bytes:
    """A figure as PNG, with the same bytes each time."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()
