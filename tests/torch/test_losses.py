"""The derivatives of the PyTorch losses, against differences and by hand."""

import pytest
import torch
from torch import Tensor

from ptycho_torch import losses


def pixel(value: float, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.full((1, 1, 1, 1), value, dtype=dtype)


@pytest.mark.parametrize("full", [True, False])
def test_first_and_second_derivatives_agree_with_differences(full: bool) -> None:
    observed = torch.tensor([0.5, 1.0, 3.0, 5.0, 9.0, 1.0], dtype=torch.float64).reshape(1, 1, 2, 3)
    ratio = torch.tensor([0.5, 0.97, 1.02, 1.0, 1.4, 2.0], dtype=torch.float64).reshape(1, 1, 2, 3)
    arguments = (observed * ratio).requires_grad_(), observed.requires_grad_()
    torch.autograd.gradcheck(lambda p, o: losses.poisson_nll(p, o, full), arguments)
    torch.autograd.gradgradcheck(lambda p, o: losses.poisson_nll(p, o, full), arguments)


def test_second_derivative_of_an_empty_pixel_is_that_of_the_rate() -> None:
    predicted = pixel(0.0).requires_grad_()
    (slope,) = torch.autograd.grad(losses.poisson_nll(predicted, pixel(0.0)).sum(), predicted, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), predicted)
    assert curvature.item() == 2
