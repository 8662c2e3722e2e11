"""What is said of a data set: what its numbers are, whether X and Y_I are scaled alike, and who takes it."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity._ground.errors import CheckNotMade
from parity.gate.preflight.data import data_findings
from parity.gate.preflight.findings import PreflightOutcome
from ptycho.workflows.grid_lines_workflow import build_datasets
from ptycho.workflows.simulation import GridLinesConfig
from ptycho_exposures.datafile import write_datafiles

PASSED, FAILED, NOT_CHECKED, NOTED = (
    PreflightOutcome.PASSED,
    PreflightOutcome.FAILED,
    PreflightOutcome.NOT_CHECKED,
    PreflightOutcome.NOTED,
)
Arrays = dict[str, Any]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four simulated patterns, in a file."""
    config = GridLinesConfig(N=64, object_size=72, step_train=8, step_test=8, nphotons=1e6)
    path = tmp_path_factory.mktemp("simulated") / "train.npz"
    write_datafiles({path: build_datasets(config)["train"]})
    return path


@pytest.fixture
def grid_lines(simulated: Path) -> Arrays:
    with np.load(simulated, allow_pickle=False) as archive:
        return dict(archive)


@pytest.fixture
def experiment() -> Arrays:
    """What a detector counted, as amplitudes."""
    rng = np.random.default_rng(0)
    return {
        "diff3d": np.sqrt(rng.poisson(rng.exponential(3.0, (5, 8, 8)))).astype(np.float32),
        "probeGuess": rng.normal(size=(8, 8)) + 1j * rng.normal(size=(8, 8)),
        "xcoords": rng.uniform(0, 9, 5),
        "ycoords": rng.uniform(0, 9, 5),
        "_metadata": np.array([{"pickled": True}], dtype=object),
    }


def outcomes(path: Path, arrays: Arrays) -> dict[str, tuple[PreflightOutcome, str]]:
    np.savez(path / "scan.npz", **arrays)
    return {one.subject: (one.outcome, one.text) for one in data_findings(path / "scan.npz")}


def test_a_file_of_the_workflow_passes(tmp_path: Path, grid_lines: Arrays) -> None:
    found = outcomes(tmp_path, grid_lines)
    assert {outcome for outcome, _ in found.values()} == {PASSED}
    assert found["diffraction"][1] == "amplitudes: float32, whose squares are whole multiples of a unit"
    photons = re.search(r"scale, \S+: (\S+) photons a pattern", found["X and Y_I"][1])
    assert photons
    assert float(photons[1]) == pytest.approx(1e6, rel=1e-3)
    assert found["file"][1] == "grid lines: 4 groups, N = 64, gridsize = 1"


def test_an_experiment_passes_and_nothing_is_unpickled(tmp_path: Path, experiment: Arrays) -> None:
    found = outcomes(tmp_path, experiment)
    assert found["diff3d"][0] is PASSED
    assert found["X and Y_I"] == (NOTED, "no Y_I, as an experiment has none")
    assert found["file"] == (PASSED, "an experiment: 5 patterns of 8 × 8")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint16])
def test_counts_fail(tmp_path: Path, experiment: Arrays, dtype: type) -> None:
    counts = np.round(np.square(experiment.pop("diff3d"))).astype(dtype)
    outcome, text = outcomes(tmp_path, experiment | {"diffraction": counts})["diffraction"]
    assert outcome is FAILED
    assert text.startswith(f"photon counts: {counts.dtype}, ")
    assert text.endswith("store their square root, the amplitude")


@pytest.mark.parametrize("altered", [lambda a: 2 * a, lambda a: a * 1.02, np.square])
@pytest.mark.parametrize("key", ["diffraction", "Y_I"])
def test_what_is_not_scaled_alike_fails(tmp_path: Path, grid_lines: Arrays, key: str, altered: Any) -> None:
    found = outcomes(tmp_path, grid_lines | {key: altered(grid_lines[key])})
    assert found["X and Y_I"][0] is FAILED
    assert "not divided by the same intensity_scale" in found["X and Y_I"][1]


@pytest.mark.parametrize("factor", [1e-5, 0.5, 1.5])
def test_a_scale_that_makes_no_counts_of_the_amplitudes_fails(
    tmp_path: Path, grid_lines: Arrays, factor: float
) -> None:
    """A scale that is far too small would excuse any difference between X and Y_I as noise."""
    scale = factor * grid_lines["intensity_scale"]
    outcome, said = outcomes(tmp_path, {**grid_lines, "intensity_scale": scale})["X and Y_I"]
    assert outcome is FAILED
    assert said.startswith("intensity_scale: expected s with which (s·X)² are counts")


def test_photons_in_place_of_amplitudes_in_x_fail(tmp_path: Path, grid_lines: Arrays) -> None:
    """Multiplied by the scale, as where it is applied in loading."""
    scaled = grid_lines["diffraction"] * grid_lines["intensity_scale"].astype(np.float32)
    assert outcomes(tmp_path, grid_lines | {"diffraction": scaled})["X and Y_I"][0] is FAILED


def test_without_a_scale_it_cannot_be_told(tmp_path: Path, grid_lines: Arrays) -> None:
    del grid_lines["intensity_scale"]
    found = outcomes(tmp_path, grid_lines)
    assert found["X and Y_I"][0] is NOT_CHECKED
    assert found["file"][0] is PASSED  # as an experiment's: it has those keys, too


