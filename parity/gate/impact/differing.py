"""Which files differ from a commit, whatever git was told of them.

Git leaves out what it ignores, what it is to assume unchanged, and what lies in another repository. In some folders
every file counts, and is compared by its content.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from parity._ground.git import GitError, git

_DIFF = ("diff", "--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules=none", "-z")
_FILE, _SUBMODULE = "100", "160000"

_LITTER = (
    *("__pycache__", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"),
    *(".DS_Store", "Thumbs.db", "*~", ".#*", "#*#", ".*.sw[a-p]"),
)
"""What Python, tools and editors leave beside sources, by name."""

Recorded = Mapping[str, tuple[str, str]]
"""Mode and hash of each file of a commit, by path."""


def recorded_in(root: Path, commit: str, *folders: str) -> Recorded:
    """What a commit has in these folders, or everywhere; of a submodule, what it is recorded at."""
    found: dict[str, tuple[str, str]] = {}
    for line in _names(git(root, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *folders)):
        about, _, path = line.partition("\t")
        mode, _, name = about.split(" ")
        found[path] = (mode, name)
        if mode == _SUBMODULE and (root / path / ".git").exists():
            try:
                found |= {f"{path}/{inner}": one for inner, one in recorded_in(root / path, name).items()}
            except GitError:
                continue  # it does not have this commit, so that all of it differs
            del found[path]
    return found


def differing(root: Path, commit: str, recorded: Recorded, folders: Sequence[str]) -> Iterator[str]:
    """The paths of files that may differ. In `folders`, all that do not have the content that is `recorded`."""
    yield from _names(git(root, *_DIFF, commit, "--"))
    yield from _names(git(root, "ls-files", "--others", "--exclude-standard", "-z"))
    for line in _names(git(root, "ls-files", "-v", "-z")):
        tag, _, path = line.partition(" ")
        if tag.islower() or (tag == "S" and os.path.lexists(root / path)):
            yield path
    for folder in folders:
        inside = {path for path in recorded if path.startswith(f"{folder}/") or path == folder}
        for path in inside.union(_files(root, folder)):
            if not _is_litter(path, recorded) and _differs(root, path, recorded):
                yield path


def is_plain(root: Path, path: str, recorded: Recorded) -> bool:
    """Whether a path names an ordinary file, or nothing, in the commit and in the working tree."""
    mode, _ = recorded.get(path, (_FILE, ""))
    try:
        return mode.startswith(_FILE) and stat.S_ISREG((root / path).lstat().st_mode)
    except OSError:
        return mode.startswith(_FILE)


def _names(listed: bytes) -> Iterator[str]:
    return (os.fsdecode(name) for name in listed.split(b"\0") if name)


def _files(root: Path, folder: str) -> Iterator[str]:
    """Files, links and whatever else is no folder."""
    if (root / folder).is_symlink():
        yield folder
        return
    for place, folders, files in os.walk(root / folder):
        for name in files + [name for name in folders if (Path(place) / name).is_symlink()]:
            yield (Path(place) / name).relative_to(root).as_posix()
        folders[:] = [name for name in folders if name != ".git"]


def _is_litter(path: str, recorded: Recorded) -> bool:
    parts = path.split("/")
    return path not in recorded and any(fnmatchcase(part, pattern) for part in parts for pattern in _LITTER)


def _differs(root: Path, path: str, recorded: Recorded) -> bool:
    """Whether a path has another content than the commit; what leads out of the repository is in no commit."""
    file = root / path
    if file.is_symlink():
        content = os.fsencode(file.readlink())
        if not file.resolve().is_relative_to(root.resolve()) or _is_unknown(file.resolve(), root, recorded):
            return True
    elif file.is_file():
        content = file.read_bytes()
    else:
        return True
    _, name = recorded.get(path, ("", ""))
    algorithm = "sha256" if len(name) == 64 else "sha1"
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() != name


def _is_unknown(target: Path, root: Path, recorded: Recorded) -> bool:
    path = target.relative_to(root.resolve()).as_posix()
    return not any(other == path or other.startswith(f"{path}/") for other in recorded)
