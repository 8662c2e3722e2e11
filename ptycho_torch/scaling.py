"""Photon bookkeeping: counting the photons of a pattern and scaling amplitudes to a count, in PyTorch.

The squares of amplitudes are photons. A detector's integers are widened to float64 before they are
squared: a square of uint16 does not fit in uint16. What is done with the counts is
`ptycho_torch.losses`.
"""

import torch
from torch import Tensor

from ptycho_torch import checks


def count_photons(amplitude: Tensor) -> Tensor:
    """The photons sum_hw a^2 in each pattern.

    Args:
        amplitude: (B, C, H, W), real or integer, square-root photons.

    Returns:
        (B, C), photons; float64 for integers, otherwise the precision of the amplitude.

    Raises:
        TypeError: the amplitude is neither real floating point nor integer.
        ValueError: the amplitude has another rank.
    """
    checks.require_reading("amplitude", amplitude)
    return _widen(amplitude).square().sum(dim=(-2, -1))


def scale_nphotons(amplitude: Tensor, nphotons: checks.Scalar) -> Tensor:
    """The one factor sqrt(nphotons / mean count) that brings the mean pattern of a data set to `nphotons`.

    Args:
        amplitude: (B, C, H, W), real or integer, square-root photons.
        nphotons: a number, or a scalar of the precision of the result; photons in a pattern.

    Returns:
        (), dimensionless; float64 for integers, otherwise the precision of the amplitude.

    Raises:
        TypeError: the amplitude is neither real floating point nor integer, or `nphotons` has another
            precision.
        ValueError: the amplitude has another rank, or `nphotons` is not a scalar.
    """
    mean_count = count_photons(amplitude).mean()
    (nphotons,) = checks.as_scalars({"nphotons": nphotons}, like=mean_count)
    return torch.sqrt(nphotons / mean_count)


def normalize_amplitude(amplitude: Tensor) -> Tensor:
    """The amplitude times sqrt((H W / 4) / mean count), so that the mean pattern holds H W / 4.

    Args:
        amplitude: (B, C, H, W), real or integer, square-root photons.

    Returns:
        (B, C, H, W), dimensionless; float64 for integers, otherwise the precision of the amplitude.

    Raises:
        TypeError: the amplitude is neither real floating point nor integer.
        ValueError: the amplitude has another rank.
    """
    mean_count = count_photons(amplitude).mean()
    pixels = amplitude.shape[-2:].numel()
    return _widen(amplitude) * torch.sqrt(pixels / 4 / mean_count)


def apply_intensity_scale(amplitude: Tensor, log_scale: Tensor) -> Tensor:
    """The amplitude a exp(w) on the detector's scale, from the normalised amplitude a network works with.

    Args:
        amplitude: (B, C, H, W), real, dimensionless.
        log_scale: (), real, the natural logarithm w of the scale.

    Returns:
        (B, C, H, W), square-root photons.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank.
    """
    return amplitude * _scale(amplitude, log_scale)


def remove_intensity_scale(amplitude: Tensor, log_scale: Tensor) -> Tensor:
    """The normalised amplitude a / exp(w), the inverse of `apply_intensity_scale`.

    Args:
        amplitude: (B, C, H, W), real, square-root photons.
        log_scale: (), real, the natural logarithm w of the scale.

    Returns:
        (B, C, H, W), dimensionless.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank.
    """
    return amplitude / _scale(amplitude, log_scale)


def _scale(amplitude: Tensor, log_scale: Tensor) -> Tensor:
    checks.require_amplitude("amplitude", amplitude)
    checks.require_real("log_scale", log_scale)
    checks.require_agreement("log_scale", log_scale, "amplitude", amplitude)
    return torch.exp(log_scale)


def _widen(amplitude: Tensor) -> Tensor:
    return amplitude if amplitude.is_floating_point() else amplitude.to(torch.float64)
