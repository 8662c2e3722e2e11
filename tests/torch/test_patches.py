"""The weight of the patches of the PyTorch stack."""

import pytest
import torch

from ptycho_torch.patches import central_weight


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, [0]),
        (2, [1, 0]),
        (3, [0, 1, 0]),
        (5, [0, 1, 1, 0, 0]),
        (7, [0, 0, 1, 1, 1, 0, 0]),
        (8, [0, 0, 1, 1, 1, 1, 0, 0]),
    ],
)
def test_half_of_each_axis_is_central(size: int, expected: list[int]) -> None:
    ones = torch.tensor([0.0, 1.0, 1.0, 0.0])
    line = torch.tensor(expected, dtype=torch.float32)
    assert torch.equal(central_weight(torch.zeros(2, 3, size, 4, dtype=torch.complex64)), torch.outer(line, ones))
    assert torch.equal(central_weight(torch.zeros(2, 3, 4, size, dtype=torch.complex64)), torch.outer(ones, line))


@pytest.mark.parametrize(("dtype", "expected"), [(torch.complex64, torch.float32), (torch.complex128, torch.float64)])
def test_the_weight_is_in_the_precision_of_the_patches(dtype: torch.dtype, expected: torch.dtype) -> None:
    assert central_weight(torch.zeros(1, 1, 4, 4, dtype=dtype)).dtype == expected
