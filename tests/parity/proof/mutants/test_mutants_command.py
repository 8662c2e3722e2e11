import pytest
from click.testing import CliRunner

from parity._ground.errors import UsageError
from parity.cli import mutants as command
from parity.proof.mutants.trial import MutantTrial, TrialOutcome


@pytest.fixture
def everything_ends(monkeypatch):
    """A run in which every mutant ends the same way."""

    def ends(outcome):
        def trials(mutants, root, path, jobs, limit, advance):
            return {mutant.id: MutantTrial(mutant.id, outcome, 1.0) for mutant in mutants}

        monkeypatch.setattr(command, "try_all", trials)

    return ends


def called(*arguments):
    return CliRunner().invoke(command.mutants_group, arguments, standalone_mode=False)


def test_the_list_has_a_line_for_every_mutant_with_place_and_change():
    lines = called("list", "ptycho_torch/scaling.py", "--most", "0").output.splitlines()
    assert any("ptycho_torch/scaling.py" in line and "torch.exp → torch.log" in line for line in lines)
    assert len({line.split()[0] for line in lines}) == len(lines)


def test_a_file_that_is_no_source_of_a_stack_is_refused():
    assert isinstance(called("list", "parity/judging/verdict.py").exception, UsageError)


@pytest.mark.parametrize(
    ("outcome", "code"), [(TrialOutcome.KILLED, 0), (TrialOutcome.TIMED_OUT, 1), (TrialOutcome.BROKEN, 1)]
)
def test_the_exit_code_says_whether_every_mutant_was_noticed(everything_ends, outcome, code):
    everything_ends(outcome)
    assert called("run", "ptycho/optics.py").return_value == code


def test_both_kinds_have_their_own_share_and_what_was_missed_is_listed(everything_ends):
    everything_ends(TrialOutcome.TIMED_OUT)
    output = called("run", "ptycho/optics.py").output
    assert "mathematics, by pytest -m parity" in output
    assert "borders, by the unit tests" in output
    assert "not killed:" in output


def test_the_report_is_written(everything_ends, tmp_path):
    everything_ends(TrialOutcome.KILLED)
    called("run", "ptycho/optics.py", "--report", str(tmp_path / "found"))
    assert (tmp_path / "found" / "mutants.json").is_file()
