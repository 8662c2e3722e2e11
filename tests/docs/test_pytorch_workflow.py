"""Every command of the page runs, in its order, and what comes of it is what the page says: the end-to-end path."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from parity.contracts.mirror import ROOT

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


def row(name: str) -> list[list[float]]:
    """The numbers in each cell of a row of the page's table of results."""
    (line,) = re.findall(rf"^\| {name}.* \|$", PAGE, re.MULTILINE)
    return [[float(number) for number in re.findall(r"\d+(?:\.\d+)?", cell)] for cell in line.split("|")[2:-1]]


def metrics(folder: Path, output: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / output / "metrics.json").read_text())
    return found


TRAINED = pytest.mark.parametrize(
    ("output", "name", "epochs", "resumed"), [("out", "FNO, 10 epochs", 10, 1), ("out-cnn", "CNN, 12 epochs", 12, 0)]
)


@TRAINED
def test_both_losses_fall_as_the_page_says(folder: Path, output: str, name: str, epochs: int, resumed: int) -> None:
    """But for what the number of threads changes, which grows with the steps."""
    history = metrics(folder, output)["history"]
    assert len(history) == epochs + resumed
    for loss, (first, last) in zip(("mae", "nll"), row(name)[:2], strict=True):
        assert history[0][loss] == pytest.approx(first, rel=0.05)
        assert history[epochs - 1][loss] == pytest.approx(last, rel=0.25)
        assert history[epochs - 1][loss] < history[0][loss]


def test_the_constant_object_is_that_of_the_page(folder: Path) -> None:
    constant = metrics(folder, "out")["constant"]
    amplitude, phase = constant["amplitude"], constant["phase"]
    said = [number for cell in row("constant object") for number in cell]
    assert said == [
        round(amplitude["mae"], 3),
        round(amplitude["ssim"], 2),
        amplitude["frc50"],
        round(phase["mae"], 2),
        round(phase["ssim"], 2),
    ]


@TRAINED
def test_the_amplitude_is_clearly_better_than_a_constant_one(
    folder: Path, output: str, name: str, epochs: int, resumed: int
) -> None:
    """By a fifth of its error, and twice its similarity: less than the page has, as threads change it."""
    found, constant = (metrics(folder, output)[one]["amplitude"] for one in ("reconstruction", "constant"))
    ((mae,), (ssim,), (frc,)) = row(name)[2:5]
    assert found["mae"] < 0.8 * constant["mae"]
    assert found["ssim"] > 2 * constant["ssim"]
    assert found["mae"] == pytest.approx(mae, rel=0.25)
    assert found["ssim"] == pytest.approx(ssim, rel=0.25)
    assert found["frc50"] == pytest.approx(frc, rel=0.5)


def test_the_example_prints_what_the_page_says(folder: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (output,) = re.findall(r"```\n(\(2.*?)```", PAGE, re.DOTALL)
    assert run(["-c", program], folder) == output
