"""What is judged where it is not the working tree: what is staged, or commits that are pushed, and the base of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from parity._ground.errors import CheckNotMade
from parity._ground.git import GitError, git
from parity.gate.check.pushes import Push
from parity.gate.impact.changes import MAINS, BaseUnknown, base_named, commit_of, forked_from

WORKING_TREE = "the working tree"
INDEX = "what is staged"


@dataclass(frozen=True, slots=True)
class Submission:
    """What is judged, in words, and its `commit`, or "" for what is staged; `base` is "" where all of it is new."""

    words: str
    commit: str
    base: str


def staged(root: Path, revision: str | None) -> Submission:
    """What is staged, against the last commit or where the work left a revision. Raises as `base_named` does."""
    head = commit_of(root, "HEAD")
    if revision is not None and head:
        return Submission(INDEX, "", base_named(root, revision))
    if revision is not None:
        raise BaseUnknown(f"--base: expected work that left {revision}, got a branch without a commit")
    return Submission(INDEX, "", head or "")


def pushed(root: Path, pushes: Sequence[Push], revision: str | None) -> Iterator[Submission]:
    """Every commit that is pushed, once; nothing of a ref that is deleted.

    Raises CheckNotMade where one is not here or has no base, UsageError as `base_named` does.
    """
    seen = set()
    for push in (one for one in pushes if one.commit):
        commit = commit_of(root, push.commit)
        if commit is None:
            raise CheckNotMade(f"{push.name}: expected a commit, got {push.commit[:40]}: nothing of it can be judged")
        base = _base_of(root, push, commit, revision)
        if (commit, base) not in seen:
            seen.add((commit, base))
            yield Submission(f"{commit[:12]} ({push.name})" if push.name != push.commit else commit[:12], commit, base)


def _base_of(root: Path, push: Push, commit: str, revision: str | None) -> str:
    """Where a pushed commit left the main branch; of a push onto that, what the remote has there, forced or not."""
    if revision is not None or push.since:
        return base_named(root, revision or push.since, commit)
    mains = (*MAINS[:3], *(name.replace("origin", push.remote) for name in MAINS[:3]), *MAINS[3:])
    main = next((name for name in mains if name != push.name.removeprefix("refs/heads/") and commit_of(root, name)), "")
    if not main:
        return _known(root, push) if push.was else ""
    if push.was and push.is_of(_branch(root, main)):
        return _known(root, push)
    try:
        return forked_from(root, commit_of(root, main) or main, commit)
    except BaseUnknown:
        if git(root, "rev-parse", "--is-shallow-repository") == b"true\n":
            raise
        return ""  # a history of its own


def _branch(root: Path, name: str) -> str:
    """The branch that a name such as `origin/HEAD` stands for, as `origin/main`."""
    try:
        return git(root, "rev-parse", "--abbrev-ref", name).decode(errors="replace").strip()
    except GitError:
        return name


def _known(root: Path, push: Push) -> str:
    commit = commit_of(root, push.was)
    if commit is None:
        raise BaseUnknown(f"{push.onto}: expected what {push.remote} has, {push.was[:12]}, to be here; fetch it first")
    return commit
