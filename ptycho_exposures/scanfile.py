"""Scans in files: the .npz of the grid-lines workflow and those of experiments, checked and ready to be read in place.

Only the keys named below are read. Whatever is wrong with one is a `DataError` of one sentence: file, key, expected,
got. How exposures are grouped and scaled is in `groupedscan`.

| key | array |
|---|---|
| `diffraction` or `diff3d` | (n, H, W) or (H, W, n) amplitudes, or in groups (B, C, H, W) or (B, H, W, C) |
| `probeGuess` | (P, H, W) complex modes, or (H, W) for a single one |
| `xcoords`, `ycoords` | (n,) pixels of the scan, columns and rows |
| `coords_nominal`, `coords_true` | in their place (n, 2), (B, C, 2) or (B, 1, 2, C) pixels of the scan, [x, y] |
| `Y_I`, `Y_phi` (optional) | amplitude and phase behind the object, as the diffraction |
| `YY_full` (optional) | the whole object |
| `norm_Y_I` (optional) | () what X and Y_I are both to be multiplied by, for a mean square of 1/4 |
| `intensity_scale` (optional) | () √photons a unit of X and Y_I |
| `metadata` or `_metadata` (optional) | JSON as a string |
"""

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ptycho_exposures.archive import read_finite
from ptycho_exposures.npz import Archive, StoredArray
from ptycho_exposures.regions import BLOCK

Real = NDArray[np.float64]

DIFFRACTION: Final = ("diffraction", "diff3d")
"""Names of the diffraction patterns, the preferred one first."""
PROBE: Final = "probeGuess"
COORDINATES: Final = ("xcoords", "ycoords")
NOMINAL, TRUE = "coords_nominal", "coords_true"
Y_I, Y_PHI = "Y_I", "Y_phi"
TARGETS: Final = (Y_I, Y_PHI)
OBJECT: Final = "YY_full"
NORM, SCALE = "norm_Y_I", "intensity_scale"
SCALES: Final = (NORM, SCALE)
METADATA: Final = ("metadata", "_metadata")

COMPLEX_PROBE: Final = "a complex64 or complex128 probe"
PIXELS: Final = "real coordinates in pixels"
"""What is expected of a probe and of coordinates, as a refusal words it."""

_INTEGERS: Final = np.typecodes["AllInteger"]
_FLOATS: Final = "fd"
_COMPLEX: Final = "FD"


