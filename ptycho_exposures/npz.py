"""Arrays in .npz files that need not fit into memory: read in place, piece by piece, or whole where they cannot be.

`numpy.savez` stores arrays uncompressed, one after the other, so that parts of each can be read inside the file. A
compressed one has to be read whole. Nothing is ever unpickled, and no header is taken at its word: shape and type must
make the bytes that there are, and these must fit into memory where they are read whole. Whatever is wrong with a file
is a `DataError` of one sentence: file, key, expected, got. What the arrays mean is in `scanfile`.
"""

import io
import lzma
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ptycho_exposures.checks import printable
from ptycho_exposures.opening import NoRegularFile, in_bytes, memory_left, open_regular
from ptycho_exposures.regions import Region, RegionChanged, RegionReader, Seen

_LOCAL_HEADER: Final = struct.Struct("<26xHH")
"""Of a zip's member: 26 bytes that do not matter here, and the lengths of its name and of what follows it."""
_HEADER_READERS: Final = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_ENCRYPTED: Final = 0x1
_LONGEST_HEADER: Final = 2**14
"""Bytes at the beginning of a member in which its header ends: NumPy takes none longer than 10,000 bytes."""
COPIES: Final = 3
"""How many times its size an array takes in memory that is read, checked and laid out."""
_MOST_BYTES: Final = 2**62
"""More than any file has."""
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
    """A file that cannot be used; the message names file, key, what was expected and what came, and can be printed."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class UnreadableError(DataError):
    """A file that is not there, is no archive or is damaged: what it holds is not known."""


class StoredArray:
    """One array of an .npz file: parts are read when they are asked for, in every process that it is sent to."""

    def __init__(
        self, path: Path, key: str, outline: "_Outline", checksum: int, seen: Seen, region: Region | None = None
    ) -> None:
        self.path, self.key, self.dtype, self.shape = path, key, outline.dtype, outline.shape
        self._seen = seen
        self.checksum = checksum
        """Of what the file holds of it, CRC-32."""
        self._fortran_order = outline.fortran_order
        self._region = region
        self._array: NDArray[Any] | None = None

    @property
    def in_place(self) -> bool:
        """Whether parts of the array are read where they lie, and not all of it into memory."""
        return self._region is not None

    @property
    def array(self) -> NDArray[Any]:
        """All of the array, of the shape and dtype in the file, in memory from then on; not to be written to.

        Raises:
            DataError: the file is no longer the one that was opened, or the array cannot be read.
        """
        if self._array is None:
            if self._region is None:
                with self._as_opened(), Archive.open(self.path) as archive:
                    self._seen.hold(archive.seen)
                    self._array = archive.read(self.key)
            else:
                _require_room(self, self.error)
                whole = self._taken(np.arange(1), (1, *(self.shape[::-1] if self._fortran_order else self.shape)), 0)[0]
                self._array = whole.T if self._fortran_order else whole
        return self._array

    def take(self, numbers: NDArray[np.integer[Any]], axis: int) -> NDArray[Any]:
        """The entries of these numbers along one axis, all of the other axes: as `numpy.take`, and in the file's dtype.

        Args:
            numbers: (k,), increasing, within the axis.
            axis: not negative.

        Raises:
            DataError: the file is no longer the one that was opened, or the array cannot be read.
        """
        if self._region is None:
            with self._as_opened(), os.fdopen(open_regular(self.path), "rb") as file:
                self._seen.hold(Seen.of(file.fileno()))
            return np.take(self.array, numbers, axis)
        if not self._fortran_order:
            return self._taken(numbers, self.shape, axis)
        return self._taken(numbers, self.shape[::-1], len(self.shape) - 1 - axis).T

    def _taken(self, numbers: NDArray[np.integer[Any]], shape: tuple[int, ...], axis: int) -> NDArray[Any]:
        """The same of an array of this shape in C order, as its bytes lie in the file."""
        before, behind = shape[:axis], shape[axis + 1 :]
        found = np.empty((math.prod(before), len(numbers), math.prod(behind)), self.dtype)
        if found.size:
            with self._reader() as reader:
                reader.entries(found, numbers, shape[axis])
        return found.reshape(*before, len(numbers), *behind)

    def error(self, expected: str, got: object) -> DataError:
        """The sentence in which every complaint about the array is worded."""
        return DataError(f"{self.path}: {self.key}: expected {expected}, got {got}")

    def check_bytes(self) -> None:
        """Hold the bytes of an array in place to their checksum, block by block; one that is read has been already.

        Raises:
            DataError: the file was damaged after it was written, or is no longer the one that was opened.
        """
        if self._region is not None:
            with self._as_opened():
                whole = self._region.is_whole()
            if not whole:
                raise self.error("the bytes that were written", "others (CRC-32): the file is damaged")

    @contextmanager
    def _reader(self) -> Iterator[RegionReader]:
        assert self._region is not None
        with self._as_opened(), self._region.opened() as reader:
            yield reader

    @contextmanager
    def _as_opened(self) -> Iterator[None]:
        try:
            yield
        except RegionChanged:
            raise self.error("the file that was opened", "one that was written since") from None
        except NoRegularFile as error:
            raise UnreadableError(f"{self.path}: expected an .npz file, got {error.strerror}") from error
        except OSError as error:
            raise self.error("a readable array", f"one that cannot be read ({error})") from error

    def __getstate__(self) -> dict[str, Any]:
        """Where the array is, without its data."""
        return {**vars(self), "_array": None}


@dataclass(frozen=True, slots=True)
class _Outline:
    """What the header of an array says, and where the array begins behind that of its member."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]
    length: int

    @property
    def size(self) -> int:
        """How many bytes of data there must be."""
        return math.prod(self.shape) * self.dtype.itemsize


