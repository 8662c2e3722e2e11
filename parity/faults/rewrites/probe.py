"""Other code for the same probes."""

from __future__ import annotations

from parity.contracts.changes import Arguments, raw, replaced
from parity.contracts.fault import Rewrite
from parity.contracts.namespace import PLANE, Namespace, Tensor
from parity.faults.catalogue.common import number, radius


def _squares_compared(xp: Namespace, a: Arguments) -> Tensor:
    inside = xp.cast_like(xp.square(radius(xp, a.size, a.radius)) < xp.square(a.radius), a.radius)
    return xp.complex(inside, xp.zeros_like(inside))[None]


def _product_of_lines(xp: Namespace, a: Arguments) -> Tensor:
    """exp(−x²/2w²)·exp(−y²/2w²)."""
    place = xp.arange(a.size, a.width)
    line = xp.exp(-xp.square((place - xp.max(place) / 2) / a.width) / 2)
    amplitude = line[:, None] * line
    return xp.complex(amplitude, xp.zeros_like(amplitude))[None]


def _closed_disk(xp: Namespace, a: Arguments) -> Tensor:
    size = xp.shape(a.probe)[-1]
    limit = number(xp, size, a.probe) / 4
    return xp.cast_like(radius(xp, size, a.probe) <= limit, limit)


def _other_factor_conjugated(xp: Namespace, seeds: list[Tensor]) -> Tensor:
    """Gram–Schmidt with ⟨u, v⟩ = Σ u·v̄: real for seeds that are one probe times real polynomials."""
    modes: list[Tensor] = []
    for left in seeds:
        for mode in modes:
            left = left - xp.sum(mode * xp.conj(left)) * mode
        modes.append(xp.scaled(left, 1 / xp.sqrt(xp.sum(xp.square(xp.abs(left))))))
    return xp.stack(modes, -1 if xp.name == "tensorflow" else 0)


def _mean_by_mode(xp: Namespace, a: Arguments) -> Tensor:
    """The masked modulus summed over the frame, then over the modes."""
    size = xp.shape(a.probe)[-1]
    inside = radius(xp, size, a.probe) < number(xp, size, a.probe) / 4
    masked = xp.scaled(a.probe, xp.cast_like(inside, xp.real(a.probe)))
    total = xp.sum(xp.sum(xp.abs(masked), PLANE))
    return xp.scaled(a.probe, xp.size(a.probe, (0, 1, 2)) / (a.probe_scale * total))


REWRITES = (
    Rewrite("probe.disk", "squares", "r² is compared with the radius squared", replaced(_squares_compared)),
    Rewrite("probe.gaussian", "lines", "a product of two lines", replaced(_product_of_lines)),
    Rewrite(
        "probe.orthogonal_modes",
        "other-conjugate",
        "⟨u, v⟩ has its other factor conjugated",
        raw(lambda xp, right: lambda seeds: _other_factor_conjugated(xp, seeds)),
        at="probe._orthonormalise",
    ),
    Rewrite("probe.mask", "closed", "≤ stands for <: no pixel lies on that circle", replaced(_closed_disk)),
    Rewrite("probe.normalize", "mode-by-mode", "the mean is taken frame by frame", replaced(_mean_by_mode)),
)
