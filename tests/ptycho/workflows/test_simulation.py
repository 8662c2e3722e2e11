"""What is simulated: patches of one object under one probe, one scale for all, and everything from the seed."""

from dataclasses import replace

import numpy as np
import pytest

from ptycho.workflows import simulation
from ptycho.workflows.probes import make_probe, prepare_probe
from ptycho.workflows.simulation import SPLITS, GridLinesConfig, prepare_specimens, simulate
from ptycho_exposures import diffsim
from ptycho_exposures.datafile import GridLinesData

CONFIG = GridLinesConfig(N=64, gridsize=2, object_size=84, step_train=8, step_test=12, jitter=1)


def simulated(config: GridLinesConfig) -> dict[str, GridLinesData]:
    probe = prepare_probe(make_probe("gaussian", config.N), config.N)
    return simulate(config, prepare_specimens(config), probe, "gaussian", lambda steps: None)


@pytest.fixture(scope="module")
def data() -> dict[str, GridLinesData]:
    return simulated(CONFIG)


@pytest.mark.parametrize("split", SPLITS)
def test_each_patch_is_where_its_coordinates_say(data: dict[str, GridLinesData], split: str) -> None:
    one = data[split]
    amplitude = np.abs(one.probe[0])
    for group, channel in np.ndindex(one.Y_I.shape[0], 4):
        x, y = one.coords_true[group, 0, :, channel].astype(int)
        patch = one.object[y : y + 64, x : x + 64]
        np.testing.assert_allclose(one.Y_phi[group, ..., channel], np.angle(patch), atol=1e-6)
        np.testing.assert_allclose(one.Y_I[group, ..., channel], amplitude * np.abs(patch), rtol=1e-5, atol=1e-30)


def test_the_grid_is_that_of_the_configuration(data: dict[str, GridLinesData]) -> None:
    for split, step in (("train", 8), ("test", 12)):
        nominal = data[split].coords_nominal
        assert np.unique(np.diff(np.unique(nominal[:, 0, 0, 0]))).tolist() == [step]
        assert (nominal[:, 0, 0, 1] - nominal[:, 0, 0, 0] == 4).all()
        assert (nominal[:, 0, 1, 2] - nominal[:, 0, 1, 0] == 4).all()
    assert not np.array_equal(data["train"].coords_true, data["train"].coords_nominal)


def test_the_scale_is_the_one_that_gives_the_photons(data: dict[str, GridLinesData]) -> None:
    """As `diffsim` would choose it for the training set as a whole, although it goes by the light behind the object."""
    train = data["train"]
    waves = train.Y_I[..., np.newaxis].astype(np.complex128)
    expected = diffsim.scale_nphotons(diffsim.diffract(waves), CONFIG.nphotons)
    assert train.intensity_scale == pytest.approx(expected, rel=4 * float(np.finfo(np.float32).eps))
    ten_deviations = 10 / (CONFIG.nphotons * train.diffraction[:, 0, 0].size) ** 0.5
    assert train.nphotons == pytest.approx(CONFIG.nphotons, rel=ten_deviations)


def test_both_sets_are_exposed_alike(data: dict[str, GridLinesData]) -> None:
    assert data["train"].intensity_scale == data["test"].intensity_scale
    assert np.array_equal(data["train"].probe, data["test"].probe)


def test_amplitudes_are_roots_of_whole_counts(data: dict[str, GridLinesData]) -> None:
    one = simulated(replace(CONFIG, nphotons=1e5))["train"]
    counts = np.square(one.diffraction.astype(float) * one.intensity_scale)
    assert counts.max() > 100
    np.testing.assert_allclose(counts, np.round(counts), rtol=1e-6)


def test_the_sets_are_of_different_objects(data: dict[str, GridLinesData]) -> None:
    assert not np.array_equal(data["train"].object, data["test"].object)


def test_the_object_does_not_depend_on_how_it_is_scanned(data: dict[str, GridLinesData]) -> None:
    other = simulated(replace(CONFIG, gridsize=1, jitter=0, step_train=10, nphotons=1e4))
    assert np.array_equal(data["train"].object, other["train"].object)


def test_the_chunks_leave_no_trace(data: dict[str, GridLinesData], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "_CHUNK", 2 * 64 * 64 * 4)
    again = simulated(CONFIG)["train"]
    assert np.array_equal(again.diffraction, data["train"].diffraction)
    assert again.intensity_scale == data["train"].intensity_scale


def test_another_seed_is_another_data_set(data: dict[str, GridLinesData]) -> None:
    other = simulated(replace(CONFIG, seed=1))["train"]
    for name in ("object", "coords_true", "diffraction"):
        assert not np.array_equal(getattr(other, name), getattr(data["train"], name))


def test_every_mode_of_a_probe_lights_the_object() -> None:
    config = replace(CONFIG, gridsize=1)
    gaussian, disk = (make_probe(name, 64) for name in ("gaussian", "disk"))
    probe = prepare_probe(np.concatenate([gaussian, 0.3 * disk]), 64)
    train = simulate(config, prepare_specimens(config), probe, "two", lambda steps: None)["train"]
    x, y = train.coords_true[0, 0, :, 0].astype(int)
    lit = np.sqrt((np.abs(probe * train.object[y : y + 64, x : x + 64]) ** 2).sum(axis=0))
    np.testing.assert_allclose(train.Y_I[0, ..., 0], lit, rtol=1e-5, atol=1e-30)


def test_progress_counts_every_group() -> None:
    steps: list[int] = []
    specimens = prepare_specimens(CONFIG)
    probe = prepare_probe(make_probe("disk", 64), 64)
    data = simulate(CONFIG, specimens, probe, "disk", steps.append)
    assert sum(steps) == sum(len(one.diffraction) for one in data.values())


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("N", 32, "N: expected one of 64, 128, 256, got 32"),
        ("gridsize", 3, "gridsize: expected one of 1, 2, got 3"),
        ("object_size", 69, "object_size: expected at least 70, got 69"),
        ("step_train", 0, "step_train: expected at least 1, got 0"),
        ("step_test", 0, "step_test: expected at least 1, got 0"),
        ("offset", 0, "offset: expected at least 1, got 0"),
        ("jitter", -1, "jitter: expected at least 0, got -1"),
        ("seed", -1, "seed: expected at least 0, got -1"),
        ("nphotons", 0.0, "nphotons: expected a positive finite number, got 0.0"),
        ("nphotons", float("nan"), "nphotons: expected a positive finite number, got nan"),
        ("phase_span", float("inf"), "phase_span: expected a positive finite number, got inf"),
        ("phase_span", 1e8, r"phase_span: expected at most 100, got 1e\+08"),
        ("step_test", 10**20, "step_test: expected at most 1048576, got 1"),
    ],
)
def test_what_cannot_be_simulated_is_refused(field: str, value: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(CONFIG, **{field: value})


def test_more_light_than_can_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match=r"nphotons: expected light that can be counted, got 1e\+17 \(amplitude: "):
        simulated(replace(CONFIG, nphotons=1e17))
