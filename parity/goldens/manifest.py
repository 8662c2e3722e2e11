"""What the files of a set of goldens must be, and everything in which a folder differs from that.

`manifest.json` is a pure function of the other files:

    {"format": 1, "files": {
        "losses.mae/even-0.npz": {"arrays": {"inputs/observed": "<digest>", …}, "bytes": 1234, "sha256": "…"},
        "history.jsonl": {"bytes": 56, "sha256": "…"}}}

`faults` takes nothing on trust, the manifest least: it follows no link, opens no name that is not a golden's, reads
no more than the manifest allows, and finds a fault where others would raise.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parity._ground.litter import is_litter
from parity.goldens.errors import GoldenError
from parity.goldens.npz import digest, unpacked
from parity.goldens.record import PROVENANCE, assemble
from ptycho_exposures.checks import printable

MANIFEST = "manifest.json"
HISTORY = "history.jsonl"

MOST_BYTES = 8 * 10**6
"""What all files of a set may take together: they are cloned by everyone, and old versions of them kept for ever."""

_FORMAT = 1
_GOLDEN = re.compile(r"(?P<contract>[A-Za-z0-9_]+([.@][A-Za-z0-9_]+)*)/[a-z][a-z0-9_-]*-[0-9]{1,20}(\.f64)?\.npz")
_HASH = re.compile(r"[0-9a-f]{64}")
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class ManifestFault:
    """One thing wrong with a set: in which file of it (or in the folder itself), what was expected, what came."""

    file: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.file}: expected {self.expected}, got {self.got}"


def is_golden(name: str) -> bool:
    """Whether a golden's file may be called so: `<contract>/<stratum>-<seed>[.f64].npz`."""
    return _GOLDEN.fullmatch(name) is not None


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """The manifest of these files, by name relative to the folder. Raises GoldenError for what cannot be in a set."""
    return _canonical({"format": _FORMAT, "files": {name: _entry(name, content) for name, content in files.items()}})


def faults(folder: Path) -> list[ManifestFault]:
    """Everything wrong with the set in `folder`, in the order of its files; nothing where it can be used."""
    return verified(folder)[0]


def verified(folder: Path) -> tuple[list[ManifestFault], dict[str, bytes]]:
    """The faults of the set in `folder`, and the content of each of its files that has none.

    A set that is exchanged for another while it is read is read again.
    """
    for _ in range(_ATTEMPTS):
        before = _identity(folder)
        contents: dict[str, bytes] = {}
        found = list(_faults(folder, contents))
        if not found or _identity(folder) == before:
            break
    return found, contents


