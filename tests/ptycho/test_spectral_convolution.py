"""The spectral convolution in TensorFlow: what it computes, and what it refuses, now or in a graph."""

import re

import numpy as np
import pytest
import tensorflow as tf

from ptycho import networks


def random(*shape: int, dtype: tf.DType = tf.float64) -> tf.Tensor:
    generator = np.random.default_rng(sum(shape))
    parts = generator.standard_normal((2, *shape))
    return tf.constant(parts[0] + 1j * parts[1] if dtype.is_complex else parts[0], dtype)


@pytest.mark.parametrize("frame", [(6, 8), (7, 8), (6, 7), (7, 7)])
def test_one_frequency_shows_its_weight(frame: tuple[int, int]) -> None:
    """A plane wave of a negative row and a positive column frequency comes back with the weight's modulus and phase."""
    rows, columns = (np.arange(size) / size for size in frame)
    turns = 2 * np.pi * (-2 * rows[:, None] + columns)
    weights = random(5, 3, 1, 1, dtype=tf.complex128)
    weight = weights[0, 1, 0, 0].numpy()  # of rows -2 to 2 and columns 0 to 2
    found = networks.spectral_convolve(tf.constant(np.cos(turns)[None, :, :, None]), weights)
    expected = abs(weight) * np.cos(turns + np.angle(weight))
    np.testing.assert_allclose(found[0, :, :, 0], expected, rtol=0, atol=1e-14)


def test_all_frequencies_with_a_weight_of_one_are_the_features() -> None:
    for frame in ((6, 8), (7, 5)):
        features = random(2, *frame, 1)
        found = networks.spectral_convolve(features, tf.ones((frame[0], frame[1] // 2 + 1, 1, 1), tf.complex128))
        np.testing.assert_allclose(found, features, rtol=0, atol=1e-14)


def test_one_trace_with_open_dimensions_serves_all_sizes() -> None:
    signature = [tf.TensorSpec([None] * 4, dtype) for dtype in (tf.float64, tf.complex128)]
    traced = tf.function(networks.spectral_convolve, input_signature=signature, autograph=False)
    for frame, band in (((6, 8), (3, 4)), ((7, 5), (7, 3))):
        features, weights = random(2, *frame, 3), random(*band, 3, 2, dtype=tf.complex128)
        expected = networks.spectral_convolve(features, weights)
        np.testing.assert_allclose(traced(features, weights), expected, rtol=0, atol=1e-14)
    with pytest.raises(tf.errors.InvalidArgumentError, match="weights: expected 1 to H rows"):
        traced(random(1, 6, 8, 2), random(7, 3, 2, 2, dtype=tf.complex128))
    with pytest.raises(tf.errors.InvalidArgumentError, match="weights: expected"):
        traced(random(1, 6, 8, 2), random(3, 3, 1, 2, dtype=tf.complex128))


@pytest.mark.parametrize(
    ("features", "weights", "error", "words"),
    [
        (random(1, 8, 8, 2), random(9, 3, 2, 1, dtype=tf.complex128), ValueError, "weights: expected 1 to 8 rows and"),
        (random(1, 8, 8, 2), random(3, 6, 2, 1, dtype=tf.complex128), ValueError, "1 to 5 columns of frequencies"),
        (random(1, 8, 8, 2), random(3, 3, 3, 1, dtype=tf.complex128), ValueError, "weights: expected (F) = (2) as in"),
        (random(1, 8, 8, 2), random(3, 2, 1, dtype=tf.complex128), ValueError, "weights: expected axes (K, L, F, O)"),
        (random(1, 8, 8, 2), random(3, 3, 2, 1), TypeError, "weights: expected complex64 or complex128"),
        (random(1, 8, 8, 2), random(3, 3, 2, 1, dtype=tf.complex64), TypeError, "weights: expected the precision of"),
        (random(8, 8, 2), random(3, 3, 2, 1, dtype=tf.complex128), ValueError, "features: expected axes (B, H, W, F)"),
    ],
)
def test_what_it_refuses(features: tf.Tensor, weights: tf.Tensor, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        networks.spectral_convolve(features, weights)
