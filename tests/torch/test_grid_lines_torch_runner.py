"""The runner: what it writes of a tiny training, and how it answers whatever it cannot use."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from parity.contracts.mirror import ROOT
from ptycho.workflows import grid_lines_workflow
from ptycho_torch import grid_lines_torch_runner as runner
from ptycho_torch.generators import registry
from ptycho_torch.generators.fno import CascadedFNOGenerator, FNOConfig
from ptycho_torch.lightning_module import PtychoModule

WRITTEN = {"metrics.json", "reconstruction.npz", "reconstruction.png", "frc.png", "losses.png", "checkpoints", "logs"}

NARROW = np.pad(np.ones((1, 1), complex), (32, 31))
"""A probe of one pixel."""
CORNERS = np.resize([0.0, 24.0], (9, 1, 1, 1)) * np.ones((1, 1, 2, 1))
"""Two opposite ones, in turn."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine patterns, of which the middle 56 pixels were seen."""
    folder = tmp_path_factory.mktemp("data")
    options = ["--object-size", "88", "--step-train", "12", "--step-test", "12", "--jitter", "0"]
    for gridsize in ("1", "2"):
        with pytest.raises(SystemExit) as stopped:
            grid_lines_workflow.main(["--N", "64", "--gridsize", gridsize, "--output-dir", str(folder), *options])
        assert stopped.value.code == 0
    return folder / "datasets" / "N64"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        runner.main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return int(stopped.value.code or 0), said.out, said.err


def files(data: Path, gridsize: int = 1) -> list[object]:
    return ["--train-npz", data / f"gs{gridsize}" / "train.npz", "--test-npz", data / f"gs{gridsize}" / "test.npz"]


