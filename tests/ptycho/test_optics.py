"""Laws of the TensorFlow optics that hold without a second implementation."""

import math

import numpy as np
import pytest
import tensorflow as tf

from ptycho.optics import combine_complex, far_field_amplitude, illuminate

SHAPES = [(8, 8), (7, 9), (6, 5)]
COMPLEX = [tf.complex64, tf.complex128]


def field(*shape: int, dtype: tf.DType = tf.complex128, seed: int = 0) -> tf.Tensor:
    real, imaginary = np.random.default_rng(seed).normal(size=(2, *shape))
    return tf.cast(tf.complex(real, imaginary), dtype)


def rounding(tensor: tf.Tensor, operations: int) -> float:
    """What `operations` roundings, each of a number as large as the largest of `tensor`, may add up to."""
    values = np.asarray(tensor)
    return operations * np.finfo(values.dtype).eps * np.abs(values).max()


def gradient(function, argument: tf.Tensor) -> tf.Tensor:
    with tf.GradientTape() as tape:
        tape.watch(argument)
        result = function(argument)
    return tape.gradient(result, argument)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize(("height", "width"), SHAPES)
@pytest.mark.parametrize("modes", [1, 3])
def test_energy_is_conserved(height: int, width: int, modes: int, dtype: tf.DType) -> None:
    patches, probe = field(2, height, width, 4, dtype=dtype), field(height, width, modes, dtype=dtype, seed=1)
    exit_waves = illuminate(patches, probe)
    lit = tf.reduce_sum(tf.abs(exit_waves) ** 2, axis=(1, 2, 4))
    seen = tf.reduce_sum(far_field_amplitude(exit_waves) ** 2, axis=(1, 2))
    assert np.abs(lit - seen).max() <= rounding(lit, modes * height * width)


@pytest.mark.parametrize(("height", "width"), SHAPES)
@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 0), (0, -2)])
def test_a_plane_wave_meets_the_detector_at_its_frequency(height: int, width: int, row: int, column: int) -> None:
    y, x = np.arange(height) / height, np.arange(width) / width
    wave = tf.constant(np.exp(2j * np.pi * (row * y[:, None] + column * x)))
    intensity = far_field_amplitude(wave[None, :, :, None, None])[0, :, :, 0] ** 2
    expected = np.zeros((height, width))
    expected[height // 2 + row, width // 2 + column] = height * width
    assert np.abs(intensity - expected).max() <= rounding(expected, height * width)


def test_modes_add_incoherently() -> None:
    wave = field(1, 6, 5, 1, 1)
    one, two = far_field_amplitude(wave), far_field_amplitude(tf.concat([wave, wave], axis=-1))
    assert np.abs(two - math.sqrt(2) * one).max() <= rounding(two, 4)


def test_a_mode_does_not_touch_its_neighbours() -> None:
    patches, probe = field(2, 4, 5, 1), field(4, 5, 3, seed=1)
    one_of_three, alone = illuminate(patches, probe)[..., 1], illuminate(patches, probe[..., 1:2])[..., 0]
    assert np.array_equal(one_of_three, alone)


@pytest.mark.parametrize("dtype", COMPLEX)
def test_dark_pixels_have_zero_gradient(dtype: tf.DType) -> None:
    assert not np.any(gradient(far_field_amplitude, tf.zeros((1, 4, 5, 1, 2), dtype)))


def test_dark_pixels_among_lit_ones_leave_the_gradient_finite() -> None:
    exit_waves = tf.ones((1, 4, 4, 1, 1), tf.complex64)
    assert np.any(far_field_amplitude(exit_waves) == 0)
    assert np.all(np.isfinite(gradient(far_field_amplitude, exit_waves)))


@pytest.mark.parametrize("amplitude", [0.0, -0.5, 2.0])
def test_combine_complex_has_the_gradient_of_the_phasor(amplitude: float) -> None:
    a = tf.fill((1, 1, 1, 1), tf.constant(amplitude, tf.float64))
    phase = 4 * tf.ones_like(a)
    assert gradient(lambda a: tf.math.real(combine_complex(a, phase)), a) == tf.cos(phase)


def test_the_gradient_of_the_energy_is_twice_the_wave() -> None:
    """Parseval: the energy on the detector is that of the exit waves, so its gradient is 2 psi."""
    exit_waves = field(1, 3, 4, 2, 2)
    slope = gradient(lambda psi: far_field_amplitude(psi) ** 2, exit_waves)
    assert np.abs(slope - 2 * exit_waves).max() <= rounding(exit_waves, 3 * 4 * 8)
