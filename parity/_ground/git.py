"""Git, asked: what a revision holds, what has changed since."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path


class GitError(Exception):
    """Git refused, in its own words."""


class GitMissing(Exception):
    """There is no git."""


def git(place: Path, *arguments: str) -> bytes:
    """What git prints, run in `place`. Raises GitError where it refuses, GitMissing where it is not installed."""
    try:
        done = subprocess.run(["git", *arguments], cwd=place, capture_output=True, check=False)
    except FileNotFoundError:
        raise GitMissing("git: expected it to be installed, got no such command") from None
    if done.returncode:
        raise GitError(done.stderr.decode(errors="replace").strip() or f"git {arguments[0]} failed")
    return done.stdout


def extract(place: Path, commit: str, folder: Path, *names: str) -> None:
    """Write what a commit has of these files and folders, of all for none, into another folder.

    `place` is the top of the repository. Raises as `git` does.
    """
    content = git(place, "archive", "--format=tar", commit, "--", *names)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
