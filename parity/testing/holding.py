"""Holding contracts in a test session: the strata, then cases that Hypothesis draws and shrinks."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from parity.contracts.cases.case import Case, forced
from parity.contracts.cases.profiles import Profile
from parity.contracts.cases.strategies import cases
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.faults.diagnosis import diagnoses
from parity.judging.divergences.faults import measured_faults
from parity.judging.divergences.registry import accepted_in
from parity.judging.examine import examine
from parity.judging.measurement import Measurement
from parity.judging.verdict import Verdict, judge
from parity.physics.precision import PRECISIONS
from parity.report.messages import describe
from parity.stacks.base import Framework


def hypothesis_settings(profile: Profile, contract: Contract) -> settings:
    """Settings for one contract; what is drawn at random keeps its failures, each contract its own."""
    database = None if profile.derandomize else DirectoryBasedExampleDatabase(f".hypothesis/parity/{contract.name}")
    return settings(
        max_examples=contract.drawn(profile.examples),
        derandomize=profile.derandomize,
        database=database,
        deadline=None,  # the first call of a framework takes 300 times as long as the next
        phases=(Phase.reuse, Phase.generate, Phase.shrink),
        print_blob=False,
        report_multiple_bugs=False,
    )


class Disagreement(AssertionError):
    """A drawn case does not hold; its name is the message."""


class Harness:
    """Holds contracts, and remembers the verdicts for the summary."""

    def __init__(
        self,
        frameworks: tuple[Framework, ...],
        profile: Profile,
        verdicts: list[Verdict],
    ) -> None:
        self._frameworks = frameworks
        self._profile = profile
        self._verdicts = verdicts

    def hold(self, contract: Contract) -> None:
        """Try a contract on all its strata and on drawn cases, and fail the test if it does not hold.

        The strata are tried first, and all of them. Only if they hold are cases drawn; a failing draw is shrunk to the
        first stratum and the smallest seed that fail.
        """
        attempt = _Attempt(contract, self._frameworks)
        failing = attempt.on_strata()
        if failing is None and self._profile.examples:
            failing = attempt.on_draws(hypothesis_settings(self._profile, contract))
        verdict = judge(contract.name, attempt.measurements, contract.quota)
        self._verdicts.append(verdict)
        if not verdict.agrees:
            found = diagnoses(contract, self._frameworks, verdict.sides, attempt.measurements)
            pytest.fail(describe(contract, verdict, case=failing, diagnoses=found), pytrace=False)
        off = measured_faults(accepted_in([contract.name]), attempt.measurements, REGISTRY)
        if off:
            pytest.fail("\n".join(off), pytrace=False)


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
