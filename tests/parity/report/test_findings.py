"""What a run found, in a table and in words: the numbers are the run's, and no explanation outlives its finding."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from parity._ground.codes import AGREE, NOT_CHECKED, USAGE
from parity.cli import main
from parity.contracts.declared import REGISTRY
from parity.judging.run import NotChecked
from parity.report.side_by_side import BEGIN, END
from tests.stored import store

FILE = """
package = "somebody's 1.0"
folder = "somewhere"

[[finding]]
title = "The mean is a sum"
words = "As its name says."
contracts = ["losses.mae"]
subjects = ["torch"]

[[by_hand]]
title = "It is slow"
code = "print(1)"
prints = "1"
"""


@pytest.fixture
def stored(held: Any, tmp_path: Path) -> Callable[..., str]:
    """A results file of contracts by name, each with the ratio of `torch`, and of contracts that were not checked."""

    def write(name: str, ratios: dict[str, float], not_checked: Sequence[str] = ()) -> str:
        path = tmp_path / f"{name}.json"
        runs = [held(contract, ratio).run for contract, ratio in ratios.items()]
        store(path, runs, [NotChecked(contract, "a reason") for contract in not_checked])
        return str(path)

    return write


Table = Callable[..., tuple[int, str]]


@pytest.fixture
def table(capsys: pytest.CaptureFixture[str]) -> Table:
    """The command: its exit code, and what it prints."""

    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["table", *arguments])
        done = capsys.readouterr()
        return int(str(ended.value.code)), done.out + done.err

    return run


def rows(text: str) -> dict[str, list[str]]:
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {first: rest for first, *rest in lines}


def test_a_subject_of_two_commits_stands_side_by_side(table: Table, stored: Callable[..., str]) -> None:
    old = stored("old", {"losses.mae": 3.0, "losses.absolute_error": 0.5}, ["losses.poisson_nll"])
    new = stored("new", {"losses.mae": 0.5, "losses.absolute_error": 0.5, "losses.poisson_nll": 4.0})
    found = rows(table(f"0123abc={old}", f"HEAD={new}")[1])
    assert found["contract"] == ["tensorflow, 0123abc", "tensorflow, HEAD", "torch, 0123abc", "torch, HEAD"]
    assert found["`losses.mae`"] == ["ok / ok", "ok / ok", "**3.00** / **3.00**", "ok / ok"]
    assert found["`losses.poisson_nll`"] == ["not checked", "ok / ok", "not checked", "**4.00** / **4.00**"]
    assert found["`losses.absolute_error`"] == ["ok / ok"] * 4


def test_only_what_differs_is_left_if_you_want(table: Table, stored: Callable[..., str]) -> None:
    old, new = (
        stored(name, {"losses.mae": ratio, "losses.absolute_error": 2.0}) for name, ratio in (("a", 3), ("b", 0.5))
    )
    _, said = table("--differing", f"a={old}", f"b={new}")
    assert rows(said).keys() == {"contract", "---", "`losses.mae`"}
    assert "1 more contracts have one entry in all columns of a subject." in said


def test_two_columns_of_one_heading_are_refused(table: Table, stored: Callable[..., str]) -> None:
    old, new = stored("old", {"losses.mae": 3.0}), stored("new", {"losses.mae": 0.5})
    code, said = table(f"a={old}", f"a={new}")
    assert code == NOT_CHECKED
    assert "expected other subjects than in the files before, got tensorflow, a again; NAME=" in said


def test_a_finding_has_its_words_its_numbers_and_the_line_that_shows_it(
    table: Table, stored: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "findings.toml").write_text(FILE)
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\n{END}\nafter\n")
    results = stored("new", {"losses.mae": 3.0, "losses.absolute_error": 5.0})
    code, said = table(results, "--findings", str(tmp_path / "findings.toml"), "--write", str(page))
    assert (code, said) == (AGREE, "")
    said = page.read_text()
    mae = "`parity run losses.mae --case even/0 --precision f64 --subject torch`: torch, mae in float64: 2, oracle 1: "
    assert "## somebody's 1.0\n\nType the commands in somewhere.\n" in said
    assert (
        f"### The mean is a sum\n\nAs its name says.\n\n`losses.mae`: {REGISTRY['losses.mae'].equation}\n\n- {mae}"
        in said
    )
    assert (
        "### It is slow\n\nNo contract asks for it. These lines\n\n```python\nprint(1)\n```\n\nprint\n\n```\n1\n```\n"
        in said
    )
    explained, _, left = said.partition("## Not explained\n\n")
    assert "absolute_error --case" not in explained
    assert [line.split(" --")[0] for line in left.splitlines() if line.startswith("- ")] == [
        "- `parity run losses.absolute_error"
    ]
    assert left.endswith(f"{END}\nafter\n")


NO_SUCH = "where the run shows no such failure"
WRONG = {
    "precisions": (
        FILE.replace("words", 'precisions = ["wide"]\nwords'),
        f"'The mean is a sum' explains losses.mae in torch, {NO_SUCH}",
    ),
    "case": (FILE.replace("words", 'case = "odd/99"\nwords'), f"losses.mae in torch, odd/99, {NO_SUCH}"),
    "subject": (FILE.replace('["torch"]', '["torch", "tensorflow"]'), f"losses.mae in tensorflow, {NO_SUCH}"),
    "contract": (FILE.replace("losses.mae", "losses.mea"), "did you mean 'losses.mae'?"),
    "key": (FILE.replace("words", "word"), "finding[0]: unknown key 'word'; did you mean 'words'?"),
    "missing": (
        FILE.replace('prints = "1"', ""),
        "by_hand[0]: expected to find the key 'prints', got only title, code",
    ),
    "text": (FILE.replace('["torch"]', '"torch"'), "finding[0].subjects: expected a list of subjects, got 'torch'"),
    "list": (FILE.replace('"It is slow"', "[]"), "by_hand[0].title: expected text, got []"),
    "package": (FILE.replace("package", "packages"), "unknown key 'packages'; did you mean 'package'?"),
    "no TOML": ("=", "expected TOML, got: "),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_explanations_that_are_wrong_leave_the_page_as_it_is(
    wrong: str, table: Table, stored: Callable[..., str], tmp_path: Path
) -> None:
    text, expected = WRONG[wrong]
    (tmp_path / "findings.toml").write_text(text)
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\nold\n{END}\n")
    results = stored("new", {"losses.mae": 3.0})
    code, said = table(results, "--findings", str(tmp_path / "findings.toml"), "--write", str(page))
    assert code == USAGE
    assert expected in said
    assert page.read_text() == f"{BEGIN}\nold\n{END}\n"


def test_a_file_of_findings_that_is_not_there(table: Table, stored: Callable[..., str], tmp_path: Path) -> None:
    code, said = table(stored("new", {"losses.mae": 3.0}), "--findings", str(tmp_path / "none.toml"))
    assert (code, said) == (USAGE, f"parity: {tmp_path / 'none.toml'}: expected a file of findings, got none\n")
