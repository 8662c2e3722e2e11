"""Where the patterns of a simulated scan lie on the object: as they were meant, and as they were.

Positions are the top-left corners [x = column, y = row] of the patches on the object, whole pixels, (B, 1, 2, C):
patch c of group b is object[y : y + N, x : x + N].
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ptycho_exposures.objects import scan_positions


class Scan(NamedTuple):
    """The positions of a scan, pixels, both (B, 1, 2, C)."""

    nominal: NDArray[np.integer[Any]]
    """On the grid."""
    true: NDArray[np.integer[Any]]
    """Where the patches are: the nominal ones, each moved by its jitter."""


def grid_scan(
    object_size: int,
    N: int,
    *,
    step: int,
    gridsize: int,
    offset: int,
    jitter: int,
    rng: np.random.Generator,
) -> Scan:
    """A raster of groups of gridsize² patches, in whole pixels.

    Args:
        object_size: pixels a side of the object.
        N: pixels a side of a patch.
        step: between neighbouring groups, pixels.
        gridsize: patches a side of a group.
        offset: between neighbouring patches of a group, pixels.
        jitter: the most a patch is moved along either axis, pixels; drawn evenly. The grid keeps that far from the
            border, so that no patch leaves the object.
        rng: of the jitter.

    Raises:
        ValueError: as `ptycho_exposures.objects.scan_positions`; above all, an object too small for one group.
    """
    inner = object_size - 2 * jitter
    nominal = scan_positions((inner, inner), (N, N), step=step, gridsize=gridsize, offset=offset) + jitter
    return Scan(nominal, nominal + rng.integers(-jitter, jitter, size=nominal.shape, endpoint=True))
