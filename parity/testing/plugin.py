"""The pytest plugin: the markers `parity` and `golden`, profiles, and a summary of every contract that was held.

A test asks for the fixture `parity` and calls `parity.hold(contract)`, or for `goldens` and calls
`goldens.replay(contract)`. Nothing is skipped: without a framework, or with goldens that are not whole, the session
ends with exit code 3. Nothing here rewrites a golden: a test run must not change what it is judged by.

Until a test asks, nothing of the harness is imported: pytest loads this module in every session of an environment that
has the package, whatever is tested there.
"""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from parity._ground.codes import NOT_CHECKED
from parity._ground.environment import in_ci, in_process
from parity.contracts.cases.profiles import PROFILES, Profile

if TYPE_CHECKING:
    from parity.judging.verdict import Verdict
    from parity.stacks.base import Framework
    from parity.testing.holding import Given, Harness
    from parity.testing.replaying import Goldens

OPTIONS = ("--parity-profile", "--parity-examples")

MOST_DIGITS = 6

VERDICTS: pytest.StashKey[list[Verdict]] = pytest.StashKey()

GIVEN: pytest.StashKey[Given] = pytest.StashKey()
"""Put there by another plugin, which has the stacks already."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Profile and number of examples."""
    group = parser.getgroup("parity")
    group.addoption(
        "--parity-profile",
        choices=list(PROFILES),
        help="Draw 20 cases of each contract, the same every time (ci), 10 new ones (dev), or 1000 new ones (nightly). "
        "Default: ci if the environment variable CI is true, else dev.",
    )
    group.addoption("--parity-examples", type=_count, metavar="N", help="Draw this many cases of each contract.")
    group.addoption(
        "--golden-stack",
        metavar="NAME",
        help="Replay goldens in this stack, or subject, alone; you need not install the others. Default: all.",
    )
    parser.addini("golden_fixtures", "The folder of the goldens.", default="fixtures/golden")


def _count(text: str) -> int:
    if not (text.isdecimal() and len(text) <= MOST_DIGITS):
        raise argparse.ArgumentTypeError(f"expected a whole number of at most {MOST_DIGITS} digits, got '{text}'")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "parity: holds contracts in both stacks (`pytest -m parity`)")
    config.addinivalue_line("markers", "golden: replays what was frozen, in one stack or in both (`pytest -m golden`)")
    config.stash[VERDICTS] = []


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which profile was chosen, where contracts are asked for: it decides what a pass means."""
    asked = "parity" in config.getoption("markexpr") or any(config.getoption(name) for name in OPTIONS)
    return f"parity: {_described(config)}" if asked else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """End the session where contracts are to be held, and what is accepted cannot be read or is none any more."""
    if not any(item.get_closest_marker("parity") for item in session.items):
        return
    from parity._ground.errors import UsageError
    from parity.contracts.declared import REGISTRY
    from parity.judging.divergences.faults import declared_faults
    from parity.judging.divergences.registry import registered

    try:
        faults = declared_faults(registered(), REGISTRY)
    except UsageError as error:
        raise pytest.UsageError(f"parity: {error}") from error
    if faults:
        pytest.exit("parity: " + "\n".join(faults), returncode=pytest.ExitCode.TESTS_FAILED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table of all contracts that were held, and the verdict in a line."""
    verdicts = config.stash[VERDICTS]
    if verdicts:
        from parity.report.terminal import plain, summary_line, verdict_table

        terminalreporter.section("parity")
        terminalreporter.write_line(plain(verdict_table(verdicts)))
        terminalreporter.write_line(f"{summary_line(verdicts)} ({_described(config)})")


@pytest.fixture(scope="session")
def parity(request: pytest.FixtureRequest) -> Iterator[Harness]:
    """Both stacks, ready to be held to contracts. Ends the session with exit code 3 where something is missing."""
    if importlib.util.find_spec("hypothesis") is None:
        pytest.exit("parity: hypothesis is not installed: pip install 'ptycho-parity[test]'", returncode=NOT_CHECKED)
    from parity.judging.run import Holder
    from parity.testing.holding import Given, Harness

    profile, verdicts = _profile(request.config), request.config.stash[VERDICTS]
    given = request.config.stash.get(GIVEN, None)
    if given:
        yield Harness(given, profile, verdicts)
        return
    with _engaged(()) as frameworks:
        yield Harness(Given(Holder(frameworks)), profile, verdicts)


@pytest.fixture(scope="session")
def goldens(request: pytest.FixtureRequest) -> Iterator[Goldens]:
    """The goldens, ready to be replayed. Ends the session with exit code 3 where one is damaged or a stack missing."""
    from parity.goldens.errors import GoldenError
    from parity.goldens.folder import GoldenSet
    from parity.goldens.freeze import MODE
    from parity.stacks import declared
    from parity.testing.replaying import Goldens

    alone: str | None = request.config.getoption("--golden-stack")
    with _engaged(() if alone is None else (alone,), None if declared() else MODE) as frameworks:
        try:
            stored = GoldenSet.read(request.config.rootpath / request.config.getini("golden_fixtures"))
        except GoldenError as error:
            pytest.exit(f"golden: {error}", returncode=NOT_CHECKED)
        yield Goldens(stored, frameworks, alone)


@contextmanager
def _engaged(names: tuple[str, ...], mode: str | None = None) -> Iterator[tuple[Framework, ...]]:
    """The stacks, for the length of the session, which ends with exit code 3 where one is missing."""
    from parity._ground.errors import CheckNotMade, UsageError
    from parity.stacks import engaged

    with ExitStack() as open_until_the_end:
        try:
            frameworks = open_until_the_end.enter_context(engaged(names, mode, in_process=in_process()))
            for framework in frameworks:
                framework.require()
        except UsageError as unknown:
            pytest.exit(f"parity: {unknown}", returncode=pytest.ExitCode.USAGE_ERROR)
        except CheckNotMade as missing:
            pytest.exit(f"parity: {missing}", returncode=NOT_CHECKED)
        yield frameworks


def _described(config: pytest.Config) -> str:
    return f"profile {_profile_name(config)}, {_profile(config).examples} drawn cases a contract besides its strata"


def _profile(config: pytest.Config) -> Profile:
    profile = PROFILES[_profile_name(config)]
    examples: int | None = config.getoption("--parity-examples")
    return profile if examples is None else replace(profile, examples=examples)


def _profile_name(config: pytest.Config) -> str:
    chosen: str | None = config.getoption("--parity-profile")
    return chosen or ("ci" if in_ci() else "dev")
