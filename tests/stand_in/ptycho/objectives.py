"""How far a model is from what was measured, and how rough it is."""

import tensorflow as tf


def amplitude_error(measured: tf.Tensor, expected: tf.Tensor) -> tf.Tensor:
    """The mean absolute error of amplitudes, from intensities."""
    return tf.reduce_mean(tf.abs(tf.sqrt(expected) - tf.sqrt(measured)))


def roughness(frames: tf.Tensor) -> tf.Tensor:
    """The squared moduli of the steps from row to row and from column to column, summed over each frame, (frame,)."""
    down, across = frames[:, 1:] - frames[:, :-1], frames[:, :, 1:] - frames[:, :, :-1]
    return _energy(down) + _energy(across)


def _energy(steps: tf.Tensor) -> tf.Tensor:
    return tf.math.real(tf.reduce_sum(steps * tf.math.conj(steps), axis=(1, 2)))
