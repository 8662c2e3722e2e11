"""What a user measured: exposures that are chosen from a data set, and the object under them if it has one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.datasets import Dataset
from parity.contracts.cases.families.family import Real


@dataclass(frozen=True, slots=True)
class Chosen:
    """Exposures of a data set: for each patch of each group the index of one, (B, C)."""

    dataset: Dataset
    patterns: NDArray[np.int64]

    @property
    def amplitude(self) -> Real:
        """Measured amplitudes, (B, C, H, W)."""
        return self.dataset.diffraction[self.patterns].astype(np.float64)

    @property
    def positions(self) -> Real:
        """Where they were taken, [x, y], (A, 2)."""
        return self.dataset.positions[self.patterns].reshape(-1, 2)

    @property
    def object(self) -> tuple[Real, Real] | None:
        """Modulus and phase of the object under them, each (B, C, H, W); None if the data set has no object."""
        whole = self.dataset.object
        if whole is None:
            return None
        height, width = self.dataset.frame
        room = np.array([whole.shape[1] - width, whole.shape[0] - height])
        corners = (self.dataset.positions - self.dataset.positions.min(axis=0))[self.patterns]
        x, y = np.moveaxis(np.clip(np.round(corners), 0, room).astype(int), -1, 0)
        patches = np.lib.stride_tricks.sliding_window_view(whole, (height, width))[y, x].astype(np.complex128)
        return np.abs(patches), np.angle(patches)
