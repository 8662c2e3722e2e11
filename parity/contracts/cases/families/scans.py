"""A whole scan: its exposures in a row, where they lie, and how they are to be grouped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.families import exposures
from parity.contracts.cases.families.exposures import ExposureSpec, ExposureStratum, chosen, detected, gridsize
from parity.contracts.cases.families.family import Real, Shape, in_family, once

MOST_SPARE = 4
"""Neighbours that a group is at most chosen from beyond those it needs."""


@dataclass(frozen=True, slots=True)
class ScanSpec(ExposureSpec):
    """A scan of A = B·C exposures, which are to be grouped by C."""

    stratum: ScanStratum


@dataclass(frozen=True, slots=True)
class ScanStratum(ExposureStratum):
    """A region of scans: on the points of a grid or, `jittered`, beside them; some of those `revisited`."""

    jittered: bool = True
    revisited: bool = False

    specification: ClassVar[type[ScanSpec]] = ScanSpec


_RASTERS: tuple[Shape, ...] = ((8, 8), (9, 7))
SCANS = (
    ScanStratum("raster", "neighbours that are equally far", _RASTERS, (4, 6), (4,), (1,), jittered=False),
    ScanStratum("jittered", "rows and columns that are none", _RASTERS, (4, 6), (4,), (1,)),
    ScanStratum(
        "revisited",
        "an exposure that is not its own nearest",
        _RASTERS,
        (4, 6),
        (4,),
        (1,),
        jittered=False,
        revisited=True,
    ),
    ScanStratum("nine", "a grid of 2 × 2 for any", _RASTERS, (2, 3), (9,), (1,)),
    ScanStratum("ungrouped", "axes squeezed away", _RASTERS, (1, 5), (1,), (1,)),
)
SHAPES = in_family(ScanStratum, exposures.SHAPES)
READINGS = in_family(ScanStratum, exposures.READINGS)


def recorded(spec: ScanSpec) -> NDArray[Any]:
    """The exposures of all groups in a row, as `detected`, (A, H, W)."""
    return detected(spec).reshape(-1, *spec.frame)


@once
def raster(spec: ScanSpec) -> Real:
    """Where the exposures of a scan lie, pixels, [x, y], (A, 2): on a grid, beside it, where others were, or measured.

    They come in no order, so that neither number nor place says anything about the other.
    """
    taken = chosen(spec)
    if taken is not None:
        return taken.positions
    random, count = spec.generator("raster"), spec.groups * spec.patches
    columns = math.ceil(math.sqrt(count + 1))
    steps = np.divmod(np.arange(count), columns)[::-1]
    points = random.permutation(np.stack(steps, axis=-1) * float(random.integers(2, 9)))
    if spec.stratum.jittered:
        points = points + random.uniform(-1, 1, points.shape)
    return points[random.integers(0, count, count)] if spec.stratum.revisited else points


def neighbours(spec: ScanSpec) -> NDArray[np.int64]:
    """The nearest exposures, itself among them, that a group is chosen from, ()."""
    spare = int(spec.generator("neighbours").integers(0, MOST_SPARE + 1))
    return np.array(min(spec.groups * spec.patches, int(gridsize(spec)) ** 2 + spare))


def grouping_seed(spec: ScanSpec) -> NDArray[np.int64]:
    """The seed of that choice, ()."""
    return np.array(spec.seed)
