"""What is said of goldens that cannot be used."""

from __future__ import annotations

from parity._ground.errors import CheckNotMade
from ptycho_exposures.checks import printable


class GoldenError(CheckNotMade, ValueError):
    """Goldens that cannot be used; the message names the file, what was expected and what came, and can be printed."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def first_line(error: Exception) -> str:
    """An error as a clause of a message of one line."""
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
