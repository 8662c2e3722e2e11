"""The PyTorch photon counts: seeds, precision, limits; `parity/judging/test_samplers.py` has their distribution."""

import math

import pytest
import torch
from torch import Tensor

from ptycho_torch import sampling

REAL = [torch.float32, torch.float64]
SAMPLERS = [sampling.sample_counts, sampling.sample_amplitude]


def intensity(value: float = 50.0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.full((2, 3, 16, 15), value, dtype=dtype)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("sample", SAMPLERS)
def test_a_seed_decides_everything(sample, dtype: torch.dtype) -> None:
    first, again, other = (sample(intensity(dtype=dtype), seed) for seed in (3, 3, 4))
    assert (first.shape, first.dtype) == (intensity().shape, dtype)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("sample", SAMPLERS)
def test_the_global_generator_is_neither_read_nor_advanced(sample) -> None:
    found = []
    for global_seed in (0, 1):
        torch.manual_seed(global_seed)
        before = torch.get_rng_state()
        found.append(sample(intensity(), 3))
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(*found)


def test_pixels_groups_and_patches_have_photons_of_their_own() -> None:
    """A correlation of n pairs is 1/√n, give or take; 8 of these come once in 10^15."""
    spread = (sampling.sample_counts(intensity(), 3) - 50) / math.sqrt(50)
    for axis in range(spread.dim()):
        products = spread * spread.roll(1, dims=axis)
        assert products.mean().abs() <= 8 / math.sqrt(products.numel())


def test_neighbouring_seeds_have_nothing_in_common() -> None:
    one, other = ((sampling.sample_counts(intensity(), seed) - 50) / math.sqrt(50) for seed in (3, 4))
    assert (one * other).mean().abs() <= 8 / math.sqrt(one.numel())


@pytest.mark.parametrize("dtype", REAL)
def test_amplitudes_are_the_roots_of_the_counts(dtype: torch.dtype) -> None:
    counts, amplitude = (sample(intensity(dtype=dtype), 3) for sample in SAMPLERS)
    assert torch.equal(counts, counts.round())
    assert torch.equal(amplitude, counts.double().sqrt().to(dtype))


def test_both_precisions_count_the_same_photons() -> None:
    """Also where single precision cannot hold each count: it is the count, rounded."""
    bright = intensity(2.0**30)
    single, double = (sampling.sample_counts(bright.to(dtype), 3) for dtype in REAL)
    assert torch.equal(single, double.float())
    assert (double % 2 == 1).any()


@pytest.mark.parametrize("dark", [0.0, 1e-30])
def test_where_no_light_is_there_is_no_photon(dark: float) -> None:
    assert not sampling.sample_counts(intensity(dark), 3).any()


def test_counts_have_no_gradient() -> None:
    assert not sampling.sample_counts(intensity().requires_grad_(), 3).requires_grad


@pytest.mark.parametrize("sample", SAMPLERS)
@pytest.mark.parametrize(("value", "shown"), [(-1.0, "-1"), (math.nan, "nan"), (math.inf, "inf"), (2e12, "2e+12")])
def test_an_intensity_that_cannot_be_counted(sample, value: float, shown: str) -> None:
    invalid = intensity()
    invalid[1, 2, 3, 4] = value
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the message is compared whole
        sample(invalid, 3)
    expected = "intensity: expected a non-negative intensity of at most 1e+12 photons"
    assert str(caught.value) == f"{expected}, got {shown} at (1, 2, 3, 4)"


@pytest.mark.parametrize(
    ("given", "seed", "error", "message"),
    [
        (intensity().int(), 3, TypeError, "intensity: expected float32 or float64, got int32"),
        (intensity()[0], 3, ValueError, r"intensity: expected axes \(B, C, H, W\), got shape \(3, 16, 15\)"),
        (intensity(), 1.0, TypeError, "seed: expected a whole number, got 1.0"),
        (intensity(), -1, ValueError, "seed: expected a number of at least 0, got -1"),
    ],
)
def test_what_is_no_intensity_and_no_seed(given: Tensor, seed: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}$"):
        sampling.sample_counts(given, seed)
