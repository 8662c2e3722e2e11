"""Laws of the TensorFlow photon bookkeeping."""

import numpy as np
import pytest
import tensorflow as tf

from ptycho import scaling

REAL = [tf.float32, tf.float64]


def amplitude(dtype: tf.DType = tf.float64) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).uniform(size=(3, 5, 4, 2)), dtype)


def rounding(tensor: tf.Tensor, operations: int) -> float:
    """What `operations` roundings, each of a number as large as the largest of `tensor`, may add up to."""
    values = np.asarray(tensor)
    return operations * np.finfo(values.dtype).eps * np.abs(values).max()


def test_photons_are_counted_in_each_pattern() -> None:
    counts = scaling.count_photons(tf.reshape(tf.range(12.0), (1, 2, 3, 2)))
    assert counts.numpy().tolist() == [[220.0, 286.0]]


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("nphotons", [1, 1e9])
def test_the_mean_pattern_gets_nphotons(dtype: tf.DType, nphotons: float) -> None:
    a = amplitude(dtype)
    mean_count = tf.reduce_mean(scaling.count_photons(a * scaling.scale_nphotons(a, nphotons)))
    assert abs(mean_count - nphotons) <= rounding(mean_count, a.numpy().size)
    as_tensor = tf.constant(nphotons, dtype)
    assert scaling.scale_nphotons(a, as_tensor) == scaling.scale_nphotons(a, nphotons)


@pytest.mark.parametrize("dtype", REAL)
def test_a_normalised_mean_pattern_holds_a_quarter_of_the_pixels(dtype: tf.DType) -> None:
    normalized = scaling.normalize_amplitude(amplitude(dtype))
    mean_count = tf.reduce_mean(scaling.count_photons(normalized))
    assert normalized.dtype == dtype
    assert abs(mean_count - 5 * 4 / 4) <= rounding(mean_count, normalized.numpy().size)


def test_the_intensity_scale_is_the_exponential_and_its_removal_the_inverse() -> None:
    a, log_scale = amplitude(), tf.constant(3.0, tf.float64)
    scaled = scaling.apply_intensity_scale(a, log_scale)
    assert np.array_equal(scaled, a * tf.exp(log_scale))
    assert np.abs(scaling.remove_intensity_scale(scaled, log_scale) - a).max() <= rounding(a, 2)


@pytest.mark.parametrize("dtype", [tf.uint8, tf.uint16, tf.int32])
def test_integers_are_widened_before_they_are_squared(dtype: tf.DType) -> None:
    largest = min(dtype.max, 65535)
    reading = tf.cast(tf.fill((1, 2, 2, 1), largest), dtype)
    counts = scaling.count_photons(reading)
    assert counts.dtype == tf.float64
    assert counts == 4 * largest**2
    assert scaling.scale_nphotons(reading, 4.0 * largest**2) == 1
    normalized = scaling.normalize_amplitude(reading)
    assert normalized.dtype == tf.float64
    assert np.all(normalized == 0.5)
