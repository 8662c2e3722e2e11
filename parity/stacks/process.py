"""A process of a worker: begun, written to, read from, and ended, whatever the code that it runs does."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid
import weakref
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import IO

from parity.stacks import guard, worker
from ptycho_exposures.checks import printable

CHUNK = 2**20
"""Bytes that are read or written at once, and that a pipe is asked to hold."""

KEPT = 2**16
"""Bytes of what the process printed last that are kept."""

PARTING = 0.2
"""Seconds that a process which has closed its pipes is given to end."""

SET_PIPE_SIZE = 1031
"""Linux's F_SETPIPE_SZ."""


class Ended(Exception):
    """The process came to an end; the message says how, to be read after "its process"."""


class Process:
    """A worker process, which makes itself ready at once. Nothing here waits for it.

    It has a session of its own, where no Ctrl-C reaches it, and a guard, which ends it if this process cannot. What the
    stack has started is ended with it.
    """

    def __init__(self, settings: worker.Settings, python: Path, environment: Mapping[str, str]) -> None:
        self._mark = uuid.uuid4().hex
        self._process = subprocess.Popen(
            [str(python), worker.__file__, json.dumps(settings._asdict())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment, guard.MARK: self._mark},
            start_new_session=True,
        )
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, str(self._process.pid), self._mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        pipes = (self._process.stdout, self._process.stdin, self._process.stderr)
        self.source, self.sink, printed = (pipe.fileno() for pipe in pipes if pipe)
        for pipe in (self.source, self.sink):
            os.set_blocking(pipe, False)
        _widen(self.source)
        self._printed: deque[bytes] = deque()
        self._keeping = Thread(target=_keep, args=(printed, self._process.stderr, self._printed), daemon=True)
        self._keeping.start()
        self._is_ended = False
        _LIVING.add(self)

    def read(self) -> bytes:
        """What there is to read; nothing where there is nothing yet. Raises Ended where there will be nothing more."""
        try:
            received = os.read(self.source, CHUNK)
        except BlockingIOError:
            return b""
        if not received:
            raise Ended(self._ending())
        return received

    def write(self, part: memoryview) -> int:
        """Write what there is room for, and say how much that is. Raises Ended where nobody reads any more."""
        try:
            return os.write(self.sink, part[:CHUNK])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise Ended(self._ending()) from None

    def require_alive(self) -> None:
        """Raise Ended where the process has ended; what a child of it holds open says nothing of it."""
        if self._process.poll() is not None:
            raise Ended(self._ending())

    def end(self) -> None:
        """End the process and all that it started, whatever they are doing."""
        if self._is_ended:
            return
        self._is_ended = True
        guard.end(self._process.pid, self._mark)
        self._guard.kill()
        self._guard.wait()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._guard.stdin):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()
        _LIVING.discard(self)

    @property
    def last_words(self) -> str:
        """The last line that the process printed; nothing if it printed none."""
        if self._process.poll() is not None:
            self._keeping.join(PARTING)
        lines = b"".join(self._printed).decode(errors="replace").strip().splitlines()
        return printable(lines[-1].strip()) if lines else ""

    def _ending(self) -> str:
        """How the process ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(PARTING)
        code = self._process.poll()
        if code in (None, worker.CLOSED):
            return "closed its pipes"
        if code == -signal.SIGKILL:
            return "was killed (SIGKILL; out of memory?)"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended itself with exit code {code}"


_LIVING: weakref.WeakSet[Process] = weakref.WeakSet()


@atexit.register
def end_all() -> None:
    """End every process that is left."""
    for process in list(_LIVING):
        process.end()


def _widen(pipe: int) -> None:
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, SET_PIPE_SIZE, CHUNK)


def _keep(number: int, source: IO[bytes], printed: deque[bytes]) -> None:
    """Read all that is printed, so that nobody waits to print, and keep the end of it."""
    size = 0
    with contextlib.suppress(ValueError, OSError):
        while part := os.read(number, KEPT):
            printed.append(part)
            size += len(part)
            while size > KEPT and len(printed) > 1:
                size -= len(printed.popleft())
    source.close()
