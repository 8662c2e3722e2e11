"""Photon counting: doses, and the gain between a model and a detector."""

import torch
from torch import Tensor


def photons(intensity: Tensor) -> Tensor:
    """Photons (batch, view) in each frame of intensities (batch, view, row, column)."""
    return intensity.sum((-2, -1))


def dose_ratio(intensity: Tensor, photons_wanted: Tensor) -> Tensor:
    """What intensities have to be multiplied by for the mean frame to hold so many photons."""
    return photons_wanted / photons(intensity).mean()


def amplify(amplitude: Tensor, log_gain: Tensor) -> Tensor:
    """Amplitudes under a gain of exp(log_gain), which is one of intensities."""
    return amplitude * torch.exp(log_gain / 2)


def attenuate(amplitude: Tensor, log_gain: Tensor) -> Tensor:
    """The inverse of `amplify`."""
    return amplitude / torch.exp(log_gain / 2)
