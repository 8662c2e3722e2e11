"""Laws of the PyTorch photon bookkeeping."""

import pytest
import torch
from torch import Tensor

from ptycho_torch import scaling

REAL = [torch.float32, torch.float64]


def amplitude(dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(3, 2, 5, 4, dtype=dtype, generator=torch.Generator().manual_seed(0))


def rounding(tensor: Tensor, operations: int) -> float:
    """What `operations` roundings, each of a number as large as the largest of `tensor`, may add up to."""
    return operations * torch.finfo(tensor.dtype).eps * tensor.abs().max().item()


def test_photons_are_counted_in_each_pattern() -> None:
    counts = scaling.count_photons(torch.arange(12.0).reshape(1, 2, 2, 3))
    assert counts.tolist() == [[55.0, 451.0]]


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("nphotons", [1, 1e9])
def test_the_mean_pattern_gets_nphotons(dtype: torch.dtype, nphotons: float) -> None:
    a = amplitude(dtype)
    mean_count = scaling.count_photons(a * scaling.scale_nphotons(a, nphotons)).mean()
    assert abs(mean_count - nphotons) <= rounding(mean_count, a.numel())
    as_tensor = torch.tensor(nphotons, dtype=dtype)
    assert scaling.scale_nphotons(a, as_tensor) == scaling.scale_nphotons(a, nphotons)


@pytest.mark.parametrize("dtype", REAL)
def test_a_normalised_mean_pattern_holds_a_quarter_of_the_pixels(dtype: torch.dtype) -> None:
    normalized = scaling.normalize_amplitude(amplitude(dtype))
    mean_count = scaling.count_photons(normalized).mean()
    assert normalized.dtype == dtype
    assert abs(mean_count - 5 * 4 / 4) <= rounding(mean_count, normalized.numel())


def test_the_intensity_scale_is_the_exponential_and_its_removal_the_inverse() -> None:
    a, log_scale = amplitude(), torch.tensor(3.0, dtype=torch.float64)
    scaled = scaling.apply_intensity_scale(a, log_scale)
    assert torch.equal(scaled, a * log_scale.exp())
    assert (scaling.remove_intensity_scale(scaled, log_scale) - a).abs().max() <= rounding(a, 2)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.int32])
def test_integers_are_widened_before_they_are_squared(dtype: torch.dtype) -> None:
    largest = min(torch.iinfo(dtype).max, 65535)
    reading = torch.full((1, 1, 2, 2), largest, dtype=dtype)
    counts = scaling.count_photons(reading)
    assert counts.dtype == torch.float64
    assert counts.item() == 4 * largest**2
    assert scaling.scale_nphotons(reading, counts.item()) == 1
    assert torch.equal(scaling.normalize_amplitude(reading), torch.full((1, 1, 2, 2), 0.5, dtype=torch.float64))