def _entry(name: str, content: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    if name == HISTORY:
        return entry
    if not is_golden(name):
        raise GoldenError(f"{name}: expected <contract>/<stratum>-<seed>.npz or {HISTORY}, got a file named so")
    return entry | {"arrays": _digests(name, content)}


def _digests(name: str, content: bytes) -> dict[str, str]:
    """The digests of a golden's arrays. Raises GoldenError if it is none."""
    golden = name.removesuffix(".npz")
    arrays = unpacked(content, golden)
    assemble(arrays, golden)
    return {array: digest(value) for array, value in arrays.items() if array != PROVENANCE}


def _canonical(manifest: Any) -> bytes:
    return (json.dumps(manifest, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.lstat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


class _Unusable(Exception):
    """A fault beyond which nothing can be said."""

    def __init__(self, file: str, expected: str, got: str) -> None:
        super().__init__(_fault(file, expected, got))

    @property
    def fault(self) -> ManifestFault:
        return self.args[0]


def _fault(file: str, expected: str, got: str) -> ManifestFault:
    return ManifestFault(printable(file), printable(expected), printable(got))


def _faults(folder: Path, contents: dict[str, bytes]) -> Iterator[ManifestFault]:
    """The faults; meanwhile the contents that have none are put into `contents`."""
    try:
        content = _manifest_in(folder)
        manifest = _parsed(content)
        listed = _listed(manifest)
        yield from _unlike_canonical(content, manifest)
        found = _listing(folder, {name.partition("/")[0] for name in listed if "/" in name})
    except _Unusable as error:
        yield error.fault
        return
    except (OSError, ValueError) as error:
        yield _fault(str(folder), "a folder that can be read", _reason(error))
        return
    for name in sorted(listed.keys() | found.keys()):
        if name not in listed:
            yield _fault(name, "nothing of that name", _kind(found[name]))
        elif name in found:
            yield from _of_file(folder, name, listed[name], found[name], contents)
        elif name.partition("/")[0] not in found:  # else its folder is none, which has been said
            yield _fault(name, "a file", "none")
    total = len(content) + sum(map(len, contents.values()))
    if total > MOST_BYTES:
        yield _fault(str(folder), f"at most {MOST_BYTES} bytes in all", f"{total}")


def _manifest_in(folder: Path) -> bytes:
    try:
        status = folder.lstat()
    except FileNotFoundError:
        raise _Unusable(str(folder), "a folder with goldens", "none") from None
    if not stat.S_ISDIR(status.st_mode):
        raise _Unusable(str(folder), "a folder with goldens", _kind(status))
    try:
        status = (folder / MANIFEST).lstat()
    except FileNotFoundError:
        raise _Unusable(MANIFEST, "a file", "none") from None
    if not stat.S_ISREG(status.st_mode):
        raise _Unusable(MANIFEST, "a file", _kind(status))
    if status.st_size > 2 * MOST_BYTES:
        raise _Unusable(MANIFEST, f"at most {2 * MOST_BYTES} bytes", f"{status.st_size}")
    try:
        return _content(folder / MANIFEST, status.st_size)
    except OSError as error:
        raise _Unusable(MANIFEST, "a file that can be read", _reason(error)) from error


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content.decode())
    except (RecursionError, ValueError) as error:
        raise _Unusable(MANIFEST, "JSON in UTF-8", _reason(error)) from error


def _listed(manifest: Any) -> dict[str, dict[str, Any]]:
    """The files that the manifest lists, with what it says of each."""
    if not isinstance(manifest, dict) or manifest.keys() != {"format", "files"}:
        raise _Unusable(MANIFEST, "an object with format and files", _brief(manifest))
    if type(manifest["format"]) is not int or manifest["format"] != _FORMAT:
        raise _Unusable(MANIFEST, f"format {_FORMAT}", _brief(manifest["format"]))
    files = manifest["files"]
    if not isinstance(files, dict):
        raise _Unusable(MANIFEST, "files by name", _brief(files))
    for name, entry in files.items():
        if name != HISTORY and not is_golden(name):
            raise _Unusable(MANIFEST, f"<contract>/<stratum>-<seed>.npz or {HISTORY}", f"a file named {name:.200}")
        if not _is_entry(entry, name != HISTORY):
            parts = "bytes, sha256 and arrays" if name != HISTORY else "bytes and sha256"
            raise _Unusable(MANIFEST, f"{parts} of {name}", _brief(entry))
    return files


def _is_entry(entry: Any, of_golden: bool) -> bool:
    if not isinstance(entry, dict) or entry.keys() != {"bytes", "sha256"} | ({"arrays"} if of_golden else set()):
        return False
    arrays = entry.get("arrays", {})
    return (
        type(entry["bytes"]) is int
        and 0 <= entry["bytes"] <= MOST_BYTES
        and _is_hash(entry["sha256"])
        and isinstance(arrays, dict)
        and all(map(_is_hash, arrays.values()))
    )


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def _unlike_canonical(content: bytes, manifest: Any) -> Iterator[ManifestFault]:
    try:
        canonical = _canonical(manifest)
    except (RecursionError, ValueError) as error:
        yield _fault(MANIFEST, "JSON in UTF-8", _reason(error))
        return
    if content != canonical:
        came, due = content.decode().split("\n"), canonical.decode().split("\n")
        line = next((n for n, (one, other) in enumerate(zip(came, due, strict=False)) if one != other), len(due))
        wanted, got = (
            "".join(f"“{text:.200}”" for text in lines[line : line + 1]) or "the end" for lines in (due, came)
        )
        yield _fault(f"{MANIFEST}, line {line + 1}", f"the canonical form, {wanted}", got)


def _listing(folder: Path, contracts: set[str]) -> dict[str, os.stat_result]:
    """What is in the folder and, beside the manifest, in those of these folders of it that are folders; no links
    are followed, nor folders entered that hold nothing listed. What an editor has left there is passed over."""
    found: dict[str, os.stat_result] = {}
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        status = entry.stat(follow_symlinks=False)
        if entry.name in contracts and stat.S_ISDIR(status.st_mode):
            inner = sorted(os.scandir(entry.path), key=lambda entry: entry.name)
            named = ((f"{entry.name}/{file.name}", file) for file in inner if not is_litter(file.name))
            found |= {name: file.stat(follow_symlinks=False) for name, file in named}
        elif entry.name != MANIFEST and not is_litter(entry.name):
            found[entry.name] = status
    return found


def _of_file(
    folder: Path, name: str, entry: Mapping[str, Any], status: os.stat_result, contents: dict[str, bytes]
) -> Iterator[ManifestFault]:
    """The faults of a file that is listed and there; its content is put into `contents` if there is none."""
    if not stat.S_ISREG(status.st_mode):
        yield _fault(name, "a file", _kind(status))
        return
    size = entry["bytes"]
    if status.st_size != size:
        yield _fault(
            name, f"{size} bytes", f"{status.st_size} ({'truncated' if status.st_size < size else 'oversized'})"
        )
        return
    try:
        content = _content(folder / name, size)
    except OSError as error:
        yield _fault(name, "a file that can be read", _reason(error))
        return
    sha256 = hashlib.sha256(content).hexdigest()
    if len(content) != size or sha256 != entry["sha256"]:
        yield _fault(name, f"SHA-256 {entry['sha256']}", sha256)
        return
    try:
        digests = {} if name == HISTORY else _digests(name, content)
    except GoldenError as error:
        yield _fault(name, "a golden", str(error))
        return
    expected = entry.get("arrays", {})
    if digests == expected:
        contents[name] = content
        return
    for array in sorted(digests.keys() | expected.keys()):  # of a file that is as listed: the manifest is what is wrong
        came, due = expected.get(array, "none"), digests.get(array, "no such array")
        if came != due:
            yield _fault(f"{MANIFEST}, {name}, {array}", due, came)


def _content(path: Path, size: int) -> bytes:
    """Up to one byte more than the `size` that a file is to have. No link is followed; nothing waits for a pipe."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        return file.read(size + 1)


def _kind(status: os.stat_result) -> str:
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return f"a file of {status.st_size} bytes"
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "a folder" if stat.S_ISDIR(mode) else "neither file nor folder"


def _brief(value: Any) -> str:
    try:
        return f"{json.dumps(value, ensure_ascii=False):.200}"
    except (RecursionError, ValueError):
        return type(value).__name__


def _reason(error: Exception) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else f"{error!s:.200}"
