"""Laws of the optics that hold without a second implementation."""

import math

import numpy as np
import pytest

SHAPES = [(8, 8), (7, 9), (6, 5)]
COMPLEX = [np.complex64, np.complex128]


@pytest.fixture
def optics(stack):
    return stack.functions("optics")


def field(*shape: int, dtype: type = np.complex128, seed: int = 0) -> np.ndarray:
    real, imaginary = np.random.default_rng(seed).normal(size=(2, *shape))
    return (real + 1j * imaginary).astype(dtype)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize(("height", "width"), SHAPES)
@pytest.mark.parametrize("modes", [1, 3])
def test_energy_is_conserved(optics, rounding, height: int, width: int, modes: int, dtype: type) -> None:
    patches, probe = field(2, 4, height, width, dtype=dtype), field(modes, height, width, dtype=dtype, seed=1)
    exit_waves = optics.illuminate(patches, probe)
    lit = (np.abs(exit_waves) ** 2).sum((2, 3, 4))
    seen = (optics.far_field_amplitude(exit_waves) ** 2).sum((2, 3))
    assert np.abs(lit - seen).max() <= rounding(lit, modes * height * width)


@pytest.mark.parametrize(("height", "width"), SHAPES)
@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 0), (0, -2)])
def test_a_plane_wave_meets_the_detector_at_its_frequency(
    optics, rounding, height: int, width: int, row: int, column: int
) -> None:
    y, x = np.arange(height) / height, np.arange(width) / width
    wave = np.exp(2j * np.pi * (row * y[:, None] + column * x))
    intensity = optics.far_field_amplitude(wave[None, None, None])[0, 0] ** 2
    expected = np.zeros((height, width))
    expected[height // 2 + row, width // 2 + column] = height * width
    assert np.abs(intensity - expected).max() <= rounding(expected, height * width)


def test_modes_add_incoherently(optics, rounding) -> None:
    wave = field(1, 1, 1, 6, 5)
    one, two = optics.far_field_amplitude(wave), optics.far_field_amplitude(np.concatenate([wave, wave], axis=2))
    assert np.abs(two - math.sqrt(2) * one).max() <= rounding(two, 4)


def test_a_mode_does_not_touch_its_neighbours(optics) -> None:
    patches, probe = field(2, 1, 4, 5), field(3, 4, 5, seed=1)
    one_of_three, alone = optics.illuminate(patches, probe)[:, :, 1], optics.illuminate(patches, probe[1:2])[:, :, 0]
    assert np.array_equal(one_of_three, alone)


@pytest.mark.parametrize("dtype", COMPLEX)
def test_dark_pixels_have_zero_gradient(stack, optics, dtype: type) -> None:
    (slope,) = stack.gradients(optics.far_field_amplitude, np.zeros((1, 1, 2, 4, 5), dtype))
    assert not np.any(slope)


def test_dark_pixels_among_lit_ones_leave_the_gradient_finite(stack, optics) -> None:
    exit_waves = np.ones((1, 1, 1, 4, 4), np.complex64)
    assert np.any(optics.far_field_amplitude(exit_waves) == 0)
    assert np.all(np.isfinite(stack.gradients(optics.far_field_amplitude, exit_waves)))


@pytest.mark.parametrize("amplitude", [0.0, -0.5, 2.0])
def test_combine_complex_has_the_gradient_of_the_phasor(stack, optics, amplitude: float) -> None:
    a, phase = np.full((1, 1, 1, 1), amplitude), np.full((1, 1, 1, 1), 4.0)
    (slope,) = stack.gradients(lambda a: stack.space.real(optics.combine_complex(a, stack.tensor(phase))), a)
    assert slope == stack.own("cos", phase)


def test_the_gradient_of_the_energy_is_twice_the_wave(stack, optics, rounding) -> None:
    """Parseval: the energy on the detector is that of the exit waves, so its gradient is 2 psi."""
    exit_waves = field(1, 2, 2, 3, 4)
    (slope,) = stack.gradients(lambda psi: optics.far_field_amplitude(psi) ** 2, exit_waves)
    assert np.abs(slope - 2 * exit_waves).max() <= rounding(exit_waves, 3 * 4 * 8)
