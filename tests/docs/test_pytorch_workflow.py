"""Every command of the page runs, in its order, and what it prints is what the page says: the end-to-end path."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from parity.mirror import ROOT

PAGE = (ROOT / "docs" / "workflows" / "pytorch.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ {4}python (.*)$", PAGE, re.MULTILINE)

pytestmark = pytest.mark.integration


def run(arguments: list[str], folder: Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    ended = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page's commands have been run."""
    path = tmp_path_factory.mktemp("page")
    for command in COMMANDS:
        run(shlex.split(command), path)
    return path


def test_there_are_commands() -> None:
    assert [shlex.split(command)[1].rpartition(".")[2] for command in COMMANDS] == [
        "grid_lines_workflow",
        "grid_lines_torch_runner",
        "grid_lines_torch_runner",
        "grid_lines_torch_runner",
    ]


def test_every_file_of_the_table_is_there(folder: Path) -> None:
    table = PAGE[PAGE.index("| file |") : PAGE.index("## What is minimised")]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    names = re.findall(r"`([^`]+)`", " ".join(first_cells))
    assert len(names) == 7
    for name in names:
        assert list((folder / "out").glob(name)), name


@pytest.mark.parametrize(("output", "epochs"), [("out", 6), ("out-cnn", 8)])
def test_both_losses_fall_and_the_last_run_goes_on(folder: Path, output: str, epochs: int) -> None:
    history = json.loads((folder / output / "metrics.json").read_text())["history"]
    assert len(history) == epochs
    assert history[-1]["mae"] < history[0]["mae"] / 1.5
    assert history[-1]["nll"] < history[0]["nll"] / 3


@pytest.mark.parametrize("output", ["out", "out-cnn"])
def test_the_amplitude_is_clearly_better_than_a_constant_one(folder: Path, output: str) -> None:
    metrics = json.loads((folder / output / "metrics.json").read_text())
    found, constant = (metrics[name]["amplitude"] for name in ("reconstruction", "constant"))
    assert found["mae"] < 0.8 * constant["mae"]
    assert found["ssim"] > 2 * constant["ssim"]
    assert found["frc50"] > 0.1


def test_the_example_prints_what_the_page_says(folder: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (output,) = re.findall(r"```\n(\(2.*?)```", PAGE, re.DOTALL)
    assert run(["-c", program], folder) == output
