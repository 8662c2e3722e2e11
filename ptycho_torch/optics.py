"""From the object to the detector: exit waves and their far field, in PyTorch.

A patch O (complex, dimensionless) lit by the mode p (complex, square-root photons) leaves as the exit
wave p O; the detector records the square root of the modes' summed far-field intensities. Where patches
lie on the object is `ptycho_torch.patches`; how many photons there are is `ptycho_torch.scaling`.
"""

import torch
from torch import Tensor

from ptycho_torch import checks


def combine_complex(amplitude: Tensor, phase: Tensor) -> Tensor:
    """The object a exp(i phi) from its amplitude and its phase.

    Args:
        amplitude: (B, C, H, W), real, dimensionless.
        phase: (B, C, H, W), real, radians, any range.

    Returns:
        (B, C, H, W), complex of the same precision.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank, or the shapes differ.
    """
    checks.require_amplitude("amplitude", amplitude)
    checks.require_real("phase", phase)
    checks.require_agreement("phase", phase, "amplitude", amplitude)
    # Not torch.polar: its gradient is wrong where the amplitude is zero or negative.
    return torch.complex(amplitude * torch.cos(phase), amplitude * torch.sin(phase))


def illuminate(patches: Tensor, probe: Tensor) -> Tensor:
    """The exit waves psi_p = p_p O of the thin-object approximation, one for each mode of the probe.

    Args:
        patches: (B, C, H, W), complex, dimensionless.
        probe: (P, H, W), complex, square-root photons. It is never broadcast: a batch axis in the place
            of the mode axis would multiply the intensity without an error.

    Returns:
        (B, C, P, H, W), complex, square-root photons.

    Raises:
        TypeError: an argument is not complex, or the precisions differ.
        ValueError: an argument has another rank, or H and W differ.
    """
    checks.require_complex("patches", patches)
    checks.require_complex("probe", probe)
    checks.require_agreement("probe", probe, "patches", patches)
    return patches[:, :, None] * probe


def far_field_amplitude(exit_waves: Tensor) -> Tensor:
    """The amplitude sqrt(sum_p |DFT2 psi_p|^2 / (H W)) on a far detector, its zero frequency in the middle.

    The DFT is the forward one and the modes are mutually incoherent (Thibault and Menzel, Nature 494,
    68, 2013). Energy is conserved: the intensities sum to those of the exit waves. The gradient is 0
    where the intensity is 0.

    Args:
        exit_waves: (B, C, P, H, W), complex, square-root photons.

    Returns:
        (B, C, H, W), real, square-root photons; the zero frequency is at row H//2 and column W//2.

    Raises:
        TypeError: the exit waves are not complex.
        ValueError: the exit waves have another rank.
    """
    checks.require_complex("exit_waves", exit_waves)
    spectrum = torch.fft.fft2(exit_waves, dim=(-2, -1), norm="backward")
    intensity = _squared_modulus(spectrum).sum(dim=2) / exit_waves.shape[-2:].numel()
    return _sqrt(torch.fft.fftshift(intensity, dim=(-2, -1)))


def _squared_modulus(field: Tensor) -> Tensor:
    return field.real.square() + field.imag.square()


def _sqrt(intensity: Tensor) -> Tensor:
    """The square root with gradient 0, not NaN, at 0: the inner `where` keeps infinity out of the product."""
    dark = intensity == 0
    return torch.where(dark, 0, torch.sqrt(torch.where(dark, 1, intensity)))
