"""What loaders should give, beside the contracts of their functions and the training's own account of light."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from parity._ground.errors import UsageError
from parity.physics.oracle import dataloader
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT32, FLOAT64
from parity.runs.pipeline import expected as reading
from parity.runs.pipeline.expected import expect, narrowed
from parity.runs.pipeline.source import read_source
from ptycho_torch.dataloader import PtychoDataset

Experiment = Callable[..., Path]


@pytest.mark.parametrize("gridsize", [1, 2])
def test_a_plain_scan_has_the_groups_places_and_amplitudes_of_the_contracts(
    gridsize: int, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_AT_ONCE", 600)  # two exposures at a time
    source = read_source(experiment())
    found = expect(source, gridsize, 4, 7, FLOAT64)
    scan, frames = (Bounded.exact(array, FLOAT64) for array in (source.scan, source.diffraction))
    grouping = (gridsize, gridsize**2, 0)
    np.testing.assert_array_equal(found.groups, dataloader.neighbour_groups(scan, *grouping))
    for name, contract in (
        ("positions", dataloader.group_positions(scan, *grouping)),
        ("images", dataloader.group_amplitudes(frames, scan, *grouping)),
    ):
        assert np.all(np.abs(found.quantities[name].value - contract.value[found.chosen]) <= 1e-15)
    assert found.gridsize == gridsize
    assert len(set(found.chosen.tolist())) == 4


def test_what_is_computed_in_float64_is_rounded_once() -> None:
    wide = Bounded(np.array([0.1, 0.5]), np.array([2.0**29, 0.0]), FLOAT64)
    assert narrowed(wide, FLOAT64) is wide
    np.testing.assert_array_equal(narrowed(wide, FLOAT32).error, [1.1, 0.0])


def test_float32_bounds_hold_one_rounding_of_what_a_loader_gives(experiment: Experiment) -> None:
    path = experiment("float64")
    images = expect(read_source(path), 1, 9, 0, FLOAT32).quantities["images"]
    got = PtychoDataset(path).batch(range(9))["amplitude"].numpy()
    error = np.abs(got.astype(np.float64) - images.value)
    assert error.max() > 0
    assert np.all(error <= images.allowed)
    assert np.all(images.allowed <= 2.0001 * FLOAT32.unit_roundoff * np.abs(images.value) + FLOAT32.smallest_normal)


@pytest.mark.parametrize("known", [None, 41.5])
def test_unit_and_scale_are_those_of_the_training(known: float | None, experiment: Experiment) -> None:
    from ptycho_torch.lightning_module import Exposure

    path = experiment(**({} if known is None else {"intensity_scale": np.array(known)}))
    exposure = Exposure.of(PtychoDataset(path, precision="float64"))
    quantities = expect(read_source(path), 1, 2, 0, FLOAT64).quantities
    observed = quantities["images"].value * (exposure.unit / exposure.normalization)
    np.testing.assert_allclose(quantities["log_scale"].value, np.log(exposure.scale), rtol=1e-14)
    np.testing.assert_allclose(quantities["observed"].value, observed, rtol=1e-14)


def test_the_canvas_has_room_for_the_farthest_patch(experiment: Experiment) -> None:
    source = read_source(experiment())
    assert expect(source, 1, 2, 0, FLOAT64).canvas == 16
    far = replace(source, scan=np.array([[0.0, 0], [9, 0], [0, 9], [9, 9.5]]), diffraction=source.diffraction[:4])
    assert expect(far, 2, 1, 0, FLOAT64).canvas == 16 + 2 * 5


def test_a_group_of_more_exposures_than_there_are_is_refused(experiment: Experiment) -> None:
    with pytest.raises(UsageError, match="gridsize: expected at most 9 exposures in a group, got 16"):
        expect(read_source(experiment()), 4, 1, 0, FLOAT64)
