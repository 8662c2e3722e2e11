"""Defects in probes: their centre, their rim, their phase, their modes, their norm."""

from __future__ import annotations

import math
from collections.abc import Callable

from parity.faults.base import Fault
from parity.faults.catalogue.common import noisy, number, pixel, radius, rounded, softplus
from parity.faults.catalogue.wiring import first_kept
from parity.faults.changes import Arguments, Change, given, raw, replaced, returning
from parity.faults.namespace import PLANE, Namespace, Tensor

_OFF_CENTRE = raw(lambda xp, coordinates: lambda size, like: coordinates(size, like) - 0.5)
"""Pixel N/2 in the place of the middle, (N − 1)/2."""


def _probe(xp: Namespace, amplitude: Tensor) -> Tensor:
    return xp.complex(amplitude, xp.zeros_like(amplitude))[None]


def _of_radius(profile: Callable[[Namespace, Tensor, Arguments], Tensor]) -> Change:
    """A probe whose amplitude is another function of the distance from the middle; `width` or `radius` has its unit."""

    def formula(xp: Namespace, a: Arguments) -> Tensor:
        length = a.radius if hasattr(a, "radius") else a.width
        return _probe(xp, xp.cast_like(profile(xp, radius(xp, a.size, length), a), length))

    return replaced(formula)


def _zone_plate(power: int = 2, unmoved: bool = False, inverse: bool = False) -> Change:
    """The plate with another power of r in its phase, a pupil that is not moved to the corner, another transform."""

    def formula(xp: Namespace, a: Arguments) -> Tensor:
        r = radius(xp, a.size, a.outer_radius)
        aperture = xp.cast_like((r >= a.stop_radius) & (r < a.outer_radius), r)
        phase = a.defocus * (r / a.outer_radius) ** power * (-1 if inverse else 1)
        pupil = xp.complex(aperture * xp.cos(phase), aperture * xp.sin(phase))
        field = xp.fftshift(xp.fft2(pupil if unmoved else xp.ifftshift(pupil)))
        return xp.scaled(xp.conj(field) if inverse else field, 1 / number(xp, a.size, r))[None]

    return replaced(formula)


def _modes_of(xp: Namespace, seeds: list[Tensor], product: Callable[[Tensor, Tensor], Tensor] | None) -> Tensor:
    """Gram–Schmidt with another product ⟨u, v⟩, or none: only the norms are made 1."""
    modes: list[Tensor] = []
    for seed in seeds:
        left = seed
        for mode in modes if product else ():
            left = left - xp.sum(product(mode, left)) * mode if product else left
        modes.append(xp.scaled(left, 1 / xp.sqrt(xp.sum(xp.square(xp.abs(left))))))
    return xp.stack(modes, -1 if xp.name == "tensorflow" else 0)


def _mask(xp: Namespace, probe: Tensor, soft: bool = False, parts: float = 4.0) -> Tensor:
    size = xp.shape(probe)[-1]
    limit = number(xp, size, probe) / parts
    inside = radius(xp, size, probe)
    if soft:
        return xp.minimum(xp.maximum(limit - inside + 0.5, 0.0), 1.0)
    return xp.cast_like(inside < limit, limit)


def _modulus(xp: Namespace, probe: Tensor) -> Tensor:
    """|mask·p|."""
    return xp.abs(probe) * _mask(xp, probe)


def _divided_by(norm: Callable[[Namespace, Tensor], Tensor]) -> Change:
    """p / (probe_scale · norm(p))."""
    return replaced(lambda xp, a: xp.scaled(a.probe, 1 / (a.probe_scale * norm(xp, a.probe))))


