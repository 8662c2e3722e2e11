"""Opening a file that somebody names: it is a regular one, and no more is read than memory has room for.

A pipe or a device would be waited for without end, or read without end. What is no file is refused at once.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


class NoRegularFile(OSError):
    """A name that leads to no file that can be read; `strerror` is what there is instead, to be read after "got"."""


def open_regular(path: str | os.PathLike[str]) -> int:
    """A descriptor of a regular file, to be read; links are followed, and nothing is waited for.

    Raises NoRegularFile, which names the file, for anything else: none, a folder, a pipe, a device, one that may not be
    read.
    """
    name = os.fspath(path)
    try:
        _require_regular(name, Path(name).stat())
        descriptor = os.open(name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        got = "a link to nothing" if Path(name).is_symlink() else "no such file"
        raise NoRegularFile(errno.ENOENT, got, name) from None
    except NoRegularFile:
        raise
    except OSError as error:
        raise NoRegularFile(error.errno, (error.strerror or "none").lower(), name) from error
    except ValueError as error:  # a zero byte in the name
        raise NoRegularFile(errno.EINVAL, f"a name that no file has ({error})", name) from error
    try:
        _require_regular(name, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_whole(path: str | os.PathLike[str], times: int = 1, most: int | None = None) -> bytes:
    """Everything in a regular file. Raises NoRegularFile as `open_regular`, and for a file that is too large.

    Args:
        path: of the file.
        times: how many times its size reading it takes of memory, with what becomes of it.
        most: bytes that it may have.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if most is not None and size > most:
            raise NoRegularFile(errno.EFBIG, f"one of {in_bytes(size)}, more than {in_bytes(most)}", os.fspath(path))
        room = memory_left()
        if size * times > room:
            takes = f"one of {in_bytes(size)}, which takes {in_bytes(size * times)} of memory"
            raise NoRegularFile(errno.EFBIG, f"{takes}, where {in_bytes(room)} are left", os.fspath(path))
        return file.read(size)


def memory_left() -> int:
    """How many bytes of memory can be had: of the machine, of the group that this process is in, of its own limit."""
    return min((limit() for limit in _LIMITS), default=0)


def in_bytes(size: int) -> str:
    """A number of bytes for people."""
    unit = min(max(size.bit_length() - 1, 0) // 10, len(_UNITS) - 1)
    return f"{size / 2 ** (10 * unit):.3g} {_UNITS[unit]}" if size.bit_length() < 1000 else "more bytes than can be"


def _require_regular(name: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        got = next((said for is_one, said in _KINDS if is_one(status.st_mode)), "no file")
        raise NoRegularFile(errno.EINVAL, got, name)


_ANY: Final = 2**62
"""No limit."""


def _of_machine() -> int:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return _ANY


def _of_group() -> int:
    """What the control group leaves, the memory of its files counted as free: the system takes it back."""
    folder = "/sys/fs/cgroup"
    most, used = (next(iter(_lines(f"{folder}/memory.{name}")), "max").strip() for name in ("max", "current"))
    if not (most.isdecimal() and used.isdecimal()):
        return _ANY
    cached = (line.split()[1] for line in _lines(f"{folder}/memory.stat") if line.startswith("file "))
    return int(most) - int(used) + int(next(cached, 0))


def _of_process() -> int:
    """What the limit on its address space leaves."""
    try:
        import resource
    except ImportError:  # Windows
        return _ANY
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = next(iter(_lines("/proc/self/statm")), "0").split()[0]
    return _ANY if most == resource.RLIM_INFINITY else most - int(pages) * resource.getpagesize()


def _lines(path: str) -> Iterable[str]:
    try:
        return Path(path).read_text(encoding="ascii").splitlines()
    except OSError:
        return ()


_LIMITS: Final[tuple[Callable[[], int], ...]] = (_of_machine, _of_group, _of_process)
