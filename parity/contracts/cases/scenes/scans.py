"""A whole scan: its exposures in a row, where they lie, and how they are to be grouped."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.scenes.base import Real
from parity.contracts.cases.scenes.canvases import Canvases
from parity.contracts.cases.strata import Shift

MOST_SPARE = 4
"""Neighbours that a group is at most chosen from beyond those it needs."""


class Scans(Canvases):
    """A scan of A = B·C exposures."""

    @property
    def recorded(self) -> NDArray[Any]:
        """The exposures of all groups in a row, as `detected`, (A, H, W)."""
        return self.detected.reshape(-1, *self.shape)

    @cached_property
    def raster(self) -> Real:
        """Where the exposures of a scan lie, pixels, [x, y], (A, 2): on a grid, beside it, or some where others were.

        They come in no order, so that neither number nor place says anything about the other.
        """
        random, count = self.spec.generator("raster"), self.spec.groups * self.spec.patches
        columns = math.ceil(math.sqrt(count + 1))
        steps = np.divmod(np.arange(count), columns)[::-1]
        raster = random.permutation(np.stack(steps, axis=-1) * float(random.integers(2, 9)))
        if self.spec.shift is Shift.FRACTIONAL:
            raster = raster + random.uniform(-1, 1, raster.shape)
        if self.spec.shift is Shift.BEYOND:
            raster = raster[random.integers(0, count, count)]
        return raster

    @cached_property
    def neighbours(self) -> NDArray[np.int64]:
        """The nearest exposures, itself among them, that a group is chosen from, ()."""
        count, size = self.spec.groups * self.spec.patches, int(self.gridsize) ** 2
        spare = int(self.spec.generator("neighbours").integers(0, MOST_SPARE + 1))
        return np.array(min(count, size + spare))

    @property
    def grouping_seed(self) -> NDArray[np.int64]:
        """The seed of that choice, ()."""
        return np.array(self.spec.seed)
