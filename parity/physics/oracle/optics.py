"""From an object and a probe to the amplitude on the detector."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.physics.oracle.bounded import Array
from parity.physics.oracle.operations import (
    absolute_square,
    adjoint_dft2,
    cis,
    conjugate,
    dft2,
    direction,
    fftshift,
    ifftshift,
    imaginary,
    real,
    sqrt,
    total,
)

_PLANE = (-2, -1)


def combine_complex(amplitude: Array, phase: Array) -> Any:
    """a·e^{iφ} from amplitude and phase, both (B, C, H, W)."""
    return amplitude * cis(phase)


def combine_complex_vjp(cotangent: Array, amplitude: Array, phase: Array) -> tuple[Any, Any]:
    """Gradients of `amplitude` and `phase`: Re(w̄·e^{iφ}) and a·Im(w·e^{−iφ})."""
    turned = cotangent * conjugate(cis(phase))
    return real(turned), amplitude * imaginary(turned)


def illuminate(patches: Array, probe: Array) -> Any:
    """Exit waves ψ_p = p_p·O, (B, C, P, H, W), of patches (B, C, H, W) under probe modes (P, H, W)."""
    return patches[:, :, None] * probe


def illuminate_vjp(cotangent: Array, patches: Array, probe: Array) -> tuple[Any, Any]:
    """Gradients of `patches` and `probe`: Σ_p p̄·w and Σ_{b,c} Ō·w."""
    return (
        total(conjugate(probe) * cotangent, axis=2),
        total(conjugate(patches[:, :, None]) * cotangent, axis=(0, 1)),
    )


def far_field_amplitude(exit_waves: Array) -> Any:
    """√(fftshift(Σ_p |DFT₂ ψ_p|² / HW)), (B, C, H, W), of exit waves (B, C, P, H, W); modes add incoherently.

    Fraunhofer propagation with the unitary DFT: Σ Â² = Σ_p Σ |ψ_p|² (Parseval).
    """
    intensity = total(absolute_square(dft2(exit_waves)), axis=2) / _pixels(exit_waves)
    return sqrt(fftshift(intensity, axes=_PLANE))


def far_field_amplitude_vjp(cotangent: Array, exit_waves: Array) -> tuple[Any]:
    """Gradient of `exit_waves`: F*(w·X / ‖X‖_p) / √HW; 0 is passed back from a pixel without intensity."""
    field = direction(dft2(exit_waves), axis=2)
    weighted = ifftshift(cotangent, axes=_PLANE)[:, :, None] * field
    return (adjoint_dft2(weighted) / np.sqrt(_pixels(exit_waves)).item(),)


def _pixels(waves: Array) -> int:
    return waves.shape[-2] * waves.shape[-1]
