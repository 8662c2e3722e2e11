"""Fourier layers on the way down, convolutions on the way up, joined at every resolution: PyTorch."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ptycho_torch import checks, networks
from ptycho_torch.generators.base import PatchGenerator, initialise, unseeded
from ptycho_torch.generators.fno import PtychoBlock, SpatialLifter, require_frame


@dataclass(frozen=True)
class HybridConfig:
    """What decides the shapes of the parameters of `HybridGenerator`.

    Raises:
        TypeError: a field is not a whole number.
        ValueError: a field is below 1, the frame cannot be halved to an even size at every level, or there are more
            modes than pixels along a side.
    """

    size: int = 64
    """Pixels N along a side of a frame, a multiple of 2^(levels + 1)."""
    gridsize: int = 1
    """Patches along a side of a group; there are C = gridsize^2 in it."""
    width: int = 32
    """The filters at full resolution, twice as many wherever the frame is halved."""
    modes: int = 12
    """The rows of frequencies that the Fourier layers keep, or all that a smaller frame has."""
    levels: int = 2
    """How often the frame is halved."""

    def __post_init__(self) -> None:
        for name in ("size", "gridsize", "width", "modes", "levels"):
            checks.require_size(name, getattr(self, name))
        require_frame(self.size, 2 ** (self.levels + 1), self.modes)

    @property
    def filters(self) -> tuple[int, ...]:
        """Those at each resolution, the full one first."""
        return tuple(self.width * 2**level for level in range(self.levels + 1))

    def modes_at(self, level: int) -> int:
        """The rows of frequencies kept where the frame has been halved `level` times."""
        return min(self.modes, self.size // 2**level)


class HybridGenerator(PatchGenerator):
    """A U-shaped network: Fourier layers and halvings down, convolutions up, then amplitude and phase.

    On the way up each resolution gets the features that the way down had there. Seed and precision are as in
    `fno.CascadedFNOGenerator`.
    """

    def __init__(self, config: HybridConfig | None = None, seed: int = 0) -> None:
        """Take the architecture, `HybridConfig()` if none is given, and the seed of the weights."""
        chosen = HybridConfig() if config is None else config
        patches, filters = chosen.gridsize**2, chosen.filters
        pairs = list(pairwise(filters))
        with unseeded():
            super().__init__(chosen.size, patches, chosen.width)
            self.config = chosen
            self.lifter = SpatialLifter(patches, chosen.width)
            self.blocks = nn.ModuleList(PtychoBlock(count, chosen.modes_at(i)) for i, count in enumerate(filters))
            self.halvings = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairs)
            self.joints = nn.ModuleList(nn.Conv2d(coarse + fine, fine, 3, padding=1) for fine, coarse in pairs)
        initialise(self, seed)

    def features(self, images: Tensor) -> Tensor:
        """The features (B, width, N, N) of images (B, C, N, N)."""
        features = self.lifter(images)
        passed = []
        for block, halving in zip(self.blocks, self.halvings, strict=False):
            passed.append(block(features))
            features = halving(passed[-1])
        features = self.blocks[-1](features)
        for joint, beside in reversed(list(zip(self.joints, passed, strict=True))):
            features = functional.gelu(joint(torch.cat([networks.upsample(features), beside], dim=1)))
        return features
