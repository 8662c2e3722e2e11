"""The experiment itself: an object, a probe, what the detector counts and what a model predicts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.families.family import (
    EVEN,
    OBLONG,
    ODD,
    PRIME,
    Complex,
    Real,
    Shape,
    Stratum,
    between,
    between_orders,
    once,
    pass_over,
    pick,
    pick_axes,
    uniform,
)
from parity.contracts.cases.families.measured import Chosen
from parity.contracts.cases.families.probes import LitSpec, probe
from parity.contracts.cases.families.scanned import STACK, scanned_object
from parity.physics.kinds import AMPLITUDE, EXIT_WAVES, PHASE, PROBE
from ptycho_exposures import diffsim
from ptycho_exposures.objects import OBJECTS


class Prediction(StrEnum):
    """How the predicted amplitude relates to the observed one; an extinct one is dark where photons were counted."""

    NEAR = "near"
    FAR = "far"
    EQUAL = "equal"
    EXTINCT = "extinct"


class Counting(StrEnum):
    """What the detector hands over."""

    PHOTONS = "photons"
    SCALED = "scaled"
    READINGS = "readings"


@dataclass(frozen=True, slots=True)
class ExposureSpec(LitSpec):
    """B groups of C patches each, and as many exposures of `photons` in the mean pattern; `modulus` dims the object."""

    stratum: ExposureStratum
    groups: int
    patches: int
    photons: float
    prediction: Prediction
    modulus: float

    @property
    def axes(self) -> tuple[int, ...]:
        """Groups, patches and modes."""
        return self.groups, self.patches, self.modes


@dataclass(frozen=True, slots=True)
class ExposureStratum(Stratum):
    """A region of exposures. Phases span `phase_span` radians; a `dark` one has pixels and patterns without light."""

    groups: tuple[int, ...] = (1, 2, 3)
    patches: tuple[int, ...] = (1, 4)
    modes: tuple[int, ...] = (1, 3)
    log10_photons: tuple[float, float] = (0.0, 12.0)
    prediction: tuple[Prediction, ...] = (Prediction.NEAR, Prediction.FAR)
    counting: Counting = Counting.PHOTONS
    phase_span: float = 2.0
    dark: bool = False
    textures: tuple[str, ...] = tuple(OBJECTS)
    log10_modulus: tuple[float, float] = (0.0, 0.0)

    specification: ClassVar[type[ExposureSpec]] = ExposureSpec

    def draw(self, seed: int) -> ExposureSpec:
        """The specification number `seed`."""
        random, frame = self.stream(seed), self.frame(seed)
        groups, patches, modes = self.draw_axes(random, frame)
        photons, prediction = self.draw_light(random)
        pass_over(random, 4, 4, 3)
        modulus = self.draw_modulus(random)
        return self.specification(self, seed, frame, modes, groups, patches, photons, prediction, modulus)

    def draw_axes(self, random: np.random.Generator, frame: Shape) -> tuple[int, int, int]:
        """Groups, patches, modes: the first numbers of the stream."""
        return pick_axes(random, frame, self.groups, self.patches, self.modes)

    def draw_light(self, random: np.random.Generator) -> tuple[float, Prediction]:
        """Photons and prediction, which follow."""
        return float(10 ** random.uniform(*self.log10_photons)), pick(random, self.prediction)

    def draw_modulus(self, random: np.random.Generator) -> float:
        """The modulus, which comes last."""
        pass_over(random, 4)
        random.random()
        return float(10 ** random.uniform(*self.log10_modulus))


SHAPES = (
    ExposureStratum("even", "the common case", EVEN),
    ExposureStratum("odd", "ifftshift for fftshift, floor for ceiling", ODD),
    ExposureStratum("prime", "transforms without small factors", PRIME),
    ExposureStratum("oblong", "h·h for h·w, rows for columns", OBLONG),
    ExposureStratum("lines", "grid-line exposures, as the pipeline simulates them", textures=("lines",)),
    ExposureStratum("single", "axes squeezed away", groups=(1,), patches=(1,), modes=(1,)),
    ExposureStratum("many", "axes mixed, sums over the wrong one", groups=(2, 3), patches=(4,), modes=(3,)),
)
EXPOSURES = (
    ExposureStratum("dark", "ε under a root or in a logarithm, 0/0", groups=(2, 3), dark=True),
    ExposureStratum("faint", "clamps and ε's", log10_photons=(-8.0, 0.0)),
    ExposureStratum("bright", "cancellation, digits lost", log10_photons=(9.0, 12.0)),
    ExposureStratum("scaled", "counts that are no integers", counting=Counting.SCALED),
)
WRAPPED = (ExposureStratum("wrapped", "phases beyond ±π", phase_span=25.0),)
READINGS = (ExposureStratum("readings", "integers squared before they are widened", counting=Counting.READINGS),)


@once
def chosen(spec: ExposureSpec) -> Chosen | None:
    """The user's exposures, where there is a data set."""
    if spec.dataset is None:
        return None
    random = spec.generator("patterns")
    return Chosen(spec.dataset, random.integers(0, len(spec.dataset.diffraction), (spec.groups, spec.patches)))


