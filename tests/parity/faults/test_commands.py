"""`parity defects`: what it lists, what it makes, and every exit code."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from parity import cli
from parity.cli.defects import listing, running, scoring
from parity.contracts.changes import returning
from parity.contracts.fault import Fault
from parity.faults import CATALOGUE, REWRITES, made
from parity.faults.collection import Collection
from parity.proof.score import run as score_run
from parity.proof.score.page import page, summary
from parity.proof.score.result import ContractScore, Score, ScoreRun
from parity.proof.score.stored import encoded, read_score
from parity.runs.scope import sources

FEW = ("--examples", "0", "--precision", "f64", "--mode", "eager")

Parity = Callable[..., tuple[int, str, str]]


@pytest.fixture
def two_defects(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue of a defect that anybody would notice, and of one that nobody can."""
    rows = (
        Fault("losses.mae", "gain", "is 1 % too large", returning(lambda xp, mae, a: xp.gain(mae, 0.01))),
        Fault("losses.mae", "nothing", "is as it is", returning(lambda xp, mae, a: mae)),
    )
    monkeypatch.setattr(listing, "CATALOGUE", Collection("defect", rows))
    for module in (running, made):
        monkeypatch.setattr(module, "KNOWN", Collection("defect", rows))


def test_every_defect_and_every_rewrite_is_listed(parity_command: Parity) -> None:
    for changes, option in ((CATALOGUE, ()), (REWRITES, ("--rewrites",))):
        code, out, err = parity_command("defects", "list", *option)
        assert (code, err) == (cli.AGREE, "")
        assert out.splitlines()[-1].startswith(f"{len(changes):,} ")


@pytest.mark.usefixtures("two_defects")
def test_the_list_says_what_a_defect_does_and_where(parity_command: Parity) -> None:
    code, out, _ = parity_command("defects", "list", "losses.mae/gain")
    assert code == cli.AGREE
    heading, row, count = out.splitlines()
    assert heading.split() == ["name", "stacks", "what", "it", "does", "what", "shows", "it"]
    assert row.split() == ["losses.mae/gain", "both", "is", "1", "%", "too", "large", "any", "input"]
    assert count == "1 defect, 2 with the stacks counted apart"


@pytest.mark.usefixtures("two_defects")
def test_a_defect_that_is_caught_gives_the_message_of_a_failure_and_says_whose_it_is(parity_command: Parity) -> None:
    code, out, _ = parity_command("defects", "run", "losses.mae/gain", *FEW)
    assert code == cli.AGREE == 0
    for stack, other in (("torch", "tensorflow"), ("tensorflow", "torch")):
        assert f"losses.mae/gain, made in {stack}: is 1 % too large\n" in out
        assert f"losses.mae: {stack} disagrees with the oracle ({other} agrees), case " in out
        assert f"caught: the disagreement is that of losses.mae/gain, made in {stack} for this run alone\n" in out
    assert parity_command("run", "losses.mae", *FEW)[0] == cli.AGREE


@pytest.mark.usefixtures("two_defects")
def test_the_last_line_makes_the_same_failure_again(parity_command: Parity) -> None:
    _, out, _ = parity_command("defects", "run", "losses.mae/gain", "--stack", "torch", *FEW)
    assert "made in tensorflow" not in out
    command = out.splitlines()[-1].partition("make it again: parity ")[2]
    code, again, _ = parity_command(*shlex.split(command))
    assert code == cli.AGREE
    assert " of 1 examples" in again
    assert again.splitlines()[-1] == out.splitlines()[-1]


