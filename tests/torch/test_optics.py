"""The gradients of the PyTorch optics against differences."""

import torch
from torch import Tensor

from ptycho_torch.optics import combine_complex, far_field_amplitude, illuminate


def field(*shape: int, dtype: torch.dtype = torch.complex128, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def test_gradients_agree_with_differences() -> None:
    patches, probe = field(1, 2, 3, 4).requires_grad_(), field(2, 3, 4, seed=1).requires_grad_()
    torch.autograd.gradcheck(lambda o, p: far_field_amplitude(illuminate(o, p)), (patches, probe))
    real = (torch.rand(1, 1, 2, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    torch.autograd.gradcheck(combine_complex, tuple(real))
