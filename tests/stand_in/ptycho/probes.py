"""Probes (mode, row, column) on square frames, about the point between the middle pixels."""

import tensorflow as tf


def gaussian_beam(pixels: int, sigma: tf.Tensor) -> tf.Tensor:
    """A beam of one mode in its focus; `sigma` is that of the amplitude, in pixels."""
    amplitude = tf.exp(-_distance_squared(pixels, sigma.dtype) / (2 * sigma**2))
    return tf.complex(amplitude, tf.zeros_like(amplitude))[None]


def support(pixels: int, dtype: tf.DType) -> tf.Tensor:
    """1 on a disk half as wide as the frame, and 0 around it."""
    return tf.cast(_distance_squared(pixels, dtype) < (pixels / 4) ** 2, dtype)


def normalised(modes: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """Modes divided by `scale` and by the mean modulus of what lies in their support."""
    modulus = tf.abs(modes)
    mean = tf.reduce_mean(modulus * support(modes.shape[-1], modulus.dtype))
    return modes / tf.cast(scale * mean, modes.dtype)


def _distance_squared(pixels: int, dtype: tf.DType) -> tf.Tensor:
    x = tf.range(pixels, dtype=dtype) - (pixels - 1) / 2
    return x**2 + x[:, None] ** 2
