"""Counting photons: Poisson counts of an intensity, drawn from a seed, in PyTorch.

Seeded and stateless: no global generator is read or advanced. The counts are those of double precision,
rounded once to the precision of the intensity: above 2^24 photons single precision does not hold every
count. The seeds of the two stacks have nothing to do with each other.
"""

from typing import Final

import torch
from torch import Tensor

from ptycho_exposures.checks import refusal
from ptycho_torch import checks

MOST_PHOTONS: Final = 1e12
"""Photons a pixel up to which a sampler decides by ln k!, some 3e13 there and known to 1/100. At 1e16 it is known to
100, and the variance of what is drawn, measured in PyTorch and NumPy, is 1.4 times what it should be."""


def sample_counts(intensity: Tensor, seed: int) -> Tensor:
    """Photon counts k of each pixel, drawn from a Poisson distribution of mean `intensity`.

    Without gradient: the counts do not depend on the intensity smoothly. Drawn on the CPU, wherever the
    intensity is: a seed gives the same counts on every device.

    Args:
        intensity: (B, C, H, W), real, photons a pixel, at most `MOST_PHOTONS`.
        seed: a whole number that is not negative; the same seed gives the same counts.

    Returns:
        (B, C, H, W), whole numbers of photons, in the precision and on the device of the intensity.

    Raises:
        TypeError: the intensity is not real floating point, or the seed is not a whole number.
        ValueError: the intensity has another rank, or it or the seed is outside its range.
    """
    return _draw(intensity, seed).to(intensity)


def sample_amplitude(intensity: Tensor, seed: int) -> Tensor:
    """The amplitude sqrt(k) that a detector observes, k as drawn by `sample_counts` with the same seed.

    Args:
        intensity: (B, C, H, W), real, photons a pixel, at most `MOST_PHOTONS`: no amplitude.
        seed: a whole number that is not negative; the same seed gives the same counts.

    Returns:
        (B, C, H, W), square-root photons, in the precision and on the device of the intensity.

    Raises:
        TypeError: the intensity is not real floating point, or the seed is not a whole number.
        ValueError: the intensity has another rank, or it or the seed is outside its range.
    """
    return _draw(intensity, seed).sqrt().to(intensity)


def _draw(intensity: Tensor, seed: int) -> Tensor:
    """The counts in double precision, on the CPU."""
    checks.require_real("intensity", intensity)
    checks.require_size("seed", seed, least=0)
    mean = intensity.detach().to("cpu", torch.float64)
    valid = (mean >= 0) & (mean <= MOST_PHOTONS)
    if not valid.all():
        place = tuple((~valid).nonzero()[0].tolist())
        expected = f"a non-negative intensity of at most {MOST_PHOTONS:g} photons"
        raise ValueError(refusal("intensity", expected, f"{mean[place].item():.9g} at {place}"))
    return torch.poisson(mean, generator=torch.Generator().manual_seed(int(seed)))
