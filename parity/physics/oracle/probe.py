"""Probes to illuminate with: their generation, their mask and their normalisation.

Coordinates are half-pixel-centred: x_j = j − (N − 1)/2, so that no pixel is the centre of an even grid.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.physics.oracle.bounded import Array
from parity.physics.oracle.operations import (
    absolute,
    absolute_square,
    cis,
    conjugate,
    dft2,
    direction,
    exp,
    fftshift,
    grid_dtype,
    ifftshift,
    mean,
    real,
    sqrt,
    stack,
    total,
    values,
)

_PLANE = (-2, -1)
_MODE_POWERS = ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2))


def disk(size: int, radius: Array) -> Any:
    """1 where r < radius (pixels), (1, N, N) complex."""
    inside = _radius_squared(size, radius) < values(radius) ** 2
    return inside[None].astype(np.result_type(grid_dtype(radius), np.complex64))


def gaussian(size: int, width: Array) -> Any:
    """exp(−r² / 2·width²), width in pixels, (1, N, N) complex."""
    return exp(-(_radius_squared(size, width)[None] / (2 * width * width))) * (1 + 0j)


def zone_plate(size: int, outer_radius: Array, stop_radius: Array, defocus: Array) -> Any:
    """The focal field of a zone plate, (1, N, N) complex: the unitary, centred DFT of its annular pupil.

    The pupil is open where stop_radius ≤ r < outer_radius (pixels of the pupil plane) and carries the phase
    defocus·(r / outer_radius)², radians.
    """
    squared = _radius_squared(size, outer_radius)
    open_ = (squared < values(outer_radius) ** 2) & (squared >= values(stop_radius) ** 2)
    phase = defocus * (squared[None] / (outer_radius * outer_radius))
    pupil = open_ * cis(phase)
    return fftshift(dft2(ifftshift(pupil, axes=_PLANE)), axes=_PLANE) / size


def orthogonal_modes(probe: Array, powers: Array) -> Any:
    """Orthogonal modes (P, N, N) from one (1, N, N): p·x^a·y^b after Gram–Schmidt, energies shared out by `powers`."""
    size = probe.shape[-1]
    x = _centred(size, probe) / size
    energy = total(absolute_square(probe))
    shares = powers / total(powers)
    basis: list[Any] = []
    modes: list[Any] = []
    for k in range(powers.shape[0]):
        across, down = _MODE_POWERS[k]
        mode = probe[0] * np.outer(x**down, x**across)
        for unit in basis:
            mode = mode - unit * total(conjugate(unit) * mode)
        basis.append(mode / sqrt(total(absolute_square(mode))))
        modes.append(basis[-1] * sqrt(shares[k] * energy))
    return stack(modes)


def mask(probe: Array) -> NDArray[Any]:
    """1 where r < N/4, 0 elsewhere, (N, N). Exact."""
    size = probe.shape[-1]
    return (_radius_squared(size, probe) < (size / 4) ** 2).astype(grid_dtype(probe))


def normalize(probe: Array, probe_scale: Array) -> Any:
    """p / (probe_scale · mean |mask·p|), (P, N, N): the mean over all pixels and modes."""
    return probe / (probe_scale * mean(absolute(mask(probe) * probe)))


def normalize_vjp(cotangent: Array, probe: Array, probe_scale: Array) -> tuple[Any]:
    """Gradient of `probe`: w/d − Re⟨w, p⟩/d · mask·p/|p| / (n·mean |mask·p|), d the divisor."""
    masked = mask(probe) * probe
    modulus = mean(absolute(masked))
    divisor = probe_scale * modulus
    projection = total(real(conjugate(cotangent) * (probe / divisor)))
    return (cotangent / divisor - direction(masked) * (projection / (modulus * values(probe).size)),)


def _radius_squared(size: int, like: Array) -> NDArray[Any]:
    x = _centred(size, like)
    return x[:, None] ** 2 + x**2


def _centred(size: int, like: Array) -> NDArray[Any]:
    return (np.arange(size) - (size - 1) / 2).astype(grid_dtype(like))