def gridsize(spec: ExposureSpec) -> NDArray[np.int64]:
    """Patches along a side of a group, ()."""
    return np.array(math.isqrt(spec.patches))


def amplitude(spec: ExposureSpec) -> Real:
    """The object's modulus, (B, C, H, W)."""
    return _object(spec)[0]


def phase(spec: ExposureSpec) -> Real:
    """The object's phase, radians, (B, C, H, W)."""
    return _object(spec)[1]


@once
def patches(spec: ExposureSpec) -> Complex:
    """The object, (B, C, H, W), as dim as the specification has it."""
    return spec.modulus * amplitude(spec) * np.exp(1j * phase(spec))


@once
def target(spec: ExposureSpec) -> Complex:
    """The object that `patches` should have been, (B, C, H, W): a different modulus, a phase that may wrap."""
    random = spec.generator("target")
    spread = 2.0 if spec.prediction is Prediction.FAR else 0.02
    modulus = spec.modulus * amplitude(spec) * np.exp(spread * random.standard_normal(phase(spec).shape))
    return modulus * np.exp(1j * (phase(spec) + spread * random.standard_normal(phase(spec).shape)))


@once
def simulated(spec: ExposureSpec) -> diffsim.Exposures:
    """The simulated exposures, in the layout of `ptycho_exposures.diffsim`."""
    return diffsim.illuminate_and_diffract(
        AMPLITUDE.to_framework(STACK, amplitude(spec)),
        PHASE.to_framework(STACK, phase(spec)),
        PROBE.to_framework(STACK, probe(spec)),
        nphotons=spec.photons,
        seed=spec.generator("photons"),
    )


@once
def intensity_scale(spec: ExposureSpec) -> float:
    """√photons per unit of probe times object: what brings it to the photons that were simulated, or observed."""
    taken = chosen(spec)
    if taken is None:
        return simulated(spec).intensity_scale
    unscaled = far_field(probe(spec) * patches(spec)[:, :, None])
    photons = float(np.mean(np.sum(taken.amplitude**2, axis=(-2, -1))))
    return diffsim.scale_nphotons(AMPLITUDE.to_framework(STACK, unscaled), photons or 1.0)


@once
def exit_waves(spec: ExposureSpec) -> Complex:
    """ψ_p = p_p·O in photons, (B, C, P, H, W); a dark specification has patterns without any light."""
    waves = waves_of(spec, patches(spec))
    return waves * _lit(spec)[..., None, None, None] if spec.stratum.dark else waves


@once
def observed(spec: ExposureSpec) -> Real:
    """The observed amplitude, (B, C, H, W): roots of counts, or divided by the intensity scale, or measured."""
    taken = chosen(spec)
    if taken is not None:
        return taken.amplitude
    counted = AMPLITUDE.from_framework(STACK, simulated(spec).X)
    if spec.stratum.counting is not Counting.SCALED:
        counted = np.sqrt(np.round((counted * intensity_scale(spec)) ** 2))
    return counted * _unlit(spec, "observed") * _unlit(spec, "unlit") if spec.stratum.dark else counted