FAULTS = (
    Fault("probe.disk", "centre", "the centre is pixel N/2", _OFF_CENTRE, at="probe._coordinates"),
    Fault(
        "probe.disk",
        "closed-rim",
        "≤ stands for < at the rim",
        _of_radius(lambda xp, r, a: r <= a.radius),
        shows="pixels on the rim",
    ),
    Fault("probe.disk", "diameter", "the radius is taken for a diameter", given(radius=lambda xp, x: x / 2)),
    Fault(
        "probe.disk",
        "soft-rim",
        "the rim is soft",
        _of_radius(lambda xp, r, a: xp.minimum(xp.maximum(a.radius - r + 0.5, 0.0), 1.0)),
    ),
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
    Fault("probe.gaussian", "centre", "the centre is pixel N/2", _OFF_CENTRE, at="probe._coordinates"),
    Fault(
        "probe.gaussian",
        "unit-energy",
        "the probe is given unit energy",
        returning(lambda xp, x, a: xp.scaled(x, 1 / xp.sqrt(xp.sum(xp.square(xp.abs(x)))))),
    ),
    Fault(
        "probe.gaussian",
        "exponential",
        "r stands for r² in the exponent",
        _of_radius(lambda xp, r, a: xp.exp(-r / (2 * xp.square(a.width)))),
    ),
    Fault(
        "probe.gaussian",
        "float16",
        "the result is rounded to float16",
        returning(lambda xp, x, a: xp.through(x, "float16")),
        diagnosis=("the result is rounded to float16", "an intermediate is float16"),
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
        diagnosis=(
            "a factor 1/N is missing",
            "the result is off by a constant factor",
        ),
    ),
    Fault("probe.zone_plate", "no-fftshift", "fftshift is missing", returning(lambda xp, x, a: xp.ifftshift(x, PLANE))),
    Fault(
        "probe.zone_plate",
        "ifftshift",
        "ifftshift stands for fftshift",
        returning(lambda xp, x, a: xp.ifftshift(xp.ifftshift(x, PLANE), PLANE)),
        shows="an odd side",
        diagnosis=("ifftshift stands for fftshift", "the result is rolled by whole pixels"),
    ),
    Fault(
        "probe.zone_plate",
        "pupil-unmoved",
        "the pupil is not moved to the corner before its transform",
        _zone_plate(unmoved=True),
    ),
    Fault(
        "probe.zone_plate",
        "inverse",
        "the inverse transform stands for the forward one",
        _zone_plate(inverse=True),
        shows="an even side: about the middle of an odd one the pupil is symmetric",
    ),
    Fault(
        "probe.zone_plate",
        "two-mistakes",
        "the defocus has the opposite sign and fftshift is missing",
        returning(lambda xp, x, a: xp.conj(xp.ifftshift(x, PLANE))),
        diagnosis=(),
    ),
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
        "x-for-y",
        "x and y of the basis are exchanged",
        raw(lambda xp, powers: tuple((b, a) for a, b in powers)),
        at="probe._SEED_POWERS",
        shows="two modes or more",
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
        "unshared",
        "the powers are not divided by their sum",
        returning(lambda xp, x, a: xp.scaled(x, xp.sqrt(xp.sum(a.powers)))),
        diagnosis=("the powers are not divided by their sum", "the result is off by a constant factor"),
    ),
    Fault(
        "probe.orthogonal_modes",
        "oblique",
        "the modes are not made orthogonal",
        raw(lambda xp, right: lambda seeds: _modes_of(xp, seeds, None)),
        at="probe._orthonormalise",
        shows="a product x·y or a square: three modes are nearly orthogonal",
    ),
    Fault(
        "probe.orthogonal_modes",
        "unconjugated",
        "⟨u, v⟩ is taken without its conjugate",
        raw(lambda xp, right: lambda seeds: _modes_of(xp, seeds, lambda u, v: u * v)),
        at="probe._orthonormalise",
        shows="a probe with a phase",
    ),
    Fault(
        "probe.orthogonal_modes",
        "reversed",
        "the modes of powers are in another order",
        given(powers=lambda xp, x: xp.flip(x, 0)),
    ),
    Fault("probe.mask", "centre", "the centre is pixel N/2", _OFF_CENTRE, at="probe._coordinates"),
    Fault("probe.mask", "radius", "the radius is N/2", replaced(lambda xp, a: _mask(xp, a.probe, parts=2.0))),
    Fault("probe.mask", "soft", "the mask is soft", replaced(lambda xp, a: _mask(xp, a.probe, soft=True))),
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
        "energy-unmasked",
        "the energy of all pixels stands for the mean modulus within the mask",
        _divided_by(lambda xp, p: xp.sqrt(xp.mean(xp.square(xp.abs(p))))),
        diagnosis=(),
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
        shows="two modes or more",
    ),
    Fault("probe.normalize", "sum", "a sum stands for the mean", _divided_by(lambda xp, p: xp.sum(_modulus(xp, p)))),
    Fault(
        "probe.normalize",
        "scale-twice",
        "probe_scale is divided out twice",
        given(probe_scale=lambda xp, x: xp.square(x)),
        shows="a scale other than 1",
    ),
    Fault(
        "probe.normalize",
        "scale-multiplied",
        "the reciprocal of probe_scale is used",
        given(probe_scale=lambda xp, x: 1 / x),
        shows="a scale other than 1",
    ),
    Fault(
        "probe.normalize",
        "stale-scale",
        "the scale of the first call is kept",
        first_kept("probe_scale"),
        stacks=("torch",),
        shows="two scales in one process",
        diagnosis=(
            "the scale of the first call is kept",
            "the result is off by a constant factor",
            "probe_scale enters times a constant factor",
        ),
    ),
    Fault(
        "probe.normalize",
        "divisor-detached",
        "the divisor is detached",
        _divided_by(lambda xp, p: xp.detach(xp.mean(_modulus(xp, p)))),
        shows="a gradient",
    ),
    Fault(
        "probe.normalize",
        "detached",
        "probe is detached",
        given(probe=lambda xp, x: xp.detach(x)),
        shows="a gradient",
    ),
    Fault(
        "probe.normalize",
        "float32",
        "an intermediate is float32",
        returning(lambda xp, x, a: rounded("float32")(xp, x)),
        shows="float64",
    ),
    Fault(
        "probe.normalize",
        "noise",
        "noise of 10⁻⁵ is added",
        returning(lambda xp, x, a: noisy(1e-5)(xp, x)),
        diagnosis=(),
    ),
)
