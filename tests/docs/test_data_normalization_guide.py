"""Every command of the guide runs, and what it prints is what the guide says."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from parity.contracts.mirror import ROOT
from ptycho_exposures.datafile import KEYS

GUIDE = (ROOT / "docs" / "DATA_NORMALIZATION_GUIDE.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ {4}((?:python|parity) .*)$", GUIDE, re.MULTILINE)


def run(words: list[str], folder: Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    ended = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def as_words(command: str) -> list[str]:
    """A command of the guide for this interpreter, whatever is on the path."""
    program, *arguments = shlex.split(command)
    return [sys.executable, *(["-m", "parity"] if program == "parity" else []), *arguments]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the guide's data sets have been made."""
    path = tmp_path_factory.mktemp("guide")
    for command in COMMANDS:
        if command.startswith("python"):
            run(as_words(command), path)
    return path


def test_there_are_commands() -> None:
    assert [command.split()[:2] for command in COMMANDS] == [
        ["python", "-m"],
        ["python", "-m"],
        ["parity", "run"],
        ["parity", "preflight"],
    ]


def test_the_data_sets_are_where_the_guide_says(folder: Path) -> None:
    for name in ("gs1/train.npz", "gs1/test.npz", "gs2/train.npz", "gs2/test.npz"):
        assert (folder / "data" / "datasets" / "N64" / name).is_file()


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("parity")])
def test_a_command_runs(folder: Path, command: str) -> None:
    assert run(as_words(command), folder)


def test_the_example_prints_what_the_guide_says(folder: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    (output,) = re.findall(r"```\n(both .*?)```", GUIDE, re.DOTALL)
    assert run([sys.executable, "-c", program], folder) == output


def test_every_key_is_in_the_guide() -> None:
    table = GUIDE[GUIDE.index("| key |") : GUIDE.index("With gridsize 2")]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    assert set(re.findall(r"`(\w+)`", " ".join(first_cells))) == {*KEYS, "xcoords", "ycoords"}
