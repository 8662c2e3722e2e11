"""`parity check` in a stranger's repository: that of `tests/stand_in`."""

import re

import pytest

from parity import cli

LOSSES = "ptycho_torch/nn/losses.py"


def check(clone, *options):
    return clone.python("parity", "check", *options)


def test_what_a_change_breaks_is_found_and_named_and_not_what_was_broken_before(stranger):
    stranger.edit(LOSSES, "measured - expected)", "measured**2 - expected**2)")
    stranger.edit("ptycho_torch/optics.py", "waves.sum(0) * signs", "signs * waves.sum(0)")
    done = check(stranger, "--base", "main", "--report", "report")
    assert done.returncode == cli.DISAGREE, done.stderr
    said = {text.partition(":")[0]: text for text in done.stdout.split("\n\n")}
    for contract, cause, before in (
        ("losses.mae", "intensities are compared", r"did not disagree in \w+/\d+"),
        ("optics.far_field_amplitude", "the modes are summed coherently", r"disagreed in \w+/\d+, too"),
    ):
        message = said[contract].replace("\n", " ")
        assert f"{contract}: foreign-torch disagrees with the oracle, case " in message
        assert f"  cause: foreign-torch: {cause} " in message
        assert f"  reproduce: parity run {contract} --case " in message
        assert re.search(rf"  at the base, foreign-torch {before}$", message)
    assert "AmplitudeL1 changed in ptycho_torch/nn/losses.py, line 18" in done.stdout
    assert "not asked: optics.far_field_amplitude: foreign-torch was asked " in done.stdout
    assert "losses.poisson_nll" not in done.stdout
    assert "at the base, foreign-torch disagreed in " in (stranger.root / "report" / "report.md").read_text()


def test_what_is_staged_is_checked_in_several_processes_and_remarked_on_the_line(stranger):
    stranger.edit(LOSSES, "error.mean()", "error.sum()")
    stranger.git("add", "-A")
    done = check(stranger, "--staged", "--jobs", "2", "--format", "github")
    assert done.returncode == cli.DISAGREE, done.stderr
    assert f"::error file={LOSSES},line=19,title=losses.mae%3A foreign-torch disagrees::losses.mae: " in done.stdout
    assert "a sum stands for the mean" in done.stdout


def test_where_nothing_that_a_subject_does_has_changed_nothing_is_asked(stranger):
    stranger.edit("README.md", "# A user", "# Some user")
    done = check(stranger, "--base", "main")
    assert (done.returncode, done.stderr) == (cli.AGREE, "")
    assert "not asked about: README.md (documentation)\nnothing that a contract depends on has changed\n" in done.stdout
    assert done.stdout.startswith("1 changed file since ")


def test_all_that_is_bound_is_asked_where_anything_may_have_changed(stranger):
    bindings = stranger.root / "parity_torch.py"
    kept, _, _ = bindings.read_text().partition('@binds("losses.mae", name')
    bindings.write_text(kept)
    stranger.commit()
    (stranger.root / "ptycho_torch" / "gains.csv").write_text("1\n")
    done = check(stranger, "--base", "HEAD")
    assert done.returncode == cli.AGREE, done.stderr
    said = "all contracts that are bound: what may matter to all changed in ptycho_torch/gains.csv, line 1\n"
    assert said in done.stdout
    assert "1 contract agrees on " in done.stdout


def test_what_is_bound_no_longer_is_noted_and_nothing_bound_is_no_pass(stranger):
    (stranger.root / "parity_torch.py").write_text("import parity_binding\n")
    code, found = stranger.verdict()
    assert code == cli.NOT_CHECKED
    remarks = {remark["title"]: remark for remark in found["remarks"]}
    assert remarks["losses.mae is not bound any more"]["weight"] == "noted"
    assert remarks["nothing was checked"]["text"] == "no contract is bound by foreign-torch"


def test_a_package_that_cannot_be_imported_is_not_checked(stranger):
    stranger.edit(LOSSES, "import torch\n", "import tor\n")
    done = check(stranger, "--base", "main")
    assert done.returncode == cli.NOT_CHECKED
    assert done.stderr.endswith("No module named 'tor'\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--accept-weaker", "why not"), "--accept-weaker: expected the stacks of ptycho-parity, got subjects, "),
        (("--in-process",), "in-process: expected stacks of this repository, got subjects, "),
    ],
)
def test_what_means_nothing_for_subjects_is_refused(stranger, options, said):
    stranger.edit(LOSSES, "error.mean()", "error.sum()")
    done = check(stranger, "--base", "main", *options)
    assert done.returncode == cli.USAGE
    assert done.stderr.startswith(f"parity: {said}")
    assert done.stdout == ""
