"""The gradients of the PyTorch stack from patches to the detector, against differences."""

import pytest
import torch
from torch import Tensor

from ptycho_torch import forward

WEIGHTINGS = ["central", "probe", "uniform", "none"]


def real(low: float, high: float, *shape: int, dtype: torch.dtype, seed: int) -> Tensor:
    return low + (high - low) * torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def field(*shape: int, dtype: torch.dtype, seed: int) -> Tensor:
    return torch.complex(*(real(-1, 1, *shape, dtype=dtype, seed=seed + part) for part in (100, 200)))


def model(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Patches, positions, probe and logarithm of the scale."""
    return (
        field(2, 4, 6, 5, dtype=dtype, seed=0),
        real(-2, 2, 2, 4, 2, dtype=dtype, seed=1),
        field(3, 6, 5, dtype=dtype, seed=2),
        torch.tensor(0.75, dtype=dtype),
    )


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_gradients_agree_with_differences(weighting: str) -> None:
    images, _, probe, log_scale = model()
    cells = torch.tensor([[[-2.0, 1], [1, -1], [0, 0], [-1, -2]]]).expand(2, 4, 2)
    positions = cells + real(0.25, 0.75, 2, 4, 2, dtype=torch.float64, seed=3)
    arguments = tuple(leaf.clone().requires_grad_() for leaf in (images[:1], positions[:1], probe, log_scale))

    def predict(*arguments: Tensor) -> Tensor:
        return forward.predict_amplitude(*arguments, 10, 9, weighting)

    chosen = arguments if weighting != "none" else (arguments[0], arguments[1].detach(), *arguments[2:])
    torch.autograd.gradcheck(predict, chosen, fast_mode=True)
