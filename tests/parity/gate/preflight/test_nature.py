"""Counts and their roots are told apart by their values, from a single photon a pixel to a thousand."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import poisson

from parity.gate.preflight.counts import FEWEST, PixelNature, nature

MEANS = [0.05, 0.3, 1, 4, 30, 1000]


def counts(mean: float, seed: int = 0, size: int = 4000) -> np.ndarray:
    """Half of the pixels dark, as beside a bright middle."""
    light = mean * np.random.default_rng(seed).exponential(size=size) * np.linspace(0, 2, size)
    return np.random.default_rng(seed + 1).poisson(light)


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("factor", [1, 1 / 733.722, np.pi])
def test_both_are_known_in_any_unit(mean: float, dtype: type, factor: float) -> None:
    drawn = counts(mean, size=40_000)
    assert nature((factor * drawn).astype(dtype)) is PixelNature.COUNTS
    assert nature((factor * np.sqrt(drawn)).astype(dtype)) is PixelNature.AMPLITUDES


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_integers_are_counts(dtype: type) -> None:
    assert nature(np.zeros((3, 3), dtype)) is PixelNature.COUNTS


def test_bright_counts_are_known_without_a_dark_pixel() -> None:
    bright = np.random.default_rng(0).poisson(5e5, 100).astype(np.float32)
    assert nature(bright) is PixelNature.COUNTS


def test_zeros_and_ones_are_their_own_roots() -> None:
    assert nature(np.array([0.0, 1.0] * 50)) is PixelNature.EITHER
    assert nature(np.array([0.0, 0.3] * 50)) is PixelNature.EITHER
    assert nature(np.zeros(9)) is PixelNature.EITHER


def test_too_few_values_say_nothing() -> None:
    few = np.array([0.0, 1.0, *[2.0] * (FEWEST - 1)])
    assert nature(few) is PixelNature.UNTOLD
    assert nature(np.append(few, 3.0)) is PixelNature.COUNTS


@pytest.mark.parametrize(
    "altered",
    [
        lambda a: a + 0.01 * np.random.default_rng(5).normal(size=a.size) ** 2,
        lambda a: np.convolve(a, np.exp([-1.0, 0.0, -1.0])),
    ],
)
def test_what_was_smoothed_or_had_noise_added_is_untold(altered: Callable[[np.ndarray], np.ndarray]) -> None:
    for values in (counts(30).astype(float), np.sqrt(counts(30))):
        assert nature(altered(values).astype(np.float32)) is PixelNature.UNTOLD


def test_few_counts_are_a_square_times_the_least() -> None:
    """The probability on which the number of values rests."""
    most = 0.0
    for unit in range(1, 7):
        multiples = unit * np.arange(2, 60)[:, np.newaxis] ** 2
        means = np.logspace(-2, 2, 1000)
        most = max(most, float((poisson.pmf(multiples, means).sum(axis=0) / poisson.sf(unit, means)).max()))
    assert most < 0.23
    assert 0.23**FEWEST < 1e-9 < 0.23 ** (FEWEST - 1)


def test_roots_are_never_called_counts() -> None:
    for seed in range(300):
        drawn = np.sqrt(counts(MEANS[seed % len(MEANS)], seed, size=16 + seed % 40)).astype(np.float32)
        assert nature(drawn) is not PixelNature.COUNTS
