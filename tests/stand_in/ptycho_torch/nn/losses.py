"""Losses on the detector and on the object. All take the measurement first, as amplitudes."""

from typing import Any

import torch
from torch import Tensor, nn


class AmplitudeL1(nn.Module):
    """The absolute error of amplitudes, their mean or each of them (reduction "none")."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, measured: Tensor, expected: Tensor) -> Tensor:
        """The error, of amplitudes of any shape."""
        error = torch.abs(measured - expected)
        return error.mean() if self.reduction == "mean" else error


class PoissonLikelihood(nn.Module):
    """The negative log-likelihood (batch,) of counts k under expected counts q, each the square of an amplitude.

    The sum of q - k - k ln(q / k), which is 0 where the two agree, and of the likelihood there, unless `constant` is
    false. Apart, neither loses digits to the other.
    """

    def __init__(self, constant: bool = True) -> None:
        super().__init__()
        self.constant = constant

    def forward(self, measured: Tensor, expected: Tensor) -> Tensor:
        """Summed over views and pixels."""
        terms = _Misfit.apply(measured, expected)
        return (terms + _constant(measured**2) if self.constant else terms).sum((1, 2, 3))


class Roughness(nn.Module):
    """The squared differences of neighbours in an object given as real and imaginary part, (..., 2, row, column)."""

    def forward(self, parts: Tensor) -> Tensor:
        """Summed over all but the first axis."""
        return sum(parts.diff(dim=axis).square().flatten(1).sum(1) for axis in (-2, -1))


class _Misfit(torch.autograd.Function):
    """q - k - k ln(q / k), elementwise, of amplitudes; near q = k by the series of C. Loader (2000)."""

    @staticmethod
    def forward(ctx: Any, measured: Tensor, expected: Tensor) -> Tensor:
        ctx.save_for_backward(measured, expected)
        count, gap, ratio = measured**2, (expected - measured) * (expected + measured), _ratio(measured, expected)
        x = gap / _lit(count + expected**2)
        tail = sum(x ** (2 * j) / (2 * j + 1) for j in range(8, 0, -1))
        near = gap * x - 2 * count * x * tail
        far = gap + torch.where(count > 0, 2 * count * torch.log(ratio), 0)
        return torch.where(x.abs() < 0.1, near, far)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor]:
        measured, expected = ctx.saved_tensors
        gap = 2 * (expected - measured) * (expected + measured)
        of_expected = torch.where(measured > 0, gap / torch.where(measured > 0, expected, 1), 2 * expected)
        of_measured = torch.where(measured > 0, 4 * measured * torch.log(_ratio(measured, expected)), 0)
        return slope * of_measured, slope * of_expected


def _constant(count: Tensor) -> Tensor:
    """The likelihood of counts that are what was expected."""
    k = _lit(count)
    return torch.where(count > 0, k - k * torch.log(k), 0)


def _ratio(measured: Tensor, expected: Tensor) -> Tensor:
    """measured / expected; 1 where nothing was measured."""
    return torch.where(measured > 0, measured / torch.where(measured > 0, expected, 1), 1)


def _lit(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 1)
