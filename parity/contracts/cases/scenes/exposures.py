"""The experiment itself: an object, a probe, what the detector counts and what a model predicts."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.scenes.base import Complex, Drawn, Real
from parity.contracts.cases.strata import Counting, Prediction
from parity.physics.kinds import AMPLITUDE, EXIT_WAVES, PHASE, PROBE
from ptycho_exposures import diffsim, objects

STACK = "tensorflow"
"""The stack whose layout `ptycho_exposures.diffsim` speaks."""

SCAN_STEP, SCAN_OFFSET, SCAN_MARGIN = 2, 3, 8
"""Pixels between groups, between the patches of a group, and by which an object at least exceeds a patch."""


COUNTED = frozenset(
    {"detected", "exit_waves", "fitted_log_scale", "images", "noiseless_images", "observed", "predicted", "recorded"}
)
"""The properties of a scene that are others with more photons."""


class Exposures(Drawn):
    """An object without symmetry, a probe without symmetry, and an exposure with its photon noise."""

    @cached_property
    def _object(self) -> tuple[Real, Real]:
        return self._patches_of("object")

    @property
    def amplitude(self) -> Real:
        """The object's modulus, (B, C, H, W)."""
        return self._object[0]

    @property
    def phase(self) -> Real:
        """The object's phase, radians, (B, C, H, W)."""
        return self._object[1]

    @cached_property
    def patches(self) -> Complex:
        """The object, (B, C, H, W), as dim as the specification has it."""
        return self.spec.modulus * self.amplitude * np.exp(1j * self.phase)

    @cached_property
    def target(self) -> Complex:
        """The object that `patches` should have been, (B, C, H, W): a different modulus, a phase that may wrap."""
        random = self.spec.generator("target")
        spread = 2.0 if self.spec.prediction is Prediction.FAR else 0.02
        modulus = self.spec.modulus * self.amplitude * np.exp(spread * random.standard_normal(self.patches.shape))
        return modulus * np.exp(1j * (self.phase + spread * random.standard_normal(self.patches.shape)))

    @cached_property
    def probe(self) -> Complex:
        """Modes of an off-centre, aberrated, elliptical Gaussian, (P, H, W), no two orthogonal."""
        random = self.spec.generator("probe")
        y, x = (np.linspace(-1, 1, n) for n in self.shape)
        rows, columns = y[None, :, None], x[None, None, :]
        centre, width, tilt, bend = (
            random.uniform(low, high, (self.spec.modes, 2, 1, 1))
            for low, high in ((-0.2, 0.2), (0.3, 0.6), (-3, 3), (-4, 4))
        )
        down, across = (rows - centre[:, 0]) / width[:, 0], (columns - centre[:, 1]) / width[:, 1]
        phase = tilt[:, 0] * rows + tilt[:, 1] * columns + bend[:, 0] * rows**2 + bend[:, 1] * columns**3
        return np.exp(-(down**2) - across**2 + 1j * (phase + 0.5))

    @cached_property
    def single_mode(self) -> Complex:
        """The first probe mode alone, (1, H, W)."""
        return self.probe[:1]

    @cached_property
    def exposures(self) -> diffsim.Exposures:
        """The simulated exposures, in the layout of `ptycho_exposures.diffsim`."""
        return diffsim.illuminate_and_diffract(
            AMPLITUDE.to_framework(STACK, self.amplitude),
            PHASE.to_framework(STACK, self.phase),
            PROBE.to_framework(STACK, self.probe),
            nphotons=self.spec.photons,
            seed=self.spec.generator("photons"),
        )

    @property
    def intensity_scale(self) -> float:
        """√photons per unit of probe times object."""
        return self.exposures.intensity_scale

    @cached_property
    def exit_waves(self) -> Complex:
        """ψ_p = p_p·O in photons, (B, C, P, H, W); a dark scene has patterns without any light."""
        waves = self._waves(self.patches)
        return waves * self._lit[..., None, None, None] if self.spec.dark else waves

    @cached_property
    def observed(self) -> Real:
        """The observed amplitude, (B, C, H, W): roots of counts, or divided by the intensity scale."""
        amplitude = AMPLITUDE.from_framework(STACK, self.exposures.X)
        if self.spec.counting is not Counting.SCALED:
            amplitude = np.sqrt(np.round((amplitude * self.intensity_scale) ** 2))
        return amplitude * self._shadow("observed") if self.spec.dark else amplitude

    @cached_property
    def predicted(self) -> Real:
        """What a model predicts for `observed`, (B, C, H, W): the same, a step away, or of another object."""
        if self.spec.prediction is Prediction.EQUAL:
            return self.observed
        random = self.spec.generator("prediction")
        if self.spec.prediction is Prediction.FAR:
            amplitude, phase = self._patches_of("another object")
            patches = amplitude * np.exp(1j * phase)
        else:
            patches = self.patches * (1 + 0.05 * random.standard_normal(self.patches.shape))
        predicted = self._far_field(self._waves(patches))
        if self.spec.prediction is Prediction.EXTINCT:
            predicted = np.where(random.random(predicted.shape) < 1 / 8, 0.0, predicted)
        if self.spec.counting is Counting.SCALED:
            predicted = predicted / self.intensity_scale
        return predicted * self._unlit if self.spec.dark else predicted

    @cached_property
    def detected(self) -> NDArray[Any]:
        """`observed` with light somewhere, or whole detector readings up to uint16's end, (B, C, H, W)."""
        amplitude = self.observed.copy()
        if not amplitude.any():
            amplitude[0, 0, 1, 2] = 1.0
        if self.spec.counting is not Counting.READINGS:
            return amplitude
        peak = self.spec.generator("readings").uniform(300, np.iinfo(np.uint16).max)
        return np.round(amplitude * (peak / amplitude.max())).astype(np.uint16)

    @cached_property
    def nphotons(self) -> Real:
        """Photons wanted in the mean pattern, ()."""
        return self._scalar("nphotons", 10.0, 1e10, logarithmic=True)

    @cached_property
    def log_scale(self) -> Real:
        """The logarithm of an intensity scale, ()."""
        return self._scalar("log_scale", -3.0, 6.0)

    @property
    def fitted_log_scale(self) -> Real:
        """The logarithm of about the scale at which the model predicts the photons that were observed, ()."""
        return np.log(self.intensity_scale) + self._scalar("fit", -0.1, 0.1)

    def _patches_of(self, purpose: str) -> tuple[Real, Real]:
        """Amplitude and phase of one object as a scan on a grid sees it in B groups, each (B, C, H, W)."""
        random, spec = self.spec.generator(purpose), self.spec
        texture = spec.textures[random.integers(len(spec.textures))]
        gridsize = math.isqrt(spec.patches)
        reach = SCAN_STEP * (math.ceil(math.sqrt(spec.groups)) - 1) + SCAN_OFFSET * (gridsize - 1)
        margin = max(SCAN_MARGIN, reach)
        frame = (spec.height + margin, spec.width + margin)
        whole = objects.make_object(texture, frame, random, spec.phase_span)
        scan = objects.scan_positions(frame, self.shape, step=SCAN_STEP, gridsize=gridsize, offset=SCAN_OFFSET)
        positions = scan[random.permutation(len(scan))[: spec.groups]]
        return (
            AMPLITUDE.from_framework(STACK, objects.scan_patches(whole.amplitude, positions, self.shape)),
            PHASE.from_framework(STACK, objects.scan_patches(whole.phase, positions, self.shape)),
        )

    def _waves(self, patches: Complex) -> Complex:
        return self.intensity_scale * self.probe * patches[:, :, None]

    @staticmethod
    def _far_field(waves: Complex) -> Real:
        """The noiseless amplitude, (B, C, H, W), of exit waves (B, C, P, H, W)."""
        return AMPLITUDE.from_framework(STACK, diffsim.diffract(EXIT_WAVES.to_framework(STACK, waves)))

    @cached_property
    def _lit(self) -> Real:
        """1 for a pattern with light and 0 for one without, (B, C); the first has light and the last has none."""
        lit = self.spec.generator("lit").random((self.spec.groups, self.spec.patches)) < 0.7
        lit[0, 0], lit[-1, -1] = True, False
        return lit.astype(float)

    @cached_property
    def _unlit(self) -> Real:
        """0 on the pixels of a dark scene that neither model nor detector lights, (B, C, H, W)."""
        return self._shadow("unlit")

    def _shadow(self, purpose: str) -> Real:
        """1 and, on a third of the pixels, 0. What the model leaves dark is dark on the detector too."""
        shape = (self.spec.groups, self.spec.patches, *self.shape)
        shadow = (self.spec.generator(purpose).random(shape) < 2 / 3).astype(float)
        return shadow if purpose == "unlit" else shadow * self._unlit
