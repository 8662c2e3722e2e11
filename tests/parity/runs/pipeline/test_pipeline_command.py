"""`parity pipeline`: what it prints, and its exit codes."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parity import cli
from parity.faults import CATALOGUE
from parity.faults.injection import injected, replaced_in
from ptycho_exposures.groupedscan import GroupedScan

Pipeline = Callable[..., tuple[int, list[str], str]]
Experiment = Weights = Callable[..., Path]


@pytest.fixture
def pipeline(parity_command: Callable[..., tuple[int, str, str]]) -> Pipeline:
    def call(*arguments: object) -> tuple[int, list[str], str]:
        code, printed, errors = parity_command("pipeline", *map(str, arguments))
        return code, printed.splitlines(), errors

    return call


def table(lines: list[str]) -> list[list[str]]:
    """The rows of the table, heading and legend left out."""
    heading = next(number for number, line in enumerate(lines) if line.startswith("step"))
    return [line.split() for line in lines[heading + 1 : heading + 7]]


def test_0_both_agree(pipeline: Pipeline, experiment: Experiment, narrow: Weights) -> None:
    path = experiment()
    code, lines, err = pipeline(path, "--groups", 2, "--weights", narrow())
    assert (code, err) == (cli.AGREE, "")
    assert lines[1] == f"{path}: 2 of 9 groups of 1, 16 × 16, through a network of 500 parameters"
    assert [row[0] for row in table(lines)] == ["load", "group", "normalise", "predict", "loss", "gradient"]
    assert {row[-1] for row in table(lines)} == {"agree"}
    assert re.fullmatch(r"gradient: the bound leaves \d+ gradients open in float32; float64 decides", lines[-2])
    assert lines[-1] == "both pipelines agree within the bound on 2 groups"


def test_the_table_fits_100_columns(
    pipeline: Pipeline, experiment: Experiment, narrow: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    _, lines, _ = pipeline(experiment(), "--groups", 1, "--weights", narrow(), "--precision", "f64")
    assert max(map(len, lines[2:9])) <= 100
    assert "torch" in lines[2]


def test_1_a_stack_is_wrong(pipeline: Pipeline, experiment: Experiment, narrow: Weights) -> None:
    path, weights = experiment(), narrow()
    with injected(CATALOGUE["losses.mae/predicted-squared"], "torch"):
        code, lines, _ = pipeline(path, "--groups", 1, "--weights", weights)
    assert code == cli.DISAGREE
    said = lines[lines.index("loss: torch disagrees with the oracle (tensorflow agrees)") :]
    assert said[1].startswith("  torch, mae in float64: ")
    assert said[2] == "  float32 and float64: the mathematics differs; mae, loss"
    assert said[3] == "  cause: torch: losses.training_loss: the MAE compares an intensity with an amplitude"
    assert said[4] == "  off behind it: gradient"
    assert said[5] == f"  reproduce: parity pipeline {path} --groups 1 --weights {weights}"
    assert said[-1] == "2 of 6 steps do not agree: loss, gradient"
    assert sum(line.startswith("  reproduce: ") for line in lines) == 1


def test_2_weights_of_another_architecture(pipeline: Pipeline, experiment: Experiment, narrow: Weights) -> None:
    weights = narrow(16, 2)
    code, lines, err = pipeline(experiment(), "--weights", weights)
    assert (code, len(lines)) == (cli.USAGE, 1)
    assert err.startswith(
        f"parity: {weights}: expected weights for patterns of 16 × 16 and gridsize 1, as the data set"
    )


def test_3_a_file_that_the_loaders_refuse_in_their_words(pipeline: Pipeline, tmp_path: Path) -> None:
    code, _, err = pipeline(tmp_path / "none.npz")
    assert (code, err) == (
        cli.NOT_CHECKED,
        f"parity: {tmp_path / 'none.npz'}: expected an .npz file, got no such file\n",
    )
    (tmp_path / "half.npz").write_bytes(b"PK\x03\x04")
    code, _, err = pipeline(tmp_path / "half.npz")
    assert (code, err.count("\n")) == (cli.NOT_CHECKED, 1)


def test_3_what_float32_leaves_open(pipeline: Pipeline, experiment: Experiment, narrow: Weights) -> None:
    code, lines, _ = pipeline(experiment(), "--groups", 1, "--weights", narrow(), "--precision", "f32")
    assert code == cli.NOT_CHECKED
    assert lines[-1].startswith("not decided: ")
    assert "gradient" in lines[-1]


def test_3_what_is_left_open_outweighs_what_is_wrong(
    pipeline: Pipeline, experiment: Experiment, narrow: Weights
) -> None:
    def a_little_off(right: type[GroupedScan]) -> Callable[..., GroupedScan]:
        def read(*arguments: Any, **options: Any) -> GroupedScan:
            scan = right(*arguments, **options)
            scan.normalization *= 1 + 2e-7
            return scan

        return read

    path, weights = experiment(), narrow()
    with replaced_in("ptycho", "dataloader.GroupedScan", a_little_off):
        code, lines, _ = pipeline(path, "--groups", 1, "--weights", weights, "--precision", "f32")
    assert "steps do not agree: normalise" in lines[-1]
    assert "not decided: " in lines[-1]
    assert code == cli.NOT_CHECKED
