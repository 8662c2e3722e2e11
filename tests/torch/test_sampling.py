"""The PyTorch photon counts: the global generator and gradients."""

import pytest
import torch
from torch import Tensor

from ptycho_torch import sampling

SAMPLERS = [sampling.sample_counts, sampling.sample_amplitude]


def intensity(value: float = 50.0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.full((2, 3, 16, 15), value, dtype=dtype)


@pytest.mark.parametrize("sample", SAMPLERS)
def test_the_global_generator_is_neither_read_nor_advanced(sample) -> None:
    found = []
    for global_seed in (0, 1):
        torch.manual_seed(global_seed)
        before = torch.get_rng_state()
        found.append(sample(intensity(), 3))
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(*found)


def test_counts_have_no_gradient() -> None:
    assert not sampling.sample_counts(intensity().requires_grad_(), 3).requires_grad
