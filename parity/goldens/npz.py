"""The container of a golden: an uncompressed .npz, read without trusting it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.goldens.errors import GoldenError, first_line
from ptycho_exposures.archive import little_endian
from ptycho_exposures.npz import UNREADABLE


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays by name as an uncompressed .npz, little-endian and in C order, which depends on nothing else.

    Raises TypeError for an array of objects, which would have to be pickled.
    """
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f"{name}: expected numbers, flags or text, got {array.dtype}")
    buffer = io.BytesIO()
    named: dict[str, Any] = {name: little_endian(arrays[name]) for name in sorted(arrays)}
    np.savez(buffer, **named)
    return buffer.getvalue()


def unpacked(content: bytes, name: str) -> dict[str, NDArray[Any]]:
    """The arrays of an uncompressed .npz, by name. Nothing is unpickled.

    Raises GoldenError, which begins with `name`, for anything else.
    """
    try:
        return dict(_arrays_in(content))
    except GoldenError as error:
        raise GoldenError(f"{name}: {error}") from None
    except UNREADABLE as error:
        raise GoldenError(f"{name}: expected an uncompressed .npz, got {first_line(error)}") from error


def _arrays_in(content: bytes) -> Iterator[tuple[str, NDArray[Any]]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if len(archive.namelist()) != len(archive.NameToInfo):
            raise GoldenError("expected each array once, got one twice")
        for entry in archive.infolist():
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > len(content):
                raise GoldenError(f"expected {entry.filename} as it is, got it compressed")
            if not entry.filename.endswith(".npy"):
                raise GoldenError(f"expected arrays, got a file named {entry.filename}")
            yield entry.filename.removesuffix(".npy"), _array_in(archive.read(entry), entry.filename)


def _array_in(content: bytes, name: str) -> NDArray[Any]:
    stream = io.BytesIO(content)
    array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    if stream.tell() != len(content):
        raise GoldenError(f"expected {name} to end with its array, got {len(content) - stream.tell()} bytes more")
    return array


def digest(array: NDArray[Any]) -> str:
    """SHA-256 of an array's content, whatever file it lies in: dtype, shape, little-endian bytes in C order."""
    array = little_endian(array)
    hashed = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    hashed.update(array.tobytes())
    return hashed.hexdigest()
