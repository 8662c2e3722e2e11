"""An .npz file as numbers and text alone: read without trusting it, and written whole or not at all.

What the arrays mean is not here. Every complaint is one sentence: file, key, expected, got. Nothing is ever unpickled.
"""

import contextlib
import lzma
import os
import struct
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

_UNREADABLE: Final = (
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


class ArchiveError(ValueError):
    """A file that cannot be used; the message names file, key, what was expected and what came."""


class UnreadableError(ArchiveError):
    """A file that is not there, is no archive or is damaged: what it holds is not known."""


class Archive:
    """The arrays of an open .npz file, by key."""

    def __init__(self, path: Path, members: zipfile.ZipFile) -> None:
        self._path = path
        self._members = members
        self._names = {name.removesuffix(".npy"): name for name in members.namelist()}

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self._names)

    def require_keys(self, wanted: Sequence[str]) -> None:
        """Raise ArchiveError, naming what there is instead, if a key is missing."""
        lacking = [key for key in wanted if key not in self._names]
        if lacking:
            present = f"only {', '.join(self._names)}" if self._names else "an archive without arrays"
            these = "this key" if len(lacking) == 1 else "these keys"
            raise self.refusal(", ".join(lacking), f"to find {these}", present)

    def array(self, key: str, kinds: str, expected: str) -> NDArray[Any]:
        """The array under `key`, finite and not empty, in C order and native byte order.

        Args:
            key: one of `keys`.
            kinds: of dtype that are taken, as NumPy's letters, such as "iuf".
            expected: what is wanted, for the message.

        Raises:
            UnreadableError: one that is damaged.
            ArchiveError: one of another kind or of objects, that is empty, or has NaN or infinity.
        """
        try:
            with self._members.open(self._names[key]) as member:
                array = npy.read_array(member, allow_pickle=False)
        except _UNREADABLE as error:
            if "pickle" in str(error):
                raise self.refusal(key, expected, "an object array, which is never unpickled") from error
            raise UnreadableError(str(self.refusal(key, expected, f"none that can be read ({error})"))) from error
        if array.dtype.kind not in kinds:
            hint = ", which looks like counts: store their square root" if array.dtype.kind in "iu" else ""
            raise self.refusal(key, expected, f"{array.dtype}{hint}")
        if not array.size:
            raise self.refusal(key, "at least one entry", f"shape {array.shape}")
        if array.dtype.kind in "fc":
            self.require(key, array, np.isfinite(array), "finite values")
        return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")).reshape(array.shape)

    def require(self, key: str, array: NDArray[Any], valid: NDArray[np.bool_], expected: str) -> None:
        """Raise ArchiveError, naming the first entry that is not valid, if there is one."""
        if not valid.all():
            place = tuple(int(i) for i in np.argwhere(~valid)[0])
            raise self.refusal(key, expected, f"{array[place]} at {place}")

    def refusal(self, key: str, expected: str, got: object) -> ArchiveError:
        return ArchiveError(f"{self._path}: {key}: expected {expected}, got {got}")


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """The .npz file at `path` for the length of a block. Raises UnreadableError if it is none."""
    with ExitStack() as stack:
        try:
            members = stack.enter_context(zipfile.ZipFile(path))
        except _UNREADABLE as error:
            raise UnreadableError(f"{path}: expected an .npz file, got {_instead(path, error)}") from error
        yield Archive(path, members)


def _instead(path: Path, error: Exception) -> str:
    """What is there instead of an archive."""
    if isinstance(error, OSError):
        return "no such file" if isinstance(error, FileNotFoundError) else str(error.strerror)
    return "one that is truncated, or a file of another kind" if path.stat().st_size else "an empty file"


def write_archives(archives: Mapping[Path, Mapping[str, NDArray[Any]]]) -> None:
    """Write arrays as uncompressed .npz files, by path, each whole; none is there before all of them are written.

    The bytes depend on names, order and arrays alone. Raises OSError, which names the file, if one cannot be written;
    nothing is left behind then, and files that were there are as they were.
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
