"""Where the patches of a group lie, and the canvases they lie on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.families import exposures
from parity.contracts.cases.families.exposures import ExposureSpec, ExposureStratum, gridsize, patches
from parity.contracts.cases.families.family import Complex, Real, Shape, in_family, once, pick
from parity.contracts.cases.families.probes import probe
from parity.physics.oracle.patches import central_weight
from ptycho_exposures import objects

WEIGHTINGS = ("central", "probe", "uniform")
"""How patches count where they overlap."""

UNMERGED = "none"
"""The weighting under which they are not merged at all."""


class Shift(StrEnum):
    """Where patches lie between the pixels of their canvas; what lies beyond it has moved out of its own frame."""

    NONE = "none"
    WHOLE = "whole"
    NEAR_WHOLE = "near whole"
    FRACTIONAL = "fractional"
    BEYOND = "beyond"


@dataclass(frozen=True, slots=True)
class CanvasSpec(ExposureSpec):
    """Patches on canvases that exceed them by `margins`, in rows and in columns, on either side."""

    stratum: CanvasStratum
    shift: Shift
    margins: tuple[int, int]
    weighting: str

    @property
    def canvas_frame(self) -> Shape:
        """Rows and columns of a canvas."""
        return self.frame[0] + 2 * self.margins[0], self.frame[1] + 2 * self.margins[1]


@dataclass(frozen=True, slots=True)
class CanvasStratum(ExposureStratum):
    """A region of canvases, which exceed their patches by `margins` pixels on either side."""

    shifts: tuple[Shift, ...] = (Shift.FRACTIONAL,)
    margins: tuple[int, ...] = (1, 2, 3, 4)
    weightings: tuple[str, ...] = WEIGHTINGS

    specification: ClassVar[type[CanvasSpec]] = CanvasSpec

    def draw(self, seed: int) -> CanvasSpec:
        """The specification number `seed`."""
        random, frame = self.stream(seed), self.frame(seed)
        groups, patches, modes = self.draw_axes(random, frame)
        photons, prediction = self.draw_light(random)
        shift, margins = pick(random, self.shifts), (pick(random, self.margins), pick(random, self.margins))
        weighting, modulus = pick(random, self.weightings), self.draw_modulus(random)
        light = photons, prediction, modulus
        return CanvasSpec(self, seed, frame, modes, groups, patches, *light, shift, margins, weighting)


SHAPES = in_family(CanvasStratum, exposures.SHAPES)
WRAPPED = in_family(CanvasStratum, exposures.WRAPPED)
SHIFTS = (
    CanvasStratum("unshifted", "an offset added to every position", patches=(4,), shifts=(Shift.NONE,), margins=(1, 2)),
    CanvasStratum("whole-shifts", "rounding where none is due, the kink", patches=(4,), shifts=(Shift.WHOLE,)),
    CanvasStratum("near-whole", "the neighbouring cell", patches=(4,), shifts=(Shift.NEAR_WHOLE,)),
)
BEYOND = (CanvasStratum("beyond", "content that wraps around or sticks to the frame", shifts=(Shift.BEYOND,)),)
TIGHT = (CanvasStratum("tight", "a canvas of the patch's size: nothing, or all, trimmed", margins=(0,)),)
MERGED = (
    CanvasStratum("central", "weights in the numerator alone", patches=(4,), weightings=("central",)),
    CanvasStratum("probe-weighted", "a weight without its gradient", patches=(4,), weightings=("probe",)),
    CanvasStratum("uniform", "a count of patches clamped to 1", patches=(4,), weightings=("uniform",)),
)
UNCONSTRAINED = (
    CanvasStratum("unconstrained", "patches merged where they are to stand alone", weightings=(UNMERGED,)),
)
_SMALL: tuple[Shape, ...] = ((8, 8), (9, 7))
BATCHES = (
    CanvasStratum("batch-63", "chunks of a batch", _SMALL, groups=(63,), patches=(1,), modes=(1,)),
    CanvasStratum("batch-64", "groups mixed where a chunk is full", _SMALL, groups=(16,), patches=(4,), modes=(1,)),
    CanvasStratum("batch-65", "the last, short chunk", _SMALL, groups=(65,), patches=(1,), modes=(1,)),
)


def rows(spec: CanvasSpec) -> NDArray[np.int64]:
    """Rows of a canvas, ()."""
    return np.array(spec.canvas_frame[0])


def columns(spec: CanvasSpec) -> NDArray[np.int64]:
    """Columns of a canvas, ()."""
    return np.array(spec.canvas_frame[1])


def patch_rows(spec: CanvasSpec) -> NDArray[np.int64]:
    """Rows of a patch, ()."""
    return np.array(spec.frame[0])


def patch_columns(spec: CanvasSpec) -> NDArray[np.int64]:
    """Columns of a patch, ()."""
    return np.array(spec.frame[1])


@once
def canvas(spec: CanvasSpec) -> Complex:
    """An object of the size of the canvas for each group, (B, Y, X)."""
    random, stratum = spec.generator("canvas"), spec.stratum
    texture = pick(random, stratum.textures)
    whole = [objects.make_object(texture, spec.canvas_frame, random, stratum.phase_span) for _ in range(spec.groups)]
    return np.stack([image.amplitude * np.exp(1j * image.phase) for image in whole])


def framed(spec: CanvasSpec) -> Complex:
    """Patches of the canvas's size, (B, C, Y, X)."""
    turns = spec.generator("framed").standard_normal((spec.patches, 1, 1))
    return canvas(spec)[:, None] * np.exp(1j * turns)


