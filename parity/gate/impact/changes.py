"""The files that differ from a base, as git has them: in the working tree, or in what is staged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from parity._ground.errors import CheckNotMade, UsageError
from parity._ground.git import GitError, git

PULL_REQUEST_BASE = "GITHUB_BASE_REF"
"""The branch that a pull request is to be merged into, where a GitHub workflow runs for one."""

_MAINS = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


class BaseUnknown(CheckNotMade):
    """There is no revision to compare with; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file that differs: its path from the top of the repository, and what it was and is; None where it is not."""

    path: str
    old: bytes | None
    new: bytes | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from the commit `base` in the repository at `root`."""

    root: Path
    base: str
    files: tuple[Change, ...]
    staged: bool = False


def changes_since(place: Path, revision: str | None = None, staged: bool = False) -> Changes:
    """What the working tree, or with `staged` the index, has that is not in the base.

    The base is where the work left `revision`, or the branch that it will be merged into; of what is staged, the last
    commit. Raises UsageError where there is no such revision, and BaseUnknown where there is no base, where `place` is
    in no repository, and where what is staged is not what lies in the working tree: that is what would be run.
    """
    try:
        root = Path(git(place, "rev-parse", "--show-toplevel").decode().rstrip("\n"))
    except GitError as error:
        raise BaseUnknown(f"{place}: expected a git repository, got: {error}") from error
    base = _base(root, revision, staged)
    if staged:
        _require_as_staged(root)
    paths = sorted(set(_differing(root, base, staged)))
    found = (Change(path, _stored(root, f"{base}:{path}"), _present(root, path, staged)) for path in paths)
    return Changes(root, base, tuple(change for change in found if change.old != change.new), staged)


def _base(root: Path, revision: str | None, staged: bool) -> str:
    if revision is not None:
        return _forked_from(root, _commit(root, revision) or _no_such(revision))
    if staged:
        return _commit(root, "HEAD") or _no_such("HEAD")
    target = os.environ.get(PULL_REQUEST_BASE)
    for candidate in (f"origin/{target}", target) if target else _MAINS:
        commit = _commit(root, candidate or "")
        if commit:
            return _forked_from(root, commit)
    raise BaseUnknown(
        f"--base: expected a revision to compare with, got none, and there is no {target or 'main branch'}; "
        "name one, or fetch it (actions/checkout needs fetch-depth: 0)"
    )


def _no_such(revision: str) -> str:
    raise UsageError(f"--base: expected a commit, a branch or a tag, got '{revision}'")


def _forked_from(root: Path, commit: str) -> str:
    """The last commit that the work has in common with another."""
    try:
        return git(root, "merge-base", "HEAD", commit).decode().strip()
    except GitError as error:
        raise BaseUnknown(
            f"{commit[:12]}: expected a history in common with what is checked out, got none; "
            "a shallow clone has to be deepened (actions/checkout needs fetch-depth: 0)"
        ) from error


def _commit(root: Path, revision: str) -> str | None:
    if not revision or revision.startswith("-"):
        return None
    try:
        return git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
    except GitError:
        return None


def _require_as_staged(root: Path) -> None:
    unstaged = list(_names(git(root, "diff", "--name-only", "--no-renames", "--no-ext-diff", "-z")))
    if unstaged:
        raise BaseUnknown(
            f"--staged: expected a working tree without other changes, because the working tree runs, got changes in "
            f"{', '.join(unstaged[:3])}{' and more' if len(unstaged) > 3 else ''}; stage or stash them"
        )


def _differing(root: Path, base: str, staged: bool) -> Iterator[str]:
    where = ("--cached",) if staged else ()
    yield from _names(git(root, "diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", *where, base, "--"))
    if not staged:
        yield from _names(git(root, "ls-files", "--others", "--exclude-standard", "-z"))


def _names(listed: bytes) -> Iterator[str]:
    return (os.fsdecode(name) for name in listed.split(b"\0") if name)


def _stored(root: Path, name: str) -> bytes | None:
    try:
        return git(root, "cat-file", "blob", name)
    except GitError:
        return None


def _present(root: Path, path: str, staged: bool) -> bytes | None:
    if staged:
        return _stored(root, f":{path}")
    file = root / path
    return file.read_bytes() if file.is_file() else None
