"""Text files that a user names or keeps beside the sources."""

from __future__ import annotations

from errno import ENOENT, ENOTDIR
from pathlib import Path

from parity._ground.errors import UsageError
from ptycho_exposures.checks import printable
from ptycho_exposures.opening import NoRegularFile, read_whole

LONGEST = 2**22
"""Bytes of a text: reading as much TOML takes some seconds."""


def read_text(file: Path, kind: str = "text") -> str:
    """What a text file holds. Raises UsageError where there is no such file, and as `text_if_any`."""
    written = text_if_any(file, kind)
    if written is None:
        raise UsageError(f"{printable(str(file))}: expected a file that can be read, got: no such file")
    return written


def text_if_any(file: Path, kind: str = "text") -> str | None:
    """The same; None where there is no such file.

    Raises UsageError for what is no regular file, too large, or in another encoding than UTF-8.
    """
    try:
        return read_whole(file, most=LONGEST).decode()
    except NoRegularFile as error:
        if error.errno in (ENOENT, ENOTDIR) and not file.is_symlink():
            return None
        raise UsageError(f"{printable(str(file))}: expected a file that can be read, got: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{printable(str(file))}: expected {kind} in UTF-8, got another byte in line {line}"
        ) from error
