"""What changed between two sets of goldens, each a folder or what a git revision has of it."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from parity._ground.git import GitError, GitMissing, git
from parity.goldens.drift import Drift, Nature, drifts, worst_first, worst_nature
from parity.goldens.errors import GoldenError
from parity.goldens.folder import GoldenSet
from parity.goldens.manifest import MANIFEST
from parity.goldens.record import Golden

_AS_COMMITTED = ("-c", "core.autocrlf=false", "-c", "core.eol=lf")
"""Whatever line endings the user wants in files."""


@dataclass(frozen=True, slots=True)
class GoldenDiff:
    """Two sets compared: names of goldens that only the new one has or only the old one had, and drifts by golden.

    `drifts` has the goldens that are in both and changed, by name; each golden's drifts are the worst first.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    drifts: Mapping[str, tuple[Drift, ...]]

    @property
    def nature(self) -> Nature:
        """The most serious of all changes. A golden that is gone is one of meaning: what it judged is not judged."""
        come_and_gone = [Nature.ADDED] * bool(self.added) + [Nature.SEMANTIC] * bool(self.removed)
        return worst_nature([*come_and_gone, *(drift.nature for drift in self.worst)])

    @property
    def worst(self) -> list[Drift]:
        """The drifts of all goldens, the worst first."""
        return worst_first(drift for found in self.drifts.values() for drift in found)

    @property
    def largest(self) -> Drift | None:
        """The array that moved farthest in units of its bound; None where none moved. What was added did not move."""
        moved = [drift for drift in self.worst if drift.nature is not Nature.ADDED]
        return max(moved, key=lambda drift: drift.bounds, default=None)


def compare(old: Mapping[str, Golden], new: Mapping[str, Golden]) -> GoldenDiff:
    """What changed between goldens by name; provenance is never counted."""
    changed = {name: tuple(drifts(old[name], new[name])) for name in sorted(old.keys() & new.keys())}
    return GoldenDiff(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        drifts={name: found for name, found in changed.items() if found},
    )


def sets(old: str, new: str, folder: Path) -> GoldenDiff:
    """What changed from one set to another, each named as `read_set` takes it. Raises GoldenError where one cannot."""
    before, after = (read_set(text, folder) for text in (old, new))
    return compare(*({name: found.golden(name) for name in found.names} for found in (before, after)))


def read_set(text: str, folder: Path) -> GoldenSet:
    """The set in the folder `text`, where there is one, else what the git revision `text` has in `folder`.

    `folder` is relative to the top of the repository around the working directory, or absolute and inside one. Raises
    GoldenError for what is neither, for a revision that has no such folder, and for a set that is not whole.
    """
    if not text or "\0" in text:
        raise GoldenError(f"{text!r}: expected a folder with goldens or a git revision, got no name")
    if os.path.lexists(Path(text) / MANIFEST):
        return GoldenSet.read(Path(text))
    content, name = _archived(text, folder)
    with tempfile.TemporaryDirectory(prefix="parity-golden-") as temporary:
        root = Path(temporary)
        try:
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                archive.extractall(root, filter="data")
        except (tarfile.TarError, OSError) as error:
            raise GoldenError(f"{text}: expected files in {name}, got {error}") from error
        try:
            return GoldenSet.read(root / name)
        except GoldenError as error:
            raise GoldenError(f"{text}: {str(error).replace(f'{root}/', '')}") from error


def _archived(revision: str, folder: Path) -> tuple[bytes, str]:
    """A tar of `folder` as `revision` has it, and the folder's name in it."""
    if revision.startswith("-"):
        raise GoldenError(f"{revision}: expected a folder with {MANIFEST} or a git revision, got an option")
    start = next(place for place in (folder, *folder.parents) if place.is_dir()) if folder.is_absolute() else Path()
    top = _git(start, "rev-parse", "--show-toplevel")
    if top is None:
        raise GoldenError(f"{revision}: expected a folder with {MANIFEST}, for here is no git repository, got none")
    root = Path(top.decode().rstrip("\n"))
    inside = folder.resolve() if folder.is_absolute() else (root / folder).resolve()
    if not inside.is_relative_to(root.resolve()):
        raise GoldenError(f"{revision}: expected goldens inside the repository {root}, got {folder}")
    name = inside.relative_to(root.resolve()).as_posix()
    commit = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if commit is None or commit.startswith(b"^"):  # all but a revision is none either
        raise GoldenError(f"{revision}: expected a folder with {MANIFEST} or a git revision, got neither")
    tree = ("archive", "--format=tar", commit.decode().strip(), "--", name)
    content = _git(root, "--literal-pathspecs", *_AS_COMMITTED, *tree)
    if content is None:
        raise GoldenError(f"{revision}: expected goldens in {name} at this revision, got no such folder")
    return content, name


def _git(place: Path, *arguments: str) -> bytes | None:
    """What git prints, run in `place`; None where it refuses. Raises GoldenError where there is no git."""
    try:
        return git(place, *arguments)
    except GitMissing as error:
        raise GoldenError(str(error)) from error
    except GitError:
        return None