@dataclass(frozen=True, slots=True)
class Frames:
    """n exposures, or what belongs to each, read in their file; `axes` are those of the file in the order BCHW."""

    stored: StoredArray
    axes: tuple[int, ...]
    group: int

    @property
    def frame(self) -> tuple[int, int]:
        """Rows and columns of one."""
        height, width = (self.stored.shape[axis] for axis in self.axes[-2:])
        return height, width

    def __len__(self) -> int:
        return math.prod(self.stored.shape) // math.prod(self.frame)

    def read(self, numbers: NDArray[np.integer[Any]]) -> NDArray[Any]:
        """The frames of these numbers, (…, H, W), in the dtype of the file and native byte order."""
        grouped = len(self.axes) == 4
        entries, places = np.unique(numbers // self.group if grouped else numbers, return_inverse=True)
        view, places = self.stored.take(entries, self.axes[0]).transpose(self.axes), places.reshape(np.shape(numbers))
        if grouped:
            view = view[places, numbers % self.group]
        elif not np.array_equal(entries, numbers):
            view = view[places]
        return np.ascontiguousarray(view, view.dtype.newbyteorder("="))

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """All frames, some at a time, each time with the number of the first."""
        size = max(1, BLOCK // max(1, math.prod(self.frame) * self.stored.dtype.itemsize))
        for first in range(0, len(self), size):
            yield first, self.read(np.arange(first, min(first + size, len(self))))


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What a file says of n exposures with P probe modes; exposures are numbered, those of a group side by side."""

    path: Path
    diffraction: Frames
    """Amplitudes, not negative; integers are readings of a detector, of the same meaning."""
    positions: Real
    """(n, 2) pixels of the scan, [x = column, y = row]."""
    probe: NDArray[np.complexfloating[Any, Any]]
    """(P, H, W) modes."""
    targets: Mapping[str, Frames]
    """`Y_I` and `Y_phi`, where the file has them."""
    object: StoredArray | None
    """The whole object, where the file has it."""
    scales: Mapping[str, float]
    """`norm_Y_I` and `intensity_scale`, where the file has them."""
    metadata: Mapping[str, Any]
    """What the file says about itself; nothing where it says nothing that can be read."""
    skipped: tuple[str, ...]
    """Keys that were not read."""

    @property
    def group(self) -> int:
        """Exposures of a group, C, if the file has them in groups, and 1 otherwise."""
        return self.diffraction.group

    @property
    def in_memory(self) -> tuple[str, ...]:
        """Keys of the frames that cannot be read in place, because they are compressed."""
        frames = (self.diffraction, *self.targets.values())
        return tuple(one.stored.key for one in frames if not one.stored.in_place)


def read_scan(path: str | os.PathLike[str], coordinates: str = NOMINAL) -> Scan:
    """The scan in the .npz file at `path`; of frames the headers alone are read.

    The axes of the patterns are told by the number of coordinates: the exposures come first, or else last.

    Args:
        path: of the file.
        coordinates: `coords_nominal` or `coords_true`, for files that have both.

    Raises:
        DataError: no such file, not an .npz, damaged or empty; a key missing; or an array of the wrong type, shape or
            values. The frames' own values are not looked at: `checked_blocks` does.
        ValueError: there are no such coordinates.
    """
    if coordinates not in (NOMINAL, TRUE):
        raise ValueError(f"coordinates: expected '{NOMINAL}' or '{TRUE}', got '{coordinates}'")
    with Archive.open(path) as archive:
        key, located_by = _required(archive, coordinates)
        positions = _positions(archive, located_by)
        diffraction = _frames(archive, key, positions, "an amplitude, real or integer", _INTEGERS + _FLOATS)
        targets: dict[str, Frames] = {
            name: _frames(archive, name, positions, "float32 or float64", _FLOATS)
            for name in TARGETS
            if name in archive.keys
        }
        for name, frames in targets.items():
            if frames.stored.shape != diffraction.stored.shape:
                expected = f"shape {diffraction.stored.shape}, as {key} has"
                raise archive.error(name, expected, frames.stored.shape)
        read = {key, PROBE, *COORDINATES, NOMINAL, TRUE, *targets, OBJECT, *SCALES, *METADATA}
        metadata, unread = _metadata(archive)
        return Scan(
            path=archive.path,
            diffraction=diffraction,
            positions=positions.reshape(-1, 2),
            probe=probe_modes(archive, _values(archive, PROBE, _COMPLEX, COMPLEX_PROBE), diffraction.frame),
            targets=targets,
            object=archive.array(OBJECT) if OBJECT in archive.keys else None,
            scales={name: _scale(archive, name) for name in SCALES if name in archive.keys},
            metadata=metadata,
            skipped=tuple(name for name in archive.keys if name not in read or name in unread),
        )


def checked_blocks(frames: Frames, expected: str, *, nonnegative: bool) -> Iterator[NDArray[Any]]:
    """All frames in order, some at a time, (m, H, W), each once its values are known to be what is `expected`.

    Raises:
        DataError: they are damaged, or one is not finite or, where it must not be, negative; names the first such
            pixel.
    """
    frames.stored.check_bytes()
    for first, block in frames.blocks():
        valid = np.isfinite(block) & (block >= 0) if nonnegative else np.isfinite(block)
        if not valid.all():
            number, row, column = (int(place) for place in np.argwhere(~valid)[0])
            place = f"exposure {first + number}, row {row}, column {column}"
            raise frames.stored.error(expected, f"{block[number, row, column]} at {place}")
        yield block


def _required(archive: Archive, coordinates: str) -> tuple[str, tuple[str, ...]]:
    """The keys of the diffraction and of the coordinates, once all that are required are known to be there."""
    missing = []
    diffraction = next((key for key in DIFFRACTION if key in archive.keys), None)
    if diffraction is None:
        missing.append(" or ".join(DIFFRACTION))
    if PROBE not in archive.keys:
        missing.append(PROBE)
    located_by = (coordinates,) if NOMINAL in archive.keys or TRUE in archive.keys else COORDINATES
    missing += [key for key in located_by if key not in archive.keys]
    if missing or diffraction is None:
        present = f"only {', '.join(archive.keys)}" if archive.keys else "an archive without arrays"
        raise archive.error(", ".join(missing), "to find this key", present)
    return diffraction, located_by


def _positions(archive: Archive, keys: Sequence[str]) -> Real:
    """(n, 1, 2), or in groups (B, C, 2)."""
    found = [_values(archive, key, _INTEGERS + _FLOATS, PIXELS) for key in keys]
    if len(keys) == 1:
        return _grouped_positions(archive, keys[0], found[0])
    return columns_and_rows(archive, found)[:, None]


def columns_and_rows(archive: Archive, found: Sequence[NDArray[Any]]) -> Real:
    """The positions (n, 2), [x, y], of what `xcoords` and `ycoords` hold. Raises DataError where they are no lines."""
    for key, line in zip(COORDINATES, found, strict=True):
        if line.ndim != 1:
            raise archive.error(key, "shape (n,)", line.shape)
    columns, rows = found
    if len(columns) != len(rows):
        raise archive.error(COORDINATES[1], f"{len(columns)} entries, as {COORDINATES[0]} has", len(rows))
    return np.stack(found, axis=-1).astype(np.float64)


def _grouped_positions(archive: Archive, key: str, positions: NDArray[Any]) -> Real:
    if positions.ndim == 4 and positions.shape[1:3] == (1, 2):
        positions = positions[:, 0].transpose(0, 2, 1)
    elif positions.ndim == 2 and positions.shape[1] == 2:
        positions = positions[:, None]
    elif positions.ndim != 3 or positions.shape[2] != 2:
        raise archive.error(key, "shape (n, 2), (B, C, 2) or (B, 1, 2, C)", positions.shape)
    return positions.astype(np.float64)


def _frames(archive: Archive, key: str, positions: Real, expected: str, typecodes: str) -> Frames:
    stored = archive.array(key)
    _require_type(stored, typecodes, expected)
    groups, size = positions.shape[:2]
    axes = _axes(stored.shape, groups, size)
    if axes is None and size == 1:
        shapes = f"shape ({groups}, H, W) or (H, W, {groups}), as there are coordinates of {groups} exposures"
        raise stored.error(shapes, stored.shape)
    if axes is None:
        shapes = f"shape ({groups}, {size}, H, W) or ({groups}, H, W, {size}), as there are coordinates of such groups"
        raise stored.error(shapes, stored.shape)
    if not math.prod(stored.shape):
        raise stored.error("at least one pixel", f"shape {stored.shape}")
    return Frames(stored, axes, size)


def _axes(shape: tuple[int, ...], groups: int, size: int) -> tuple[int, ...] | None:
    """The axes (n, H, W), or those of groups (B, C, H, W), of an array of this shape; None if it can have neither."""
    if len(shape) == 4:
        return next((a for a in ((0, 1, 2, 3), (0, 3, 1, 2)) if (shape[a[0]], shape[a[1]]) == (groups, size)), None)
    if len(shape) == 3 and size == 1:
        return next((a for a in ((0, 1, 2), (2, 0, 1)) if shape[a[0]] == groups), None)
    return None


def probe_modes(
    archive: Archive, probe: NDArray[np.complexfloating[Any, Any]], frame: tuple[int, ...]
) -> NDArray[np.complexfloating[Any, Any]]:
    """The modes (P, H, W) of a probe, (H, W) where it has a single one, for patterns of H × W pixels.

    Raises DataError where there is no light in it, or it has another size.
    """
    if not probe.any():
        raise archive.error(PROBE, "some light", "only zeros")
    if probe.shape == frame:
        return probe[np.newaxis]
    if probe.ndim == 3 and probe.shape[1:] == frame:
        return probe
    hint = "; put the mode axis first" if probe.ndim == 3 and probe.shape[:2] == frame else ""
    height, width = frame
    shapes = f"shape (P, {height}, {width}) or ({height}, {width}), the size of the patterns"
    raise archive.error(PROBE, shapes, f"{probe.shape}{hint}")


def _scale(archive: Archive, key: str) -> float:
    value = _values(archive, key, _INTEGERS + _FLOATS, "a positive number")
    if value.size != 1:
        raise archive.error(key, "one number", f"shape {value.shape}")
    if not value.item() > 0:
        raise archive.error(key, "a positive number", value.item())
    return float(value.item())


def _metadata(archive: Archive) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """What the file says about itself, and the keys that could not be read: a pickled one is left alone."""
    found: dict[str, Any] = {}
    unread = []
    for key in (name for name in METADATA if name in archive.keys):
        try:
            stored = archive.array(key)
            text = str(stored.array.item()) if stored.dtype.kind == "U" and stored.array.size == 1 else "null"
            said = json.loads(text)
        except ValueError:
            said = None
        if isinstance(said, dict):
            found |= said
        else:
            unread.append(key)
    return found, tuple(unread)


def _values(archive: Archive, key: str, typecodes: str, expected: str) -> NDArray[Any]:
    """The finite, non-empty array under `key`; one whose dtype is not among `typecodes` is refused unread."""
    _require_type(archive.array(key), typecodes, expected)
    return read_finite(archive, key)


def _require_type(stored: StoredArray, typecodes: str, expected: str) -> None:
    if stored.dtype.char not in typecodes:
        raise stored.error(expected, stored.dtype)
