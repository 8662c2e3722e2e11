"""What a preflight check comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PreflightOutcome(StrEnum):
    """Of one check; `NOTED` is information alone."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not checked"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class PreflightFinding:
    """One thing that was looked at, and what was found."""

    subject: str
    outcome: PreflightOutcome
    text: str
