"""Scenes: what a stratum forces is in the arrays, and nothing in them is symmetric."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.contracts.cases import strata
from parity.contracts.cases.scenes import Scene
from parity.contracts.cases.scenes.exposures import COUNTED
from parity.contracts.cases.scenes.networks import LEVELS_OF
from parity.contracts.cases.strata import Stratum, draw
from parity.contracts.declared import REGISTRY
from ptycho_exposures.objects import OBJECTS

NAMED = {
    stratum.name: stratum
    for group in (strata.SHAPES, strata.EXPOSURES, strata.EQUAL, strata.APART, strata.WRAPPED, strata.READINGS)
    for stratum in group
}
SEEDS = range(4)


def scenes(name: str) -> list[Scene]:
    return [Scene(draw(NAMED[name], seed)) for seed in SEEDS]


@pytest.mark.parametrize("name", NAMED)
def test_shapes_kinds_and_finite_values(name: str) -> None:
    for scene in scenes(name):
        spec = scene.spec
        frame = (spec.groups, spec.patches, spec.height, spec.width)
        assert {x.shape for x in (scene.amplitude, scene.phase, scene.patches, scene.target)} == {frame}
        assert {x.shape for x in (scene.observed, scene.predicted, scene.detected)} == {frame}
        assert scene.probe.shape == (spec.modes, spec.height, spec.width)
        assert scene.exit_waves.shape == (spec.groups, spec.patches, *scene.probe.shape)
        assert all(np.isfinite(x).all() for x in (scene.exit_waves, scene.observed, scene.predicted, scene.target))
        assert (scene.observed >= 0).all()
        assert (scene.predicted >= 0).all()


def test_a_dark_scene_is_dark_on_the_detector_where_it_is_in_the_model() -> None:
    for scene in scenes("dark"):
        assert (scene.predicted == 0).any()
        assert (scene.observed == 0).any()
        assert (scene.observed[scene.predicted == 0] == 0).all()


def test_dark_exit_waves_leave_some_patterns_without_light_and_never_all() -> None:
    lit = [np.abs(scene.exit_waves).sum(axis=(2, 3, 4)) > 0 for scene in scenes("dark")]
    assert all(patterns.any() for patterns in lit)
    assert not all(patterns.all() for patterns in lit)


@pytest.mark.parametrize(("name", "low", "high"), [("faint", 0.0, 1.0), ("bright", 1e9, 1e12)])
def test_the_dose_is_the_stratum_s(name: str, low: float, high: float) -> None:
    """Of the prediction: on a faint detector no photon may have come."""
    for scene in scenes(name):
        assert low < scene.spec.photons <= high
        photons = np.mean(np.sum(np.abs(scene.exit_waves) ** 2, axis=(2, 3, 4)))
        assert photons == pytest.approx(scene.spec.photons, rel=1e-6)


def test_photons_are_whole_and_scaled_counts_are_not() -> None:
    for scene in scenes("even"):
        counts = scene.observed**2
        np.testing.assert_allclose(counts, np.round(counts), rtol=1e-12, atol=1e-9)
    counts = np.concatenate([scene.observed.ravel() ** 2 for scene in scenes("scaled")])
    assert (np.abs(counts - np.round(counts))[counts > 0] > 1e-6).any()


def test_readings_are_wide_integers() -> None:
    for scene in scenes("readings"):
        assert scene.detected.dtype == np.uint16
        assert scene.detected.max() >= 256


def test_something_is_detected_even_of_a_dark_scene() -> None:
    assert all(scene.detected.any() for scene in scenes("dark") + scenes("faint"))


def test_wrapped_phases_go_beyond_half_a_turn() -> None:
    for scene in scenes("wrapped"):
        assert np.abs(scene.phase).max() > np.pi


def test_equal_predictions_are_equal_and_the_others_are_not() -> None:
    for scene in scenes("equal"):
        np.testing.assert_array_equal(scene.predicted, scene.observed)
    for near, far in zip(scenes("near"), scenes("far"), strict=True):
        assert (near.predicted != near.observed).any()
        assert (far.predicted != far.observed).any()


def symmetries(plane: NDArray[Any]) -> list[NDArray[Any]]:
    """The plane flipped along rows, columns and both, and transposed where it is square."""
    flipped = [plane[..., ::-1, :], plane[..., ::-1], plane[..., ::-1, ::-1]]
    return [*flipped, plane.mT] if plane.shape[-1] == plane.shape[-2] else flipped


@pytest.mark.parametrize("texture", OBJECTS)
@pytest.mark.parametrize("name", ["even", "odd", "oblong"])
def test_neither_probe_nor_object_nor_pattern_is_symmetric(name: str, texture: str) -> None:
    stratum = Stratum("asymmetry", "", NAMED[name].shapes, groups=(2,), patches=(4,), modes=(3,), textures=(texture,))
    scene = Scene(draw(stratum, 1))
    for array in (scene.probe, scene.patches, scene.predicted):
        for image in symmetries(array):
            assert np.abs(image - array).max() > 0.01 * np.abs(array).max()


def test_modes_patches_and_groups_differ_and_no_two_modes_are_orthogonal() -> None:
    for scene in scenes("many"):
        for array, axis in ((scene.probe, 0), (scene.patches, 0), (scene.patches, 1), (scene.observed, 1)):
            assert np.abs(np.diff(array, axis=axis)).max(axis=(-2, -1)).min() > 0
        modes = scene.probe.reshape(scene.spec.modes, -1)
        products = np.abs(modes.conj() @ modes.T)
        assert (products > 1e-3 * products.max()).all()


def test_an_argument_does_not_depend_on_which_others_were_asked_for() -> None:
    spec = draw(NAMED["many"], 3)
    first, second = Scene(spec), Scene(spec)
    probe, observed = first.probe, first.observed
    assert second.predicted.any()
    np.testing.assert_array_equal(second.observed, observed)
    np.testing.assert_array_equal(second.probe, probe)


def test_with_more_photons_what_is_counted_is_another_and_nothing_else_is() -> None:
    fields = {
        argument.field: contract.strata[0]
        for contract in REGISTRY.values()
        for argument in contract.arguments
        if LEVELS_OF not in argument.field
    }
    changed = set()
    for field, stratum in fields.items():
        spec = draw(stratum, 0)
        few, many = (getattr(Scene(replace(spec, photons=photons)), field) for photons in (1e4, 1e8))
        if not np.array_equal(few, many):
            changed.add(field)
    assert changed == COUNTED
