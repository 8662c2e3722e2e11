"""Mistakes in probes: their centre, their rim, their norm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Inputs
from parity.faults.oracle_side.base import Formula, Mistake, of_argument, of_formula, of_result, several, unshifted
from parity.physics.oracle import probe as oracle

_PLANE = (-2, -1)
_FWHM = 2 * np.sqrt(2 * np.log(2))
"""The full width at half maximum of a Gaussian of width 1."""


def _radius(size: int, centre: float) -> NDArray[Any]:
    x = np.arange(size) - centre
    return np.hypot(x[:, None], x)


def _true_radius(size: int) -> NDArray[Any]:
    return _radius(size, (size - 1) / 2)


def _disk(inside: NDArray[Any]) -> NDArray[Any]:
    return inside[None] * (1 + 0j)


def _soft(radius: float, size: int) -> NDArray[Any]:
    """1 within a radius and 0 outside, over an edge one pixel wide."""
    return np.clip(radius - _true_radius(size) + 0.5, 0, 1)


def _zone_plate(power: int) -> Formula:
    """A zone plate whose phase grows with another power of the radius."""

    def zone_plate(size: int, outer_radius: float, stop_radius: float, defocus: float) -> Any:
        r = _true_radius(size)
        pupil = ((r < outer_radius) & (r >= stop_radius)) * np.exp(1j * defocus * (r / outer_radius) ** power)
        return np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(pupil)))[None] / size

    return zone_plate


def _projected_once(probe: NDArray[Any], powers: NDArray[Any]) -> NDArray[Any]:
    """p·x^a·y^b as they are, only their energies shared out."""
    size = probe.shape[-1]
    x = (np.arange(size) - (size - 1) / 2) / size
    modes = np.stack(
        [probe[0] * np.outer(x**b, x**a) for a, b in ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2))][: len(powers)]
    )
    energies = np.sum(np.abs(modes) ** 2, axis=_PLANE)
    shares = powers / powers.sum() * np.sum(np.abs(probe) ** 2)
    return modes * np.sqrt(shares / energies)[:, None, None]


def _down_before_across(probe: NDArray[Any], powers: NDArray[Any]) -> Any:
    return oracle.orthogonal_modes(probe.swapaxes(-1, -2), powers).swapaxes(-1, -2)


def _is_odd(inputs: Inputs) -> bool:
    return bool(inputs["size"] % 2)


def _modulus(probe: NDArray[Any]) -> NDArray[Any]:
    return np.abs(oracle.mask(probe) * probe)


MISTAKES: Mapping[str, tuple[Mistake, ...]] = {
    "probe.disk": (
        of_formula("≤ stands for < at the rim", lambda size, radius: _disk(_true_radius(size) <= radius)),
        of_formula("the centre is pixel N/2", lambda size, radius: _disk(_radius(size, size / 2) < radius)),
        of_argument("the radius is taken for a diameter", "radius", lambda radius: radius / 2),
        of_formula("the rim is soft", lambda size, radius: _disk(_soft(radius, size))),
    ),
    "probe.gaussian": (
        of_argument("the 2 of 2·width² is missing", "width", lambda width: width / np.sqrt(2)),
        of_argument("the width is taken for that at half maximum", "width", lambda width: width / _FWHM),
        of_formula(
            "the centre is pixel N/2",
            lambda size, width: np.exp(-(_radius(size, size / 2)[None] ** 2) / (2 * width**2)) * (1 + 0j),
        ),
        of_result("the probe is given unit energy", lambda p: p / np.sqrt(np.sum(np.abs(p) ** 2))),
    ),
    "probe.zone_plate": (
        of_argument("the defocus has the opposite sign", "defocus", np.negative),
        of_argument("the central stop is missing", "stop_radius", np.zeros_like),
        of_formula("the phase grows with r where it should with r²", _zone_plate(1)),
        of_result("a factor 1/N is missing", lambda p: p * p.shape[-1]),
        of_result("1/N² stands for 1/N", lambda p: p / p.shape[-1]),
        of_result("fftshift is missing", unshifted),
        of_result("ifftshift stands for fftshift", lambda p: unshifted(unshifted(p)), _is_odd),
    ),
    "probe.orthogonal_modes": (
        of_formula("the modes are not made orthogonal", _projected_once, several("powers", 0)),
        of_argument("the powers are taken for amplitudes", "powers", np.square, several("powers", 0)),
        of_argument("the energy is shared out evenly", "powers", np.ones_like, several("powers", 0)),
        of_formula("x and y of the basis are exchanged", _down_before_across, several("powers", 0)),
        of_formula(
            "the powers are not divided by their sum",
            lambda probe, powers: oracle.orthogonal_modes(probe, powers) * np.sqrt(powers.sum()),
        ),
    ),
    "probe.mask": (
        of_formula("the radius is N/2", lambda probe: _true_radius(probe.shape[-1]) < probe.shape[-1] / 2),
        of_formula(
            "the centre is pixel N/2", lambda probe: _radius(probe.shape[-1], probe.shape[-1] / 2) < probe.shape[-1] / 4
        ),
        of_formula("the mask is soft", lambda probe: _soft(probe.shape[-1] / 4, probe.shape[-1])),
        of_result("the mask is 1 everywhere", np.ones_like),
    ),
    "probe.normalize": (
        of_formula(
            "the energy stands for the mean modulus",
            lambda probe, probe_scale: probe / (probe_scale * np.sqrt(np.mean(_modulus(probe) ** 2))),
        ),
        of_formula(
            "the mask is left out of the mean",
            lambda probe, probe_scale: probe / (probe_scale * np.mean(np.abs(probe))),
        ),
        of_formula(
            "the mean is over the masked pixels alone",
            lambda probe, probe_scale: probe / (probe_scale * np.mean(_modulus(probe)[:, oracle.mask(probe) > 0])),
        ),
        of_formula(
            "each mode is normalised on its own",
            lambda probe, probe_scale: probe / (probe_scale * np.mean(_modulus(probe), axis=_PLANE, keepdims=True)),
            several("probe", 0),
        ),
        of_formula(
            "the first mode's mean modulus is used for all",
            lambda probe, probe_scale: probe / (probe_scale * np.mean(_modulus(probe)[0])),
            several("probe", 0),
        ),
        of_formula(
            "a sum stands for the mean",
            lambda probe, probe_scale: probe / (probe_scale * np.sum(_modulus(probe))),
        ),
        of_formula(
            "probe_scale is divided out twice", lambda probe, probe_scale: oracle.normalize(probe, probe_scale**2)
        ),
    ),
}
