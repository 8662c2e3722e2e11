"""Laws of the photon bookkeeping."""

import numpy as np
import pytest

REAL = [np.float32, np.float64]


@pytest.fixture
def scaling(stack):
    return stack.functions("scaling")


def amplitude(dtype: type = np.float64) -> np.ndarray:
    return np.random.default_rng(0).uniform(size=(3, 2, 5, 4)).astype(dtype)


def test_photons_are_counted_in_each_pattern(scaling) -> None:
    counts = scaling.count_photons(np.arange(12.0, dtype=np.float32).reshape(1, 2, 2, 3))
    assert counts.tolist() == [[55.0, 451.0]]


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("nphotons", [1, 1e9])
def test_the_mean_pattern_gets_nphotons(scaling, rounding, dtype: type, nphotons: float) -> None:
    a = amplitude(dtype)
    mean_count = scaling.count_photons(a * scaling.scale_nphotons(a, nphotons)).mean()
    assert abs(mean_count - nphotons) <= rounding(mean_count, a.size)
    as_tensor = np.array(nphotons, dtype)
    assert scaling.scale_nphotons(a, as_tensor) == scaling.scale_nphotons(a, nphotons)


@pytest.mark.parametrize("dtype", REAL)
def test_a_normalised_mean_pattern_holds_a_quarter_of_the_pixels(scaling, rounding, dtype: type) -> None:
    normalized = scaling.normalize_amplitude(amplitude(dtype))
    mean_count = scaling.count_photons(normalized).mean()
    assert normalized.dtype == dtype
    assert abs(mean_count - 5 * 4 / 4) <= rounding(mean_count, normalized.size)


def test_the_intensity_scale_is_the_exponential_and_its_removal_the_inverse(stack, scaling, rounding) -> None:
    a, log_scale = amplitude(), np.array(3.0)
    scaled = scaling.apply_intensity_scale(a, log_scale)
    assert np.array_equal(scaled, a * stack.own("exp", log_scale))
    assert np.abs(scaling.remove_intensity_scale(scaled, log_scale) - a).max() <= rounding(a, 2)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_integers_are_widened_before_they_are_squared(scaling, dtype: type) -> None:
    largest = min(np.iinfo(dtype).max, 65535)
    reading = np.full((1, 1, 2, 2), largest, dtype)
    counts = scaling.count_photons(reading)
    assert counts.dtype == np.float64
    assert counts == 4 * largest**2
    assert scaling.scale_nphotons(reading, 4.0 * largest**2) == 1
    normalized = scaling.normalize_amplitude(reading)
    assert normalized.dtype == np.float64
    assert np.all(normalized == 0.5)
