"""`pytest -m parity` as a user runs it, in this process: a warm session saves the start of both frameworks.

What decides nothing is left out: the explanation of a failure, which nobody reads, and pytest's own collection of
garbage. What the oracle says of a case is asked once, whatever has become of the stacks since.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parity._ground.codes import NOT_CHECKED
from parity._ground.repository import ROOT
from parity.contracts.cases.case import Case
from parity.contracts.contract import Inputs
from parity.judging.run import Holder
from parity.judging.truth import Clock, Truth, untimed
from parity.physics.precision import Precision
from parity.stacks import load
from parity.stacks.base import Framework

if TYPE_CHECKING:
    import pytest

    from parity.testing.holding import Given

GOLDENS = ROOT / "fixtures" / "golden"

CONTRACTS = Path("tests/parity/contracts/test_contracts.py")
TEST = "test_both_stacks_hold_the_contract"


class _Plugin:
    """Hands a session what it holds contracts with; tells a contract that does not hold from a test that raised."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self.unforeseen = False

    def pytest_configure(self, config: pytest.Config) -> None:
        from parity.testing.plugin import GIVEN

        config.stash[GIVEN] = self._given

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
    `frameworks`, with the traces that they hold, or others where none are given.
    """
    from parity.testing.holding import Given

    nodes = [f"{ROOT / CONTRACTS}::{TEST}[{name}]" for name in contracts]
    plugin = _Plugin(Given(Holder(frameworks or load(), expect=_remembered), explains=False))
    # Plain assertions: those of modules that are imported already cannot be rewritten, and pytest warns of each.
    options = ["-q", "-m", "parity", "--assert=plain", "-c", str(ROOT / "pyproject.toml")]
    left_out = [f"-pno:{plugin}" for plugin in ("cacheprovider", "unraisableexception")]
    code, _ = run_pytest([*options, *left_out, *arguments, *nodes], plugin)
    return NOT_CHECKED if plugin.unforeseen else code


def run_pytest(arguments: Sequence[str], *plugins: object) -> tuple[int, str]:
    """A session of pytest in this process: its exit code, and everything that was printed."""
    import pytest

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        code = int(pytest.main([*arguments], plugins=plugins))
    return code, printed.getvalue()


@lru_cache(maxsize=256)
def _known(contract: str, case: str, precision: str) -> list[Truth]:
    """Room for the truth of a case in a precision, which no defect of a stack changes."""
    return []


def _remembered(case: Case, inputs: Inputs, precision: Precision, clock: Clock = untimed) -> Truth:
    room = _known(case.contract.name, case.name, precision.name)
    if not room:
        room.append(Truth.of(case, inputs, precision))
    return room[0]
