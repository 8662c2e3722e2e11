"""The photon counts: seeds, precision, limits; `parity/judging/test_samplers.py` has their distribution."""

import math

import numpy as np
import pytest

REAL = [np.float32, np.float64]
SAMPLERS = ["sample_counts", "sample_amplitude"]


@pytest.fixture
def sampling(stack):
    return stack.functions("sampling")


def intensity(value: float = 50.0, dtype: type = np.float64) -> np.ndarray:
    return np.full((2, 3, 16, 15), value, dtype)


def spread(sampling, seed: int) -> np.ndarray:
    return (sampling.sample_counts(intensity(), seed) - 50) / math.sqrt(50)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_seed_decides_everything(sampling, sampler: str, dtype: type) -> None:
    first, again, other = (getattr(sampling, sampler)(intensity(dtype=dtype), seed) for seed in (3, 3, 4))
    assert (first.shape, first.dtype) == (intensity().shape, dtype)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_pixels_groups_and_patches_have_photons_of_their_own(sampling) -> None:
    """A correlation of n pairs is 1/√n, give or take; 8 of these come once in 10^15."""
    one = spread(sampling, 3)
    for axis in range(one.ndim):
        assert abs(np.mean(one * np.roll(one, 1, axis))) <= 8 / math.sqrt(one.size)


def test_neighbouring_seeds_have_nothing_in_common(sampling) -> None:
    one, other = spread(sampling, 3), spread(sampling, 4)
    assert abs(np.mean(one * other)) <= 8 / math.sqrt(one.size)


@pytest.mark.parametrize("dtype", REAL)
def test_amplitudes_are_the_roots_of_the_counts(stack, sampling, dtype: type) -> None:
    counts, amplitude = (getattr(sampling, sampler)(intensity(dtype=dtype), 3) for sampler in SAMPLERS)
    assert np.array_equal(counts, np.round(counts))
    assert np.array_equal(amplitude, stack.own("sqrt", counts.astype(np.float64)).astype(dtype))


def test_both_precisions_count_the_same_photons(sampling) -> None:
    """Also where single precision cannot hold each count: it is the count, rounded."""
    single, double = (sampling.sample_counts(intensity(2.0**30, dtype), 3) for dtype in REAL)
    assert np.array_equal(single, double.astype(np.float32))
    assert np.any(double % 2 == 1)


@pytest.mark.parametrize("dark", [0.0, 1e-30])
def test_where_no_light_is_there_is_no_photon(sampling, dark: float) -> None:
    assert not np.any(sampling.sample_counts(intensity(dark), 3))


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(("value", "shown"), [(-1.0, "-1"), (math.nan, "nan"), (math.inf, "inf"), (2e12, "2e+12")])
def test_an_intensity_that_cannot_be_counted(stack, sampler: str, value: float, shown: str) -> None:
    invalid = intensity()
    invalid[1, 2, 3, 4] = value
    expected = "intensity: expected a non-negative intensity of at most 1e+12 photons"
    stack.refuses((f"sampling.{sampler}", (invalid, 3), f"{expected}, got {shown} at (1, 2, 3, 4)"), ValueError)


@pytest.mark.parametrize(
    ("given", "seed", "error", "message"),
    [
        (intensity().astype(np.int32), 3, TypeError, "intensity: expected float32 or float64, got int32"),
        (intensity()[0], 3, ValueError, "intensity: expected axes (B, C, H, W), got shape (3, 16, 15)"),
        (intensity(), 1.0, TypeError, "seed: expected a whole number, got 1.0"),
        (intensity(), -1, ValueError, "seed: expected a number of at least 0, got -1"),
    ],
)
def test_what_is_no_intensity_and_no_seed(
    stack, given: np.ndarray, seed: object, error: type[Exception], message: str
) -> None:
    stack.refuses(("sampling.sample_counts", (given, seed), message), error)
