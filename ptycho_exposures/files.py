"""Files that are there whole or not at all."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path`: a reader sees the old file or the new one, whenever the writer dies.

    Raises OSError, which names the file, if it cannot be written; nothing is left behind then.
    """
    write_files({path: lambda file: file.write(content)})


def write_files(writers: Mapping[Path, Callable[[IO[bytes]], object]]) -> None:
    """Have each file written by its writer, by path; none takes its place before all are written.

    Raises OSError, which names the file, if one cannot be written, or there is a folder in its place; nothing is left
    behind then, and files that were there are as they were.
    """
    written: dict[Path, Path] = {}
    path = Path()
    try:
        for path, write in writers.items():
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            written[path] = Path(name)
            with os.fdopen(descriptor, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            written[path].chmod(0o644)
        for path in written:
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        for path, new in written.items():
            new.replace(path)
    except BaseException as error:
        for left in written.values():
            with contextlib.suppress(FileNotFoundError):
                left.unlink()
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error  # which named another, or none
        raise
