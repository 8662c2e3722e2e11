from parity.proof.mutants.journal import append, read
from parity.proof.mutants.trial import MutantTrial, TrialOutcome

KILLED = MutantTrial("a1", TrialOutcome.KILLED, 0.5, by="losses.mae", message="∂", raised="TypeError")
SURVIVED = MutantTrial("b2", TrialOutcome.SURVIVED, 9.0)


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "journal"
    append(path, KILLED)
    append(path, SURVIVED)
    assert read(path) == {"a1": KILLED, "b2": SURVIVED}


def test_a_journal_that_is_not_there_is_empty(tmp_path):
    assert read(tmp_path / "journal") == {}


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    path = tmp_path / "journal"
    append(path, KILLED)
    with path.open("a") as file:
        file.write('{"mutant": "b2", "outc')
    assert read(path) == {"a1": KILLED}
