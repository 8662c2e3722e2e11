"""How many of the mutants were found: of each file, what it computes and what it refuses counted apart."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from parity.proof.mutants.explained import explanation
from parity.proof.mutants.mutate import Mutant, MutantKind
from parity.proof.mutants.trial import MutantTrial, TrialOutcome
from ptycho_exposures.files import write_atomically

FORMAT = 1


@dataclass(frozen=True, slots=True)
class MutantScore:
    """Of the mutants of one kind: how many were killed, how many of those by an exception, how many not, and why not.

    `explained` are survivors that nothing can kill. Mutants that are no program are in none of these numbers.
    """

    mutants: int
    killed: int
    raised: int
    explained: int
    survived: int
    timed_out: int
    broken: int

    @property
    def share(self) -> float:
        """The share killed of those that can be; 1 where there are none."""
        possible = self.mutants - self.explained
        return self.killed / possible if possible else 1.0

    @classmethod
    def of(cls, trials: Iterable[MutantTrial]) -> MutantScore:
        valid = [trial for trial in trials if trial.outcome is not TrialOutcome.INVALID]
        outcomes = Counter(trial.outcome for trial in valid)
        explained = sum(is_explained(trial) for trial in valid)
        return cls(
            mutants=len(valid),
            killed=outcomes[TrialOutcome.KILLED],
            raised=sum(bool(trial.raised) for trial in valid),
            explained=explained,
            survived=outcomes[TrialOutcome.SURVIVED] - explained,
            timed_out=outcomes[TrialOutcome.TIMED_OUT],
            broken=outcomes[TrialOutcome.BROKEN],
        )


def is_explained(trial: MutantTrial) -> bool:
    """Whether a mutant survived for a reason that is known."""
    return trial.outcome is TrialOutcome.SURVIVED and bool(explanation(trial.mutant))


def was_missed(trial: MutantTrial) -> bool:
    """Whether a mutant was not killed and nobody knows why it cannot be."""
    return trial.outcome not in (TrialOutcome.KILLED, TrialOutcome.INVALID) and not is_explained(trial)


def scores(mutants: Sequence[Mutant], trials: Mapping[str, MutantTrial]) -> dict[tuple[MutantKind, str], MutantScore]:
    """The score of each kind in each file, `package/file.py`, and of each kind in all of them, under ''."""
    groups: dict[tuple[MutantKind, str], list[MutantTrial]] = {}
    for kind in MutantKind:
        of_kind = [mutant for mutant in mutants if mutant.kind is kind]
        for mutant in of_kind:
            groups.setdefault((kind, f"{mutant.package}/{mutant.module}.py"), []).append(trials[mutant.id])
        groups[kind, ""] = [trials[mutant.id] for mutant in of_kind]
    return {key: MutantScore.of(group) for key, group in groups.items()}


def write_trials(path: Path, mutants: Sequence[Mutant], trials: Mapping[str, MutantTrial]) -> None:
    """Write every mutant with what became of it as JSON, atomically. Raises OSError if the file cannot be written."""
    content = {
        "format": FORMAT,
        "mutants": [
            {"id": m.id, **asdict(m), **asdict(trials[m.id]), "explanation": explanation(m.id)} for m in mutants
        ],
    }
    write_atomically(path, json.dumps(content, ensure_ascii=False).encode())
