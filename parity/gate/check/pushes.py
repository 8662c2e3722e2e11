"""What is pushed: as git tells its pre-push hook on the standard input, or as pre-commit hands it on."""

from __future__ import annotations

import os
import selectors
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from parity._ground.errors import CheckNotMade, UsageError

WAIT = 60.0
"""Seconds that git may take to say what is pushed."""

_MOST = 2**20
_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Push:
    """One ref that is pushed: `name` here, which is at `commit`, becomes `onto` in `remote`.

    `was` is where that is now in the remote, "" where it is new or nobody says. `since` is what the user compares with.
    A ref that is deleted has no commit.
    """

    name: str
    commit: str
    onto: str = ""
    was: str = ""
    remote: str = ""
    since: str = ""

    def is_of(self, branch: str) -> bool:
        """Whether this pushes a branch of this repository, or onto one of the remote: `main`, or `origin/main`."""
        return branch == self.name.removeprefix(_HEADS) or branch == f"{self.remote}/{self.onto.removeprefix(_HEADS)}"


def handed_on(environment: Mapping[str, str]) -> Push | None:
    """What pre-commit says is pushed, or is to be judged; None where it says nothing.

    Of several refs it hands on one. Where all is new to the remote it names no commit, and the branch stands for it.
    """
    name = environment.get("PRE_COMMIT_LOCAL_BRANCH", "")
    commit = environment.get("PRE_COMMIT_TO_REF", "") or name
    if not commit:
        return None
    since, remote = environment.get("PRE_COMMIT_FROM_REF", ""), environment.get("PRE_COMMIT_REMOTE_NAME", "")
    was = since if remote and environment.get("PRE_COMMIT_TO_REF") else ""
    onto = environment.get("PRE_COMMIT_REMOTE_BRANCH", "")
    return Push(name or commit, commit, onto, was, remote, "" if remote or not since.strip("0") else since)


def told(remote: str) -> list[Push]:
    """What git says on the standard input is pushed to a remote.

    Raises UsageError for a terminal and for lines that git does not write, CheckNotMade where they do not come.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("--pushed: expected the lines that git writes to a pre-push hook, got a terminal")
    return [_push(line, remote) for line in os.fsdecode(_all_of(sys.stdin.fileno())).splitlines() if line.strip()]


def _push(line: str, remote: str) -> Push:
    words = line.rsplit(maxsplit=3)
    if len(words) != 4 or not all(_is_hash(word) for word in words[1::2]):
        raise UsageError(f"--pushed: expected lines such as git writes to a pre-push hook, got {line[:80]!r}")
    name, commit, onto, was = words
    return Push(name, commit if commit.strip("0") else "", onto, was if was.strip("0") else "", remote)


def _is_hash(word: str) -> bool:
    return len(word) in (40, 64) and not word.strip("0123456789abcdef")


def _all_of(source: int) -> bytes:
    read, until = b"", time.monotonic() + WAIT
    with selectors.DefaultSelector() as selector:
        try:
            selector.register(source, selectors.EVENT_READ)
        except PermissionError:  # a regular file never has one wait
            return os.read(source, _MOST)
        while selector.select(max(0.0, until - time.monotonic())):
            part = os.read(source, _MOST)
            read += part
            if not part or len(read) > _MOST:
                return read
    raise CheckNotMade(f"--pushed: git has not said within {WAIT:g} s what is pushed")
