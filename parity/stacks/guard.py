"""Ends a worker and all that it has started, once the process that began the worker is gone.

    python guard.py WORKER MARK

A guard shares nothing with its worker, so that it works whatever holds the worker up. It waits for the end of its
standard input, which comes when the process on the other side ends, in whatever way.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARK = "PARITY_WORKER"
"""The variable in a worker's environment that its descendants inherit. Each worker has a value of its own."""

PROCESSES = Path("/proc")

LOOKS, PAUSE = 200, 0.01
"""How often the descendants are looked for, and the seconds between two looks: a killed process takes time to end."""


def end(worker: int, mark: str) -> None:
    """Kill the process group of a worker, and its descendants in other groups and sessions.

    The descendants are found on Linux alone, and not if they were started with an environment without the mark.
    """
    with suppress(ProcessLookupError, PermissionError):  # macOS permits no signal to a group of zombies
        os.killpg(worker, signal.SIGKILL)
    for _ in range(LOOKS):
        marked = list(_marked(f"{MARK}={mark}".encode()))
        for process in marked:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        if not marked:
            return
        time.sleep(PAUSE)


def _marked(mark: bytes) -> Iterator[int]:
    """The processes with a mark. A zombie, which nothing can kill, has no environment."""
    for process in PROCESSES.glob("[0-9]*"):
        with suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0"):
                yield int(process.name)


if __name__ == "__main__":
    sys.stdin.read()
    end(int(sys.argv[1]), sys.argv[2])