class Archive:
    """An open .npz file."""

    def __init__(self, path: Path, file: IO[bytes], members: zipfile.ZipFile) -> None:
        self.path = path
        self._file, self._members = file, members
        self.seen = Seen.of(file.fileno())
        """What the file was when it was opened."""
        names = members.namelist()
        keys = [name.removesuffix(".npy") for name in names]
        for key, times in Counter(keys).items():
            if times > 1:
                raise UnreadableError(f"{path}: {key}: expected each array once, got this one {times} times")
        self._names = dict(zip(keys, names, strict=True))

    @staticmethod
    @contextmanager
    def open(path: str | os.PathLike[str]) -> Iterator["Archive"]:
        """The .npz file at `path`, for the length of a block.

        Raises:
            DataError: there is no such file, or it is no .npz.
        """
        try:
            descriptor = open_regular(path)
        except NoRegularFile as error:
            raise UnreadableError(f"{path}: expected an .npz file, got {error.strerror}") from error
        with os.fdopen(descriptor, "rb") as file, _zip_file(Path(path), file) as members:
            yield Archive(Path(path), file, members)

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
        return self._outline(key).dtype

    def array(self, key: str) -> StoredArray:
        """The array under `key`, of which the header alone is read.

        Raises:
            DataError: the array is one of objects, which are never unpickled, or is damaged.
        """
        outline, info = self._sound(key), self._members.getinfo(self._names[key])
        in_place = info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & _ENCRYPTED
        region = self._located(key, info, outline) if in_place else None
        return StoredArray(self.path, key, outline, info.CRC, self.seen, region)

    def read(self, key: str) -> NDArray[Any]:
        """The array under `key`, read whole and in native byte order.

        Raises:
            DataError: the array is one of objects, which are never unpickled, is damaged, or has no room in memory.
        """
        outline = self._sound(key)
        _require_room(outline, partial(self.error, key))
        with self._member(key) as member:
            array = npy.read_array(member, allow_pickle=False)
            return np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)

    def _sound(self, key: str) -> _Outline:
        """The outline of an array that is none of objects, and has as many bytes as its header says."""
        outline = self._outline(key)
        if outline.dtype.hasobject:
            raise self.error(key, "an array of numbers", "an object array, which is never unpickled")
        found = self._members.getinfo(self._names[key]).file_size - outline.length
        if found != outline.size:
            raise self.error(key, f"{outline.size} bytes, for {outline.dtype} of shape {outline.shape}", found)
        return outline

    def _outline(self, key: str) -> _Outline:
        with self._member(key) as member:
            begin = io.BytesIO(member.read(_LONGEST_HEADER))
            version = npy.read_magic(begin)
            if version not in _HEADER_READERS:
                raise ValueError(f".npy format {version}")
            shape, fortran_order, dtype = _HEADER_READERS[version](begin)
            if any(size < 0 for size in shape) or math.prod(filter(None, shape)) * max(1, dtype.itemsize) > _MOST_BYTES:
                raise ValueError(f"shape {shape}")
            return _Outline(shape, fortran_order, dtype, begin.tell())

    def _located(self, key: str, info: zipfile.ZipInfo, outline: _Outline) -> Region:
        """Where the data of an array lie that is stored as it is."""
        with self._readable(key):
            self._file.seek(info.header_offset)
            start = info.header_offset + _LOCAL_HEADER.size
            start += sum(_LOCAL_HEADER.unpack(self._file.read(_LOCAL_HEADER.size)))
            self._file.seek(start)
            header = self._file.read(outline.length)
            return Region(self.path, start + outline.length, outline.size, header, info.CRC, self.seen)

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


def _require_room(array: StoredArray | _Outline, error: Callable[[str, str], DataError]) -> None:
    """Raise DataError for an array that is to be read whole, and has no room in memory."""
    size, room = math.prod(array.shape) * array.dtype.itemsize, memory_left()
    if size * COPIES > room:
        takes = f"{array.dtype} of shape {array.shape}, which takes {in_bytes(size * COPIES)} with its checks"
        got = f"{takes}, where {in_bytes(room)} are left"
        raise error("an array that fits into memory", got)


def require_unpacked(path: str | os.PathLike[str]) -> None:
    """Hold every member of a zip archive to its checksum, and all of them together to the memory that is left.

    Raises BadZipFile, which says what is wrong, and NoRegularFile, as `open_regular` does.
    """
    with os.fdopen(open_regular(path), "rb") as file, zipfile.ZipFile(file) as members:
        size, room = sum(info.file_size for info in members.infolist()), memory_left()
        if size > room:
            raise zipfile.BadZipFile(f"{in_bytes(size)} unpacked, where {in_bytes(room)} of memory are left")
        damaged = members.testzip()
        if damaged:
            raise zipfile.BadZipFile(f"{damaged} has other bytes than were written")


def _zip_file(path: Path, file: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except zipfile.BadZipFile:
        got = _kind_of_file(file)
    except UNREADABLE as error:
        got = f"one that cannot be read ({error})"
    raise UnreadableError(f"{path}: expected an .npz file, got {got}")


def _kind_of_file(file: IO[bytes]) -> str:
    """What a file that is no archive is instead, told by its first bytes."""
    file.seek(0)
    start = file.read(len(npy.MAGIC_PREFIX))
    if not start:
        return "an empty file"
    if start.startswith(b"PK"):
        return "one that is truncated or damaged"
    return "a single .npy array" if start == npy.MAGIC_PREFIX else "a file of another kind"
