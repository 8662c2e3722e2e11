import pytest
from click.testing import CliRunner

from parity._ground.errors import UsageError
from parity.cli import mutants as command
from parity.proof.mutants.trial import MutantTrial, TrialOutcome


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
def test_both_kinds_have_their_own_share_what_was_missed_is_listed_and_a_report_is_written(
    outcome, code, monkeypatch, tmp_path
):
    def trials(mutants, *options):
        return {mutant.id: MutantTrial(mutant.id, outcome, 1.0) for mutant in mutants}

    monkeypatch.setattr(command, "try_all", trials)
    ended = called("run", "ptycho/optics.py", "--report", str(tmp_path / "found"))
    assert ended.return_value == code
    assert "mathematics, by pytest -m parity" in ended.output
    assert "borders, by the unit tests" in ended.output
    assert ("not killed:" in ended.output) is bool(code)
    assert (tmp_path / "found" / "mutants.json").is_file()
