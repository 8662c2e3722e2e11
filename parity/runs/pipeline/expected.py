"""What the loaders should make of a file: groups, places, amplitudes and scales, each with its bound.

Loaders compute in double precision and round once to the precision that was asked for; so the bounds are those of
float64, and one rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity._ground.errors import CheckNotMade, UsageError
from parity.judging.expectation import exactly
from parity.physics.oracle.bounded import Bounded
from parity.physics.oracle.dataloader import neighbour_groups
from parity.physics.oracle.operations import absolute_square, log, mean, sqrt, total
from parity.physics.oracle.patches import relative_positions
from parity.physics.oracle.scaling import count_photons
from parity.physics.precision import FLOAT64, Precision
from parity.runs.pipeline.source import Source

_AT_ONCE = 2**22
"""Pixels that are squared together."""


@dataclass(frozen=True, slots=True, eq=False)
class FileReading:
    """What the chosen groups of a file come to in one precision; `quantities` by name, in canonical layout."""

    precision: Precision
    groups: NDArray[np.int64]
    """(B, C), all of them."""
    chosen: NDArray[np.int64]
    """(K,), the numbers of those that are tried."""
    quantities: Mapping[str, Bounded]

    @property
    def exposures(self) -> NDArray[np.int64]:
        """(K, C), the exposures of the chosen groups."""
        return self.groups[self.chosen]

    @property
    def gridsize(self) -> int:
        """Patches a side of a group."""
        return round(self.groups.shape[1] ** 0.5)

    @property
    def canvas(self) -> int:
        """Pixels a side of the smallest canvas on which every chosen group has room, of the parity of a pattern."""
        farthest = np.max(np.abs(self.quantities["positions"].value))
        return int(self.quantities["images"].shape[-1] + 2 * np.ceil(farthest))


def expect(source: Source, gridsize: int | None, count: int, seed: int, precision: Precision) -> FileReading:
    """What a loader should give of `count` groups that a seed chooses, or of all where there are no more.

    Raises UsageError for a grid that the file cannot be put into, CheckNotMade for one whose light has no scale.
    """
    groups = _groups(source, gridsize)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(groups))[:count])
    exposures = groups[chosen]
    scan = Bounded.exact(source.scan[exposures], FLOAT64)
    places = {
        "groups": exactly(groups.astype(np.float64), precision),
        "positions": narrowed(relative_positions(scan), precision),
        "centres": narrowed(mean(scan, axis=1), precision),
    }
    found = _read(source, exposures, precision) | places | _lit(source, exposures, precision)
    return FileReading(precision, groups, chosen, found)


def narrowed(bounded: Bounded, precision: Precision) -> Bounded:
    """What was computed in float64, rounded once to a precision."""
    if precision is bounded.precision:
        return bounded
    rounding = np.where(precision.round(bounded.value) == bounded.value, 0.0, np.abs(bounded.value))
    inherited = bounded.error * (bounded.precision.unit_roundoff / precision.unit_roundoff)
    return Bounded(bounded.value, inherited + rounding, precision)


def _read(source: Source, exposures: NDArray[np.int64], precision: Precision) -> dict[str, Bounded]:
    """What is in the file, as it is."""
    found = {"diffraction": source.diffraction[exposures], "scan": source.scan, "probe": source.probe}
    if source.intensity_scale is not None:
        found["intensity_scale"] = np.array(source.intensity_scale)
    return {name: exactly(_wide(array), precision) for name, array in found.items()}


def _lit(source: Source, exposures: NDArray[np.int64], precision: Precision) -> dict[str, Bounded]:
    """How bright it is: for the network, in photons, and what the light of the probe is to be multiplied by."""
    normalization = _normalization(source)
    images = narrowed(Bounded.exact(_wide(source.diffraction[exposures]), FLOAT64) * normalization, precision)
    unit = Bounded.exact(np.array(source.intensity_scale or 1.0), FLOAT64)
    return {
        "normalization": narrowed(normalization, precision),
        "images": images,
        "observed": images * narrowed(unit / normalization, precision),
        "log_scale": narrowed(log(_scale(source, normalization, precision)), precision),
    }


def _normalization(source: Source) -> Bounded:
    """√((HW/4) / mean photon count of an exposure), (): of the whole scan, some exposures at a time."""
    size = max(1, _AT_ONCE // prod(source.frame))
    blocks = np.split(source.diffraction, range(size, len(source.diffraction), size))
    counts = [count_photons(Bounded.exact(_wide(block)[np.newaxis], FLOAT64)) for block in blocks]
    values = np.concatenate([count.value for count in counts], axis=1)
    errors = np.concatenate([count.error for count in counts], axis=1)
    scaled: Bounded = sqrt(prod(source.frame) / 4 / mean(Bounded(values, errors, FLOAT64)))
    return scaled


def _scale(source: Source, normalization: Bounded, precision: Precision) -> Bounded:
    """√photons a unit of |p·O|: known or, where the file says nothing of it, that of a transparent object."""
    known = source.intensity_scale
    if known is not None:
        if not 0 < known < np.inf:
            raise CheckNotMade(f"intensity_scale: expected a positive number, got {known}")
        return Bounded.exact(np.array(known), FLOAT64)
    light = total(absolute_square(Bounded.exact(precision.round(source.probe), FLOAT64)))
    if not light.value > 0:
        raise CheckNotMade("probeGuess: expected light, where there is no intensity_scale, got 0 everywhere")
    scale: Bounded = sqrt(prod(source.frame) / 4 / light) / normalization
    return scale


def _groups(source: Source, gridsize: int | None) -> NDArray[np.int64]:
    """Those of the file, or one of each exposure and its nearest neighbours."""
    if source.groups is not None:
        return source.groups
    if gridsize in (None, 1):
        return np.arange(len(source.scan))[:, np.newaxis]
    assert gridsize is not None
    if gridsize**2 > len(source.scan):
        raise UsageError(f"gridsize: expected at most {len(source.scan)} exposures in a group, got {gridsize**2}")
    return neighbour_groups(Bounded.exact(source.scan, FLOAT64), gridsize, gridsize**2, 0)


def _wide(array: NDArray[Any]) -> NDArray[Any]:
    """A detector's integers as numbers."""
    return array.astype(np.float64) if np.issubdtype(array.dtype, np.integer) else array
