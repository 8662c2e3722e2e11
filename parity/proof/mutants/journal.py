"""What became of mutants, a line of JSON each, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from parity._ground.text import text_if_any
from parity.proof.mutants.trial import MutantTrial, TrialOutcome


def append(path: Path, trial: MutantTrial) -> None:
    """Add a line. It is on the disk when this returns."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(trial), ensure_ascii=False) + "\n")


def read(path: Path) -> dict[str, MutantTrial]:
    """The last trial of each mutant in a journal; a line that was not finished is left out."""
    trials: dict[str, MutantTrial] = {}
    for line in (text_if_any(path) or "").splitlines():
        with suppress(KeyError, RecursionError, TypeError, ValueError):
            stored = json.loads(line)
            trials[stored["mutant"]] = MutantTrial(**{**stored, "outcome": TrialOutcome(stored["outcome"])})
    return trials