@once
def positions(spec: CanvasSpec) -> Real:
    """Where the patches of a group lie, pixels from the middle of the canvas, [x, y], (B, C, 2).

    The last of a group lies between pixels whatever is forced: at whole positions a slope says nothing.
    """
    random, shape, reach = spec.generator("positions"), (spec.groups, spec.patches, 2), np.array(spec.margins[::-1])
    if spec.shift is Shift.BEYOND:
        sides = random.choice((-1.0, 1.0), shape)
        return sides * random.uniform(0.5, 1.5, shape) * np.array(spec.frame[::-1])
    anywhere = random.uniform(-reach, reach, shape)
    if spec.shift is Shift.FRACTIONAL:
        return anywhere
    whole = random.integers(-reach, reach + 1, shape).astype(float)
    inwards = np.where(whole == 0, random.choice((-1.0, 1.0), shape), -np.sign(whole))
    near = whole + inwards * 10 ** random.uniform(-7, -3, shape)
    forced = {Shift.NONE: np.zeros(shape), Shift.WHOLE: whole, Shift.NEAR_WHOLE: near}[spec.shift]
    anywhere[:, :-1] = forced[:, :-1]
    return anywhere


def scan(spec: CanvasSpec) -> Real:
    """Where the patches of a group lie on the whole object, pixels, [x, y], (B, C, 2)."""
    return spec.generator("scan").uniform(0, 500, (spec.groups, spec.patches, 2))


def weighting(spec: CanvasSpec) -> NDArray[np.str_]:
    """How patches count where they overlap, ()."""
    return np.array(spec.weighting)


def weight(spec: CanvasSpec) -> Real:
    """The weight of a pixel in a merge, (H, W)."""
    if spec.weighting == "probe":
        return np.sum(np.abs(probe(spec)) ** 2, axis=0)
    return np.ones(spec.frame) if spec.weighting == "uniform" else central_weight(patches(spec))


def offset(spec: CanvasSpec) -> NDArray[np.int64]:
    """Pixels between neighbouring patches of a group, ()."""
    return np.array(spec.generator("offset").integers(0, 9))


def jitter(spec: CanvasSpec) -> NDArray[np.int64]:
    """Pixels by which a position may miss its place on the grid, ()."""
    return np.array(spec.generator("jitter").integers(0, 6))


def flat(spec: CanvasSpec) -> Complex:
    """The patches in a row, (B·C, H, W)."""
    return patches(spec).reshape(-1, *spec.frame)


def grid(spec: CanvasSpec) -> Complex:
    """The patches on their grid, (B, G, G, H, W)."""
    side = int(gridsize(spec))
    return patches(spec).reshape(-1, side, side, *spec.frame)
