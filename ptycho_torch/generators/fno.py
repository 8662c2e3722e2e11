"""Fourier layers, and the cascade of them and convolutions: PyTorch.

A Fourier layer (Li et al., ICLR 2021) sees the whole frame at once, which suits diffraction patterns: each of
their pixels is a sum over the object. Its spectral convolution is neuraloperator's where that is installed (the
extra `fno`), and `networks.spectral_convolve` elsewhere; both are the same function of the same weights, and
checkpoints fit both.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from ptycho_exposures.checks import refusal
from ptycho_torch import checks
from ptycho_torch.generators.base import PatchGenerator, initialise, unseeded
from ptycho_torch.networks import spectral_convolve

HAS_NEURALOPERATOR = importlib.util.find_spec("neuralop") is not None
"""Whether spectral convolutions are neuraloperator's. One that is there and cannot be imported is an error, and no
reason to compute with something else."""

if HAS_NEURALOPERATOR:
    from neuralop.layers.spectral_convolution import SpectralConv

    class _NeuraloperatorSpectralConv2d(SpectralConv):  # type: ignore[misc]  # neuraloperator is untyped
        """neuraloperator's layer, with its weights where `_FallbackSpectralConv2d` has them."""

        def __init__(self, channels: int, modes: int) -> None:
            super().__init__(channels, channels, n_modes=(modes, modes), bias=False)
            self.weights = self._modules.pop("weight").tensor

        @property
        def weight(self) -> Any:
            """The weights as neuraloperator reads them: the module that it has just made, and ours from then on."""
            return self.weights if "weights" in self._parameters else self._modules["weight"]


_STORED, _NEURALOPERATOR = "spectral.weights", "spectral.weight.tensor"
"""The name of the weights in the state of a block, and in the state of neuraloperator's own layer."""


