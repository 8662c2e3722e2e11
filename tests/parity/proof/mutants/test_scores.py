import json

import pytest

from parity.proof.mutants import explained
from parity.proof.mutants.mutate import MutantKind, mutants_of
from parity.proof.mutants.scores import MutantScore, scores, was_missed, write_trials
from parity.proof.mutants.trial import MutantTrial, TrialOutcome

OUTCOMES = (
    TrialOutcome.KILLED,
    TrialOutcome.SURVIVED,
    TrialOutcome.TIMED_OUT,
    TrialOutcome.BROKEN,
    TrialOutcome.INVALID,
)


@pytest.fixture
def mutants():
    return mutants_of("p", "m", "def f(x):\n    checks.require_real('x', x)\n    return x * 2 + 1\n")


@pytest.fixture
def trials(mutants):
    return {mutant.id: MutantTrial(mutant.id, TrialOutcome.KILLED, 1.0) for mutant in mutants}


def test_only_what_was_killed_counts_as_found():
    score = MutantScore.of(MutantTrial(str(number), outcome, 1.0) for number, outcome in enumerate(OUTCOMES))
    assert (score.mutants, score.killed, score.survived, score.timed_out, score.broken) == (4, 1, 1, 1, 1)
    assert score.share == 1 / 4


def test_what_changes_nothing_is_left_out_of_the_share(monkeypatch):
    monkeypatch.setattr(explained, "EXPLAINED", {"x + 0 is x": ("equal",)})
    equal, killed = MutantTrial("equal", TrialOutcome.SURVIVED, 1.0), MutantTrial("other", TrialOutcome.KILLED, 1.0)
    assert MutantScore.of((equal, killed)).share == 1
    assert not was_missed(equal)


def test_what_is_said_to_change_nothing_and_still_runs_out_of_time_was_missed(monkeypatch):
    monkeypatch.setattr(explained, "EXPLAINED", {"x + 0 is x": ("equal",)})
    assert was_missed(MutantTrial("equal", TrialOutcome.TIMED_OUT, 1.0))


def test_what_computes_and_what_refuses_are_counted_apart(mutants, trials):
    found = scores(mutants, trials)
    border = [mutant for mutant in mutants if mutant.kind is MutantKind.BORDER]
    assert found[MutantKind.BORDER, "p/m.py"].mutants == found[MutantKind.BORDER, ""].mutants == len(border) == 1
    assert found[MutantKind.MATHEMATICS, ""].mutants == len(mutants) - 1


def test_the_report_has_every_mutant_with_what_became_of_it(tmp_path, mutants, trials):
    write_trials(tmp_path / "mutants.json", mutants, trials)
    stored = json.loads((tmp_path / "mutants.json").read_text())["mutants"]
    assert [entry["id"] for entry in stored] == [mutant.id for mutant in mutants]
    assert {entry["outcome"] for entry in stored} == {"killed"}