@pytest.fixture
def small_fno(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(size: int, gridsize: int, seed: int) -> CascadedFNOGenerator:
        return CascadedFNOGenerator(FNOConfig(size, gridsize, width=4, modes=6, blocks=1, refinements=1), seed)

    monkeypatch.setattr(registry, "ARCHITECTURES", {**registry.ARCHITECTURES, "fno": make})


@pytest.mark.usefixtures("small_fno")
@pytest.mark.parametrize("gridsize", [1, 2])
def test_everything_is_written(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, gridsize: int) -> None:
    arguments = [*files(data, gridsize), "--architecture", "fno", "--output-dir", tmp_path, "--accelerator", "cpu"]
    code, said, complaints = run(capsys, *arguments, "--epochs", 1)
    assert (code, complaints) == (0, "")
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    for part in ("amplitude", "phase"):
        assert (
            set(metrics["reconstruction"][part]) == set(metrics["constant"][part]) == {"mae", "psnr", "ssim", "frc50"}
        )
        assert f"{metrics['reconstruction'][part]['mae']:.4f}" in said
    assert metrics["fitted"] == ["phase"]
    assert len(metrics["history"]) == 1
    assert metrics["exposure"]["gridsize"] == gridsize
    with np.load(tmp_path / "reconstruction.npz") as stored, np.load(data / f"gs{gridsize}" / "test.npz") as test:
        rows, columns = (slice(*side) for side in metrics["region"])
        np.testing.assert_array_equal(stored["truth"], test["YY_full"][rows, columns])
        assert stored["object"].shape == stored["truth"].shape
        error = np.abs(np.abs(stored["object"]) - np.abs(stored["truth"])).mean()
    assert metrics["reconstruction"]["amplitude"]["mae"] == pytest.approx(error)
    code, _, _ = run(capsys, *arguments, "--epochs", 2, "--resume")
    assert code == 0
    assert json.loads((tmp_path / "metrics.json").read_text())["history"][:1] == metrics["history"]


def test_the_networks_input_is_scaled_as_in_training(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the training set's factor: the test set's own would make it look as bright as that."""
    seen = []

    def stop(training: object, testing: object) -> None:
        seen.extend([training, testing])
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "_require_alike", stop)
    code, _, complaints = run(capsys, *files(data), "--output-dir", tmp_path)
    assert code == 3
    assert "interrupted; --resume goes on" in complaints
    training, testing = seen
    assert testing.normalization == training.normalization != testing.scan.scales["norm_Y_I"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"YY_full": None}, "YY_full: expected the whole object, to judge by, got no such key"),
        ({"YY_full": np.ones((88, 88))}, "YY_full: expected a complex object"),
        ({"YY_full": np.full((88, 88), np.nan, complex)}, "YY_full: expected finite values"),
        ({"probeGuess": None}, "probeGuess: expected to find this key"),
        ({"diffraction": -np.ones((9, 64, 64))}, "diffraction: expected a finite, non-negative amplitude"),
        ({"coords_nominal": np.full((9, 1, 2, 1), 30.0)}, "corners: expected patches on the object, of 88 pixels"),
        (
            {"probeGuess": NARROW, "coords_nominal": CORNERS},
            "cover: expected a scan without gaps, got one with a gap in its middle",
        ),
        ({"probeGuess": np.zeros((64, 64), complex)}, "probeGuess: expected some light, got only zeros"),
        ({"probeGuess": np.roll(NARROW, 32)}, "probe: expected light on the middle of a patch, got none"),
        ({"intensity_scale": None}, "expected an intensity_scale, as"),
        ({"intensity_scale": np.array(-3.0)}, "intensity_scale: expected a positive number, got -3.0"),
        ({"probeGuess": NARROW}, "expected a scan that sees 16 × 16 pixels of the object, to judge by, got 1 × 1"),
    ],
)
def test_a_test_set_that_cannot_be_used_is_refused_before_training(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, changed: dict[str, object], message: str
) -> None:
    with np.load(data / "gs1" / "test.npz") as stored:
        arrays = {**stored, **changed}
    np.savez(tmp_path / "bad.npz", **{name: array for name, array in arrays.items() if array is not None})
    output = tmp_path / "out"
    code, _, complaints = run(
        capsys, "--train-npz", data / "gs1" / "train.npz", "--test-npz", tmp_path / "bad.npz", "--output-dir", output
    )
    assert code == 3
    assert message in complaints
    assert complaints.count("\n") == 1
    assert not output.exists()


def test_groups_of_other_sizes_are_refused(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    files = ["--train-npz", data / "gs1" / "train.npz", "--test-npz", data / "gs2" / "test.npz"]
    code, _, complaints = run(capsys, *files, "--output-dir", tmp_path)
    assert code == 3
    assert "expected 1 patterns of 64 × 64 in a group" in complaints


@pytest.mark.parametrize("wrong", [["--epochs", "0"], ["--architecture", "unet"], ["--train-npz", "nowhere.npz"]])
def test_wrong_usage(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, wrong: list[str]) -> None:
    code, _, complaints = run(capsys, *files(data), "--output-dir", tmp_path, *wrong)
    assert code == 2
    assert wrong[0] in complaints


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--devices", "-1"], "accelerator, devices, strategy: expected what this machine has, got"),
        (["--seed", 2**64], "seed: expected at most"),
        (["--gridsize", 9], "gridsize: expected groups of at most the 9 exposures"),
    ],
)
def test_wrong_usage_that_the_training_finds(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, wrong: list[object], message: str
) -> None:
    code, _, complaints = run(capsys, *files(data), "--output-dir", tmp_path, "--accelerator", "cpu", *wrong)
    assert code == 2
    assert message in complaints
    assert complaints.count("\n") == 1


@pytest.mark.usefixtures("small_fno")
def test_a_training_that_diverges_ends_with_a_sentence(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path
) -> None:
    rate = ["--learning-rate", 1e30, "--batch-size", 2]
    code, _, complaints = run(capsys, *files(data), "--architecture", "fno", "--output-dir", tmp_path, *rate)
    assert code == 3
    assert complaints.startswith("grid_lines_torch_runner: learning_rate: 1e+30: expected finite patches")
    assert complaints.count("\n") == 1


@pytest.mark.usefixtures("small_fno")
def test_what_an_earlier_network_came_to_does_not_stay_beside_another(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [*files(data), "--architecture", "fno", "--output-dir", tmp_path, "--epochs", 1]
    assert run(capsys, *arguments)[0] == 0

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "read", interrupted)
    assert run(capsys, *arguments, "--seed", 1)[0] == 3
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN
    monkeypatch.undo()
    monkeypatch.setattr(runner, "judge", interrupted)
    assert run(capsys, *arguments, "--architecture", "hybrid")[0] == 3
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoints", "logs"}


@pytest.mark.usefixtures("small_fno")
def test_a_network_that_makes_nothing_of_the_object_ends_with_a_sentence(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PtychoModule, "forward", lambda self, images: 0 * self.generator(images))
    code, _, complaints = run(capsys, *files(data), "--architecture", "fno", "--output-dir", tmp_path, "--epochs", 1)
    assert code == 3
    assert complaints.startswith("grid_lines_torch_runner: reconstruction: found: expected a finite object that is not")
    assert complaints.count("\n") == 1


@pytest.mark.integration
def test_two_processes_train_together_and_one_writes(data: Path, tmp_path: Path) -> None:
    arguments = [*files(data), "--architecture", "fno", "--output-dir", tmp_path, "--epochs", 1, "--batch-size", 2]
    together = ["--accelerator", "cpu", "--devices", 2, "--strategy", "ddp"]
    ended = subprocess.run(
        [sys.executable, "-m", runner.__name__, *map(str, [*arguments, *together])],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("metrics.json") == 1
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN
