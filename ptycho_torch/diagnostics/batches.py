"""A few exposures to measure gradients on: drawn from a seed, or the first of a data set."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ptycho_torch import checks, forward, optics, probe, sampling, scaling
from ptycho_torch.npz import Archive, DataError

PHOTONS: Final = 1e6
"""Of a drawn exposure."""

AMPLITUDES: Final = ("diffraction", "diff3d")
"""The names under which a data set may have its amplitudes."""

PROBE: Final = "probeGuess"
"""The name of its probe."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Exposures and the probe that they were taken with."""

    observed: Tensor
    """(B, C, N, N), real, amplitudes: square roots of counts, or in the units of the data set."""
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


def read_batch(path: Path, gridsize: int, groups: int) -> Batch:
    """The first exposures of an .npz, C = gridsize^2 to a group as they follow each other, and its probe.

    `diffraction` or `diff3d`: amplitudes (n, N, N), real; `probeGuess`: complex, (N, N) or (P, N, N). Other keys are
    not read. Positions do not matter here, since patches are not merged.

    Raises:
        DataError: the file cannot be read, lacks a key, or has something else under it.
    """
    with Archive.open(path) as archive:
        arrays = {key: archive.read(key) for key in (*AMPLITUDES, PROBE) if key in archive.keys}
        name = next((key for key in AMPLITUDES if key in arrays), None)
        if name is None or PROBE not in arrays:
            missing = " or ".join(AMPLITUDES) if name is None else PROBE
            raise archive.error(missing, "to find this key", ", ".join(arrays) or "none of a data set")
    observed = _first_groups(name, arrays[name], gridsize, groups)
    return Batch(torch.from_numpy(observed), torch.from_numpy(_modes(arrays[PROBE], observed.shape[-1])))


def _first_groups(name: str, amplitudes: NDArray[Any], gridsize: int, groups: int) -> NDArray[np.float32]:
    """(B, C, N, N), as many groups as were asked for or as there are."""
    patches = gridsize**2
    if amplitudes.dtype.kind != "f":
        raise DataError(f"{name}: expected amplitudes, floating point, got {amplitudes.dtype}")
    if amplitudes.ndim != 3 or amplitudes.shape[1] != amplitudes.shape[2]:
        raise DataError(f"{name}: expected square amplitudes (n, N, N), got shape {amplitudes.shape}")
    count = min(groups, len(amplitudes) // patches)
    if count == 0:
        raise DataError(f"{name}: expected at least {patches} exposures, a group of them, got {len(amplitudes)}")
    first = amplitudes[: count * patches].reshape(count, patches, *amplitudes.shape[1:])
    if not (np.isfinite(first).all() and (first >= 0).all() and first.any()):
        raise DataError(f"{name}: expected finite, non-negative amplitudes that are not all 0, got others")
    return first.astype(np.float32)


def _modes(modes: NDArray[Any], size: int) -> NDArray[np.complex64]:
    if modes.dtype.kind != "c" or modes.ndim not in (2, 3) or modes.shape[-2:] != (size, size):
        expected = f"a complex probe ({size}, {size}) or (P, {size}, {size})"
        raise DataError(f"{PROBE}: expected {expected}, got {modes.dtype} of shape {modes.shape}")
    return modes.reshape(-1, size, size).astype(np.complex64)
