"""What the Fourier generators share: their border, the heads that make patches of features, and their first weights."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from ptycho_exposures.checks import refusal
from ptycho_torch import checks, networks, optics


class PatchGenerator(nn.Module, ABC):
    """Features of images, and of these an amplitude and a phase: patches a exp(i phi) over the whole frame."""

    def __init__(self, size: int, patches: int, filters: int) -> None:
        """Take the pixels N along a side, the C patches of a group, and the filters that `features` returns."""
        super().__init__()
        self.size = size
        self.amplitude_head = nn.Conv2d(filters, patches, 3, padding=1)
        self.phase_head = nn.Conv2d(filters, patches, 3, padding=1)

    @abstractmethod
    def features(self, images: Tensor) -> Tensor:
        """The features (B, F, N, N) of images (B, C, N, N), real."""

    def forward(self, images: Tensor) -> Tensor:
        """Patches of the object (B, C, N, N), complex, from images (B, C, N, N), real, in the module's precision.

        Raises:
            TypeError: the images are not real floating point, or of another precision than the parameters.
            ValueError: the images have another rank, another size, or not C patches in a group.
        """
        amplitude, phase = self.amplitude_head, self.phase_head
        checks.require_amplitude("images", images)
        checks.require_same_precision("images", images, "the parameters", amplitude.weight)
        wanted = (amplitude.out_channels, self.size, self.size)
        if images.shape[1:] != wanted:
            got = f"shape {tuple(images.shape)}"
            raise ValueError(refusal("images", f"shape (B, {', '.join(map(str, wanted))})", got))
        features = self.features(images)
        return optics.combine_complex(
            networks.amplitude_head(features, amplitude.weight, _bias_of(amplitude)),
            networks.phase_head(features, phase.weight, _bias_of(phase)),
        )


@contextmanager
def unseeded() -> Iterator[None]:
    """Make layers in the block without a trace in torch's own random generator, from which they draw weights."""
    with torch.random.fork_rng(devices=[]):
        yield


def initialise(module: nn.Module, seed: int) -> None:
    """Draw all weights from `seed` alone, the same numbers whatever computes the spectral convolutions.

    Kernels of k × k pixels are uniform between ±sqrt(6 / (k² (I + O))), biases zero, as in `autoencoder`; spectral
    weights are normal with a mean square of 1 / I, so that they neither damp nor raise what passes through them.
    """
    generator = np.random.default_rng(seed)
    for parameter in module.parameters():
        drawn: np.ndarray
        shape = tuple(parameter.shape)
        if parameter.is_complex():
            parts = generator.standard_normal((2, *shape)) / math.sqrt(2 * shape[0])
            drawn = parts[0] + 1j * parts[1]
        elif len(shape) > 1:
            limit = math.sqrt(6 / ((shape[0] + shape[1]) * math.prod(shape[2:])))
            drawn = generator.uniform(-limit, limit, shape)
        else:
            drawn = np.zeros(shape)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(drawn))


def _bias_of(convolution: nn.Conv2d) -> Tensor:
    assert convolution.bias is not None  # none is made without
    return convolution.bias
