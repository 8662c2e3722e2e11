"""The gradients of the patches in PyTorch against differences, and the layout of their positions."""

import pytest
import torch
from torch import Tensor

from ptycho_torch import patches


def field(*shape: int, dtype: torch.dtype = torch.complex128, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def between(low: float, high: float, *shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return low + (high - low) * torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def test_gradients_agree_with_differences() -> None:
    images, weight, canvas = field(1, 2, 4, 3), between(0.5, 1, 4, 3), field(1, 8, 7)
    # Fractions of 1/4 to 3/4 keep the steps of the differences inside a cell.
    positions = torch.tensor([[[-2.0, -1], [0, 1]]]) + between(0.25, 0.75, 1, 2, 2)
    for leaf in (images, positions, weight, canvas):
        leaf.requires_grad_()
    torch.autograd.gradcheck(patches.translate, (images, positions))
    torch.autograd.gradcheck(lambda *o: patches.reassemble_patches(*o, 8, 7), (images, positions, weight))
    torch.autograd.gradcheck(lambda c, r: patches.extract_patches(c, r, 4, 3), (canvas, positions))
    torch.autograd.gradgradcheck(patches.translate, (images, positions), fast_mode=True)


def test_positions_with_their_axes_turned_are_refused() -> None:
    images, positions = torch.ones(2, 3, 4, 5, dtype=torch.complex64), torch.zeros(2, 2, 3)
    with pytest.raises(ValueError, match=r"^positions: expected axes \(B, C, 2\), got shape \(2, 2, 3\)$"):
        patches.translate(images, positions)
