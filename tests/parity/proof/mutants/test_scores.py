"""What became of mutants: kept in a journal, counted, explained and reported."""

import json
from collections import Counter

from parity.contracts.mirror import ROOT
from parity.proof.mutants import explained
from parity.proof.mutants.explained import EXPLAINED
from parity.proof.mutants.mutate import MutantKind, mutants_of
from parity.proof.mutants.questions import FILES
from parity.proof.mutants.scores import MutantScore, scores, was_missed, write_trials
from parity.proof.mutants.trial import MutantTrial, TrialOutcome, append_trial, read_trials

KILLED = MutantTrial("a1", TrialOutcome.KILLED, 0.5, by="losses.mae", message="∂", raised="TypeError")
SURVIVED = MutantTrial("b2", TrialOutcome.SURVIVED, 9.0)
MUTANTS = mutants_of("p", "m", "def f(x):\n    checks.require_real('x', x)\n    return x * 2 + 1\n")
TRIALS = {mutant.id: MutantTrial(mutant.id, TrialOutcome.KILLED, 1.0) for mutant in MUTANTS}


def test_a_journal_is_read_again_without_a_line_that_was_cut_off(tmp_path):
    path = tmp_path / "journal"
    assert read_trials(path) == {}
    for trial in (KILLED, SURVIVED):
        append_trial(path, trial)
    with path.open("a") as file:
        file.write('{"mutant": "c3", "outc')
    assert read_trials(path) == {"a1": KILLED, "b2": SURVIVED}


def test_what_is_explained_is_a_mutant_of_the_sources_as_they_are_and_has_one_explanation():
    paths = [ROOT / file for file in FILES]
    ids = {m.id for p in paths for m in mutants_of(p.parent.name, p.stem, p.read_text(encoding="utf-8"))}
    times = Counter(mutant for mutants in EXPLAINED.values() for mutant in mutants)
    assert times.keys() <= ids
    assert set(times.values()) == {1}
    assert explained.explanation("no such mutant") == ""


def test_only_what_was_killed_counts_as_found():
    score = MutantScore.of(MutantTrial(str(number), outcome, 1.0) for number, outcome in enumerate(TrialOutcome))
    assert (score.mutants, score.killed, score.survived, score.timed_out, score.broken) == (4, 1, 1, 1, 1)
    assert score.share == 1 / 4


def test_what_changes_nothing_is_left_out_of_the_share_and_was_missed_where_it_runs_out_of_time(monkeypatch):
    monkeypatch.setattr(explained, "EXPLAINED", {"x + 0 is x": ("b2",)})
    assert MutantScore.of((SURVIVED, KILLED)).share == 1
    assert not was_missed(SURVIVED)
    assert was_missed(MutantTrial("b2", TrialOutcome.TIMED_OUT, 1.0))


def test_what_computes_and_what_refuses_are_counted_apart():
    found = scores(MUTANTS, TRIALS)
    border = [mutant for mutant in MUTANTS if mutant.kind is MutantKind.BORDER]
    assert found[MutantKind.BORDER, "p/m.py"].mutants == found[MutantKind.BORDER, ""].mutants == len(border) == 1
    assert found[MutantKind.MATHEMATICS, ""].mutants == len(MUTANTS) - 1


def test_the_report_has_every_mutant_with_what_became_of_it(tmp_path):
    write_trials(tmp_path / "mutants.json", MUTANTS, TRIALS)
    stored = json.loads((tmp_path / "mutants.json").read_text())["mutants"]
    assert [entry["id"] for entry in stored] == [mutant.id for mutant in MUTANTS]
    assert {entry["outcome"] for entry in stored} == {"killed"}
