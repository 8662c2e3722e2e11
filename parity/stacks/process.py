"""A process that answers messages: begun, asked, and ended, whatever the code that it runs does."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
import uuid
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import IO, Any

from numpy.typing import NDArray

from parity.stacks import guard, worker

POLL = 0.2
"""Seconds between two looks at whether the process is still there."""

CHUNK = 2**20
"""Bytes that are read or written at once, and that a pipe is asked to hold."""

KEPT = 2**16
"""Bytes of what the process printed last that are kept."""

SET_PIPE_SIZE = 1031
"""Linux's F_SETPIPE_SZ."""


class Ended(Exception):
    """The process came to an end before it answered; the message says how, to be read after "its process"."""


class Late(Exception):
    """The process took longer than it may, and was ended."""


class Process:
    """A worker process. It is begun at once, and asks are answered as soon as it is ready.

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
        assert self._process.stdin
        assert self._process.stdout
        assert self._process.stderr
        self._source, self._sink = self._process.stdout.fileno(), self._process.stdin.fileno()
        for pipe in (self._source, self._sink):
            os.set_blocking(pipe, False)
            _widen(pipe)
        self._printed: deque[bytes] = deque()
        Thread(target=_keep, args=(self._process.stderr, self._printed), daemon=True).start()
        self._ended = False
        _LIVING.add(self)

    def ask(
        self, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], deadline: float
    ) -> tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]:
        """Ask, and wait for the answer until `deadline`, in the seconds of `time.monotonic`.

        Raises Ended where the process ends first, and Late where it takes longer; then it has been ended, too.
        """
        try:
            self._send(worker.frame(header, arrays), deadline)
            return self.answer(deadline)
        except BaseException:
            self.end()
            raise

    def answer(self, deadline: float) -> tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]:
        """The next answer, which may be to no question: that of a process that is ready. Raises as `ask` does."""
        received = bytearray()
        while b"\n" not in received:
            received += self._receive(deadline)
        line, _, rest = bytes(received).partition(b"\n")
        header = json.loads(line)
        length = sum(worker.sizes_of(header))
        parts, missing = [rest], length - len(rest)
        while missing > 0:
            parts.append(self._receive(deadline))
            missing -= len(parts[-1])
        return header, worker.unframe(header, b"".join(parts))

    def end(self) -> None:
        """End the process and all that it started, whatever they are doing."""
        if self._ended:
            return
        self._ended = True
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
        lines = b"".join(self._printed).decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def _send(self, parts: Sequence[bytes], deadline: float) -> None:
        for part in parts:
            left = memoryview(part)
            while left:
                self._wait(self._sink, selectors.EVENT_WRITE, deadline)
                try:
                    left = left[os.write(self._sink, left[:CHUNK]) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    raise Ended(self._ending()) from None

    def _receive(self, deadline: float) -> bytes:
        while True:
            self._wait(self._source, selectors.EVENT_READ, deadline)
            try:
                received = os.read(self._source, CHUNK)
            except BlockingIOError:
                continue
            if not received:
                raise Ended(self._ending())
            return received

    def _wait(self, pipe: int, event: int, deadline: float) -> None:
        """Wait until a pipe can be read or written; what a child of the process holds open says nothing of it."""
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, event)
            while not selector.select(min(POLL, max(0.0, deadline - time.monotonic()))):
                if self._process.poll() is not None and not selector.select(0):
                    raise Ended(self._ending())
                if time.monotonic() >= deadline:
                    raise Late

    def _ending(self) -> str:
        """How the process ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(POLL)
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


def _keep(source: IO[bytes], printed: deque[bytes]) -> None:
    """Read all that is printed, so that nobody waits to print, and keep the end of it."""
    size = 0
    with contextlib.suppress(ValueError):
        while part := os.read(source.fileno(), KEPT):
            printed.append(part)
            size += len(part)
            while size > KEPT and len(printed) > 1:
                size -= len(printed.popleft())
    source.close()
