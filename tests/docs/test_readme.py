"""What the README shows is what there is: its message, its table, its snippet, its numbers."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from parity._ground.codes import AGREE, DISAGREE, NOT_CHECKED, USAGE
from parity._ground.repository import ROOT
from parity.proof.score.result import Score, accuracy
from parity.proof.score.stored import read_score

PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
MESSAGE, RUN = [block for language, block in BLOCKS if not language]
SNIPPET = next(block for language, block in BLOCKS if language == "python")
DEFECT = "losses.poisson_nll/layer-observed-unsquared"
"""The defect whose message the README shows."""


def run(*arguments: str, folder: Path = ROOT) -> tuple[int, str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def in_words(text: str) -> list[str]:
    """A text without the numbers that rounding decides."""
    return [word for word in text.split() if not re.fullmatch(r"[(]?[\d.]+(e[+-]?\d+)?,?", word)]


@pytest.fixture(scope="module")
def score() -> Score:
    return read_score(ROOT / "docs" / "score.json")


def test_it_is_short_and_begins_with_all_that_a_stranger_needs() -> None:
    lines = PAGE.splitlines()
    assert len(lines) <= 200
    beginning = "\n".join(lines[:60])
    for needed in ("cause:", "make parity", "make test", "pip install", "import REGISTRY", "## Where next"):
        assert needed in beginning


def test_its_message_is_the_one_that_the_defect_causes() -> None:
    _, printed = run("parity", "defects", "run", DEFECT)
    (message,) = re.findall(r"^losses\.poisson_nll: torch.*?^  keep it: .*?\n", printed, re.DOTALL | re.MULTILINE)
    assert in_words(message) == in_words(MESSAGE)


def test_its_run_prints_what_it_shows() -> None:
    command, shown = RUN.split("\n", 1)
    code, printed = run(*shlex.split(command.removeprefix("$ ")))
    assert code == AGREE
    assert in_words(printed)[: len(in_words(shown))] == in_words(shown)


def test_its_snippet_is_a_test_that_passes(tmp_path: Path) -> None:
    (tmp_path / "test_snippet.py").write_text(SNIPPET, encoding="utf-8")
    code, printed = run("pytest", "-q", "-p", "no:cacheprovider", folder=tmp_path)
    assert code == 0, printed
    assert "1 passed" in printed


def test_its_numbers_are_those_of_the_score(score: Score) -> None:
    caught = sum(d.caught and d.sided for d in score.defects) / len(score.defects)
    right, asked = accuracy(d for d in score.explained if d.explained and d.explained.right)
    assert f"**{caught:.0%}".replace("%", " % of the known defects**") in PAGE
    assert f"named rightly for {100 * right / asked:.0f} % of" in " ".join(PAGE.split())
    assert f"**{len(score.false_alarms)} false alarms**" in PAGE


def test_its_exit_codes_are_those_of_the_command() -> None:
    codes = [int(code) for code in re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)]
    assert codes == [AGREE, DISAGREE, USAGE, NOT_CHECKED]
