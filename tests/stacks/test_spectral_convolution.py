"""The spectral convolution: what it computes, and what it refuses."""

import re

import numpy as np
import pytest


@pytest.fixture
def networks(stack):
    return stack.functions("networks")


def random(*shape: int, dtype: type = np.float64) -> np.ndarray:
    real, imaginary = np.random.default_rng(sum(shape)).standard_normal((2, *shape))
    return (real + 1j * imaginary).astype(dtype) if np.issubdtype(dtype, np.complexfloating) else real.astype(dtype)


def with_spectrum(frame: tuple[int, int], weights: np.ndarray) -> np.ndarray:
    """What is convolved with: the frames (F, O, H, W) whose frequencies the weights are, times H W."""
    kernel = np.zeros((*weights.shape[:2], *frame))
    rows, columns = (np.arange(size) for size in frame)
    for k in range(weights.shape[2]):
        for column in range(weights.shape[3]):
            turns = (k - weights.shape[2] // 2) * rows[:, None] / frame[0] + column * columns / frame[1]
            counts = 1 if column == 0 or 2 * column == frame[1] else 2
            kernel += counts * (weights[:, :, k, column, None, None] * np.exp(2j * np.pi * turns)).real
    return kernel


@pytest.mark.parametrize("frame", [(6, 8), (7, 8), (6, 7), (7, 7)])
@pytest.mark.parametrize("band", [(1, 1), (2, 3), (5, 2), (6, 4)])
def test_it_is_a_convolution_wrapped_around_the_frame(networks, frame: tuple[int, int], band: tuple[int, int]) -> None:
    features, weights = random(2, 3, *frame), random(3, 2, *band, dtype=complex)
    kernel, expected = with_spectrum(frame, weights), np.zeros((2, 2, *frame))
    for row, column in np.ndindex(frame):
        moved = np.roll(kernel, (row, column), axis=(-2, -1))
        expected += np.einsum("bi,iorc->borc", features[:, :, row, column], moved)
    found = networks.spectral_convolve(features, weights)
    np.testing.assert_allclose(found, expected / np.prod(frame), rtol=0, atol=1e-13)


@pytest.mark.parametrize("frame", [(6, 8), (7, 8), (6, 7), (7, 7)])
def test_one_frequency_shows_its_weight(networks, frame: tuple[int, int]) -> None:
    """A plane wave of a negative row and a positive column frequency comes back with the weight's modulus and phase."""
    rows, columns = (np.arange(size) / size for size in frame)
    turns = 2 * np.pi * (-2 * rows[:, None] + columns)
    weights = random(1, 1, 5, 3, dtype=complex)
    weight = weights[0, 0, 0, 1]  # of rows -2 to 2 and columns 0 to 2
    found = networks.spectral_convolve(np.cos(turns)[None, None], weights)
    expected = abs(weight) * np.cos(turns + np.angle(weight))
    np.testing.assert_allclose(found[0, 0], expected, rtol=0, atol=1e-14)


def test_all_frequencies_with_a_weight_of_one_are_the_features(networks) -> None:
    for frame in ((6, 8), (7, 5)):
        features = random(2, 1, *frame)
        found = networks.spectral_convolve(features, np.ones((1, 1, frame[0], frame[1] // 2 + 1), complex))
        np.testing.assert_allclose(found, features, rtol=0, atol=1e-14)


FEATURES = random(1, 2, 8, 8)


@pytest.mark.parametrize(
    ("features", "weights", "error", "words"),
    [
        (FEATURES, random(2, 1, 9, 3, dtype=complex), ValueError, "weights: expected 1 to 8 rows and"),
        (FEATURES, random(2, 1, 3, 6, dtype=complex), ValueError, "1 to 5 columns of frequencies"),
        (FEATURES, random(3, 1, 3, 3, dtype=complex), ValueError, "weights: expected (F) = (2) as in"),
        (FEATURES, random(2, 1, 3, dtype=complex), ValueError, "weights: expected axes (F, O, K, L)"),
        (FEATURES, random(2, 1, 3, 3), TypeError, "weights: expected complex64 or complex128, got float64"),
        (FEATURES, random(2, 1, 3, 3, dtype=np.complex64), TypeError, "weights: expected the precision of"),
        (FEATURES[0], random(2, 1, 3, 3, dtype=complex), ValueError, "features: expected axes (B, F, H, W)"),
    ],
)
def test_what_it_refuses(
    stack, networks, features: np.ndarray, weights: np.ndarray, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=re.escape(stack.worded(words))):
        networks.spectral_convolve(features, weights)
