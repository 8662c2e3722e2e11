"""Where the patches of a group lie, and the canvases they lie on."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.scenes.base import Complex, Real
from parity.contracts.cases.scenes.exposures import Exposures
from parity.contracts.cases.strata import Shift
from parity.physics.oracle.patches import central_weight
from ptycho_exposures import objects


class Canvases(Exposures):
    """Canvases, positions and the layouts of a group."""

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of a canvas, ()."""
        return np.array(self.spec.height + 2 * self.spec.margins[0])

    @property
    def columns(self) -> NDArray[np.int64]:
        """Columns of a canvas, ()."""
        return np.array(self.spec.width + 2 * self.spec.margins[1])

    @property
    def patch_rows(self) -> NDArray[np.int64]:
        """Rows of a patch, ()."""
        return np.array(self.spec.height)

    @property
    def patch_columns(self) -> NDArray[np.int64]:
        """Columns of a patch, ()."""
        return np.array(self.spec.width)

    @cached_property
    def canvas(self) -> Complex:
        """An object of the size of the canvas for each group, (B, Y, X)."""
        random, spec = self.spec.generator("canvas"), self.spec
        frame = (int(self.rows), int(self.columns))
        texture = spec.textures[random.integers(len(spec.textures))]
        whole = [objects.make_object(texture, frame, random, spec.phase_span) for _ in range(spec.groups)]
        return np.stack([image.amplitude * np.exp(1j * image.phase) for image in whole])

    @cached_property
    def framed(self) -> Complex:
        """Patches of the canvas's size, (B, C, Y, X)."""
        turns = self.spec.generator("framed").standard_normal((self.spec.patches, 1, 1))
        return self.canvas[:, None] * np.exp(1j * turns)

    @cached_property
    def positions(self) -> Real:
        """Where the patches of a group lie, pixels from the middle of the canvas, [x, y], (B, C, 2).

        The last of a group lies between pixels whatever is forced: at whole positions a slope says nothing.
        """
        random, spec = self.spec.generator("positions"), self.spec
        shape, reach = (spec.groups, spec.patches, 2), np.array(spec.margins[::-1])
        if spec.shift is Shift.BEYOND:
            sides = random.choice((-1.0, 1.0), shape)
            return sides * random.uniform(0.5, 1.5, shape) * np.array(self.shape[::-1])
        positions = random.uniform(-reach, reach, shape)
        if spec.shift is Shift.FRACTIONAL:
            return positions
        whole = random.integers(-reach, reach + 1, shape).astype(float)
        inwards = np.where(whole == 0, random.choice((-1.0, 1.0), shape), -np.sign(whole))
        near = whole + inwards * 10 ** random.uniform(-7, -3, shape)
        forced = {Shift.NONE: np.zeros(shape), Shift.WHOLE: whole, Shift.NEAR_WHOLE: near}[spec.shift]
        positions[:, :-1] = forced[:, :-1]
        return positions

    @cached_property
    def scan(self) -> Real:
        """Where the patches of a group lie on the whole object, pixels, [x, y], (B, C, 2)."""
        return self.spec.generator("scan").uniform(0, 500, (self.spec.groups, self.spec.patches, 2))

    @property
    def weighting(self) -> NDArray[np.str_]:
        """How patches count where they overlap."""
        return np.array(self.spec.weighting)

    @property
    def weight(self) -> Real:
        """The weight of a pixel in a merge, (H, W)."""
        if self.spec.weighting == "probe":
            return np.sum(np.abs(self.probe) ** 2, axis=0)
        return np.ones(self.shape) if self.spec.weighting == "uniform" else central_weight(self.patches)

    @property
    def gridsize(self) -> NDArray[np.int64]:
        """Patches along a side of a group, ()."""
        return np.array(math.isqrt(self.spec.patches))

    @cached_property
    def offset(self) -> NDArray[np.int64]:
        """Pixels between neighbouring patches of a group, ()."""
        return np.array(self.spec.generator("offset").integers(0, 9))

    @cached_property
    def jitter(self) -> NDArray[np.int64]:
        """Pixels by which a position may miss its place on the grid, ()."""
        return np.array(self.spec.generator("jitter").integers(0, 6))

    @property
    def flat(self) -> Complex:
        """The patches in a row, (B·C, H, W)."""
        return self.patches.reshape(-1, *self.shape)

    @property
    def grid(self) -> Complex:
        """The patches on their grid, (B, G, G, H, W)."""
        side = int(self.gridsize)
        return self.patches.reshape(-1, side, side, *self.shape)
