"""Arrays in .npz files that need not fit into memory: mapped where they lie in the file, read where they cannot be.

`numpy.savez` stores arrays uncompressed, one after the other, so that each can be mapped inside the file. A compressed
one has to be read whole. Nothing is ever unpickled. Whatever is wrong with a file is a `DataError` of one sentence:
file, key, expected, got. What the arrays mean is in `scanfile`.
"""

import lzma
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

BLOCK: Final = 2**24
"""Bytes of a file that are looked at together."""

_LOCAL_HEADER: Final = struct.Struct("<26xHH")
"""Of a zip's member: 26 bytes that do not matter here, and the lengths of its name and of what follows it."""
_HEADER_READERS: Final = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_ENCRYPTED: Final = 0x1
UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What zipfile and NumPy raise on a member cut short, altered, encrypted, oddly packed or absurdly large."""


class DataError(ValueError):
    """A file that cannot be used; the message names file, key, what was expected and what came."""


class UnreadableError(DataError):
    """A file that is not there, is no archive or is damaged: what it holds is not known."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a file's bytes of one array begin, and those of its header."""

    offset: int
    header: bytes


class StoredArray:
    """One array of an .npz file, opened when it is first asked for, and again in every process that it is sent to."""

    def __init__(self, path: Path, key: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        self.path, self.key, self.dtype, self.shape = path, key, dtype, shape
        self._order: Literal["C", "F"] = "C"
        self._place: _Place | None = None
        self.checksum = 0
        """Of what the file holds of it, CRC-32."""
        self._written = _written(path)
        self._array: NDArray[Any] | None = None

    @property
    def mapped(self) -> bool:
        """Whether the array is mapped in its file, and not read into memory."""
        return self._place is not None

    @property
    def array(self) -> NDArray[Any]:
        """The array, of the shape and dtype in the file; not to be written to.

        Raises:
            DataError: the file is no longer the one that was opened, or the array cannot be read.
        """
        if self._array is None:
            if _written(self.path) != self._written:
                raise self.error("the file that was opened", "one that was written since")
            self._array = self._opened()
        return self._array

    def error(self, expected: str, got: object) -> DataError:
        """The sentence in which every complaint about the array is worded."""
        return DataError(f"{self.path}: {self.key}: expected {expected}, got {got}")

    def check_bytes(self) -> None:
        """Hold the bytes of a mapped array to their checksum, block by block; one that is read has been already.

        Raises:
            DataError: the file was damaged after it was written.
        """
        if self._place is None or not self.array.size:
            return
        raw = np.memmap(self.path, np.uint8, "r", self._place.offset, (self.array.nbytes,)).data
        checksum = zlib.crc32(self._place.header)
        for start in range(0, raw.nbytes, BLOCK):
            checksum = zlib.crc32(raw[start : start + BLOCK], checksum)
        if checksum != self.checksum:
            raise self.error("the bytes that were written", "others (CRC-32): the file is damaged")

    def _opened(self) -> NDArray[Any]:
        if self._place is None:
            with Archive.open(self.path) as archive:
                return archive.read(self.key)
        if not all(self.shape):
            return np.empty(self.shape, self.dtype)
        try:
            return np.memmap(self.path, self.dtype, "r", self._place.offset, self.shape, self._order)
        except UNREADABLE as error:
            raise self.error("a readable array", f"one that cannot be mapped ({error})") from error

    def __getstate__(self) -> dict[str, Any]:
        """Where the array is, without its data."""
        return {**vars(self), "_array": None}


class Archive:
    """An open .npz file."""

    def __init__(self, path: Path, members: zipfile.ZipFile) -> None:
        self.path = path
        self._members = members
        self._names = {name.removesuffix(".npy"): name for name in members.namelist()}

    @staticmethod
    @contextmanager
    def open(path: str | os.PathLike[str]) -> Iterator["Archive"]:
        """The .npz file at `path`, for the length of a block.

        Raises:
            DataError: there is no such file, or it is no .npz.
        """
        with _zip_file(Path(path)) as members:
            yield Archive(Path(path), members)

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of its arrays, in the file's order."""
        return tuple(self._names)

    def error(self, key: str, expected: str, got: object) -> DataError:
        """The sentence in which every complaint about an array is worded."""
        return DataError(f"{self.path}: {key}: expected {expected}, got {got}")

    def dtype(self, key: str) -> np.dtype[Any]:
        """The dtype in the header of the array under `key`, of objects too; its data are not touched.

        Raises:
            UnreadableError: the header is damaged.
        """
        with self._member(key) as member:
            return _header(member)[2]

    def array(self, key: str) -> StoredArray:
        """The array under `key`, of which the header alone is read.

        Raises:
            DataError: the array is one of objects, which are never unpickled, or is damaged.
        """
        with self._member(key) as member:
            shape, fortran_order, dtype = _header(member)
            length = member.tell()
        info = self._members.getinfo(self._names[key])
        stored = StoredArray(self.path, key, dtype, shape)
        stored.checksum = info.CRC
        if dtype.hasobject:
            raise stored.error("an array of numbers", "an object array, which is never unpickled")
        if info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & _ENCRYPTED:
            size = length + dtype.itemsize * int(np.prod(shape, dtype=object))
            if info.file_size != size:
                raise stored.error(f"{size} bytes, for {dtype} of shape {shape}", info.file_size)
            stored._order = "F" if fortran_order else "C"
            stored._place = self._located(key, info, length)
        return stored

    def read(self, key: str) -> NDArray[Any]:
        """The array under `key`, read whole and in native byte order.

        Raises:
            DataError: the array is one of objects, which are never unpickled, or is damaged.
        """
        if self.dtype(key).hasobject:
            raise self.error(key, "an array of numbers", "an object array, which is never unpickled")
        with self._member(key) as member:
            array = npy.read_array(member, allow_pickle=False)
            return np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)

    def _located(self, key: str, info: zipfile.ZipInfo, length: int) -> _Place:
        """Where the data of an array begin that is stored as it is, `length` bytes behind its header."""
        with self._readable(key), self.path.open("rb") as file:
            file.seek(info.header_offset)
            start = info.header_offset + _LOCAL_HEADER.size
            start += sum(_LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size)))
            file.seek(start)
            return _Place(start + length, file.read(length))

    @contextmanager
    def _member(self, key: str) -> Iterator[Any]:
        with self._readable(key), self._members.open(self._names[key]) as member:
            yield member

    @contextmanager
    def _readable(self, key: str) -> Iterator[None]:
        try:
            yield
        except DataError:
            raise
        except UNREADABLE as error:
            raise UnreadableError(
                str(self.error(key, "a readable array", f"one that cannot be read ({error})"))
            ) from error


def _header(member: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(member)
    if version not in _HEADER_READERS:
        raise ValueError(f".npy format {version}")
    shape, fortran_order, dtype = _HEADER_READERS[version](member)
    return shape, fortran_order, dtype


def _zip_file(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        got = "no such file"
    except zipfile.BadZipFile:
        got = _kind_of_file(path)
    except OSError as error:
        got = f"{error.strerror}"
    except UNREADABLE as error:
        got = f"one that cannot be read ({error})"
    raise UnreadableError(f"{path}: expected an .npz file, got {got}")


def _kind_of_file(path: Path) -> str:
    """What a file that is no archive is instead, told by its first bytes."""
    with path.open("rb") as file:
        start = file.read(len(npy.MAGIC_PREFIX))
    if not start:
        return "an empty file"
    if start.startswith(b"PK"):
        return "one that is truncated or damaged"
    return "a single .npy array" if start == npy.MAGIC_PREFIX else "a file of another kind"


def _written(path: Path) -> tuple[int, int]:
    """Size and time of writing, by which a file is known again."""
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableError(f"{path}: expected an .npz file, got {error.strerror}") from error
    return status.st_size, status.st_mtime_ns
