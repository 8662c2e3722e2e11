"""The diagnostics of a generator: what they measure, what they call vanishing, and what they refuse."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ptycho_exposures.npz import DataError
from ptycho_torch.dataloader import PtychoDataset
from ptycho_torch.diagnostics import __main__ as command
from ptycho_torch.diagnostics.batches import PHOTONS, drawn_batch, read_batch
from ptycho_torch.diagnostics.gradients import LOSSES, as_json, measure_gradients
from ptycho_torch.generators import make_generator
from ptycho_torch.generators.fno import CascadedFNOGenerator, FNOConfig

CASCADE = FNOConfig(size=16, width=4, modes=6, blocks=2, refinements=1)
BATCH = drawn_batch(16, 1, 2, seed=0)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        command.main(["gradients", *arguments])
    said = capsys.readouterr()
    return int(stopped.value.code or 0), said.out, said.err


def data_set(path: Path, **changed: object) -> Path:
    random = np.random.default_rng(0)
    arrays = {
        "diffraction": random.random((5, 16, 16)),
        "probeGuess": np.ones((16, 16), complex),
        "xcoords": np.arange(5.0),
        "ycoords": np.zeros(5),
    } | changed
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


@pytest.mark.parametrize("loss", LOSSES)
def test_what_is_said_of_a_path_is_what_backward_finds(loss: str) -> None:
    generator = CascadedFNOGenerator(CASCADE, seed=1)
    report = measure_gradients(generator, BATCH, LOSSES[loss])
    value = LOSSES[loss](BATCH.predicted(generator(BATCH.images)), BATCH.observed)
    value.backward()
    assert report.loss == value.item()
    block = generator.blocks[1]
    found = {path.path: path for path in report.paths if path.block == "blocks.1"}
    assert set(found) == {"spectral", "local"}
    for path, weights in (("spectral", block.spectral.weights), ("local", block.local_conv.weight)):
        gradient = weights.grad.numpy().astype(complex)
        assert found[path].weights.mean == pytest.approx(np.abs(weights.detach().numpy()).mean())
        assert found[path].gradient.mean == pytest.approx(np.abs(gradient).mean())
        assert found[path].gradient.std == pytest.approx(gradient.std())
        assert found[path].ratio == found[path].gradient.mean / found[path].weights.mean
    assert report.balance("blocks.1") == found["spectral"].gradient.mean / found["local"].gradient.mean
    assert report.balance("lifter.first") is None


def test_nothing_is_changed() -> None:
    generator = CascadedFNOGenerator(CASCADE)
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    measure_gradients(generator, BATCH, LOSSES["mae"])
    assert all(torch.equal(tensor, before[name]) for name, tensor in generator.state_dict().items())
    assert all(parameter.grad is None for parameter in generator.parameters())


class _Detached(nn.Module):
    """A path from which no gradient comes back."""

    def __init__(self, path: nn.Module) -> None:
        super().__init__()
        self.weights = next(path.parameters())
        object.__setattr__(self, "path", path)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.path(features).detach()


def test_a_path_that_nothing_reaches_vanishes() -> None:
    generator = CascadedFNOGenerator(CASCADE)
    block = generator.blocks[1]
    block._require_what_neuraloperator_takes = lambda features: None
    block.spectral = _Detached(block.spectral)
    report = measure_gradients(generator, BATCH, LOSSES["mae"])
    assert [(path.block, path.path) for path in report.vanishing] == [("blocks.1", "spectral")]
    assert as_json(report)["vanishing"] == ["blocks.1 spectral"]


def test_the_share_that_is_least_decides_what_vanishes() -> None:
    generator = CascadedFNOGenerator(CASCADE)
    ratios = sorted(path.ratio for path in measure_gradients(generator, BATCH, LOSSES["mae"]).paths)
    between = math.sqrt(ratios[0] * ratios[1]) / ratios[-1]
    assert len(measure_gradients(generator, BATCH, LOSSES["mae"], between).vanishing) == 1
    assert not measure_gradients(generator, BATCH, LOSSES["mae"]).vanishing


def test_gradients_that_are_not_finite_vanish() -> None:
    generator = CascadedFNOGenerator(CASCADE)
    with torch.no_grad():
        generator.blocks[0].spectral.weights[0, 0, 0, 0] = math.nan
    report = measure_gradients(generator, BATCH, lambda predicted, observed: predicted.sum())
    assert len(report.vanishing) == len(report.paths)
    json.dumps(as_json(report), allow_nan=False)


def test_drawn_exposures_hold_the_photons_that_they_should() -> None:
    batch = drawn_batch(16, 2, 3, seed=1)
    assert batch.observed.shape == (3, 4, 16, 16)
    assert batch.observed.square().sum(dim=(-2, -1)).mean().item() == pytest.approx(PHOTONS, rel=1e-2)
    assert batch.images.square().mean().item() == pytest.approx(1 / 4)
    assert torch.equal(batch.observed, drawn_batch(16, 2, 3, seed=1).observed)
    assert not torch.equal(batch.observed, drawn_batch(16, 2, 3, seed=2).observed)


def test_a_prediction_has_the_photons_of_the_observation() -> None:
    patches = make_generator("fno", 16)(BATCH.images)
    predicted = BATCH.predicted(patches).square().sum(dim=(-2, -1)).mean()
    assert predicted.item() == pytest.approx(BATCH.observed.square().sum(dim=(-2, -1)).mean().item(), rel=1e-5)


def test_a_data_set_is_read_group_by_group(tmp_path: Path) -> None:
    path = data_set(tmp_path / "scan.npz")
    with np.load(path) as data:
        amplitudes = data["diffraction"]
    assert read_batch(path, None, 3).observed.shape == (3, 1, 16, 16)
    batch = read_batch(path, 2, 9)  # of five exposures there are five groups of neighbours
    groups = PtychoDataset(path, gridsize=2).groups.numpy()
    rounding = 2 * np.finfo(np.float32).eps  # normalised and back
    np.testing.assert_allclose(batch.observed, amplitudes[groups], rtol=rounding)
    assert batch.probe.shape == (1, 16, 16)


def test_a_file_that_has_groups_keeps_them(tmp_path: Path) -> None:
    grouped = {
        "diffraction": np.random.default_rng(0).random((3, 16, 16, 4)),
        "coords_nominal": np.zeros((3, 1, 2, 4)),
    }
    path = data_set(tmp_path / "scan.npz", **grouped)
    assert read_batch(path, None, 2).observed.shape == (2, 4, 16, 16)
    with pytest.raises(ValueError, match="gridsize: expected 2, that of the groups"):
        read_batch(path, 3, 2)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"diffraction": None}, "diffraction or diff3d: expected to find this key, got only probeGuess"),
        ({"probeGuess": None}, "probeGuess: expected to find this key, got only diffraction"),
        ({"diffraction": np.ones((5, 16, 8)), "probeGuess": np.ones((16, 8), complex)}, "square patterns, got 16 × 8"),
        ({"diffraction": np.ones((0, 16, 16))}, "diffraction: expected shape (5, H, W) or (H, W, 5)"),
        ({"diffraction": -np.ones((5, 16, 16))}, "diffraction: expected a finite, non-negative amplitude, got -1.0"),
        ({"diffraction": np.full((5, 16, 16), np.nan)}, "diffraction: expected a finite, non-negative amplitude"),
        ({"probeGuess": np.ones((16, 16))}, "probeGuess: expected a complex64 or complex128 probe, got float64"),
        ({"diffraction": np.array([{}])}, "diffraction: expected an array of numbers, got an object array"),
    ],
)
def test_what_is_no_data_set_could_not_be_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, object], words: str
) -> None:
    path = data_set(tmp_path / "scan.npz", **changed)
    with pytest.raises(DataError, match=re.escape(words)):
        read_batch(path, None, 3)
    code, out, error = run(capsys, "--train-npz", str(path))
    assert (code, out) == (3, "")
    assert words in error


@pytest.mark.parametrize(("scale", "unit"), [(None, 1.0), (np.array(30.0), 30.0)])
def test_a_data_set_is_measured_in_photons(tmp_path: Path, scale: np.ndarray | None, unit: float) -> None:
    path = data_set(tmp_path / "scan.npz", intensity_scale=scale)
    with np.load(path) as stored:
        expected = torch.from_numpy(unit * stored["diffraction"][:3, None].astype(np.float32))
    torch.testing.assert_close(read_batch(path, None, 3).observed, expected)


@pytest.mark.parametrize("length", [0, 2000])
def test_a_damaged_file_could_not_be_measured(tmp_path: Path, length: int) -> None:
    path = data_set(tmp_path / "scan.npz")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataError, match=re.escape("scan.npz: expected an .npz file, got ")):
        read_batch(path, None, 1)


def test_a_single_array_is_no_data_set(tmp_path: Path) -> None:
    np.save(tmp_path / "scan.npy", np.ones(3))
    with pytest.raises(DataError, match=r"got a single \.npy array"):
        read_batch(tmp_path / "scan.npy", None, 1)


def test_the_command_shows_a_table_of_blocks(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--architecture", "fno", "--size", "16", "--groups", "1")
    assert code == 0
    assert re.search(r"blocks\.3 +spectral( +\d\.\d\de[+-]\d\d){6}", out)
    assert "none of which vanishes" in out


def test_a_path_that_vanishes_is_named_and_told_by_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--architecture", "hybrid", "--size", "16", "--groups", "1", "--least", "1")
    assert code == 1
    assert "blocks.0 spectral" in out.splitlines()[-1] or "blocks.0 spectral" in " ".join(out.split())


@pytest.mark.parametrize("architecture", ["cnn", "hybrid"])
def test_the_command_measures_on_a_data_set_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], architecture: str
) -> None:
    path = data_set(tmp_path / "scan.npz")
    code, out, _ = run(capsys, "--architecture", architecture, "--train-npz", str(path), "--loss", "nll", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["architecture"] == architecture
    assert found["vanishing"] == []
    has_spectral = {"spectral" in paths for paths in found["blocks"].values()}
    assert has_spectral == ({False} if architecture == "cnn" else {False, True})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--architecture", "fna"), "'fna' is not one of 'cnn', 'fno', 'hybrid'"),
        (("--size", "15"), "fno does not take these frames: size: expected a multiple of 2, got 15"),
        (("--size", "16", "--train-npz", __file__), "--size: expected only without --train-npz"),
    ],
)
def test_wrong_usage_has_a_code_of_its_own(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    code, out, error = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert words in " ".join(error.split())


def test_a_gridsize_that_contradicts_the_file_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = data_set(tmp_path / "scan.npz")
    code, out, error = run(capsys, "--train-npz", str(path), "--gridsize", "3")
    assert (code, out) == (2, "")
    assert "expected" in error


def test_a_fault_of_the_diagnostics_is_no_finding(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(command, "measure_gradients", broken)
    code, _, error = run(capsys, "--size", "16")
    assert code == 3
    assert "RuntimeError: broken" in error
