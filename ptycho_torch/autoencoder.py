"""The autoencoder as a module, which owns its parameters; what it computes is `ptycho_torch.networks`."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ptycho_exposures.checks import refusal
from ptycho_torch import checks
from ptycho_torch.networks import CNNConfig, autoencode


class Autoencoder(nn.Module):
    """`autoencode` as a module that owns its parameters.

    Kernels start uniform between ±sqrt(6 / (9 I + 9 O)) (Glorot and Bengio, AISTATS 2010), biases at zero.
    The kernels are drawn from `seed` alone and representable in float32, so that one seed gives one network in
    both stacks and both precisions; torch's own generator is neither read nor advanced. Parameters are
    float32; `.double()` makes them float64.
    """

    def __init__(self, config: CNNConfig | None = None, seed: int = 0) -> None:
        """Take the architecture, `CNNConfig()` if none is given, and the seed of the kernels."""
        super().__init__()
        self.config = CNNConfig() if config is None else config
        self.seed = seed
        arrays = _initial_parameters(self.config.parameter_shapes(), seed)
        layers = self.config.layers()
        self.encoder = _blocks(arrays, layers["encoder"])
        self.amplitude_decoder = _blocks(arrays, layers["amplitude"][:-1])
        self.amplitude_head = _Convolution(arrays, "amplitude_head_")
        self.phase_decoder = _blocks(arrays, layers["phase"][:-1])
        self.phase_head = _Convolution(arrays, "phase_head_")

    def forward(self, images: Tensor) -> Tensor:
        """Patches of the object (B, C, N, N), complex, from images (B, C, N, N), real, in the module's precision.

        N is the size and C the squared gridsize of the configuration. Raises TypeError and ValueError as
        `autoencode` does.
        """
        checks.require_amplitude("images", images)
        checks.require_same_precision("images", images, "the parameters", next(self.parameters()))
        size = self.config.size
        if images.shape[-2:] != (size, size):
            expected = f"frames of ({size}, {size}), the size of the network"
            raise ValueError(refusal("images", expected, str(tuple(images.shape[-2:]))))
        return autoencode(images, **self.parameters_by_name())

    def parameters_by_name(self) -> dict[str, nn.Parameter]:
        """The parameters by the names that `autoencode` gives them, in the order of the network."""
        return {_canonical_name(name): parameter for name, parameter in self.named_parameters()}


class _Convolution(nn.Module):
    """A kernel and a bias under the names that nn.Conv2d gives them."""

    def __init__(self, arrays: Mapping[str, NDArray[np.float32]], prefix: str) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.from_numpy(arrays[f"{prefix}kernel"]))
        self.bias = nn.Parameter(torch.from_numpy(arrays[f"{prefix}bias"]))


class _Block(nn.Module):
    def __init__(self, arrays: Mapping[str, NDArray[np.float32]], first: str, second: str) -> None:
        super().__init__()
        self.first = _Convolution(arrays, first)
        self.second = _Convolution(arrays, second)


def _blocks(arrays: Mapping[str, NDArray[np.float32]], prefixes: list[str]) -> nn.ModuleList:
    pairs = zip(prefixes[::2], prefixes[1::2], strict=True)
    return nn.ModuleList(_Block(arrays, first, second) for first, second in pairs)


def _canonical_name(name: str) -> str:
    """`encoder_0_first_kernel` for `encoder.0.first.weight`."""
    return name.replace("weight", "kernel").replace(".", "_")


def _initial_parameters(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, NDArray[np.float32]]:
    """Glorot's uniform kernels and zero biases, the same numbers as in the other stack."""
    generator = np.random.default_rng(seed)
    arrays = {}
    for name, shape in shapes.items():
        limit = math.sqrt(6 / (9 * (shape[0] + shape[1]))) if len(shape) > 1 else 0.0
        drawn = generator.uniform(-limit, limit, shape) if limit else np.zeros(shape)
        arrays[name] = drawn.astype(np.float32)
    return arrays
