"""Who says the exit code does nothing else: a process that waits for the one that works, and ends whatever is left.

A stack that shares a process with the command, as with `--in-process`, can end that process with any code, or keep it
from ending. So the working process tells its code through a pipe, and one that ends without a word has judged nothing.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from parity._ground.codes import NOT_CHECKED

PARTING = 5.0
"""Seconds that the working process has to end after it has told its code."""

STOPPING = 30.0
"""Seconds that it has to put away what it has begun, after a signal has asked it to end."""

POLL = 0.05
"""Seconds between two looks at whether the working process is still there."""

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

DEATH_SIGNAL, SUBREAPER = 1, 36
"""Linux's PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER."""


class Stopped(BaseException):
    """A signal asks this process to end; `number` is which."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def is_possible() -> bool:
    """Whether a process can wait for another here, and nobody follows this one step by step."""
    return hasattr(os, "fork") and sys.gettrace() is None


def apart(work: Callable[[], int]) -> NoReturn:
    """End with the code that `work` comes to in a process of its own, and with everything that it has started."""
    told, telling = os.pipe()
    _adopt_orphans()
    waiting = os.getpid()
    worker = os.fork()
    if worker == 0:
        os.close(told)
        _end_with(waiting)
        _stop_in_order()
        code = work()
        if os.getppid() == waiting:  # and not a copy of this process, which a stack has made
            os.write(telling, bytes([code]))
        sys.exit(code)
    os.close(telling)
    wanted = _Wanted(worker)
    code = _code_of(worker, told, wanted)
    _end_children()
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(waiting, -code)
    os._exit(code if code >= 0 else NOT_CHECKED)


class _Wanted:
    """Passes signals on to the working process, which has to end before long, from whichever comes first."""

    def __init__(self, worker: int) -> None:
        self.worker, self.number, self._until = worker, 0, math.inf
        for number in PASSED_ON:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._pass_on)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        self.within(STOPPING)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.worker, number)

    def within(self, seconds: float) -> None:
        self._until = min(self._until, time.monotonic() + seconds)

    @property
    def is_overdue(self) -> bool:
        return time.monotonic() > self._until


def _code_of(worker: int, told: int, wanted: _Wanted) -> int:
    """The code that the worker tells, NOT_CHECKED where it tells none, or less than 0 where a signal was to end it."""
    code, ended = None, None
    while ended is None:
        if code is None and select.select([told], [], [], POLL)[0]:
            code = next(iter(os.read(told, 1)), -1)
            wanted.within(PARTING)
        elif code is not None:
            time.sleep(POLL / 10)
        if wanted.is_overdue:
            os.kill(worker, signal.SIGKILL)
        found, status = os.waitpid(worker, os.WNOHANG)
        ended = os.waitstatus_to_exitcode(status) if found else None
    if code is None and select.select([told], [], [], 0)[0]:
        code = next(iter(os.read(told, 1)), -1)
    if code is not None and code >= 0:
        return code
    if wanted.number:
        return -wanted.number
    how = f"was ended by {signal.Signals(-ended).name}" if ended < 0 else f"ended itself with exit code {ended}"
    _say(f"the process {how} before there was a verdict; nothing was judged")
    return NOT_CHECKED


def _say(sentence: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"parity: {sentence}\n".encode())


def _stop_in_order() -> None:
    """Let a signal end what is at work here as an error does, once."""

    def stop(number: int, frame: FrameType | None) -> None:
        for other in PASSED_ON:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else Stopped(number)

    for number in PASSED_ON:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _adopt_orphans() -> None:
    """Become the parent of what the working process leaves; on Linux alone."""
    _prctl(SUBREAPER, 1)


def _end_with(waiting: int) -> None:
    """Have this process killed when the one that waits for it is gone."""
    _prctl(DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != waiting:
        os._exit(NOT_CHECKED)


def _end_children() -> None:
    """Kill whatever is left, and whatever that leaves in turn."""
    until = time.monotonic() + PARTING
    while time.monotonic() < until:
        for child in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(POLL / 10)


def _children() -> Iterator[int]:
    parent = str(os.getpid())
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "stat").read_text().rpartition(")")[2].split()[1] == parent:
                yield int(process.name)
