"""Laws of the PyTorch optics that hold without a second implementation."""

import math

import pytest
import torch
from torch import Tensor

from ptycho_torch.optics import combine_complex, far_field_amplitude, illuminate

SHAPES = [(8, 8), (7, 9), (6, 5)]
COMPLEX = [torch.complex64, torch.complex128]


def field(*shape: int, dtype: torch.dtype = torch.complex128, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def rounding(tensor: Tensor, operations: int) -> float:
    """What `operations` roundings, each of a number as large as the largest of `tensor`, may add up to."""
    return operations * torch.finfo(tensor.dtype).eps * tensor.abs().max().item()


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize(("height", "width"), SHAPES)
@pytest.mark.parametrize("modes", [1, 3])
def test_energy_is_conserved(height: int, width: int, modes: int, dtype: torch.dtype) -> None:
    patches, probe = field(2, 4, height, width, dtype=dtype), field(modes, height, width, dtype=dtype, seed=1)
    exit_waves = illuminate(patches, probe)
    lit = exit_waves.abs().square().sum((2, 3, 4))
    seen = far_field_amplitude(exit_waves).square().sum((2, 3))
    assert (lit - seen).abs().max() <= rounding(lit, modes * height * width)


@pytest.mark.parametrize(("height", "width"), SHAPES)
@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 0), (0, -2)])
def test_a_plane_wave_meets_the_detector_at_its_frequency(height: int, width: int, row: int, column: int) -> None:
    y, x = (torch.arange(size, dtype=torch.float64) / size for size in (height, width))
    wave = torch.exp(2j * math.pi * (row * y[:, None] + column * x))
    intensity = far_field_amplitude(wave[None, None, None]).square()[0, 0]
    expected = torch.zeros(height, width, dtype=torch.float64)
    expected[height // 2 + row, width // 2 + column] = height * width
    assert (intensity - expected).abs().max() <= rounding(expected, height * width)


def test_modes_add_incoherently() -> None:
    wave = field(1, 1, 1, 6, 5)
    one, two = far_field_amplitude(wave), far_field_amplitude(torch.cat([wave, wave], dim=2))
    assert (two - math.sqrt(2) * one).abs().max() <= rounding(two, 4)


def test_a_mode_does_not_touch_its_neighbours() -> None:
    patches, probe = field(2, 1, 4, 5), field(3, 4, 5, seed=1)
    assert torch.equal(illuminate(patches, probe)[:, :, 1], illuminate(patches, probe[1:2])[:, :, 0])


@pytest.mark.parametrize("dtype", COMPLEX)
def test_dark_pixels_have_zero_gradient(dtype: torch.dtype) -> None:
    exit_waves = torch.zeros(1, 1, 2, 4, 5, dtype=dtype, requires_grad=True)
    far_field_amplitude(exit_waves).sum().backward()
    assert torch.equal(exit_waves.grad, torch.zeros_like(exit_waves))


def test_dark_pixels_among_lit_ones_leave_the_gradient_finite() -> None:
    exit_waves = torch.ones(1, 1, 1, 4, 4, dtype=torch.complex64, requires_grad=True)
    amplitude = far_field_amplitude(exit_waves)
    amplitude.sum().backward()
    assert (amplitude == 0).any()
    assert torch.isfinite(exit_waves.grad).all()


@pytest.mark.parametrize("amplitude", [0.0, -0.5, 2.0])
def test_combine_complex_has_the_gradient_of_the_phasor(amplitude: float) -> None:
    a = torch.full((1, 1, 1, 1), amplitude, dtype=torch.float64, requires_grad=True)
    phase = torch.full_like(a, 4.0, requires_grad=False)
    combine_complex(a, phase).real.sum().backward()
    assert torch.equal(a.grad, phase.cos())


def test_gradients_agree_with_differences() -> None:
    patches, probe = field(1, 2, 3, 4).requires_grad_(), field(2, 3, 4, seed=1).requires_grad_()
    torch.autograd.gradcheck(lambda o, p: far_field_amplitude(illuminate(o, p)), (patches, probe))
    real = (torch.rand(1, 1, 2, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    torch.autograd.gradcheck(combine_complex, tuple(real))
