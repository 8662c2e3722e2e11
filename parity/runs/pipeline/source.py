"""A scan as the oracle reads it: straight from the arrays of the file, by no stack's reader.

The loaders have opened the file before: what is wrong with one is theirs to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What the file holds of A exposures, side by side where it has them in groups."""

    diffraction: NDArray[Any]
    """(A, H, W), in the dtype of the file."""
    scan: Real
    """(A, 2), pixels, [x, y]."""
    probe: NDArray[Any]
    """(P, H, W), complex."""
    groups: NDArray[np.int64] | None
    """(B, C), where the file has groups of more than one."""
    intensity_scale: float | None
    """√photons a unit of the file's amplitudes, where it says so."""

    @property
    def frame(self) -> tuple[int, int]:
        """Rows and columns of a pattern."""
        height, width = self.diffraction.shape[1:]
        return height, width


def read_source(path: Path) -> Source:
    """What the .npz file at `path` holds, which a loader has accepted."""
    with np.load(path, allow_pickle=False) as file:
        grouped = _positions(file)
        count, size = grouped.shape[:2]
        frames = file["diffraction" if "diffraction" in file else "diff3d"]
        probe = file["probeGuess"]
        return Source(
            diffraction=_exposures(frames, count, size),
            scan=grouped.reshape(-1, 2),
            probe=probe if probe.ndim == 3 else probe[np.newaxis],
            groups=np.arange(count * size).reshape(count, size) if size > 1 else None,
            intensity_scale=file["intensity_scale"].item() if "intensity_scale" in file else None,
        )


def _positions(file: Any) -> Real:
    """(B, C, 2); of a plain scan (A, 1, 2)."""
    if "coords_nominal" not in file:
        return np.stack([file["xcoords"], file["ycoords"]], axis=-1).astype(np.float64)[:, np.newaxis]
    named = np.asarray(file["coords_nominal"], np.float64)
    if named.ndim == 4:
        return np.moveaxis(named[:, 0], 1, 2)
    return named if named.ndim == 3 else named[:, np.newaxis]


def _exposures(frames: NDArray[Any], count: int, size: int) -> NDArray[Any]:
    """(A, H, W): the exposures are the first axis that is as long as there are positions, patches of a group next."""
    if frames.ndim == 4:
        frames = frames if frames.shape[:2] == (count, size) else np.moveaxis(frames, -1, 1)
    elif frames.shape[0] != count:
        frames = np.moveaxis(frames, -1, 0)
    return frames.reshape(count * size, *frames.shape[-2:])