class SpatialLifter(nn.Module):
    """From images to features: two 3 x 3 convolutions with GELU between, zeros around the frame."""

    def __init__(self, in_channels: int, out_channels: int, hidden_channels: int | None = None) -> None:
        """Take the channels before, behind and, unless as many as behind, between the convolutions."""
        super().__init__()
        hidden = out_channels if hidden_channels is None else hidden_channels
        self.first = nn.Conv2d(in_channels, hidden, 3, padding=1)
        self.second = nn.Conv2d(hidden, out_channels, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, out_channels, H, W) of images (B, in_channels, H, W)."""
        return self.second(functional.gelu(self.first(images)))


class _ComplexWeights(nn.Module):
    """A module whose complex parameters go where real ones go, part by part.

    torch's `.double()` would leave them as they are, and `.to(torch.float64)` drop their imaginary parts.
    """

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        def applied(tensor: Tensor) -> Tensor:
            return torch.view_as_complex(fn(torch.view_as_real(tensor))) if tensor.is_complex() else fn(tensor)

        return super()._apply(applied, recurse)  # type: ignore[no-untyped-call]  # torch leaves it untyped


class _FallbackSpectralConv2d(_ComplexWeights):
    """`networks.spectral_convolve` as a module, where neuraloperator is not installed."""

    def __init__(self, in_channels: int, out_channels: int, modes: int) -> None:
        """Take the channels before and behind, and the rows of frequencies to keep; of columns it keeps modes // 2 + 1.

        `weights` (in_channels, out_channels, modes, modes // 2 + 1), complex, start normal with a mean square of
        1 / in_channels.
        """
        super().__init__()
        drawn = torch.randn(in_channels, out_channels, modes, modes // 2 + 1, dtype=torch.complex64)
        self.weights = nn.Parameter(drawn * in_channels**-0.5)

    def forward(self, features: Tensor) -> Tensor:
        """(B, out_channels, H, W), real, from (B, in_channels, H, W); raises as `networks.spectral_convolve` does."""
        return spectral_convolve(features, self.weights)


class PtychoBlock(_ComplexWeights):
    """x + GELU(spectral(x) + local(x)): a spectral convolution for the whole frame beside a 3 x 3 one for edges.

    `spectral.weights` are the weights of the spectral convolution, (channels, channels, modes, modes // 2 + 1),
    complex, whether neuraloperator computes it or not.
    """

    def __init__(self, channels: int, modes: int) -> None:
        """Take the channels, and the rows of frequencies to keep of at least as many; of columns modes // 2 + 1.

        Raises:
            TypeError: one of them is not a whole number.
            ValueError: one of them is below 1.
        """
        super().__init__()
        checks.require_size("channels", channels)
        checks.require_size("modes", modes)
        self.spectral: nn.Module = (
            _NeuraloperatorSpectralConv2d(channels, modes)
            if HAS_NEURALOPERATOR
            else _FallbackSpectralConv2d(channels, channels, modes)
        )
        self.local_conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.register_load_state_dict_pre_hook(_rename_loaded)  # type: ignore[no-untyped-call]

    def forward(self, features: Tensor) -> Tensor:
        """(B, channels, H, W), real, of the same.

        Raises:
            TypeError: the features are not real floating point, or of another precision than the weights; with
                neuraloperator, they are not float32.
            ValueError: the features have another rank or other channels, or H or W is below the modes; with
                neuraloperator, H is odd.
        """
        checks.require_real("features", features)
        if not isinstance(self.spectral, _FallbackSpectralConv2d):
            self._require_what_neuraloperator_takes(features)
        return features + functional.gelu(self.spectral(features) + self.local_conv(features))

    def _require_what_neuraloperator_takes(self, features: Tensor) -> None:
        """Refuse what neuraloperator 2.0.0 computes wrongly without a word."""
        if features.dtype != torch.float32:
            got = str(features.dtype).removeprefix("torch.")
            raise TypeError(refusal("features", "float32, in which alone neuraloperator computes", got))
        rows, columns = features.shape[-2:]
        modes = next(self.spectral.parameters()).shape[-2]
        if rows % 2:
            expected = "an even number of rows, for neuraloperator takes the frequencies of an odd one for others"
            raise ValueError(refusal("features", expected, str(rows)))
        if min(rows, columns) < modes:
            expected = f"frames of at least ({modes}, {modes}), the modes of the block"
            raise ValueError(refusal("features", expected, f"({rows}, {columns})"))


def _rename_loaded(module: nn.Module, state: dict[str, Any], prefix: str, *rest: Any) -> None:
    if prefix + _NEURALOPERATOR in state:
        state[prefix + _STORED] = state.pop(prefix + _NEURALOPERATOR)


@dataclass(frozen=True)
class FNOConfig:
    """What decides the shapes of the parameters of `CascadedFNOGenerator`.

    Raises:
        TypeError: a field is not a whole number.
        ValueError: a field is below 1, the size is odd, or there are more modes than pixels along a side.
    """

    size: int = 64
    """Pixels N along a side of a frame, an even number."""
    gridsize: int = 1
    """Patches along a side of a group; there are C = gridsize^2 in it."""
    width: int = 32
    """The filters of every layer."""
    modes: int = 12
    """The rows of frequencies that the Fourier layers keep."""
    blocks: int = 4
    """The Fourier layers."""
    refinements: int = 2
    """The convolutions behind them."""

    def __post_init__(self) -> None:
        for name in ("size", "gridsize", "width", "modes", "blocks", "refinements"):
            checks.require_size(name, getattr(self, name))
        require_frame(self.size, 2, self.modes)


def require_frame(size: int, divisor: int, modes: int) -> None:
    """Refuse frames whose side is no multiple of `divisor`, or has fewer pixels than there are modes."""
    if size % divisor:
        raise ValueError(refusal("size", f"a multiple of {divisor}", str(size)))
    if modes > size:
        raise ValueError(refusal("modes", f"at most the size, {size}", str(modes)))


class CascadedFNOGenerator(PatchGenerator):
    """Fourier layers for what is large in an object, then convolutions for what is small, then amplitude and phase.

    One seed gives one network, with and without neuraloperator; torch's own generator is neither read nor advanced.
    Parameters are float32 and complex64; `.double()` makes them float64 and complex128, which neuraloperator does not
    take.
    """

    def __init__(self, config: FNOConfig | None = None, seed: int = 0) -> None:
        """Take the architecture, `FNOConfig()` if none is given, and the seed of the weights."""
        chosen = FNOConfig() if config is None else config
        patches, width = chosen.gridsize**2, chosen.width
        with unseeded():
            super().__init__(chosen.size, patches, width)
            self.config = chosen
            self.lifter = SpatialLifter(patches, width)
            self.blocks = nn.ModuleList(PtychoBlock(width, chosen.modes) for _ in range(chosen.blocks))
            self.refiner = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(chosen.refinements))
        initialise(self, seed)

    def features(self, images: Tensor) -> Tensor:
        """The features (B, width, N, N) of images (B, C, N, N)."""
        features = self.lifter(images)
        for block in self.blocks:
            features = block(features)
        for convolution in self.refiner:
            features = functional.gelu(convolution(features))
        return features
