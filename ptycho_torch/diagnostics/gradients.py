"""How much of a loss reaches the weights of each block, by the spectral and by the local path.

A path whose gradient is small for its weights learns nothing while the others do: a generator with a spectral path that
vanishes is a convolutional network, whatever its name.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor, nn

from ptycho_torch import losses
from ptycho_torch.diagnostics.batches import Batch

SPECTRAL: Final = "spectral"
LOCAL: Final = "local"

LEAST: Final = 2.0**-24
"""The share of the strongest path's ratio below which a path is said to vanish, if the user names no other: the unit
roundoff of single precision. A step that moves the strongest weights by as much as they are is then lost in the
rounding of these."""

Loss = Callable[[Tensor, Tensor], Tensor]

LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "nll": lambda predicted, observed: losses.poisson_nll(predicted, observed).mean() / observed[0].numel(),
        "mae": losses.mae,
    }
)
"""What is minimised, of predicted and observed amplitudes; the Poisson loss by pixel."""

_LOCAL_ENDINGS = (".local_conv.weight", ".weight")
_SPECTRAL_ENDINGS = (".spectral.weights",)


@dataclass(frozen=True, slots=True)
class Spread:
    """An array in two numbers."""

    mean: float
    """Of the moduli."""
    std: float
    """Of the elements: the root of the mean squared distance from their mean."""

    @classmethod
    def of(cls, tensor: Tensor) -> "Spread":
        """In double precision, so that what single precision holds does not vanish here."""
        wide = tensor.detach().to(torch.complex128 if tensor.is_complex() else torch.float64)
        return cls(wide.abs().mean().item(), (wide - wide.mean()).abs().square().mean().sqrt().item())


@dataclass(frozen=True, slots=True)
class PathGradient:
    """The weights of one path of a block, and what of the loss reaches them."""

    block: str
    path: str
    """`spectral` or `local`."""
    weights: Spread
    gradient: Spread

    @property
    def ratio(self) -> float:
        """The mean modulus of the gradient over that of the weights."""
        return self.gradient.mean / self.weights.mean if self.weights.mean else math.inf


@dataclass(frozen=True, slots=True)
class GradientReport:
    """Every path of a generator, in its order, and where a path has less than its `least` share."""

    loss: float
    paths: tuple[PathGradient, ...]
    least: float

    @property
    def vanishing(self) -> tuple[PathGradient, ...]:
        """The paths whose gradient is not finite, or whose ratio is below `least` of the largest."""
        largest = max((path.ratio for path in self.paths if math.isfinite(path.ratio)), default=0.0)
        return tuple(path for path in self.paths if not _reached(path, self.least * largest))

    def balance(self, block: str) -> float | None:
        """The mean gradient of a block's spectral path over that of its local one; None unless it has both."""
        of = {path.path: path.gradient.mean for path in self.paths if path.block == block}
        if SPECTRAL not in of or LOCAL not in of:
            return None
        return of[SPECTRAL] / of[LOCAL] if of[LOCAL] else math.inf


def measure_gradients(generator: nn.Module, batch: Batch, loss: Loss, least: float = LEAST) -> GradientReport:
    """The gradients of one batch. Reads alone: no weight is changed, and no `.grad` is set.

    Raises TypeError and ValueError as the generator and the loss do.
    """
    chosen = list(_weights(generator))
    value = loss(batch.predicted(generator(batch.images)), batch.observed)
    found = torch.autograd.grad(value, [weights for _, _, weights in chosen], allow_unused=True)
    paths = [
        PathGradient(block, path, Spread.of(weights), Spread.of(torch.zeros_like(weights) if g is None else g))
        for (block, path, weights), g in zip(chosen, found, strict=True)
    ]
    return GradientReport(value.item(), tuple(paths), least)


def as_json(report: GradientReport) -> dict[str, object]:
    """The report as plain data: a block with its paths and their balance, in order."""
    vanishing = report.vanishing
    return {
        "loss": _finite(report.loss),
        "least": report.least,
        "blocks": {
            block: {
                **{path.path: _path_as_json(path, path in vanishing) for path in report.paths if path.block == block},
                "spectral_over_local": _finite(report.balance(block)),
            }
            for block in dict.fromkeys(path.block for path in report.paths)
        },
        "vanishing": [f"{path.block} {path.path}" for path in vanishing],
    }


def _path_as_json(path: PathGradient, vanishing: bool) -> dict[str, object]:
    return {
        **{
            name: {"mean": _finite(spread.mean), "std": _finite(spread.std)}
            for name, spread in (("weights", path.weights), ("gradient", path.gradient))
        },
        "ratio": _finite(path.ratio),
        "vanishing": vanishing,
    }


def _finite(number: float | None) -> float | None:
    """JSON knows neither NaN nor infinity."""
    return number if number is not None and math.isfinite(number) else None


def _reached(path: PathGradient, least: float) -> bool:
    numbers: Sequence[float] = (path.gradient.mean, path.gradient.std, path.weights.mean)
    return all(map(math.isfinite, numbers)) and path.gradient.mean > 0 and path.ratio >= least


def _weights(generator: nn.Module) -> Iterator[tuple[str, str, Tensor]]:
    """Block, path and weights of everything but biases, which start at 0 and have no ratio."""
    for name, parameter in generator.named_parameters():
        if parameter.dim() > 1:
            path = SPECTRAL if name.endswith(_SPECTRAL_ENDINGS) else LOCAL
            endings = _SPECTRAL_ENDINGS if path == SPECTRAL else _LOCAL_ENDINGS
            block = next((name.removesuffix(ending) for ending in endings if name.endswith(ending)), name)
            yield block, path, parameter
