"""Probes, and what they are generated from: sizes, radii, powers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.datasets import Dataset
from parity.contracts.cases.families.family import (
    EVEN,
    ODD,
    PRIME,
    Complex,
    Real,
    Spec,
    Stratum,
    between,
    between_orders,
    once,
    pass_over,
    pick,
    uniform,
)


@dataclass(frozen=True, slots=True)
class LitSpec(Spec):
    """A specification with a probe of so many modes, which is the user's where there is a data set."""

    modes: int

    def around(self, dataset: Dataset) -> Self:
        """The same of a user's patterns and probe."""
        return replace(self, frame=dataset.frame, dataset=dataset, modes=len(dataset.probe))


@dataclass(frozen=True, slots=True)
class ProbeSpec(LitSpec):
    """A probe on a square grid."""

    stratum: ProbeStratum

    @property
    def axes(self) -> tuple[int, ...]:
        """The modes."""
        return (self.modes,)


@dataclass(frozen=True, slots=True)
class ProbeStratum(Stratum):
    """A region of probes on square grids; `whole` radii have pixels at exactly their distance."""

    modes: tuple[int, ...] = (1, 3)
    whole: bool = False

    specification: ClassVar[type[ProbeSpec]] = ProbeSpec

    def draw(self, seed: int) -> ProbeSpec:
        """The specification number `seed`."""
        random = self.stream(seed)
        pass_over(random, 2)
        return ProbeSpec(self, seed, self.frame(seed), pick(random, self.modes))


SQUARE_GRIDS = (
    ProbeStratum("even", "the common case", EVEN),
    ProbeStratum("odd", "a centre half a pixel off", ODD),
    ProbeStratum("prime", "transforms without small factors", PRIME),
    ProbeStratum("single", "the mode axis squeezed away", EVEN, modes=(1,)),
    ProbeStratum("many", "modes mixed", EVEN + ODD, modes=(2, 3)),
)
WHOLE = (ProbeStratum("whole", "≤ for <, where pixels lie on the rim", ODD, whole=True),)
HIGHER = (ProbeStratum("higher", "modes beyond the first three", EVEN + ODD, modes=(4, 5, 6)),)


@once
def probe(spec: LitSpec) -> Complex:
    """Modes of an off-centre, aberrated, elliptical Gaussian, or the measured ones, (P, H, W), no two orthogonal."""
    if spec.dataset:
        return spec.dataset.probe.astype(np.complex128)
    random = spec.generator("probe")
    y, x = (np.linspace(-1, 1, n) for n in spec.frame)
    rows, columns = y[None, :, None], x[None, None, :]
    centre, size, tilt, bend = (
        random.uniform(low, high, (spec.modes, 2, 1, 1)) for low, high in ((-0.2, 0.2), (0.3, 0.6), (-3, 3), (-4, 4))
    )
    down, across = (rows - centre[:, 0]) / size[:, 0], (columns - centre[:, 1]) / size[:, 1]
    phase = tilt[:, 0] * rows + tilt[:, 1] * columns + bend[:, 0] * rows**2 + bend[:, 1] * columns**3
    return np.exp(-(down**2) - across**2 + 1j * (phase + 0.5))


def single_mode(spec: LitSpec) -> Complex:
    """The first probe mode alone, (1, H, W)."""
    return probe(spec)[:1]


def size(spec: Spec) -> NDArray[np.int64]:
    """Pixels a side of a generated probe, ()."""
    return np.array(spec.frame[0])


def radius(spec: ProbeSpec) -> Real:
    """The radius of a disk, pixels, ()."""
    return _radius(spec, "radius", 0.1, 0.6)


def width(spec: ProbeSpec) -> Real:
    """The width of a Gaussian, pixels, ()."""
    return uniform(spec, "width", 0.1 * spec.frame[0], 0.4 * spec.frame[0])


def outer_radius(spec: ProbeSpec) -> Real:
    """The radius of a zone plate, pixels of its plane, ()."""
    return _radius(spec, "outer_radius", 0.3, 0.5)


def stop_radius(spec: ProbeSpec) -> Real:
    """The radius of a zone plate's central stop, pixels of its plane, ()."""
    return _radius(spec, "stop_radius", 0.05, 0.2)


defocus = between("defocus", -20.0, 20.0)
"""The defocus phase at a zone plate's rim, radians, ()."""

probe_scale = between_orders("probe_scale", 0.1, 10.0)
"""The divisor of a normalised probe beside its mean modulus, ()."""


def powers(spec: ProbeSpec) -> Real:
    """The energies of the probe modes, relative, (P,)."""
    return spec.generator("powers").uniform(0.05, 1.0, spec.modes)


def _radius(spec: ProbeSpec, name: str, low: float, high: float) -> Real:
    """A radius between `low` and `high` frames.

    Whole, with pixels of an odd grid at exactly that distance, or √(m + ¼), which no pixel is near: elsewhere the
    side on which a pixel falls would be a matter of rounding.
    """
    drawn = uniform(spec, name, low * spec.frame[0], high * spec.frame[0])
    if spec.stratum.whole:
        return np.array(max(1.0, float(np.round(drawn))))
    return np.array(np.sqrt(np.floor(drawn**2) + 0.25))
