"""The spectral convolution in PyTorch: what it computes, and what it refuses."""

import re

import numpy as np
import pytest
import torch
from torch import Tensor

from ptycho_torch import networks


def random(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(sum(shape)))


def with_spectrum(frame: tuple[int, int], weights: Tensor) -> Tensor:
    """What is convolved with: the frames (F, O, H, W) whose frequencies the weights are, times H W."""
    kernel = torch.zeros(*weights.shape[:2], *frame, dtype=torch.float64)
    rows, columns = (torch.arange(size, dtype=torch.float64) for size in frame)
    for k in range(weights.shape[2]):
        for column in range(weights.shape[3]):
            turns = (k - weights.shape[2] // 2) * rows[:, None] / frame[0] + column * columns / frame[1]
            counts = 1 if column == 0 or 2 * column == frame[1] else 2
            kernel += counts * (weights[:, :, k, column, None, None] * torch.exp(2j * torch.pi * turns)).real
    return kernel


@pytest.mark.parametrize("frame", [(6, 8), (7, 8), (6, 7), (7, 7)])
@pytest.mark.parametrize("band", [(1, 1), (2, 3), (5, 2), (6, 4)])
def test_it_is_a_convolution_wrapped_around_the_frame(frame: tuple[int, int], band: tuple[int, int]) -> None:
    features, weights = random(2, 3, *frame), random(3, 2, *band, dtype=torch.complex128)
    kernel, expected = with_spectrum(frame, weights), torch.zeros(2, 2, *frame, dtype=torch.float64)
    for row in range(frame[0]):
        for column in range(frame[1]):
            moved = kernel.roll((row, column), dims=(-2, -1))
            expected += torch.einsum("bi,iorc->borc", features[:, :, row, column], moved)
    found = networks.spectral_convolve(features, weights)
    torch.testing.assert_close(found, expected / np.prod(frame), rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("features", "weights", "error", "words"),
    [
        (
            random(1, 2, 8, 8),
            random(2, 1, 9, 3, dtype=torch.complex128),
            ValueError,
            "weights: expected 1 to 8 rows and",
        ),
        (random(1, 2, 8, 8), random(2, 1, 3, 6, dtype=torch.complex128), ValueError, "1 to 5 columns of frequencies"),
        (random(1, 2, 8, 8), random(2, 1, 0, 3, dtype=torch.complex128), ValueError, "got (0, 3)"),
        (
            random(1, 2, 8, 8),
            random(3, 1, 3, 3, dtype=torch.complex128),
            ValueError,
            "weights: expected (F) = (2) as in",
        ),
        (
            random(1, 2, 8, 8),
            random(2, 1, 3, dtype=torch.complex128),
            ValueError,
            "weights: expected axes (F, O, K, L)",
        ),
        (random(1, 2, 8, 8), random(2, 1, 3, 3), TypeError, "weights: expected complex64 or complex128, got float64"),
        (
            random(1, 2, 8, 8),
            random(2, 1, 3, 3, dtype=torch.complex64),
            TypeError,
            "weights: expected the precision of",
        ),
        (
            random(2, 8, 8),
            random(2, 1, 3, 3, dtype=torch.complex128),
            ValueError,
            "features: expected axes (B, F, H, W)",
        ),
    ],
)
def test_what_it_refuses(features: Tensor, weights: Tensor, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        networks.spectral_convolve(features, weights)
