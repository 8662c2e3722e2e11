"""Reads the data sets that users bring: one .npz of diffraction amplitudes, probe and scan positions.

Only the keys named below are opened, and each one's header is read before its data: nothing is ever
unpickled. Whatever is wrong is a `DatasetError` of one sentence: file, key, expected, got. What is done
with a data set is not here.

| key | array |
|---|---|
| `diffraction` or `diff3d` | (n, H, W) or (H, W, n) amplitude, √photons, float32 or float64 |
| `probeGuess` | (P, H, W) complex modes, or (H, W) for a single one |
| `xcoords`, `ycoords` | (n,) pixels, columns and rows |
| `objectGuess` (optional) | complex, two-dimensional |
"""

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from parity._ground.errors import CheckNotMade
from ptycho_exposures.archive import read_finite, require
from ptycho_exposures.npz import Archive, DataError
from ptycho_exposures.regions import Seen
from ptycho_exposures.scanfile import (
    COMPLEX_PROBE,
    COORDINATES,
    DIFFRACTION,
    PIXELS,
    PROBE,
    columns_and_rows,
    probe_modes,
)

Shape: TypeAlias = tuple[int, ...]
RealArray: TypeAlias = NDArray[np.floating[Any]]
ComplexArray: TypeAlias = NDArray[np.complexfloating[Any, Any]]

OBJECT: Final = "objectGuess"

_FLOATS: Final = "fd"
_COMPLEX: Final = "FD"
_REALS: Final = np.typecodes["AllInteger"] + _FLOATS


class DatasetError(CheckNotMade, ValueError):
    """A data set that cannot be used; the message names file, key, what was expected and what came."""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A user's data set of n exposures with P probe modes, in canonical layout and native byte order."""

    path: Path
    """The file it was read from."""
    diffraction: RealArray
    """(n, H, W) amplitude, √photons a pixel, float32 or float64 as in the file."""
    probe: ComplexArray
    """(P, H, W) modes, complex64 or complex128 as in the file."""
    positions: NDArray[np.float64]
    """(n, 2) scan positions [x = column, y = row], pixels."""
    object: ComplexArray | None
    """Two-dimensional object, no smaller than a pattern; None if the file holds none that can be read."""
    skipped: tuple[str, ...]
    """Keys of the file that were not read, in the file's order."""
    seen: Seen | None = None
    """What the file was when it was read."""

    @property
    def frame(self) -> tuple[int, int]:
        """Rows and columns of a pattern."""
        height, width = self.diffraction.shape[1:]
        return height, width


def read_dataset(path: str | os.PathLike[str]) -> Dataset:
    """Read and check the data set in the .npz file at `path`.

    The pattern axis is the one as long as `xcoords`: the first, or else the last. When both are, the patterns
    are taken to be (n, H, W). When the file holds both names of the diffraction, `diffraction` is read.

    Raises:
        DatasetError: no such file, not an .npz, damaged or empty; a key missing; or an array of the wrong
            type, shape or values: integer, complex, negative or non-finite diffraction, a probe of another
            size, coordinates that do not match the patterns, a real object or one smaller than a pattern.
    """
    try:
        with Archive.open(path) as archive:
            return _read_all(archive)
    except DataError as error:
        raise DatasetError(str(error)) from error


def require_same(path: Path, seen: Seen | None, now: Seen | None) -> None:
    """Raise DatasetError for a data set that was written since it was `seen`: its parts would be of two."""
    if seen and now and not seen.is_same(now):
        raise DatasetError(f"{path}: expected the file that was opened, got one that was written since")


def _read_all(archive: Archive) -> Dataset:
    diffraction_key = _require_keys(archive)
    positions = columns_and_rows(archive, [_read(archive, key, _REALS, PIXELS) for key in COORDINATES])
    diffraction = _read_diffraction(archive, diffraction_key, len(positions))
    frame = diffraction.shape[1:]
    probe = probe_modes(archive, _read(archive, PROBE, _COMPLEX, COMPLEX_PROBE), frame)
    guess = _read_object(archive, frame)
    read = {diffraction_key, *COORDINATES, PROBE, *([] if guess is None else [OBJECT])}
    skipped = tuple(key for key in archive.keys if key not in read)
    return Dataset(archive.path, diffraction, probe, positions, guess, skipped, archive.seen)


def _require_keys(archive: Archive) -> str:
    """The key of the diffraction, once all required keys are known to be there."""
    diffraction = next((key for key in DIFFRACTION if key in archive.keys), None)
    required = (diffraction or DIFFRACTION[0], PROBE, *COORDINATES)
    missing = [key for key in required if key not in archive.keys]
    if missing:
        others = [key for key in archive.keys if key not in (*required, OBJECT)]
        present = f"only {', '.join(archive.keys)}" if archive.keys else "an archive without arrays"
        names = ", ".join(" or ".join(DIFFRACTION) if key in DIFFRACTION else key for key in missing)
        raise archive.error(names, "to find this key", f"{present}{_did_you_mean(missing, others)}")
    return required[0]


def _did_you_mean(missing: Sequence[str], others: Sequence[str]) -> str:
    spelled = {key.casefold(): key for key in others}
    near = [(key, difflib.get_close_matches(key.casefold(), spelled, n=1)) for key in missing]
    return "".join(f"; did you mean {key} by {spelled[match[0]]}?" for key, match in near if match)


def _read_diffraction(archive: Archive, key: str, count: int) -> RealArray:
    expected, dtype = "a float32 or float64 amplitude", archive.dtype(key)
    if dtype.kind in "iu":
        hint = "integers look like counts; store the square root (amplitude)"
        raise archive.error(key, expected, f"{dtype}: {hint}")
    diffraction = _read(archive, key, _FLOATS, expected)
    require(archive, key, diffraction, diffraction >= 0, "a non-negative amplitude")
    if diffraction.ndim == 3 and diffraction.shape[0] == count:
        return diffraction
    if diffraction.ndim == 3 and diffraction.shape[2] == count:
        return np.ascontiguousarray(np.moveaxis(diffraction, -1, 0))
    shapes = f"shape ({count}, H, W) or (H, W, {count}), as {COORDINATES[0]} has {count} entries"
    raise archive.error(key, shapes, diffraction.shape)


def _read_object(archive: Archive, frame: Shape) -> ComplexArray | None:
    if OBJECT not in archive.keys or archive.dtype(OBJECT).hasobject:
        return None
    guess = _read(archive, OBJECT, _COMPLEX, "a complex64 or complex128 object")
    if guess.ndim != 2 or any(size < least for size, least in zip(guess.shape, frame, strict=True)):
        raise archive.error(OBJECT, f"two axes, no shorter than a pattern's {frame}", f"shape {guess.shape}")
    return guess


def _read(archive: Archive, key: str, typecodes: str, expected: str) -> NDArray[Any]:
    """The finite, non-empty array under `key`; one whose dtype is not among `typecodes` is refused unread."""
    dtype = archive.dtype(key)
    if dtype.char not in typecodes:
        got = "an object array, which is never unpickled" if dtype.hasobject else dtype
        raise archive.error(key, expected, got)
    return read_finite(archive, key)