@pytest.mark.usefixtures("two_defects")
def test_1_nothing_noticed_it(parity_command: Parity) -> None:
    code, out, _ = parity_command("defects", "run", "losses.mae/nothing", "--stack", "torch", *FEW)
    assert code == cli.DISAGREE == 1
    assert out.splitlines()[-1].startswith("nothing noticed it in ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("list losses.mea/gain", "unknown defect 'losses.mea/gain'; did you mean 'losses.mae/gain'?"),
        ("list losse", "unknown defect 'losse'; did you mean 'losses'?"),
        ("run losses.mae", "unknown defect 'losses.mae'"),
        ("run losses.mae/gain --stack jax", "Invalid value for '--stack'"),
        ("score --examples 1 --write", "--write: expected 20 examples that are made, got others"),
        ("score --stored --write", "--write: expected 20 examples that are made, got others"),
        ("score losses.mea", "unknown contract 'losses.mea'; did you mean 'losses.mae'?"),
        ("run losses.mae/gain --case ood/1", "unknown stratum 'ood' of losses.mae; did you mean 'odd'?"),
    ],
)
@pytest.mark.usefixtures("two_defects")
def test_2_wrong_usage(parity_command: Parity, arguments: str, message: str) -> None:
    code, out, err = parity_command("defects", *arguments.split())
    assert (code, out) == (cli.USAGE, "")
    assert message in err


@pytest.mark.usefixtures("two_defects")
def test_a_score_is_told_and_written_and_1_says_that_something_was_missed(
    parity_command: Parity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(score_run, "CATALOGUE", running.KNOWN)
    monkeypatch.setattr(score_run, "REWRITES", Collection("rewrite", ()))
    code, out, _ = parity_command("defects", "score", "losses.mae", "--examples", "0", "--report", str(tmp_path))
    assert code == cli.DISAGREE
    assert "defects caught: 2 of 4 (50.0%)\n" in out
    assert "missed: losses.mae/nothing in tensorflow, losses.mae/nothing in torch\n" in out
    stored = read_score(tmp_path / "score.json")
    assert [d.defect for d in stored.missed] == ["losses.mae/nothing"] * 2
    assert (tmp_path / "score.md").read_text() == page(stored)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The docs of a checkout whose score has one contract, of another run."""
    (tmp_path / "pyproject.toml").touch()
    docs = tmp_path / "docs"
    docs.mkdir()
    old = ScoreRun((ContractScore("probe.disk", 4, True, None, None, {}),), 20, 7, {"python": "3"}, "a1")
    (docs / "score.json").write_bytes(encoded(Score((old,))))
    monkeypatch.setattr(scoring, "ROOT", tmp_path)
    return docs


@pytest.mark.usefixtures("two_defects")
def test_a_part_of_the_score_is_written_and_the_rest_is_kept(
    parity_command: Parity, monkeypatch: pytest.MonkeyPatch, published: Path
) -> None:
    monkeypatch.setattr(score_run, "CATALOGUE", Collection("defect", [running.KNOWN["losses.mae/gain"]]))
    monkeypatch.setattr(score_run, "REWRITES", Collection("rewrite", ()))
    code, out, _ = parity_command("defects", "score", "losses.mae", "--write")
    assert code == cli.AGREE
    stored = read_score(published / "score.json")
    assert [[c.contract for c in run.contracts] for run in stored.runs] == [["probe.disk"], ["losses.mae"]]
    assert [run.sources for run in stored.runs] == ["a1", sources()]
    assert (published / "score.md").read_text() == summary(stored)
    assert "1 contract scored with other sources than these\n" in out
    code, out, _ = parity_command("defects", "score", "losses.mae", "--stored")
    assert code == cli.AGREE
    assert "| `losses.mae/gain` |" in out
    assert "probe.disk" not in out


def test_two_changes_of_one_name_are_refused() -> None:
    row = Fault("losses.mae", "gain", "", returning(lambda xp, mae, a: mae))
    with pytest.raises(ValueError, match=r"losses\.mae/gain: expected one defect of that name, got two"):
        Collection("defect", (row, row))


def test_a_name_stands_for_a_defect_a_contract_its_variants_or_a_file() -> None:
    change = returning(lambda xp, r, a: r)
    names = ("losses.mae", "losses.mae", "losses.complex_mae", "networks.autoencode@32", "networks.autoencode@64")
    rows = Collection("defect", (Fault(target, f"n{n}", "", change) for n, target in enumerate(names)))
    assert [row.name for row in rows.select(["losses.mae"])] == ["n0", "n1"]
    assert [row.name for row in rows.select(["losses"])] == ["n0", "n1", "n2"]
    assert [row.name for row in rows.select(["networks.autoencode"])] == ["n3", "n4"]
    assert [row.name for row in rows.select(["losses.mae/n1", "losses.mae"])] == ["n1", "n0"]
    assert rows.select() == tuple(rows.values())
