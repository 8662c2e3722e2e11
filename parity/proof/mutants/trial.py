"""One mutant tried: made, asked about, unmade, and kept in a journal of a line of JSON each."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from parity._ground.text import text_if_any
from parity.proof.mutants.asking import FAILED, PASSED, Session, SessionResult, ask
from parity.proof.mutants.making import InvalidMutant, made
from parity.proof.mutants.mutate import Mutant

_RAISED = re.compile(r"\braised (\w+)")


class TrialOutcome(StrEnum):
    """What became of a mutant. Only a test that fails kills; what took too long or broke down was not noticed."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"
    BROKEN = "broken"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class MutantTrial:
    """What became of a mutant, by its id: which test killed it, what that said, and the seconds it took.

    `raised` names the exception if the mutant did not get as far as a wrong number.
    """

    mutant: str
    outcome: TrialOutcome
    seconds: float
    by: str = ""
    message: str = ""
    raised: str = ""


def try_mutant(mutant: Mutant, sessions: Iterable[Session]) -> MutantTrial:
    """Make a mutant and run session after session, until one says that something is wrong."""
    started = time.perf_counter()

    def trial(outcome: TrialOutcome, answer: SessionResult | None = None, message: str = "") -> MutantTrial:
        seconds = round(time.perf_counter() - started, 2)
        if answer is None:
            return MutantTrial(mutant.id, outcome, seconds, message=message)
        raised = _RAISED.search(answer.output) if outcome is TrialOutcome.KILLED else None
        told = answer.message if outcome is TrialOutcome.KILLED else answer.output[-500:]
        return MutantTrial(mutant.id, outcome, seconds, _short(answer.test), told, raised[1] if raised else "")

    try:
        with made(mutant):
            for session in sessions:
                answer = ask(session)
                if answer.code == FAILED and answer.test:
                    return trial(TrialOutcome.KILLED, answer)
                if answer.code != PASSED:
                    return trial(TrialOutcome.BROKEN, answer)
    except InvalidMutant as error:
        return trial(TrialOutcome.INVALID, message=str(error))
    return trial(TrialOutcome.SURVIVED)


def _short(test: str) -> str:
    """The contract of a test of one, or the test's own name."""
    name = test.partition("::")[2]
    return name.partition("[")[2].removesuffix("]") if name.startswith("test_both_stacks_hold") else name


def append_trial(path: Path, trial: MutantTrial) -> None:
    """Add a line to a journal, which a run that was stopped goes on from. It is on the disk when this returns."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(trial), ensure_ascii=False) + "\n")


def read_trials(path: Path) -> dict[str, MutantTrial]:
    """The last trial of each mutant in a journal; a line that was not finished is left out."""
    trials: dict[str, MutantTrial] = {}
    for line in (text_if_any(path) or "").splitlines():
        with suppress(KeyError, RecursionError, TypeError, ValueError):
            stored = json.loads(line)
            trials[stored["mutant"]] = MutantTrial(**{**stored, "outcome": TrialOutcome(stored["outcome"])})
    return trials
