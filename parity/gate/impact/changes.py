"""The files that differ from a base."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from parity._ground.errors import CheckNotMade, UsageError
from parity._ground.git import GitError, git, top_of
from parity.gate.impact.differing import differing, is_plain, recorded_in

PULL_REQUEST_BASE = "GITHUB_BASE_REF"
"""The branch that a pull request is to be merged into, where a GitHub workflow runs for one."""

MAINS = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
"""Where the main branch may be, the first that is there counts."""


class BaseUnknown(CheckNotMade):
    """There is no revision to compare with; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file that differs: its path from the top of the repository, and what it was and is; None where it is not.

    What is no ordinary file, such as a link or a submodule, is not `plain`, and has no content.
    """

    path: str
    old: bytes | None
    new: bytes | None
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from the commit `base` in the repository at `root`."""

    root: Path
    base: str
    files: tuple[Change, ...]


def changes_since(place: Path, revision: str | None = None, folders: Sequence[str] = ()) -> Changes:
    """What the working tree has that is not in the base. In `folders`, what git ignores counts, too.

    The base is where the work left `revision`, or the branch that it will be merged into. Raises UsageError where there
    is no such revision, and BaseUnknown where there is no base, and where `place` is in no repository.
    """
    root = repository_of(place)
    base = _base(root, revision)
    recorded = recorded_in(root, base)
    paths = sorted(set(differing(root, base, recorded, folders)))
    plain = [path for path in paths if is_plain(root, path, recorded)]
    found = [Change(path, _stored(root, f"{base}:{path}"), _present(root, path)) for path in plain]
    others = [Change(path, None, None, plain=False) for path in paths if path not in plain]
    return Changes(root, base, tuple([change for change in found if change.old != change.new] + others))


def repository_of(place: Path) -> Path:
    """The top of the repository around a folder. Raises BaseUnknown where there is none."""
    try:
        return top_of(place)
    except GitError as error:
        raise BaseUnknown(f"{place}: expected a git repository, got: {error}") from error


def _base(root: Path, revision: str | None) -> str:
    if revision is not None:
        return base_named(root, revision)
    target = os.environ.get(PULL_REQUEST_BASE)
    for candidate in (f"origin/{target}", target) if target else MAINS:
        commit = commit_of(root, candidate or "")
        if commit:
            return forked_from(root, commit)
    raise BaseUnknown(
        f"--base: expected a revision to compare with, got none, and there is no {target or 'main branch'}; "
        "name one, or fetch it (actions/checkout needs fetch-depth: 0)"
    )


def base_named(root: Path, revision: str, work: str = "HEAD") -> str:
    """Where the work left a revision that the user names. Raises UsageError where there is no such commit."""
    commit = commit_of(root, revision)
    if commit is None:
        raise UsageError(f"--base: expected a commit, a branch or a tag, got '{revision}'")
    return forked_from(root, commit, work)


def forked_from(root: Path, commit: str, work: str = "HEAD") -> str:
    """The last commit that the work has in common with another. Raises BaseUnknown where there is none."""
    try:
        return git(root, "merge-base", work, commit).decode().strip()
    except GitError as error:
        raise BaseUnknown(
            f"{commit[:12]}: expected a history in common with what is judged, got none; "
            "a shallow clone has to be deepened (actions/checkout needs fetch-depth: 0)"
        ) from error


def commit_of(root: Path, revision: str) -> str | None:
    """The commit that a revision names; None where it names none."""
    if not revision or revision.startswith("-"):
        return None
    try:
        return git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
    except GitError:
        return None


def _stored(root: Path, name: str) -> bytes | None:
    try:
        return git(root, "cat-file", "blob", name)
    except GitError:
        return None


def _present(root: Path, path: str) -> bytes | None:
    file = root / path
    return file.read_bytes() if file.is_file() else None
