"""What became of mutants, a line of JSON each, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from parity.proof.mutants.trial import MutantTrial, TrialOutcome


def append(path: Path, trial: MutantTrial) -> None:
    """Add a line. It is on the disk when this returns."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(trial), ensure_ascii=False) + "\n")


def read(path: Path) -> dict[str, MutantTrial]:
    """The last trial of each mutant in a journal; a line that was not finished is left out."""
    trials: dict[str, MutantTrial] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            stored = json.loads(line)
        except ValueError:
            continue
        trials[stored["mutant"]] = MutantTrial(**{**stored, "outcome": TrialOutcome(stored["outcome"])})
    return trials
