"""Simulated exposures: what a stratum forces is in the arrays, and nothing in them is symmetric."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.contracts.cases.case import COUNTED
from parity.contracts.cases.families.exposures import (
    READINGS,
    ExposureSpec,
    ExposureStratum,
    amplitude,
    detected,
    exit_waves,
    observed,
    patches,
    phase,
    predicted,
    target,
)
from parity.contracts.cases.families.losses import APART, EQUAL, EXPOSURES, SHAPES, WRAPPED
from parity.contracts.cases.families.probes import probe
from parity.contracts.declared import REGISTRY
from ptycho_exposures.objects import OBJECTS

NAMED: dict[str, ExposureStratum] = {
    stratum.name: stratum for stratum in (*SHAPES, *EXPOSURES, *EQUAL, *APART, *WRAPPED, *READINGS)
}
SEEDS = range(4)


def specs(name: str) -> list[ExposureSpec]:
    return [NAMED[name].draw(seed) for seed in SEEDS]


@pytest.mark.parametrize("name", NAMED)
def test_shapes_kinds_and_finite_values(name: str) -> None:
    for spec in specs(name):
        frame = (spec.groups, spec.patches, *spec.frame)
        assert {x.shape for x in (amplitude(spec), phase(spec), patches(spec), target(spec))} == {frame}
        assert {x.shape for x in (observed(spec), predicted(spec), detected(spec))} == {frame}
        assert probe(spec).shape == (spec.modes, *spec.frame)
        assert exit_waves(spec).shape == (spec.groups, spec.patches, *probe(spec).shape)
        assert all(np.isfinite(x).all() for x in (exit_waves(spec), observed(spec), predicted(spec), target(spec)))
        assert (observed(spec) >= 0).all()
        assert (predicted(spec) >= 0).all()


def test_a_dark_exposure_is_dark_on_the_detector_where_it_is_in_the_model() -> None:
    for spec in specs("dark"):
        assert (predicted(spec) == 0).any()
        assert (observed(spec) == 0).any()
        assert (observed(spec)[predicted(spec) == 0] == 0).all()


def test_dark_exit_waves_leave_some_patterns_without_light_and_never_all() -> None:
    lit = [np.abs(exit_waves(spec)).sum(axis=(2, 3, 4)) > 0 for spec in specs("dark")]
    assert all(patterns.any() for patterns in lit)
    assert not all(patterns.all() for patterns in lit)


@pytest.mark.parametrize(("name", "low", "high"), [("faint", 0.0, 1.0), ("bright", 1e9, 1e12)])
def test_the_dose_is_the_stratum_s(name: str, low: float, high: float) -> None:
    """Of the prediction: on a faint detector no photon may have come."""
    for spec in specs(name):
        assert low < spec.photons <= high
        photons = np.mean(np.sum(np.abs(exit_waves(spec)) ** 2, axis=(2, 3, 4)))
        assert photons == pytest.approx(spec.photons, rel=1e-6)


def test_photons_are_whole_and_scaled_counts_are_not() -> None:
    for spec in specs("even"):
        counts = observed(spec) ** 2
        np.testing.assert_allclose(counts, np.round(counts), rtol=1e-12, atol=1e-9)
    counts = np.concatenate([observed(spec).ravel() ** 2 for spec in specs("scaled")])
    assert (np.abs(counts - np.round(counts))[counts > 0] > 1e-6).any()


def test_readings_are_wide_integers() -> None:
    for spec in specs("readings"):
        assert detected(spec).dtype == np.uint16
        assert detected(spec).max() >= 256


def test_something_is_detected_even_of_a_dark_exposure() -> None:
    assert all(detected(spec).any() for spec in specs("dark") + specs("faint"))


def test_wrapped_phases_go_beyond_half_a_turn() -> None:
    for spec in specs("wrapped"):
        assert np.abs(phase(spec)).max() > np.pi


def test_equal_predictions_are_equal_and_the_others_are_not() -> None:
    for spec in specs("equal"):
        np.testing.assert_array_equal(predicted(spec), observed(spec))
    for near, far in zip(specs("near"), specs("far"), strict=True):
        assert (predicted(near) != observed(near)).any()
        assert (predicted(far) != observed(far)).any()


def symmetries(plane: NDArray[Any]) -> list[NDArray[Any]]:
    """The plane flipped along rows, columns and both, and transposed where it is square."""
    flipped = [plane[..., ::-1, :], plane[..., ::-1], plane[..., ::-1, ::-1]]
    return [*flipped, plane.mT] if plane.shape[-1] == plane.shape[-2] else flipped


@pytest.mark.parametrize("texture", OBJECTS)
@pytest.mark.parametrize("name", ["even", "odd", "oblong"])
def test_neither_probe_nor_object_nor_pattern_is_symmetric(name: str, texture: str) -> None:
    stratum = ExposureStratum(
        "asymmetry", "", NAMED[name].shapes, groups=(2,), patches=(4,), modes=(3,), textures=(texture,)
    )
    spec = stratum.draw(1)
    for array in (probe(spec), patches(spec), predicted(spec)):
        for image in symmetries(array):
            assert np.abs(image - array).max() > 0.01 * np.abs(array).max()


def test_modes_patches_and_groups_differ_and_no_two_modes_are_orthogonal() -> None:
    for spec in specs("many"):
        for array, axis in ((probe(spec), 0), (patches(spec), 0), (patches(spec), 1), (observed(spec), 1)):
            assert np.abs(np.diff(array, axis=axis)).max(axis=(-2, -1)).min() > 0
        modes = probe(spec).reshape(spec.modes, -1)
        products = np.abs(modes.conj() @ modes.T)
        assert (products > 1e-3 * products.max()).all()


def test_an_argument_does_not_depend_on_which_others_were_asked_for() -> None:
    first, second = NAMED["many"].draw(3), NAMED["many"].draw(3)
    modes, exposures = probe(first), observed(first)
    assert predicted(second).any()
    np.testing.assert_array_equal(observed(second), exposures)
    np.testing.assert_array_equal(probe(second), modes)


def test_with_more_photons_what_is_counted_is_another_and_nothing_else_is() -> None:
    specs = {
        argument.source: contract.strata[0].draw(0)
        for contract in REGISTRY.values()
        for argument in contract.arguments
        if argument.source is not None
    }
    changed = set()
    for source, spec in specs.items():
        if isinstance(spec, ExposureSpec):
            few, many = (source(replace(spec, photons=photons)) for photons in (1e4, 1e8))
            if not np.array_equal(few, many):
                changed.add(source)
    assert changed == COUNTED
