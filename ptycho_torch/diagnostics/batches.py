"""A few exposures to measure gradients on: drawn from a seed, or the first of a data set."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from ptycho_torch import checks, forward, optics, probe, sampling, scaling
from ptycho_torch.dataloader import PtychoDataset

PHOTONS: Final = 1e6
"""Of a drawn exposure."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Exposures and the probe that they were taken with."""

    observed: Tensor
    """(B, C, N, N), real, square-root photons."""
    probe: Tensor
    """(P, N, N), complex."""

    @property
    def images(self) -> Tensor:
        """(B, C, N, N), real: what a generator is given, with a mean square of 1/4."""
        return scaling.normalize_amplitude(self.observed)

    def predicted(self, patches: Tensor) -> Tensor:
        """The amplitude (B, C, N, N) of patches (B, C, N, N), not merged, with as many photons as were observed.

        The intensity scale, which training would find, is held: no gradient passes through it. Good for one look at the
        gradients, and not to train on: a scale that follows the prediction lets patches go dark unpunished.
        """
        positions = patches.real.new_zeros((*patches.shape[:2], 2))
        rows, columns = patches.shape[-2:]
        unscaled = forward.predict_amplitude(
            patches, positions, self.probe, patches.real.new_zeros(()), rows, columns, "none"
        )
        photons = scaling.count_photons(unscaled.detach()).mean()
        return unscaled * torch.sqrt(scaling.count_photons(self.observed).mean() / photons)


def drawn_batch(size: int, gridsize: int, groups: int, seed: int) -> Batch:
    """Exposures of random patches under a Gaussian probe, `PHOTONS` in each on average, with photon noise.

    Raises:
        TypeError: a size or the seed is not a whole number.
        ValueError: one of them is outside its range.
    """
    for name, number in (("size", size), ("gridsize", gridsize), ("groups", groups)):
        checks.require_size(name, number)
    checks.require_size("seed", seed, least=0)
    generator = torch.Generator().manual_seed(seed)
    frame = (groups, gridsize**2, size, size)
    amplitude = 0.5 + torch.rand(frame, generator=generator) / 2
    patches = optics.combine_complex(amplitude, math.pi * (torch.rand(frame, generator=generator) - 0.5))
    beam = probe.normalize(probe.gaussian(size, size / 8), 1.0)
    far_field = optics.far_field_amplitude(optics.illuminate(patches, beam))
    expected = far_field * scaling.scale_nphotons(far_field, PHOTONS)
    return Batch(sampling.sample_amplitude(expected.square(), seed), beam)


def read_batch(path: Path, gridsize: int | None, groups: int) -> Batch:
    """The first groups of a data set, as many as were asked for or as there are, and its probe.

    The amplitudes are brought to square-root photons by `intensity_scale`; a file without it holds them already.

    Args:
        path: of an .npz as `dataloader.PtychoDataset` takes it.
        gridsize: patches a side of a group; by default 1, or that of the file's groups.
        groups: how many of them.

    Raises:
        DataError: the file cannot be used, or its patterns are not square.
        ValueError: the gridsize contradicts the file.
    """
    dataset = PtychoDataset(path, gridsize=gridsize)
    rows, columns = dataset.scan.diffraction.frame
    if rows != columns:
        raise dataset.scan.diffraction.stored.error("square patterns", f"{rows} × {columns}")
    normalized = dataset.batch(range(min(groups, len(dataset))))["amplitude"]
    unit = dataset.scan.scales.get("intensity_scale", 1.0)
    return Batch(normalized * (unit / dataset.normalization), dataset.probe)
