"""A set of goldens in its folder: read whole or not at all, replaced whole or not at all.

A new set is written beside the old one and verified there; then one rename takes the old set away, and another puts the
new one in its place. If the writer is killed between the two, whoever comes next puts the old set back (`recover`). All
that this needs lies beside the folder, in names that begin with a dot and the folder's name: nothing in the folder is
ever anything but the set.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Self

from filelock import FileLock, Timeout

from parity.goldens.errors import GoldenError
from parity.goldens.manifest import HISTORY, MANIFEST, ManifestFault, faults, manifest_of, verified
from parity.goldens.record import Golden, decode

PATIENCE = 60.0
"""Seconds to wait for another writer."""

_FILE, _FOLDER = 0o644, 0o755
_STAGED, _REPLACED, _LOCK = "staged-", "replaced", "lock"


@dataclass(frozen=True, slots=True)
class GoldenSet:
    """A set of goldens as it was when it was verified: the content of its files by name, without the manifest."""

    files: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", MappingProxyType({name: self.files[name] for name in sorted(self.files)}))

    @classmethod
    def empty(cls) -> Self:
        """What there is before the first golden."""
        return cls()

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The set in `folder`. Raises GoldenError with the first of its faults, and how many more there are."""
        recover(folder)
        found, files = verified(folder)
        if found and _beside(folder, _LOCK).exists():
            with contextlib.suppress(OSError), _locked(folder, PATIENCE):  # perhaps a writer was between two renames
                found, files = verified(folder)
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            where = "" if found[0].file == str(folder) else f"{folder}: "
            raise GoldenError(f"{where}{found[0]}{more}")
        return cls(files)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its goldens, sorted: `contract/stratum-seed`."""
        return tuple(sorted(name.removesuffix(".npz") for name in self.files if name != HISTORY))

    def golden(self, name: str) -> Golden:
        """The golden of that name, decoded anew. Raises GoldenError if there is none."""
        content = self.files.get(f"{name}.npz")
        if content is None:
            raise GoldenError(f"{name}: expected one of the {len(self.names)} goldens of the set, got no golden")
        return decode(content, name)

    @property
    def history(self) -> bytes:
        """`history.jsonl`; empty where there is none."""
        return self.files.get(HISTORY, b"")

    def with_changes(self, changes: Mapping[str, bytes | None]) -> dict[str, bytes]:
        """Its files with these in place of their namesakes, for `replace`; None takes a file away."""
        changed: dict[str, bytes | None] = {**self.files, **changes}
        return {name: content for name, content in sorted(changed.items()) if content is not None}


def replace(folder: Path, expected: GoldenSet | None, files: Mapping[str, bytes], patience: float = PATIENCE) -> None:
    """Put a set of these files, and their manifest, in the place of `expected`, the set that was read from there.

    `expected` is None, or empty, where there is to be none yet. Files that stay the same keep their times. Raises
    GoldenError, and leaves the folder as it is, if `files` make no set, if the folder no longer holds `expected`, or
    if another writer is at work for longer than `patience` seconds.
    """
    manifest = manifest_of(files)
    old = GoldenSet.empty() if expected is None else expected
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder, patience):
            _put_back(folder)
            _remove_leftovers(folder)
            _refuse_changed(folder, old)
            if files != old.files or not folder.exists():
                with _staged(folder) as staged:
                    _write_set(staged, {**files, MANIFEST: manifest}, folder, old)
                    _publish(staged, folder)
    except OSError as error:
        raise GoldenError(f"{folder}: expected a folder that can be written, got {error.strerror or error}") from error


def recover(folder: Path) -> None:
    """Put back the set of a writer that was killed between its two renames, if that is what happened."""
    if _away(folder).is_dir() and not os.path.lexists(folder):
        with _locked(folder, PATIENCE):
            _put_back(folder)


def _away(folder: Path) -> Path:
    """Where the old set is between two renames."""
    return _beside(folder, _REPLACED)


def _beside(folder: Path, suffix: str) -> Path:
    whole = folder.absolute()
    return whole.parent / f".{whole.name}.{suffix}"


@contextlib.contextmanager
def _locked(folder: Path, patience: float) -> Iterator[None]:
    path = _beside(folder, _LOCK)
    try:
        lock = FileLock(path).acquire(timeout=patience)
    except Timeout:
        raise GoldenError(f"{folder}: expected no other writer, got one for {patience:g} s (it holds {path})") from None
    with lock:
        yield


def _put_back(folder: Path) -> None:
    if _away(folder).is_dir() and not os.path.lexists(folder):
        _away(folder).rename(folder)


def _remove_leftovers(folder: Path) -> None:
    """Remove what killed writers left: sets that never were, or no longer are, in the folder."""
    _retire(folder)
    for leftover in _stagings(folder):
        shutil.rmtree(leftover)


def _stagings(folder: Path) -> list[Path]:
    prefix = _beside(folder, _STAGED)
    return [path for path in prefix.parent.iterdir() if path.name.startswith(prefix.name) and not path.is_symlink()]


def _retire(folder: Path) -> None:
    """Rename a set that was replaced before it is removed: half removed it must never be put back."""
    if _away(folder).is_dir():
        _away(folder).rename(_new_place(folder))


def _new_place(folder: Path) -> Path:
    prefix = _beside(folder, _STAGED)
    return Path(tempfile.mkdtemp(prefix=prefix.name, dir=prefix.parent))


def _refuse_changed(folder: Path, expected: GoldenSet) -> None:
    if _is_vacant(folder):
        found, files = list[ManifestFault](), dict[str, bytes]()
    else:
        found, files = verified(folder)
    if found or files != expected.files:
        read = "the set that was read from it" if expected.files else "no set yet"
        why = f" ({found[0]})" if found else ""
        raise GoldenError(
            f"{folder}: expected {read}, got one{why} that changed while it was recomputed; nothing was written"
        )


def _is_vacant(folder: Path) -> bool:
    if not os.path.lexists(folder):
        return True
    return folder.is_dir() and not folder.is_symlink() and next(folder.iterdir(), None) is None


@contextlib.contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """A place for a new set, beside the folder; whatever is there afterwards is removed."""
    place = _new_place(folder)
    try:
        place.chmod(_FOLDER)
        yield place
    finally:
        _put_back(folder)
        _retire(folder)
        for leftover in _stagings(folder):
            shutil.rmtree(leftover, ignore_errors=True)


def _write_set(place: Path, files: Mapping[str, bytes], folder: Path, old: GoldenSet) -> None:
    """Write these files to `place`, durably; those that `folder` holds already keep their times."""
    folders = {place}
    for name, content in sorted(files.items()):
        target = place / name
        if target.parent not in folders:
            target.parent.mkdir()
            target.parent.chmod(_FOLDER)
            folders.add(target.parent)
        _write(target, content)
        if old.files.get(name) == content:
            shutil.copystat(folder / name, target)
            target.chmod(_FILE)
    for written in sorted(folders, reverse=True):
        _sync(written)
    found = faults(place)
    if found:
        raise GoldenError(str(found[0]))


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        path.chmod(_FILE)
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make the names in a folder durable, where the system can."""
    with contextlib.suppress(PermissionError):  # Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _publish(staged: Path, folder: Path) -> None:
    if folder.exists():
        folder.rename(_away(folder))
    staged.rename(folder)
    _sync(folder.parent)
