"""Faults of probes: their centre, their rim, their phase, their modes, their norm."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from parity.contracts.changes import Arguments, Change, given, raw, replaced, returning, then
from parity.contracts.fault import Fault
from parity.contracts.namespace import PLANE, Namespace, Tensor
from parity.faults.catalogue.common import noisy, number, pixel, radius, softplus
from parity.faults.catalogue.wiring import first_kept
from parity.faults.generated import Generated

_SEVERAL = "two modes or more"
_FACTOR = "the result is off by a constant factor"
_OFF_CENTRE = 0.5
"""From the middle, (N − 1)/2, to pixel N/2."""


def _probe(xp: Namespace, amplitude: Tensor) -> Tensor:
    return xp.complex(amplitude, xp.zeros_like(amplitude))[None]


def _of_radius(profile: Callable[[Namespace, Tensor, Arguments], Tensor], off: float = 0.0) -> Change:
    """A probe whose amplitude is another function of the distance from the middle; `width` or `radius` has its unit."""

    def formula(xp: Namespace, a: Arguments) -> Tensor:
        length = a.radius if hasattr(a, "radius") else a.width
        return _probe(xp, xp.cast_like(profile(xp, radius(xp, a.size, length, off), a), length))

    return replaced(formula)


def _zone_plate(power: int = 2, unmoved: bool = False) -> Change:
    """The plate with another power of r in its phase, or a pupil that is not moved to the corner."""

    def formula(xp: Namespace, a: Arguments) -> Tensor:
        r = radius(xp, a.size, a.outer_radius)
        aperture = xp.cast_like((r >= a.stop_radius) & (r < a.outer_radius), r)
        phase = a.defocus * (r / a.outer_radius) ** power
        pupil = xp.complex(aperture * xp.cos(phase), aperture * xp.sin(phase))
        field = xp.fftshift(xp.fft2(pupil if unmoved else xp.ifftshift(pupil)))
        return xp.scaled(field, 1 / number(xp, a.size, r))[None]

    return replaced(formula)


def _energy(xp: Namespace, field: Tensor) -> Tensor:
    """Of each mode, (P,)."""
    return xp.sum(xp.square(xp.abs(field)), PLANE)


def _seeds_alone(xp: Namespace, a: Arguments) -> Tensor:
    """p·x^a·y^b as they are, only their energies shared out."""
    size = xp.shape(a.probe)[-1]
    places = xp.arange(size, a.powers)
    x = (places - xp.max(places) / 2) / number(xp, size, a.powers)
    products = [x**across * x[:, None] ** down for across, down in ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2))]
    seeds = xp.scaled(a.probe, xp.stack(products, 0)[: xp.shape(a.powers)[0]])
    shares = a.powers / xp.sum(a.powers) * _energy(xp, a.probe)
    return xp.scaled(seeds, xp.sqrt(shares / _energy(xp, seeds))[:, None, None])


def _unconjugated(xp: Namespace, right: Any) -> Callable[[list[Tensor]], Tensor]:
    """Gram–Schmidt with Σ u·v for ⟨u, v⟩."""

    def orthonormalised(seeds: list[Tensor]) -> Tensor:
        modes: list[Tensor] = []
        for left in seeds:
            for mode in modes:
                left = left - xp.sum(mode * left) * mode
            modes.append(xp.scaled(left, 1 / xp.sqrt(_energy(xp, left))))
        return xp.stack(modes, -1 if xp.name == "tensorflow" else 0)

    return orthonormalised


def _swapped(xp: Namespace, x: Tensor) -> Tensor:
    return xp.swapped(x, *PLANE)


def _mask(xp: Namespace, probe: Tensor, parts: float = 4.0, off: float = 0.0) -> Tensor:
    size = xp.shape(probe)[-1]
    limit = number(xp, size, probe) / parts
    return xp.cast_like(radius(xp, size, probe, off) < limit, limit)


def _soft(xp: Namespace, r: Tensor, limit: Tensor) -> Tensor:
    """1 within a radius and 0 outside, over an edge one pixel wide."""
    return xp.minimum(xp.maximum(limit - r + 0.5, 0.0), 1.0)


def _soft_mask(xp: Namespace, a: Arguments) -> Tensor:
    size = xp.shape(a.probe)[-1]
    return _soft(xp, radius(xp, size, a.probe), number(xp, size, a.probe) / 4)


def _modulus(xp: Namespace, probe: Tensor) -> Tensor:
    """|mask·p|."""
    return xp.abs(probe) * _mask(xp, probe)


def _divided_by(norm: Callable[[Namespace, Tensor], Tensor]) -> Change:
    """p / (probe_scale · norm(p))."""
    return replaced(lambda xp, a: xp.scaled(a.probe, 1 / (a.probe_scale * norm(xp, a.probe))))


DRAWN = (
    Fault(
        "probe.disk",
        "closed-rim",
        "≤ stands for < at the rim",
        _of_radius(lambda xp, r, a: r <= a.radius),
        shows="pixels on the rim",
    ),
    Fault(
        "probe.disk",
        "centre",
        "the centre is pixel N/2",
        _of_radius(lambda xp, r, a: r < a.radius, _OFF_CENTRE),
    ),
    Fault("probe.disk", "diameter", "the radius is taken for a diameter", given(radius=lambda xp, x: x / 2)),
    Fault("probe.disk", "soft-rim", "the rim is soft", _of_radius(lambda xp, r, a: _soft(xp, r, a.radius))),
    Fault(
        "probe.disk",
        "bright-pixel",
        "one pixel is lit twice",
        returning(lambda xp, x, a: xp.scaled(x, 1 + pixel(xp, x, 4, 4))),
        shows="a disk that reaches that pixel",
        diagnosis=(),
    ),
    Fault("probe.gaussian", "no-2", "the 2 of 2·width² is missing", given(width=lambda xp, x: x * math.sqrt(0.5))),
    Fault(
        "probe.gaussian",
        "half-maximum",
        "the width is taken for that at half maximum",
        given(width=lambda xp, x: x / (2 * math.sqrt(2 * math.log(2)))),
    ),
    Fault(
        "probe.gaussian",
        "centre",
        "the centre is pixel N/2",
        _of_radius(lambda xp, r, a: xp.exp(-xp.square(r / a.width) / 2), _OFF_CENTRE),
    ),
    Fault(
        "probe.gaussian",
        "unit-energy",
        "the probe is given unit energy",
        returning(lambda xp, x, a: xp.scaled(x, 1 / xp.sqrt(_energy(xp, x)[:, None, None]))),
    ),
    Generated("probe.gaussian", "result-float16", called="float16"),
    Fault(
        "probe.gaussian",
        "exponential",
        "r stands for r² in the exponent",
        _of_radius(lambda xp, r, a: xp.exp(-r / (2 * xp.square(a.width)))),
        blind=True,
    ),
    Fault(
        "probe.gaussian",
        "pedestal",
        "the light is cut off where it is weak",
        returning(lambda xp, x, a: _probe(xp, softplus(xp, 200 * (xp.real(x)[0] - 0.01)) / 200)),
        diagnosis=(),
    ),
    Fault("probe.zone_plate", "defocus-sign", "the defocus has the opposite sign", given(defocus=lambda xp, x: -x)),
    Fault(
        "probe.zone_plate", "no-stop", "the central stop is missing", given(stop_radius=lambda xp, x: xp.zeros_like(x))
    ),
    Fault("probe.zone_plate", "conical", "the phase grows with r where it should with r²", _zone_plate(power=1)),
    Fault(
        "probe.zone_plate",
        "no-norm",
        "a factor 1/N is missing",
        returning(lambda xp, x, a: xp.scaled(x, number(xp, a.size, a.defocus))),
        diagnosis=("a factor 1/N is missing", _FACTOR),
    ),
    Fault(
        "probe.zone_plate",
        "norm-squared",
        "1/N² stands for 1/N",
        returning(lambda xp, x, a: xp.scaled(x, 1 / number(xp, a.size, a.defocus))),
        diagnosis=("1/N² stands for 1/N", _FACTOR),
    ),
    Fault("probe.zone_plate", "no-fftshift", "fftshift is missing", returning(lambda xp, x, a: xp.ifftshift(x))),
    Fault(
        "probe.zone_plate",
        "ifftshift",
        "ifftshift stands for fftshift",
        returning(lambda xp, x, a: xp.ifftshift(xp.ifftshift(x))),
        shows="an odd side",
        diagnosis=("ifftshift stands for fftshift", "the result is rolled by whole pixels"),
    ),
    Fault(
        "probe.zone_plate",
        "pupil-unmoved",
        "the pupil is not moved to the corner before its transform",
        _zone_plate(unmoved=True),
        blind=True,
    ),
    Fault(
        "probe.zone_plate",
        "inverse",
        "the inverse transform stands for the forward one",
        then(given(defocus=lambda xp, x: -x), returning(lambda xp, x, a: xp.conj(x))),
        shows="an even side: about the middle of an odd one the pupil is symmetric",
        blind=True,
    ),
    Fault(
        "probe.zone_plate",
        "two-mistakes",
        "the defocus has the opposite sign and fftshift is missing",
        returning(lambda xp, x, a: xp.conj(xp.ifftshift(x))),
        diagnosis=(),
    ),
)
"""Of the probes that are drawn."""

MODES = (
    Fault(
        "probe.orthogonal_modes",
        "oblique",
        "the modes are not made orthogonal",
        replaced(_seeds_alone),
        shows="a product x·y or a square: three modes are nearly orthogonal",
    ),
    Fault(
        "probe.orthogonal_modes",
        "amplitudes",
        "the powers are taken for amplitudes",
        given(powers=lambda xp, x: xp.square(x)),
    ),
    Fault(
        "probe.orthogonal_modes",
        "even-shares",
        "the energy is shared out evenly",
        given(powers=lambda xp, x: xp.ones_like(x)),
    ),
    Fault(
        "probe.orthogonal_modes",
        "x-for-y",
        "x and y of the basis are exchanged",
        then(given(probe=_swapped), returning(lambda xp, x, a: _swapped(xp, x))),
        shows=_SEVERAL,
    ),
    Fault(
        "probe.orthogonal_modes",
        "unshared",
        "the powers are not divided by their sum",
        returning(lambda xp, x, a: xp.scaled(x, xp.sqrt(xp.sum(a.powers)))),
        diagnosis=("the powers are not divided by their sum", _FACTOR),
    ),
    Generated("probe.orthogonal_modes", "powers-modes-reordered", called="reversed"),
    Fault(
        "probe.orthogonal_modes",
        "last-two",
        "x² and y² of the basis are exchanged",
        raw(lambda xp, powers: (*powers[:4], powers[5], powers[4])),
        at="probe._SEED_POWERS",
        shows="five modes or more",
    ),
    Fault(
        "probe.orthogonal_modes",
        "unconjugated",
        "⟨u, v⟩ is taken without its conjugate",
        raw(_unconjugated),
        at="probe._orthonormalise",
        shows="a probe with a phase",
    ),
)
"""Of the modes that are made of one."""

NORMALISED = (
    Fault("probe.mask", "radius", "the radius is N/2", replaced(lambda xp, a: _mask(xp, a.probe, parts=2.0))),
    Fault(
        "probe.mask",
        "centre",
        "the centre is pixel N/2",
        replaced(lambda xp, a: _mask(xp, a.probe, off=_OFF_CENTRE)),
    ),
    Fault("probe.mask", "soft", "the mask is soft", replaced(_soft_mask)),
    Fault("probe.mask", "everywhere", "the mask is 1 everywhere", returning(lambda xp, x, a: xp.ones_like(x))),
    Fault(
        "probe.mask",
        "two-pixel-rim",
        "the mask is averaged over neighbours",
        returning(lambda xp, x, a: sum(xp.roll(x, by, axis) for axis in PLANE for by in (-1, 1)) / 4),
        diagnosis=(),
    ),
    Fault(
        "probe.normalize",
        "energy",
        "the energy stands for the mean modulus",
        _divided_by(lambda xp, p: xp.sqrt(xp.mean(xp.square(_modulus(xp, p))))),
    ),
    Fault(
        "probe.normalize",
        "unmasked",
        "the mask is left out of the mean",
        returning(lambda xp, x, a: xp.ones_like(x)),
        at="probe.mask",
        shows="light outside the mask",
    ),
    Fault(
        "probe.normalize",
        "masked-mean",
        "the mean is over the masked pixels alone",
        _divided_by(lambda xp, p: xp.mean(xp.sum(_modulus(xp, p), PLANE)) / xp.sum(_mask(xp, p))),
    ),
    Fault(
        "probe.normalize",
        "mode-by-mode",
        "each mode is normalised on its own",
        _divided_by(lambda xp, p: xp.mean(_modulus(xp, p), PLANE, keepdims=True)),
        shows=_SEVERAL,
    ),
    Fault(
        "probe.normalize",
        "by-the-first-mode",
        "the first mode's mean modulus is used for all",
        _divided_by(lambda xp, p: xp.mean(_modulus(xp, p[:1]))),
        shows=_SEVERAL,
    ),
    Fault("probe.normalize", "sum", "a sum stands for the mean", _divided_by(lambda xp, p: xp.sum(_modulus(xp, p)))),
    Fault(
        "probe.normalize",
        "scale-twice",
        "probe_scale is divided out twice",
        given(probe_scale=lambda xp, x: xp.square(x)),
        shows="a scale other than 1",
    ),
    Generated("probe.normalize", "probe-scale-inverted", called="scale-multiplied", shows="a scale other than 1"),
    Generated("probe.normalize", "probe-detached", called="detached"),
    Fault(
        "probe.normalize",
        "unnormalised",
        "the mean modulus is not divided out",
        _divided_by(lambda xp, p: xp.constant(1.0, p)),
        shows="a probe whose mean modulus is not 1",
        blind=True,
    ),
    Fault(
        "probe.normalize",
        "energy-unmasked",
        "the energy of all pixels stands for the mean modulus within the mask",
        _divided_by(lambda xp, p: xp.sqrt(xp.mean(xp.square(xp.abs(p))))),
        diagnosis=(),
    ),
    Fault(
        "probe.normalize",
        "stale-scale",
        "the scale of the first call is kept",
        first_kept("probe_scale"),
        stacks=("torch",),
        shows="two scales in one process",
        diagnosis=("the scale of the first call is kept", _FACTOR, "probe_scale enters times a constant factor"),
        blind=True,
    ),
    Fault(
        "probe.normalize",
        "divisor-detached",
        "the divisor is detached",
        _divided_by(lambda xp, p: xp.detach(xp.mean(_modulus(xp, p)))),
        shows="a gradient",
        blind=True,
    ),
    Fault(
        "probe.normalize",
        "float32",
        "the result is rounded to float32",
        returning(lambda xp, x, a: xp.through(x, "float32")),
        shows="float64",
        diagnosis=("an intermediate is float32",),
    ),
    Fault(
        "probe.normalize",
        "noise",
        "noise of 10⁻⁵ is added",
        returning(lambda xp, x, a: noisy(1e-5)(xp, x)),
        diagnosis=(),
    ),
)
"""Of the mask, and of the norm of a probe."""

FAULTS = (*DRAWN, *MODES, *NORMALISED)
