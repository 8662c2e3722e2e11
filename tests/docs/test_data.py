"""The commands of the page on data run, and what they print is what the page says, but for the last digits."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from parity.contracts.mirror import ROOT
from parity.runs.pipeline.steps import PipelineStep

PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ {4}((?:python|parity) .*)$", PAGE, re.MULTILINE)


def run(command: str, folder: Path) -> list[str]:
    program, *arguments = shlex.split(command)
    words = [sys.executable, *(["-m", "parity"] if program == "parity" else []), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    ended = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.splitlines()


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the last command printed, after those before it."""
    folder = tmp_path_factory.mktemp("page")
    return [run(command, folder) for command in COMMANDS][-1]


def in_words(line: str) -> list[str]:
    """A line without its numbers, but for whole ones: rounding is each machine's own."""
    return [word for word in line.split() if not re.fullmatch(r"\d+\.\d+(e[+-]\d+)?|\de[+-]\d+|exact", word)]


def test_there_are_commands() -> None:
    assert [command.split()[:2] for command in COMMANDS] == [["python", "-m"], ["parity", "pipeline"]]


def test_the_pipeline_prints_what_the_page_says(printed: list[str]) -> None:
    (shown,) = re.findall(r"```\n(step .*?)```", PAGE, re.DOTALL)
    assert [in_words(line) for line in printed[2:]] == [in_words(line) for line in shown.splitlines()]


def test_every_step_is_in_the_table() -> None:
    table = PAGE[PAGE.index("| step |") : PAGE.index("Each stack goes on")]
    assert re.findall(r"^\| (\w+) \|", table, re.MULTILINE)[1:] == [str(step) for step in PipelineStep]
