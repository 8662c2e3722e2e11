"""Asking pytest, in this process, whether tests fail."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from parity.proof.score.session import run_pytest

PASSED, FAILED = 0, 1

_FAILURE = re.compile(r"^FAILED (?P<test>.+?)(?: - (?P<message>.*))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Session:
    """A session of pytest: its arguments, and the test modules among them."""

    arguments: tuple[str, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class SessionResult:
    """What pytest said: its exit code, the first test that failed and its message, and everything that was printed."""

    code: int
    test: str
    message: str
    output: str


def ask(session: Session) -> SessionResult:
    """Run a session; its test modules are imported anew.

    A test module of an earlier session may hold functions that have been replaced since.
    """
    _forget(session.files)
    code, output = run_pytest([*_QUIETLY, *session.arguments])
    failure = _FAILURE.search(output)
    test, message = (failure["test"], failure["message"] or "") if failure else ("", "")
    return SessionResult(code, test, message, output)


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
