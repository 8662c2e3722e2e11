"""`pytest -m parity` as a user runs it, in this process: a warm session saves the start of both frameworks.

What decides nothing is left out: the explanation of a failure, which nobody reads, and pytest's own collection of
garbage. What the oracle says of a case is asked once, whatever has become of the stacks since.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest import mock

from parity._repository import ROOT
from parity.contracts.cases.case import Case
from parity.contracts.contract import Inputs
from parity.judging.examine import Clock, Truth, untimed
from parity.physics.precision import Precision
from parity.stacks.base import Framework

GOLDENS = ROOT / "fixtures" / "golden"

CONTRACTS = Path("tests/parity/contracts/test_contracts.py")
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
    options = ["-q", "-m", "parity", "--assert=plain", "-c", str(ROOT / "pyproject.toml")]
    left_out = [f"-pno:{plugin}" for plugin in ("cacheprovider", "unraisableexception")]
    with _in_silence(), _given(frameworks):
        code = int(pytest.main([*options, *left_out, *arguments, *nodes], plugins=[failures]))
    return BROKEN if failures.unforeseen else code


@contextlib.contextmanager
def _in_silence() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


@contextlib.contextmanager
def _given(frameworks: tuple[Framework, ...]) -> Iterator[None]:
    """Sessions of these frameworks, if there are any, without explanations, and with truths that are remembered."""
    with contextlib.ExitStack() as given:
        if frameworks:
            given.enter_context(mock.patch("parity.stacks.load", return_value=frameworks))
        given.enter_context(mock.patch("parity.testing.holding.diagnoses", return_value=()))
        given.enter_context(mock.patch("parity.judging.examine.Truth.of", _remembered))
        yield


@lru_cache(maxsize=256)
def _known(contract: str, case: str, precision: str) -> list[Truth]:
    """Room for the truth of a case in a precision, which no defect of a stack changes."""
    return []


def _remembered(case: Case, inputs: Inputs, precision: Precision, clock: Clock = untimed) -> Truth:
    room = _known(case.contract.name, case.name, precision.name)
    if not room:
        room.append(_asked(case, inputs, precision))
    return room[0]


_asked = Truth.of
