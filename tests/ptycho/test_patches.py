"""The weight of the patches of the TensorFlow stack."""

import numpy as np
import pytest
import tensorflow as tf

from ptycho.patches import central_weight


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, [0]),
        (2, [1, 0]),
        (3, [0, 1, 0]),
        (5, [0, 1, 1, 0, 0]),
        (7, [0, 0, 1, 1, 1, 0, 0]),
        (8, [0, 0, 1, 1, 1, 1, 0, 0]),
    ],
)
def test_half_of_each_axis_is_central(size: int, expected: list[int]) -> None:
    four = [0, 1, 1, 0]
    tall, wide = tf.zeros((2, size, 4, 3), tf.complex64), tf.zeros((2, 4, size, 3), tf.complex64)
    assert np.array_equal(central_weight(tall), np.outer(expected, four))
    assert np.array_equal(central_weight(wide), np.outer(four, expected))


@pytest.mark.parametrize(("dtype", "expected"), [(tf.complex64, tf.float32), (tf.complex128, tf.float64)])
def test_the_weight_is_in_the_precision_of_the_patches(dtype: tf.DType, expected: tf.DType) -> None:
    assert central_weight(tf.zeros((1, 4, 4, 1), dtype)).dtype == expected
