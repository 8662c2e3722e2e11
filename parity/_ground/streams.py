"""The standard streams, whatever whoever calls has made of them: closed, full, unread, or unable to say "×".

What a stream cannot say is written in ASCII, as `\\xd7`. What nobody reads any more, as behind `| head -1`, is dropped:
the command goes on to its verdict, which its exit code tells. A standard output that cannot be written to is an error.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import IO, Any

from parity._ground.errors import CheckNotMade

ESCAPED = "backslashreplace"
"""How what an encoding lacks is written, and what is no text at all, such as a path that is not UTF-8."""


class _Written(io.RawIOBase):
    """A file that is written to by its number, as long as somebody reads it; `drops` all that cannot be written."""

    def __init__(self, number: int, drops: bool) -> None:
        self._number, self._drops = number, drops

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        try:
            return os.write(self._number, content)
        except BrokenPipeError:
            return len(content)
        except OSError as error:
            if self._drops:
                return len(content)
            raise _unwritten(self._number, error) from None


def fill_closed() -> None:
    """Open the standard files that are closed, lest what is opened next be taken for one of them.

    Raises CheckNotMade where the output was closed: nothing could be told.
    """
    closed = [number for number in range(3) if not _is_open(number)]
    for number in closed:
        found = os.open(os.devnull, os.O_RDWR)
        if found != number:  # pragma: no cover  # the lowest number that is free
            os.dup2(found, number)
        os.set_inheritable(number, True)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # for good
    sys.stderr = sys.stderr or _text(2, "utf-8", drops=True)
    if 1 in closed:
        sys.stdout = _text(1, "utf-8", drops=True)
        raise CheckNotMade("the standard output is closed: expected one to print to, such as >/dev/null")


def adopt() -> None:
    """Have the standard output and error write as is said above.

    What anybody else writes to the file of the standard output, such as a stack that shares this process, goes to the
    standard error.
    """
    own = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = _text(own, sys.stdout.encoding, drops=False)
    sys.stderr = _text(2, sys.stderr.encoding, drops=True)


def output() -> int | None:
    """The file for a process whose output is that of the command; None where it inherits the right one."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.fileno() if isinstance(raw, _Written) else None


def flush() -> None:
    """Write what is left to be written. Raises CheckNotMade where it cannot be."""
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    try:
        sys.stdout.flush()
    except OSError as error:
        raise _unwritten(sys.stdout.fileno(), error) from None


def _unwritten(number: int, error: OSError) -> CheckNotMade:
    """What is said once; what is left to be written goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    return CheckNotMade(f"the output cannot be written: {error.strerror or error}")


def _text(number: int, encoding: str, drops: bool) -> IO[str]:
    binary = io.BufferedWriter(_Written(number, drops))
    return io.TextIOWrapper(binary, encoding, ESCAPED, line_buffering=drops or os.isatty(number))


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
