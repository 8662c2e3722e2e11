"""How the patches of an object are weighted, in PyTorch."""

import torch
from torch import Tensor

from ptycho_torch import checks


def central_weight(patches: Tensor) -> Tensor:
    """The weight 1 on the central H//2 x W//2 pixels of a patch and 0 around them, where the probe is weak.

    Args:
        patches: (B, C, H, W), complex, dimensionless; only its shape and precision are used.

    Returns:
        (H, W), real, in the precision of the patches; the first row with weight 1 is (H - H//2) // 2.

    Raises:
        TypeError: the patches are not complex.
        ValueError: the patches have another rank.
    """
    checks.require_complex("patches", patches)
    rows, columns = (_is_central(size, patches.device) for size in patches.shape[-2:])
    return (rows[:, None] & columns).to(patches.real.dtype)


def _is_central(size: int, device: torch.device) -> Tensor:
    start = (size - size // 2) // 2
    index = torch.arange(size, device=device)
    return (index >= start) & (index < start + size // 2)
