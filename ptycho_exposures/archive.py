"""What is asked of an .npz file beyond reading it, and writing one whole or not at all.

What the arrays mean is not here. Every complaint is one sentence: file, key, expected, got.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ptycho_exposures.checks import first_invalid
from ptycho_exposures.files import write_files
from ptycho_exposures.npz import Archive


def require_keys(archive: Archive, wanted: Sequence[str]) -> None:
    """Raise DataError, naming what there is instead, if a key is missing."""
    lacking = [key for key in wanted if key not in archive.keys]
    if lacking:
        present = f"only {', '.join(archive.keys)}" if archive.keys else "an archive without arrays"
        these = "this key" if len(lacking) == 1 else "these keys"
        raise archive.error(", ".join(lacking), f"to find {these}", present)


def read_array(archive: Archive, key: str, kinds: str, expected: str, *, whole: str = "") -> NDArray[Any]:
    """The array under `key`, finite and not empty, in C order and native byte order.

    Args:
        archive: an open file.
        key: one of its keys.
        kinds: of dtype that are taken, as NumPy's letters, such as "iuf".
        expected: what is wanted, for the message.
        whole: what to make of whole numbers where they are none of the kinds, for the message too.

    Raises:
        UnreadableError: one that is damaged.
        DataError: one of another kind or of objects, that is empty, or has NaN or infinity.
    """
    dtype = archive.dtype(key)
    if dtype.hasobject:
        raise archive.error(key, expected, "an object array, which is never unpickled")
    if dtype.kind not in kinds:
        hint = f", {whole}" if whole and dtype.kind in "iu" else ""
        raise archive.error(key, expected, f"{dtype}{hint}")
    return read_finite(archive, key)


def read_finite(archive: Archive, key: str) -> NDArray[Any]:
    """The array under `key`, of whatever dtype, finite where it is of numbers, and not empty.

    Raises DataError for any other, and as `Archive.read`.
    """
    array = archive.read(key)
    if not array.size:
        raise archive.error(key, "at least one entry", f"shape {array.shape}")
    if array.dtype.kind in "fc":
        require(archive, key, array, np.isfinite(array), "finite values")
    return array


def require(archive: Archive, key: str, array: NDArray[Any], valid: NDArray[np.bool_], expected: str) -> None:
    """Raise DataError, naming the first entry that is not valid, if there is one."""
    if not valid.all():
        raise archive.error(key, expected, first_invalid(array, valid))


def write_archives(archives: Mapping[Path, Mapping[str, NDArray[Any]]]) -> None:
    """Write arrays as uncompressed .npz files, by path, each whole; none takes its place before all are written.

    The bytes depend on names, order and arrays alone. Raises OSError, which names the file, if one cannot be written,
    or there is a folder in its place; nothing is left behind then, and files that were there are as they were.
    """
    for path in archives:
        path.parent.mkdir(parents=True, exist_ok=True)
    write_files({path: partial(_save, arrays) for path, arrays in archives.items()})


def _save(arrays: Mapping[str, NDArray[Any]], file: IO[bytes]) -> None:
    for array in arrays.values():
        if array.dtype.hasobject:
            raise TypeError(f"arrays: expected numbers or text, which need no pickle, got {array.dtype}")
    named: dict[str, Any] = {key: little_endian(array) for key, array in arrays.items()}
    np.savez(file, **named)


def little_endian(array: NDArray[Any]) -> NDArray[Any]:
    """The array in little-endian bytes and C order."""
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")
