"""Where patches lie, and how they count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.oracle.bounded import Array
from parity.oracle.operations import grid_dtype


def central_weight(patches: Array) -> NDArray[Any]:
    """1 on the central H//2 × W//2 pixels of patches (B, C, H, W), 0 elsewhere, (H, W). Exact."""
    height, width = patches.shape[-2:]
    return np.outer(_central_half(height), _central_half(width)).astype(grid_dtype(patches))


def _central_half(size: int) -> NDArray[np.float64]:
    line = np.zeros(size)
    start = (size - size // 2) // 2
    line[start : start + size // 2] = 1.0
    return line