def test_values_that_say_nothing_are_judged_by_their_energy(tmp_path: Path, grid_lines: Arrays) -> None:
    lit = grid_lines["diffraction"] > 0.1 * grid_lines["diffraction"].max()
    bright = np.where(lit, grid_lines["diffraction"], 0.0).astype(np.float32)
    dark_energy = 1 - float(np.sum(bright**2) / np.sum(grid_lines["diffraction"] ** 2))
    alike = bright / np.float32(np.sqrt(1 - dark_energy))
    found = outcomes(tmp_path, grid_lines | {"diffraction": alike.astype(np.float32)})
    assert found["diffraction"] == (PASSED, "amplitudes: float32, which have the energy of Y_I")


def test_values_that_say_nothing_of_an_experiment_are_not_checked(tmp_path: Path, experiment: Arrays) -> None:
    smoothed = experiment["diff3d"] + np.random.default_rng(1).uniform(0, 0.1, (5, 8, 8)).astype(np.float32)
    found = outcomes(tmp_path, experiment | {"diff3d": smoothed})
    assert found["diff3d"][0] is NOT_CHECKED
    assert "cannot be told from the values" in found["diff3d"][1]


@pytest.mark.parametrize(
    ("value", "message"), [(np.nan, "expected finite values, got nan"), (-1, "expected non-negative numbers, got -1.0")]
)
def test_values_that_no_amplitude_has_fail(tmp_path: Path, experiment: Arrays, value: float, message: str) -> None:
    experiment["diff3d"][1, 2, 3] = value
    found = outcomes(tmp_path, experiment)
    assert list(found) == ["diff3d"]
    assert found["diff3d"][0] is FAILED
    assert f"diff3d: {message} at (1, 2, 3)" in found["diff3d"][1]


def test_darkness_fails(tmp_path: Path, experiment: Arrays) -> None:
    found = outcomes(tmp_path, experiment | {"diff3d": 0 * experiment["diff3d"]})
    assert found["diff3d"] == (FAILED, "no light: only zeros, shape (5, 8, 8)")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"xcoords": np.arange(4.0)}, "ycoords: expected 4 entries, as xcoords has, got 5"),
        ({"xcoords": None}, "no reader takes it: an experiment's has xcoords too, that of the grid-lines workflow"),
    ],
)
def test_a_file_that_no_reader_takes_fails(tmp_path: Path, experiment: Arrays, changed: Arrays, message: str) -> None:
    kept = {key: array for key, array in (experiment | changed).items() if array is not None}
    outcome, text = outcomes(tmp_path, kept)["file"]
    assert outcome is FAILED
    assert message in text


@pytest.mark.parametrize("key", ["coords_nominal", "coords_true"])
def test_a_scan_that_the_loaders_alone_take_passes(tmp_path: Path, experiment: Arrays, key: str) -> None:
    places = np.stack([experiment[name] for name in ("xcoords", "ycoords")], axis=-1)
    others = {name: array for name, array in experiment.items() if name not in ("xcoords", "ycoords")}
    frames = experiment["diff3d"].shape
    said = outcomes(tmp_path, {**others, key: places})["file"]
    assert said == (
        PreflightOutcome.PASSED,
        f"a scan: {frames[0]} patterns of {frames[1]} × {frames[2]}, in groups of 1",
    )


def test_the_photons_of_a_pattern_are_the_same_wherever_its_axis_is(tmp_path: Path, grid_lines: Arrays) -> None:
    turned = {key: np.moveaxis(grid_lines[key], 0, -1) for key in ("diffraction", "Y_I", "Y_phi")}
    one, other = (outcomes(tmp_path, arrays)["X and Y_I"] for arrays in (grid_lines, {**grid_lines, **turned}))
    assert one == other
    assert one[0] is PreflightOutcome.PASSED


def test_a_file_of_the_workflow_is_held_to_all_of_it(tmp_path: Path, grid_lines: Arrays) -> None:
    outcome, text = outcomes(tmp_path, grid_lines | {"norm_Y_I": 2 * grid_lines["norm_Y_I"]})["file"]
    assert outcome is FAILED
    assert "norm_Y_I: expected" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "got no such file"), (b"", "got an empty file"), (b"PK\x03\x04", "got one that is truncated")],
)
def test_a_file_that_cannot_be_read_is_not_checked(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "scan.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckNotMade, match=f"scan.npz: expected an .npz file, {message}"):
        data_findings(path)


def test_a_damaged_array_is_not_checked(tmp_path: Path, simulated: Path) -> None:
    content = bytearray(simulated.read_bytes())
    content[10_000] ^= 1
    (tmp_path / "scan.npz").write_bytes(content)
    with pytest.raises(CheckNotMade, match="diffraction: expected a readable array, got one that cannot be read"):
        data_findings(tmp_path / "scan.npz")


def test_a_file_without_diffraction_is_not_checked(tmp_path: Path, experiment: Arrays) -> None:
    del experiment["diff3d"]
    with pytest.raises(CheckNotMade, match="diffraction or diff3d: expected to find this key, got only probeGuess, "):
        outcomes(tmp_path, experiment)
