"""From an illumination and an object to the intensity on a far detector."""

import torch
from torch import Tensor


def transmission(modulus: Tensor, phase: Tensor) -> Tensor:
    """The transmission function of a thin object."""
    return modulus * torch.exp(1j * phase)


def expose(modes: Tensor, transmitted: Tensor) -> Tensor:
    """Exit waves (mode, batch, view, row, column): each mode (mode, row, column) times each view of the object."""
    return modes[:, None, None] * transmitted


def detect(waves: Tensor) -> Tensor:
    """The far-field intensity (batch, view, row, column) of exit waves, its zero frequency in the middle.

    A checkerboard of signs moves the zero frequency to the middle before the transform, so that no shift is needed
    behind it. The sides of a frame have to be even.
    """
    rows, columns = waves.shape[-2:]
    signs = 1 - 2 * ((torch.arange(rows)[:, None] + torch.arange(columns)) % 2)
    field = torch.fft.fft2(waves.sum(0) * signs, norm="ortho")
    return field.real**2 + field.imag**2


def brightness(modes: Tensor) -> Tensor:
    """The intensity (row, column) of an illumination by modes (mode, row, column)."""
    return (modes.real**2 + modes.imag**2).sum(0)
