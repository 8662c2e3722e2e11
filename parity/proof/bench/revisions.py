"""What the code at hand costs beside another revision of it, both timed in turn on a machine that is the same to both.

Each turn is a process of its own, `parity bench --sizes` in one tree and then in the other. What is at hand is timed as
it is, committed or not; the other revision is exported to a temporary folder, which goes however this ends.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from parity._ground.git import GitError, GitMissing, git
from parity._ground.interruption import ended_as_interrupted
from parity._ground.repository import ROOT
from parity.proof.bench.sizes import Compared, Timed, compared
from parity.proof.bench.stored import BenchError, read_sizes

ROUNDS = 3

FILE = "bench.json"
"""What `parity bench --report` writes."""

_Key = tuple[str, str, str, int]


def compare_with(
    revision: str,
    names: Sequence[str],
    sizes: Sequence[int],
    modes: Sequence[str],
    rounds: int = ROUNDS,
    advance: Callable[[], None] = lambda: None,
    here: Path = ROOT,
) -> tuple[Compared, ...]:
    """Time both in turn, `rounds` times; `advance` is told of every turn.

    Raises BenchError where the revision does not exist or cannot be benched, such as one whose `parity bench` is older.
    """
    there_found: list[dict[_Key, Timed]] = []
    here_found: list[dict[_Key, Timed]] = []
    arguments = [*names, "--sizes", ",".join(map(str, sizes)), *(["--modes", ",".join(modes)] if modes else [])]
    with exported(revision, here) as there:
        for _ in range(rounds):
            for tree, what, found in ((there, revision, there_found), (here, "the code at hand", here_found)):
                found.append({_key(timed): timed for timed in _benched(tree, what, arguments)})
                advance()
    shared = [key for key in here_found[0] if key in there_found[0]]
    return tuple(
        compared([found[key] for found in here_found], [found[key] for found in there_found]) for key in shared
    )


@contextmanager
def exported(revision: str, repository: Path = ROOT) -> Iterator[Path]:
    """A revision's files in a temporary folder for the length of the block, which a SIGTERM ends as an interrupt does.

    Raises BenchError where there is no such revision, or no repository.
    """
    if revision.startswith("-"):
        raise BenchError(f"against: expected a git revision, got {revision!r}")
    try:
        commit = git(repository, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
        content = git(repository, "archive", "--format=tar", commit)
    except GitMissing as error:
        raise BenchError(str(error)) from error
    except GitError as error:
        raise BenchError(f"against: expected a git revision that {repository} has, got {revision!r}") from error
    with ended_as_interrupted(), tempfile.TemporaryDirectory(prefix="parity-bench-") as folder:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def _benched(tree: Path, what: str, arguments: Sequence[str]) -> tuple[Timed, ...]:
    """What `parity bench` of one tree finds; a child that still runs when this is interrupted is killed."""
    with tempfile.TemporaryDirectory(prefix="parity-bench-") as folder:
        command = [sys.executable, "-m", "parity", "bench", *arguments, "--report", folder, "--no-pictures"]
        done = subprocess.run(
            command, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
            raise BenchError(f"{what} cannot be benched; its `parity bench` says: {said[-1]}")
        return read_sizes(Path(folder) / FILE)


def _key(timed: Timed) -> _Key:
    return timed.contract, timed.stack, timed.mode, timed.size