@once
def predicted(spec: ExposureSpec) -> Real:
    """What a model predicts for `observed`, (B, C, H, W): the same, a step away, or of another object."""
    if spec.prediction is Prediction.EQUAL:
        return observed(spec)
    random = spec.generator("prediction")
    if spec.prediction is Prediction.FAR:
        modulus, turn = _simulated_object(spec, "another object")
        modelled = modulus * np.exp(1j * turn)
    else:
        modelled = patches(spec) * (1 + 0.05 * random.standard_normal(patches(spec).shape))
    expected = far_field(waves_of(spec, modelled))
    if spec.prediction is Prediction.EXTINCT:
        expected = np.where(random.random(expected.shape) < 1 / 8, 0.0, expected)
    if spec.stratum.counting is Counting.SCALED:
        expected = expected / intensity_scale(spec)
    return expected * _unlit(spec, "unlit") if spec.stratum.dark else expected


@once
def detected(spec: ExposureSpec) -> NDArray[Any]:
    """`observed` with light somewhere, or whole detector readings up to uint16's end, (B, C, H, W)."""
    if spec.dataset is not None:
        return observed(spec)
    counted = with_light(observed(spec))
    if spec.stratum.counting is not Counting.READINGS:
        return counted
    peak = spec.generator("readings").uniform(300, np.iinfo(np.uint16).max)
    return np.round(counted * (peak / counted.max())).astype(np.uint16)


nphotons = between_orders("nphotons", 10.0, 1e10)
"""Photons wanted in the mean pattern, ()."""

log_scale = between("log_scale", -3.0, 6.0)
"""The logarithm of an intensity scale, ()."""


def fitted_log_scale(spec: ExposureSpec) -> Real:
    """The logarithm of about the scale at which the model predicts the photons that were observed, ()."""
    return np.log(intensity_scale(spec)) + uniform(spec, "fit", -0.1, 0.1)


def with_light(amplitude: Real) -> Real:
    """A copy of an amplitude (B, C, H, W), with light on one pixel where there is none at all."""
    lit = amplitude.copy()
    if not lit.any():
        lit[0, 0, 1, 2] = 1.0
    return lit


def waves_of(spec: ExposureSpec, patches: Complex) -> Complex:
    """The exit waves of an object (B, C, H, W) in photons, (B, C, P, H, W)."""
    return intensity_scale(spec) * probe(spec) * patches[:, :, None]


def far_field(waves: Complex) -> Real:
    """The noiseless amplitude, (B, C, H, W), of exit waves (B, C, P, H, W)."""
    return AMPLITUDE.from_framework(STACK, diffsim.diffract(EXIT_WAVES.to_framework(STACK, waves)))


@once
def _object(spec: ExposureSpec) -> tuple[Real, Real]:
    """Modulus and phase of the object, measured where a data set has one, each (B, C, H, W)."""
    taken = chosen(spec)
    return (taken and taken.object) or _simulated_object(spec, "object")


def _simulated_object(spec: ExposureSpec, purpose: str) -> tuple[Real, Real]:
    random, stratum = spec.generator(purpose), spec.stratum
    texture = pick(random, stratum.textures)
    return scanned_object(random, texture, stratum.phase_span, spec.frame, spec.groups, int(gridsize(spec)))


def _lit(spec: ExposureSpec) -> Real:
    """1 for a pattern with light and 0 for one without, (B, C); the first has light and the last has none."""
    lit = spec.generator("lit").random((spec.groups, spec.patches)) < 0.7
    lit[0, 0], lit[-1, -1] = True, False
    return lit.astype(float)


def _unlit(spec: ExposureSpec, purpose: str) -> Real:
    """1 and, on a third of the pixels, 0, (B, C, H, W). What the model leaves dark is dark on the detector too."""
    return (spec.generator(purpose).random((spec.groups, spec.patches, *spec.frame)) < 2 / 3).astype(float)
