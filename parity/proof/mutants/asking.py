"""Asking pytest, in this process and within a time limit, whether tests fail."""

from __future__ import annotations

import contextlib
import io
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

PASSED, FAILED = 0, 1

_FAILURE = re.compile(r"^FAILED (?P<test>.+?)(?: - (?P<message>.*))?$", re.MULTILINE)


class Expired(KeyboardInterrupt):
    """The time is up: pytest takes it for an interruption, which no test can turn into a failure of its own."""


@dataclass(frozen=True, slots=True)
class SessionResult:
    """What pytest said: its exit code, the first test that failed, what it was told of it, and everything it printed.

    `in_time` is False where it was stopped, and then nothing else means anything.
    """

    code: int
    in_time: bool
    test: str
    message: str
    output: str


def ask(arguments: Sequence[str], files: Sequence[Path], limit: float) -> SessionResult:
    """Run pytest on these arguments; `files` are the test modules among them, which are imported anew.

    A test module of an earlier session may hold functions that have been replaced since.
    """
    _forget(files)
    printed = io.StringIO()
    code, in_time = -1, False
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            with _no_longer_than(limit) as has_expired:
                import pytest

                code = int(pytest.main([*_QUIETLY, *arguments]))
            in_time = not has_expired()
        except Expired:
            in_time = False
    output = printed.getvalue()
    failure = _FAILURE.search(output)
    test, message = (failure["test"], failure["message"] or "") if failure else ("", "")
    return SessionResult(code, in_time, test, message, output)


_QUIETLY = (
    *("-q", "-x", "--tb=short", "--capture=no"),
    *("-p", "no:cacheprovider", "-p", "no:faulthandler"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # the harness is not a test: its assertions may stay plain
)


def _forget(files: Sequence[Path]) -> None:
    known = {str(path.resolve()) for path in files}
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) in known:
            del sys.modules[name]


@contextlib.contextmanager
def _no_longer_than(seconds: float) -> Iterator[Callable[[], bool]]:
    """Raise Expired in the block when the time is up, and again every second after, should something swallow it."""
    expired = False

    def ring(signal_number: int, frame: FrameType | None) -> None:
        nonlocal expired
        expired = True
        raise Expired(f"{seconds:g} s are up")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield lambda: expired
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
