"""What the workflow asks of an .npz file beyond reading it, and writing one whole or not at all.

What the arrays mean is not here. Every complaint is one sentence: file, key, expected, got.
"""

import contextlib
import errno
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ptycho.npz import Archive


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
    array = archive.read(key)
    if not array.size:
        raise archive.error(key, "at least one entry", f"shape {array.shape}")
    if dtype.kind in "fc":
        require(archive, key, array, np.isfinite(array), "finite values")
    return array


def require(archive: Archive, key: str, array: NDArray[Any], valid: NDArray[np.bool_], expected: str) -> None:
    """Raise DataError, naming the first entry that is not valid, if there is one."""
    if not valid.all():
        place = tuple(int(i) for i in np.argwhere(~valid)[0])
        raise archive.error(key, expected, f"{array[place]} at {place}")


def write_archives(archives: Mapping[Path, Mapping[str, NDArray[Any]]]) -> None:
    """Write arrays as uncompressed .npz files, by path, each whole; none takes its place before all are written.

    The bytes depend on names, order and arrays alone. Raises OSError, which names the file, if one cannot be written,
    or there is a folder in its place; nothing is left behind then, and files that were there are as they were.
    """
    written: list[tuple[str, Path]] = []
    try:
        for path, arrays in archives.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            written.append((name, path))
            with os.fdopen(descriptor, "wb") as file:
                _save(file, arrays)
            Path(name).chmod(0o644)
        for path in archives:
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        for name, path in written:
            Path(name).replace(path)
    except BaseException as error:
        for name, _ in written:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()
        if isinstance(error, OSError) and error.filename is None and written:
            error.filename = str(written[-1][1])  # a write knows its descriptor alone
        raise


def _save(file: IO[bytes], arrays: Mapping[str, NDArray[Any]]) -> None:
    named: dict[str, Any] = {key: _little_endian(array) for key, array in arrays.items()}
    np.savez(file, **named)
    file.flush()
    os.fsync(file.fileno())


def _little_endian(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.hasobject:
        raise TypeError(f"arrays: expected numbers or text, which need no pickle, got {array.dtype}")
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")
