"""A scene around what a user measured: real exposures and a real probe, and the object if the data set has one."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.datasets import Dataset
from parity.contracts.cases.scenes import Scene
from parity.contracts.cases.scenes.base import Complex, Real
from parity.contracts.cases.scenes.exposures import STACK
from parity.contracts.cases.strata import Spec
from parity.physics.kinds import AMPLITUDE
from ptycho_exposures import diffsim


class MeasuredScene(Scene):
    """A scene whose exposures, probe and, where there is one, object come from a data set.

    The seed chooses the patterns. Without an object in the data set, patches are simulated in its frame.
    """

    def __init__(self, spec: Spec, dataset: Dataset) -> None:
        height, width = dataset.diffraction.shape[1:]
        super().__init__(replace(spec, height=height, width=width, modes=len(dataset.probe)))
        self.dataset = dataset

    @cached_property
    def probe(self) -> Complex:
        """The measured probe, (P, H, W)."""
        return self.dataset.probe.astype(np.complex128)

    @cached_property
    def observed(self) -> Real:
        """Measured amplitudes, (B, C, H, W)."""
        return self._of_chosen(self.dataset.diffraction).astype(np.float64)

    @cached_property
    def detected(self) -> NDArray[Any]:
        """Measured amplitudes, (B, C, H, W)."""
        return self.observed

    @cached_property
    def raster(self) -> Real:
        """Where the chosen exposures were taken, (A, 2)."""
        return self._of_chosen(self.dataset.positions).reshape(-1, 2)

    @cached_property
    def intensity_scale(self) -> float:
        """What brings probe times object to the photons that were observed."""
        unscaled = self._far_field(self.probe * self.patches[:, :, None])
        photons = float(np.mean(np.sum(self.observed**2, axis=(-2, -1))))
        return diffsim.scale_nphotons(AMPLITUDE.to_framework(STACK, unscaled), photons or 1.0)

    @cached_property
    def _chosen(self) -> NDArray[np.int64]:
        """Indices of the patterns in each group, (B, C)."""
        count = len(self.dataset.diffraction)
        return self.spec.generator("patterns").integers(0, count, (self.spec.groups, self.spec.patches))

    def _of_chosen(self, array: NDArray[Any]) -> NDArray[Any]:
        return array[self._chosen]

    def _patches_of(self, purpose: str) -> tuple[Real, Real]:
        whole = self.dataset.object
        if purpose != "object" or whole is None:
            return super()._patches_of(purpose)
        height, width = self.shape
        room = np.array([whole.shape[1] - width, whole.shape[0] - height])
        corners = self.dataset.positions - self.dataset.positions.min(axis=0)
        x, y = np.moveaxis(np.clip(np.round(self._of_chosen(corners)), 0, room).astype(int), -1, 0)
        windows = np.lib.stride_tricks.sliding_window_view(whole, (height, width))
        patches = windows[y, x].astype(np.complex128)
        return np.abs(patches), np.angle(patches)
