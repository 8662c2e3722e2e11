"""Goldens of a stranger's subject, in the stranger's repository."""

import shlex

import pytest

from parity import cli
from parity.goldens.folder import GoldenSet

LOSSES = "ptycho_torch/nn/losses.py"
WHY = ("--reason", "to be kept")


def golden(clone, *arguments):
    return clone.python("parity", "golden", *arguments, CI="")


@pytest.fixture
def frozen(stranger):
    """The repository with two goldens of a loss, committed."""
    done = golden(stranger, "promote", "losses.mae", "--case", "even/0", *WHY)
    assert (done.returncode, done.stderr) == (cli.AGREE, "")
    assert done.stdout.endswith("1 golden written to fixtures/golden\n")
    stranger.commit()
    return stranger


def test_what_was_frozen_is_held_until_it_is_right_again(frozen):
    assert golden(frozen, "replay").returncode == cli.AGREE
    frozen.edit(LOSSES, "error.mean()", "error.sum()")
    done = golden(frozen, "replay", "--subject", "foreign-torch")
    assert done.returncode == cli.DISAGREE
    assert "golden losses.mae/even-0: foreign-torch disagrees with the oracle\n" in done.stdout
    assert "reproduce: parity golden replay losses.mae/even-0 --stack foreign-torch\n" in done.stdout
    done = golden(frozen, "regen", *WHY)
    assert done.returncode == cli.USAGE
    assert done.stderr.startswith(f"parity: {LOSSES}: expected committed code, whose commit a golden can name, ")
    frozen.commit()
    done = golden(frozen, "regen", *WHY)
    assert done.returncode == cli.DISAGREE
    assert done.stdout.endswith("nothing was written: 1 golden would hold what is wrong\n")
    frozen.edit(LOSSES, "error.sum()", "error.mean()")
    frozen.commit()
    done = golden(frozen, "regen", *WHY)
    assert done.stdout.endswith("0 goldens of 1 written to fixtures/golden\n")


def test_provenance_names_the_subject(frozen):
    stored = GoldenSet.read(frozen.root / "fixtures" / "golden").golden("losses.mae/even-0")
    assert set(stored.outputs) == {"foreign-torch"}
    subject = stored.provenance["subjects"]["foreign-torch"]
    assert subject == {"package": "ptycho_torch", "version": "", "commit": stored.provenance["commit"]}
    history = golden(frozen, "history").stdout
    assert stored.provenance["commit"][:10] in history
    assert "to be kept" in history
    assert golden(frozen, "verify").stdout == "fixtures/golden: 1 golden, whole\n"
    assert golden(frozen, "diff", "HEAD", "fixtures/golden").stdout == "no golden changed\n"
    assert "foreign-torch" in golden(frozen, "list").stdout


def test_a_check_replays_what_was_frozen(frozen):
    frozen.edit(LOSSES, "error.mean()", "error.sum()")
    done = frozen.python("parity", "check", "--base", "HEAD")
    assert done.returncode == cli.DISAGREE, done.stderr
    assert "losses.mae: 1 of 1 goldens do not hold (noted)\n  losses.mae/even-0\n" in done.stdout


def test_the_line_that_keeps_a_failure_keeps_it(stranger):
    case = ("losses.poisson_nll", "--case", "scaled/0", "--subject", "foreign-torch")
    done = stranger.python("parity", "run", *case)
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("  keep it: "))
    stranger.edit("parity_torch.py", "losses.PoissonLikelihood(constant=full)", "losses.PoissonLikelihood(full)")
    done = golden(stranger, *shlex.split(line)[4:])
    assert done.returncode == cli.AGREE, done.stderr
    assert "; foreign-torch withheld: parity_torch.py has uncommitted changes\n" in done.stdout


def test_of_a_binding_with_conventions_no_output_is_stored_and_it_is_held_all_the_same(stranger):
    stranger.edit("parity_torch.py", '@binds("losses.mae")\n', '@binds("losses.mae", reduction="sum")\n')
    right = 'losses.AmplitudeL1("none")(observed, predicted).sum()'
    stranger.edit("parity_torch.py", "losses.AmplitudeL1()(observed, predicted)", right)
    stranger.commit()
    done = golden(stranger, "promote", "losses.mae", "--case", "even/0", *WHY)
    assert "; foreign-torch withheld: its binding states conventions\n" in done.stdout, done.stderr
    assert golden(stranger, "replay").returncode == cli.AGREE
    stranger.edit("parity_torch.py", right, f"2 * {right}")
    assert golden(stranger, "replay").returncode == cli.DISAGREE


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("promote", "losses.mae", "--case", "even/0", "--precision", "wide", *WHY),
            "'wide' is not one of 'f32', 'f64'",
        ),
        (
            ("promote", "networks.convolve", *WHY),
            "networks.convolve: expected a contract that foreign-torch binds, got ",
        ),
        (("replay", "--subject", "torch"), "unknown stack 'torch'; there are: foreign-torch"),
        (("replay",), "parity: fixtures/golden: expected a folder with goldens, got none"),
    ],
)
def test_what_cannot_be_frozen_or_replayed_is_refused(stranger, arguments, said):
    done = golden(stranger, *arguments)
    assert done.returncode in (cli.USAGE, cli.NOT_CHECKED)
    assert said in done.stderr


def test_what_a_stack_returns_in_other_terms_is_not_stored_and_held_to_the_oracle(stranger):
    stranger.edit("parity_torch.py", '@binds("losses.mae")', '@binds("losses.mae", reduction="sum")')
    stranger.edit(LOSSES, "error.mean()", "error.sum()")
    stranger.commit()
    assert golden(stranger, "promote", "losses.mae", "--case", "even/0", *WHY).returncode == cli.AGREE
    assert not GoldenSet.read(stranger.root / "fixtures" / "golden").golden("losses.mae/even-0").outputs
    assert golden(stranger, "replay").returncode == cli.AGREE
    stranger.edit(LOSSES, "error.sum()", "error.mean()")
    assert golden(stranger, "replay").returncode == cli.DISAGREE
