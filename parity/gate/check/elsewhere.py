"""The check made where something else than the working tree lies: by the harness that lies there, if one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from parity._ground import streams
from parity._ground.codes import NOT_CHECKED
from parity._ground.errors import CheckNotMade
from parity._ground.git import without_repository
from parity._ground.repository import ROOT, holds_stacks
from parity.gate.check.judged import Submission
from parity.gate.check.place import link_environments, placed

GRACE = 15.0
"""Seconds that an interrupted check is given to put away what it has begun."""


def check_elsewhere(root: Path, start: Path, judged: Submission, options: Sequence[str]) -> int:
    """Check what is judged in a place of its own; the exit code, as `parity check` with these options has it.

    It is called there as in `start`, a folder in the repository at `root`. Raises as `placed` and `link_environments`
    do, and CheckNotMade where what is judged has no such folder, or no harness where it ought to have its own.
    """
    below = start.resolve().relative_to(root.resolve())
    with placed(root, judged) as folder:
        if not (folder / below).is_dir():
            raise CheckNotMade(f"{judged.words} has no folder {below}, in which the check is called")
        own = root.samefile(ROOT)
        if own and not (folder / "parity" / "cli" / "check.py").is_file():
            raise CheckNotMade(f"{judged.words} holds no harness, which would judge its stacks")
        if not own:
            link_environments(root, folder, below)
        # Without -P, a module in the folder would stand for one that the harness imports.
        command = [sys.executable, "-P", "-m", "parity", "check", "--base", "HEAD^", *options]
        return _run(command, folder / below, _variables(folder if own else ROOT if holds_stacks() else None))


def _variables(harness: Path | None) -> dict[str, str]:
    """Those of the process; what git and pre-commit say is about another place."""
    kept = {n: v for n, v in without_repository(os.environ).items() if not n.startswith("PRE_COMMIT_")}
    path = [os.fspath(harness)] if harness else []
    return kept | {"PYTHONPATH": os.pathsep.join([*path, *filter(None, [kept.get("PYTHONPATH")])])}


def _run(command: Sequence[str], folder: Path, variables: dict[str, str]) -> int:
    sys.stdout.flush()
    process = subprocess.Popen(command, cwd=folder, env=variables, stdout=streams.output())
    try:
        code = process.wait()
    except BaseException:
        _end(process)
        raise
    if code < 0:
        raise CheckNotMade(f"the process of the check was ended by {signal.Signals(-code).name}")
    return code if code <= NOT_CHECKED else NOT_CHECKED


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let it end as it was interrupted, too, or make it."""
    for signalled in (process.terminate, process.kill):
        signalled()
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
            return
