"""What a preflight check comes to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Of one check; `NOTED` is information alone."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not checked"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what was found."""

    subject: str
    outcome: Outcome
    text: str


def gravest(findings: Iterable[Finding]) -> Outcome:
    """What all of it comes to: what could not be checked outweighs what failed, and that what passed."""
    outcomes = {finding.outcome for finding in findings}
    return next((one for one in (Outcome.NOT_CHECKED, Outcome.FAILED) if one in outcomes), Outcome.PASSED)
