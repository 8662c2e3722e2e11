"""The pytest plugin: the marker `parity`, profiles, and a summary of every contract that was held.

A test asks for the fixture `parity` and calls `parity.hold(contract)`. Nothing is skipped: without a framework the
session ends with exit code 3.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest
from hypothesis import Phase, given, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from parity.cases import Case, forced
from parity.contract import Contract
from parity.examination import examine
from parity.frameworks import load
from parity.frameworks.base import Framework, FrameworkMissing
from parity.frameworks.tensorflow import prepare_environment
from parity.judge import Verdict, judge
from parity.measure import Measurement
from parity.precision import PRECISIONS
from parity.report.messages import describe
from parity.report.terminal import plain, summary_line, verdict_table
from parity.strategies import cases

NOT_CHECKED = 3


@dataclass(frozen=True, slots=True)
class Profile:
    """How many cases of a contract are drawn besides its strata, and whether always the same ones."""

    examples: int
    derandomize: bool

    def settings(self, contract: Contract, examples: int | None) -> settings:
        """Hypothesis settings for one contract; what is drawn at random keeps its failures, each contract its own."""
        database = None if self.derandomize else DirectoryBasedExampleDatabase(f".hypothesis/parity/{contract.name}")
        return settings(
            max_examples=examples or self.examples,
            derandomize=self.derandomize,
            database=database,
            deadline=None,  # the first call of a framework takes 300 times as long as the next
            phases=(Phase.reuse, Phase.generate, Phase.shrink),
            print_blob=False,
            report_multiple_bugs=False,
        )


PROFILES = {
    "ci": Profile(30, derandomize=True),
    "dev": Profile(10, derandomize=False),
    "nightly": Profile(1000, derandomize=False),
}

VERDICTS = pytest.StashKey[list[Verdict]]()


class Disagreement(AssertionError):
    """A drawn case does not hold; its name is the message."""


class Harness:
    """Holds contracts, and remembers the verdicts for the summary."""

    def __init__(
        self,
        frameworks: tuple[Framework, ...],
        profile: Profile,
        examples: int | None,
        verdicts: list[Verdict],
    ) -> None:
        self._frameworks = frameworks
        self._profile = profile
        self._examples = examples
        self._verdicts = verdicts

    def hold(self, contract: Contract) -> None:
        """Try a contract on all its strata and on drawn cases, and fail the test if it does not hold.

        The strata are tried first, and all of them. Only if they hold are cases drawn; a failing draw is shrunk to the
        first stratum and the smallest seed that fail.
        """
        attempt = _Attempt(contract, self._frameworks)
        failing = attempt.on_strata() or attempt.on_draws(self._profile.settings(contract, self._examples))
        verdict = judge(contract.name, attempt.measurements, contract.quota)
        self._verdicts.append(verdict)
        if not verdict.agrees:
            pytest.fail(describe(contract, verdict, case=failing), pytrace=False)


class _Attempt:
    """One contract being tried; keeps the measurements of every case, failing or not."""

    def __init__(self, contract: Contract, frameworks: tuple[Framework, ...]) -> None:
        self._contract = contract
        self._frameworks = frameworks
        self._found: dict[str, list[Measurement]] = {}

    @property
    def measurements(self) -> list[Measurement]:
        return [measurement for found in self._found.values() for measurement in found]

    def on_strata(self) -> str | None:
        """Try the first case of every stratum, with the facts; the name of the first that fails."""
        failing = [case.name for case in forced(self._contract) if not self._holds(case, with_facts=True)]
        return failing[0] if failing else None

    def on_draws(self, settings: settings) -> str | None:
        """Try drawn cases until one fails; the name of what it shrinks to."""

        def holds(case: Case) -> None:
            if not self._holds(case, with_facts=False):
                raise Disagreement(case.name)

        try:
            settings(given(case=cases(self._contract))(holds))()
        except Disagreement as disagreement:
            return str(disagreement)
        return None

    def _holds(self, case: Case, with_facts: bool) -> bool:
        found = examine(case, self._frameworks, tuple(PRECISIONS.values()), with_facts)
        self._found[case.name] = found
        return all(measurement.agrees for measurement in found)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Profile and number of examples."""
    group = parser.getgroup("parity")
    group.addoption(
        "--parity-profile",
        choices=list(PROFILES),
        help="ci: the same 30 cases a contract every time; dev: 10 new ones; nightly: 1000 new ones. "
        "Default: ci where the environment variable CI is true, else dev.",
    )
    group.addoption("--parity-examples", type=int, metavar="N", help="Cases a contract besides its strata.")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and prepare TensorFlow's environment before a test module imports it."""
    prepare_environment()
    config.addinivalue_line("markers", "parity: holds contracts in both stacks (`pytest -m parity`)")
    config.stash[VERDICTS] = []


def pytest_report_header(config: pytest.Config) -> str:
    """Say which profile was chosen: it decides what a pass means."""
    name = _profile_name(config)
    examples = config.getoption("--parity-examples") or PROFILES[name].examples
    return f"parity: profile {name}, {examples} drawn cases a contract besides its strata"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table of all contracts that were held, and the verdict in a line."""
    verdicts = config.stash[VERDICTS]
    if verdicts:
        terminalreporter.section("parity")
        terminalreporter.write_line(plain(verdict_table(verdicts)))
        terminalreporter.write_line(summary_line(verdicts))


@pytest.fixture(scope="session")
def parity(request: pytest.FixtureRequest) -> Harness:
    """Both stacks, ready to be held to contracts. Ends the session with exit code 3 where a framework is missing."""
    config = request.config
    try:
        frameworks = load()
    except FrameworkMissing as missing:
        pytest.exit(f"parity: {missing}", returncode=NOT_CHECKED)
    profile = PROFILES[_profile_name(config)]
    return Harness(frameworks, profile, config.getoption("--parity-examples"), config.stash[VERDICTS])


def _profile_name(config: pytest.Config) -> str:
    chosen = config.getoption("--parity-profile")
    return chosen or ("ci" if os.environ.get("CI", "").lower() in ("1", "true") else "dev")
