"""The spectral convolution in a graph of TensorFlow."""

import numpy as np
import pytest
import tensorflow as tf

from ptycho import networks


def random(*shape: int, dtype: tf.DType = tf.float64) -> tf.Tensor:
    generator = np.random.default_rng(sum(shape))
    parts = generator.standard_normal((2, *shape))
    return tf.constant(parts[0] + 1j * parts[1] if dtype.is_complex else parts[0], dtype)


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
