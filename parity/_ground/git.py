"""Git, asked: what a revision holds, what has changed since."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

from parity._ground.errors import CheckNotMade

LIMIT = 300.0
"""Seconds that one command of git may take."""

OF_ONE_REPOSITORY = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
"""Variables that name parts of a repository, as git sets them for its hooks: the folder alone says which is meant."""

_QUIET = {
    "GIT_OPTIONAL_LOCKS": "0",  # the index is not refreshed, not even by a diff
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",  # what is pushed is what a commit holds, not what stands for it here
}


class GitError(CheckNotMade):
    """Git refused, in its own words."""


class GitMissing(CheckNotMade):
    """There is no git."""


def without_repository(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that name no part of a repository."""
    return {name: value for name, value in environment.items() if name not in OF_ONE_REPOSITORY}


def git(place: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> bytes:
    """What git prints, run in `place`, with further variables.

    Raises GitError where it refuses or takes longer than `LIMIT`, GitMissing where it cannot be run.
    """
    command = ["git", "-c", "core.fsmonitor=false", *arguments]
    variables = {**without_repository(os.environ), **_QUIET, **(environment or {})}
    try:
        process = subprocess.Popen(
            command,
            cwd=place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=variables,
            start_new_session=True,  # what it has started ends with it
        )
    except OSError as error:
        if not place.is_dir():
            raise GitError(f"{place}: expected a folder, got none") from None
        got = "no such command" if isinstance(error, FileNotFoundError) else f"one that cannot run: {error.strerror}"
        raise GitMissing(f"git: expected it to be installed, got {got}") from None
    with process:
        try:
            printed, said = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            raise GitError(f"git {arguments[0]} did not end within {LIMIT:g} s") from None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        raise GitError(" ".join(said.decode(errors="replace").split()) or f"git {arguments[0]} failed")
    return printed


def top_of(place: Path) -> Path:
    """The top of the working tree around a folder.

    Raises GitError where there is none, and where a variable names another repository than the one around the folder.
    """
    top, own = (
        Path(os.fsdecode(git(place, "rev-parse", asked).removesuffix(b"\n")))
        for asked in ("--show-toplevel", "--absolute-git-dir")
    )
    for variable, found in (("GIT_DIR", own), ("GIT_WORK_TREE", top)):
        named = os.environ.get(variable)
        if named and (place / named).resolve() != found.resolve():
            raise GitError(f"{variable} names {(place / named).resolve()}, and {found} belongs to {place}; unset it")
    return top


def extract(place: Path, commit: str, folder: Path, *names: str) -> None:
    """Write what a commit has of these files and folders, of all for none, into another folder.

    `place` is the top of the repository. Raises as `git` does.
    """
    content = git(place, "archive", "--format=tar", commit, "--", *names)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
