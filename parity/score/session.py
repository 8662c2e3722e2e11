"""`pytest -m parity` as a user runs it, in this process: a warm session saves the start of both frameworks."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from parity.frameworks.base import Framework

ROOT = Path(__file__).resolve().parents[2]
"""The checkout, whose tests are run."""

GOLDENS = ROOT / "fixtures" / "golden"

CONTRACTS = Path("tests/parity/test_contracts.py")
TEST = "test_both_stacks_hold_the_contract"

HELD, NOT_HELD, BROKEN = 0, 1, 3
"""The exit codes of pytest that say something of the contracts, and one of those that say nothing was checked."""


class _Failures:
    """A plugin that tells a contract that does not hold from a test that raised something else."""

    def __init__(self) -> None:
        self.unforeseen = False

    def pytest_exception_interact(self, call: Any) -> None:
        import pytest

        self.unforeseen |= call.excinfo is None or call.excinfo.type is not pytest.fail.Exception


def held_by_pytest(
    contracts: Iterable[str],
    arguments: Sequence[str] = ("--parity-profile", "ci"),
    frameworks: tuple[Framework, ...] = (),
) -> int:
    """The exit code of `pytest -m parity` on these contracts alone, by name; what it prints is dropped.

    1 is a contract that does not hold, and nothing else: where a test raises, the code is 3. The session has
    `frameworks`, with the traces that they hold, or its own where none are given.
    """
    import pytest

    nodes = [f"{ROOT / CONTRACTS}::{TEST}[{name}]" for name in contracts]
    failures = _Failures()
    # Plain assertions: those of modules that are imported already cannot be rewritten, and pytest warns of each.
    options = ["-q", "-m", "parity", "--assert=plain", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    given = mock.patch("parity.frameworks.load", return_value=frameworks) if frameworks else contextlib.nullcontext()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), given:
        code = int(pytest.main([*options, *arguments, *nodes], plugins=[failures]))
    return BROKEN if failures.unforeseen else code
