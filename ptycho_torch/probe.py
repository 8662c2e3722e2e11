"""Probes: simulated illuminations, their incoherent modes and their normalisation, in PyTorch.

All are drawn on the half-pixel-centred grid x_j = j - (N - 1) / 2, which has no preferred pixel for
even N. How a probe meets the object is `ptycho_torch.optics`.
"""

import torch
from torch import Tensor

from ptycho_torch import checks

_SEED_POWERS = ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2))  # of x and of y


def disk(size: int, radius: checks.Scalar) -> Tensor:
    """A pinhole: 1 where r < radius, 0 elsewhere.

    Args:
        size: N, pixels a side.
        radius: pixels. A Python number gives single precision, a scalar tensor its own.

    Returns:
        (1, N, N), complex, square-root photons.

    Raises:
        TypeError: the size is not whole, or the radius is not in a working precision.
        ValueError: the size is not positive, or the radius is not a scalar.
    """
    checks.require_size("size", size)
    (radius,) = checks.as_scalars({"radius": radius})
    return _as_probe((_squared_radius(size, size, radius).sqrt() < radius).to(radius.dtype))


def gaussian(size: int, width: checks.Scalar) -> Tensor:
    """A Gaussian beam at its waist: exp(-r^2 / (2 width^2)).

    Args:
        size: N, pixels a side.
        width: standard deviation of the amplitude, pixels. A Python number gives single precision, a
            scalar tensor its own.

    Returns:
        (1, N, N), complex, square-root photons.

    Raises:
        TypeError: the size is not whole, or the width is not in a working precision.
        ValueError: the size is not positive, or the width is not a scalar.
    """
    checks.require_size("size", size)
    (width,) = checks.as_scalars({"width": width})
    return _as_probe(torch.exp(-_squared_radius(size, size, width) / (2 * width.square())))


def zone_plate(size: int, outer_radius: checks.Scalar, stop_radius: checks.Scalar, defocus: checks.Scalar) -> Tensor:
    """The field near the focus of a zone plate with a central stop.

    The pupil is 1 for stop_radius <= r < outer_radius and carries the phase defocus * (r /
    outer_radius)^2 (Goodman, Introduction to Fourier Optics, on aberrations); the field is
    fftshift(DFT2(ifftshift(pupil))) / N, which keeps the pupil's energy.

    Args:
        size: N, pixels a side.
        outer_radius: of the pupil, pixels of the pupil plane.
        stop_radius: of the central stop, pixels of the pupil plane.
        defocus: phase at the rim, radians. Where the three are Python numbers the precision is single,
            otherwise that of the scalar tensors among them.

    Returns:
        (1, N, N), complex, square-root photons.

    Raises:
        TypeError: the size is not whole, or another argument is not in the working precision.
        ValueError: the size is not positive, or another argument is not a scalar.
    """
    checks.require_size("size", size)
    outer_radius, stop_radius, defocus = checks.as_scalars(
        {"outer_radius": outer_radius, "stop_radius": stop_radius, "defocus": defocus}
    )
    radius = _squared_radius(size, size, outer_radius).sqrt()
    aperture = ((radius >= stop_radius) & (radius < outer_radius)).to(radius.dtype)
    phase = defocus * (radius / outer_radius).square()
    pupil = torch.complex(aperture * torch.cos(phase), aperture * torch.sin(phase))
    spectrum: Tensor = torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(pupil), norm="backward"))
    return spectrum[None] / size


def orthogonal_modes(probe: Tensor, powers: Tensor) -> Tensor:
    """Mutually orthogonal modes from one, as a partially coherent beam has them.

    The seeds p (x / N)^a (y / N)^b, for (a, b) = (0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2) and x
    along the columns, are made orthogonal in this order by the modified Gram-Schmidt process, with <u,
    v> = sum conj(u) v. Mode k gets the share powers[k] / sum(powers) of the energy of the probe.

    Args:
        probe: (1, N, N), complex, square-root photons; lit on enough pixels for the seeds to be
            independent.
        powers: (P,), real, 1 to 6 relative powers.

    Returns:
        (P, N, N), complex, square-root photons.

    Raises:
        TypeError: the probe is not complex, the powers are not real, or the precisions differ.
        ValueError: an argument has another rank, or the number of modes is refused.
    """
    checks.require_complex("probe", probe)
    checks.require_real("powers", powers)
    checks.require_same_precision("powers", powers, "probe", probe)
    checks.require_mode_count("probe", probe, most=1)
    checks.require_mode_count("powers", powers, most=len(_SEED_POWERS))
    energies = _energy(probe) * powers / powers.sum()
    return _orthonormalise(_seeds(probe[0])[: len(powers)]) * energies.sqrt()[:, None, None]


def mask(probe: Tensor) -> Tensor:
    """The hard disk on which a probe's amplitude is averaged: 1 where r < N / 4, 0 elsewhere.

    Args:
        probe: (P, N, N), complex; only its shape and precision are used. Of an oblong one N is the
            shorter side.

    Returns:
        (N, N), real, in the precision of the probe.

    Raises:
        TypeError: the probe is not complex.
        ValueError: the probe has another rank.
    """
    checks.require_complex("probe", probe)
    height, width = probe.shape[-2:]
    radius = _squared_radius(height, width, probe.real).sqrt()
    return (radius < min(height, width) / 4).to(radius.dtype)


def normalize(probe: Tensor, probe_scale: checks.Scalar) -> Tensor:
    """The probe p / (probe_scale * mean |mask p|), the mean being over all pixels and modes.

    One factor serves all modes, so that their relative powers remain.

    Args:
        probe: (P, N, N), complex, square-root photons.
        probe_scale: a number, or a scalar of the probe's precision.

    Returns:
        (P, N, N), complex, dimensionless.

    Raises:
        TypeError: the probe is not complex, or the precisions differ.
        ValueError: the probe has another rank, `probe_scale` is not a scalar, or either is not finite.
    """
    checks.require_complex("probe", probe)
    (probe_scale,) = checks.as_scalars({"probe_scale": probe_scale}, like=probe)
    modulus = (mask(probe) * probe).abs().mean()
    checks.require_finite("probe", modulus, "a finite mean modulus")
    return probe / (probe_scale * modulus)


def _coordinates(size: int, like: Tensor) -> Tensor:
    return torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2


def _squared_radius(height: int, width: int, like: Tensor) -> Tensor:
    return _coordinates(height, like)[:, None].square() + _coordinates(width, like).square()


def _as_probe(amplitude: Tensor) -> Tensor:
    return torch.complex(amplitude, torch.zeros_like(amplitude))[None]


def _seeds(mode: Tensor) -> list[Tensor]:
    height, width = mode.shape
    y = (_coordinates(height, mode.real) / height)[:, None]
    x = _coordinates(width, mode.real) / width
    return [mode * (x**a * y**b) for a, b in _SEED_POWERS]


def _orthonormalise(seeds: list[Tensor]) -> Tensor:
    """The modified Gram-Schmidt process: each seed loses its part along one finished mode after another."""
    modes: list[Tensor] = []
    for remainder in seeds:
        for mode in modes:
            remainder = remainder - (mode.conj() * remainder).sum() * mode
        modes.append(remainder / _energy(remainder).sqrt())
    return torch.stack(modes)


def _energy(field: Tensor) -> Tensor:
    return (field.real.square() + field.imag.square()).sum()
