"""Holding contracts in a test session: the strata, then cases that Hypothesis draws and shrinks."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import Phase, given, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from parity._ground.errors import CheckNotMade
from parity.contracts.cases.case import Case, forced
from parity.contracts.cases.domain import shared
from parity.contracts.cases.profiles import Profile
from parity.contracts.cases.strategies import cases
from parity.contracts.contract import Contract
from parity.contracts.registry import Registry
from parity.judging.divergences.faults import measured_faults
from parity.judging.divergences.registry import accepted_in
from parity.judging.run import Attempt, Holder, judged
from parity.judging.verdict import Verdict
from parity.report.gathering import gather
from parity.runs.baseline import BASELINE, changes_in


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


@dataclass(frozen=True, slots=True)
class Given:
    """What a session is handed by whoever starts it in its own process, instead of making it.

    Without `explains` the message of a failure says nothing of its cause, which takes a search.
    """

    holder: Holder
    explains: bool = True


class Harness:
    """Holds contracts, and remembers the verdicts for the summary."""

    def __init__(self, given: Given, profile: Profile, verdicts: list[Verdict]) -> None:
        self._given = given
        self._profile = profile
        self._verdicts = verdicts

    def hold(self, contract: Contract) -> None:
        """Try a contract on all its strata and on drawn cases, and fail the test if it does not hold.

        A disagreement that is as the baseline has it is an expected failure.

        The strata are tried first, and all of them. Only if they hold are cases drawn; a failing draw is shrunk to the
        first stratum and the smallest seed that fail.
        """
        holder = self._given.holder
        if not any(framework.binds(contract) for framework in holder.frameworks):
            pytest.skip(f"not bound: no stack binds {contract.name}")
        contract, _ = shared([framework.domain for framework in holder.frameworks]).restricted(contract)
        attempt = Attempt(contract, holder)
        try:
            failing = attempt.try_all(forced(contract))[:1]
            if not failing and self._profile.examples:
                failing = _failing_draw(attempt, contract, hypothesis_settings(self._profile, contract))
            run = judged(attempt.end())
        except CheckNotMade as error:
            pytest.fail(f"not checked: {error}", pytrace=False)
        self._verdicts.append(run.verdict)
        if not run.verdict.agrees:
            explained = holder.frameworks if self._given.explains else ()
            held = gather(run, contract, explained, in_depth=False, case=next(iter(failing), None))
            changes = changes_in(held, [framework.name for framework in holder.frameworks])
            if changes == []:
                pytest.xfail(f"known: {contract.name} disagrees as frozen in {BASELINE}")
            pytest.fail("\n".join([*(changes or ()), held.message]), pytrace=False)
        entries = accepted_in([contract.name])
        off = measured_faults(entries, run.measurements, Registry([contract]), run.omissions)
        if off:
            pytest.fail("\n".join(off), pytrace=False)


def _failing_draw(attempt: Attempt, contract: Contract, settings: settings) -> list[str]:
    """Try drawn cases until one fails; the name of what it shrinks to, if any does."""

    def holds(case: Case) -> None:
        if not attempt.holds(case, with_facts=False):
            raise Disagreement(case.name)

    try:
        settings(given(case=cases(contract))(holds))()
    except Disagreement as disagreement:
        return [str(disagreement)]
    return []
