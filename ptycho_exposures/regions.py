"""A region of a file that is read piece by piece, while others may write to the file.

A file is not mapped: a page of a mapped file that somebody cuts short ends the process (SIGBUS). Every reading opens
the file, holds it to what was seen of it before and after, and copies. What a region holds is known by its checksum,
which is computed anew where times cannot tell: where a file was written a moment ago, or its attributes have changed.
"""

import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from ptycho_exposures.opening import open_regular

BLOCK: Final = 2**24
"""Bytes of a file that are looked at together."""

_NEAR: Final = 2**13
"""Bytes that are sooner read than skipped."""

_MOMENT: Final = 10**8
"""Nanoseconds within which a file system may give two writings one time."""


class RegionChanged(Exception):
    """The file is no longer the one that was opened."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a file was when it was looked at: which one, of how many bytes, and when it was written."""

    device: int
    number: int
    size: int
    written: int
    changed: int
    """When its attributes were changed, or its content."""
    settled: bool
    """Whether a later writing would have another time."""

    @classmethod
    def of(cls, descriptor: int) -> "Seen":
        now, status = time.time_ns(), os.fstat(descriptor)
        last = max(status.st_mtime_ns, status.st_ctime_ns)
        settled = abs(now - last) > _MOMENT
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, settled)

    def is_same(self, other: "Seen") -> bool:
        """Whether nobody seems to have written to the file."""
        return replace(self, changed=0, settled=True) == replace(other, changed=0, settled=True)

    def hold(self, now: "Seen") -> None:
        """Raise RegionChanged where somebody has written to the file since."""
        if not self.is_same(now):
            raise RegionChanged


class Region:
    """The bytes behind a header in a file, of which the CRC-32, the header's bytes first, is known."""

    def __init__(self, path: Path, offset: int, size: int, header: bytes, checksum: int, seen: Seen) -> None:
        self.path, self.offset, self.size, self.header, self.checksum = path, offset, size, header, checksum
        self._seen = seen
        self._sure = False

    @contextmanager
    def opened(self) -> Iterator["RegionReader"]:
        """What reads it, for the length of a block.

        Raises RegionChanged where the file is another, and OSError where it cannot be read.
        """
        with os.fdopen(open_regular(self.path), "rb", buffering=0) as file:
            reader = RegionReader(file, self.offset)
            self._hold(reader)
            yield reader
            self._hold(reader)

    def is_whole(self) -> bool:
        """Whether the bytes have the checksum. Raises as `opened`."""
        with os.fdopen(open_regular(self.path), "rb", buffering=0) as file:
            seen = Seen.of(file.fileno())
            self._seen.hold(seen)
            whole = self._computed(RegionReader(file, self.offset)) == self.checksum
        if self._sure and not whole:
            raise RegionChanged
        self._seen, self._sure = seen, whole
        return whole

    def _hold(self, reader: "RegionReader") -> None:
        seen = Seen.of(reader.file.fileno())
        self._seen.hold(seen)
        if self._sure and (not self._seen.settled or seen.changed != self._seen.changed):
            if self._computed(reader) != self.checksum:
                raise RegionChanged
            self._seen = seen

    def _computed(self, reader: "RegionReader") -> int:
        checksum, block = zlib.crc32(self.header), memoryview(bytearray(min(BLOCK, self.size)))
        for start in range(0, self.size, BLOCK):
            part = block[: min(BLOCK, self.size - start)]
            reader.into(part, start)
            checksum = zlib.crc32(part, checksum)
        return checksum


@dataclass(frozen=True, slots=True)
class RegionReader:
    """Reads an open file from an offset on."""

    file: IO[bytes]
    offset: int

    def into(self, buffer: Any, start: int) -> None:
        """Fill a contiguous buffer with the bytes from `start` on. Raises RegionChanged where the file ends before."""
        view: Any = memoryview(buffer).cast("B")
        self.file.seek(self.offset + start)
        while len(view):
            read = self.file.readinto(view)  # type: ignore[attr-defined]
            if not read:
                raise RegionChanged
            view = view[read:]

    def entries(self, found: NDArray[Any], numbers: NDArray[np.integer[Any]], count: int) -> None:
        """Read entries (m, k, …) out of an array (m, count, …): those of k increasing numbers."""
        item, first = found[0, 0].nbytes, int(numbers[0])
        span = int(numbers[-1]) - first + 1
        if len(found) == 1:  # neighbours are read together
            ends = np.flatnonzero(np.diff(numbers) != 1) + 1
            for start, end in zip((0, *ends), (*ends, len(numbers)), strict=True):
                self.into(found[0, start:end], int(numbers[start]) * item)
        elif (count - span) * item > _NEAR:  # of each row what lies between the first and the last
            row = np.empty((span, *found.shape[2:]), found.dtype)
            for place in range(len(found)):
                self.into(row, (place * count + first) * item)
                found[place] = row[numbers - first]
        else:
            rows = max(1, BLOCK // (count * item))
            for place in range(0, len(found), rows):
                block = np.empty((min(rows, len(found) - place), count, *found.shape[2:]), found.dtype)
                self.into(block, place * count * item)
                found[place : place + len(block)] = block[:, numbers]
