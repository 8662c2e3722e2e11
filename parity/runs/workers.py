"""Tasks in processes of their own, which may hang, die or run out of memory and take nothing else with them.

The processes are spawned: a forked one inherits threads of the frameworks that no longer run, and hangs. What a task
is, is not here; `parity.runs.isolation` gives contracts.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any, Generic, Self, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from parity._ground.errors import CheckNotMade

T = TypeVar("T")
R = TypeVar("R")

START_LIMIT = 600.0
"""Seconds that a process may take to be ready. What it loads then is no task's own time."""

ATTEMPTS = 3
"""Processes in a row that may fail to become ready, each at the cost of a task, before no other takes their place."""

POLL, GONE = 0.5, 4
"""Seconds between two looks at the processes, and how many looks find one gone before its task is given up."""

GRACE = 10.0
"""Seconds that a pool has to put itself away; its process is dead before that."""


class Loss(StrEnum):
    """How a task was lost: it took too long, its process died, it raised, or no process could start."""

    LATE = "late"
    DIED = "died"
    RAISED = "raised"
    UNSTARTED = "unstarted"


@dataclass(frozen=True, slots=True)
class Lost:
    """A task that came to no result; `reason` is to be read after the task's name and a colon."""

    reason: str
    how: Loss


@dataclass(frozen=True, slots=True)
class _Made(Generic[R]):
    """What a call in a process returned, and which process that is."""

    value: R
    pid: int


def in_processes(
    start: Callable[[], object], work: Callable[[T], R], tasks: Sequence[T], jobs: int, limit: float | None = None
) -> Iterator[tuple[T, R | Lost]]:
    """Each task with what `work` makes of it, as they end, in up to `jobs` processes at once; see `Crew`."""
    with Crew(start, work, min(jobs, len(tasks)), limit) as crew:
        yield from crew.do(tasks)


class Crew(Generic[T, R]):
    """So many processes, which make themselves ready from the moment that the block begins.

    `start` is called in each process before its first task. A task that takes longer than `limit` seconds is ended with
    its process; whatever process lost a task gets no other. `start`, `work`, tasks and results are pickled. However the
    block ends, no process is left behind.
    """

    def __init__(
        self, start: Callable[[], object], work: Callable[[T], R], jobs: int, limit: float | None = None
    ) -> None:
        self._workers: list[_Worker[T, R]] = [_Worker(start, work, limit) for _ in range(jobs)]

    def __enter__(self) -> Self:
        for worker in self._workers:
            worker.begin()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.stop()

    def do(self, tasks: Sequence[T]) -> Iterator[tuple[T, R | Lost]]:
        """Each task with what was made of it, as they end. The block may do others when all of these have ended."""
        waiting, idle, busy = deque(tasks), list(self._workers), list[_Worker[T, R]]()
        while busy or (waiting and idle):
            while waiting and idle:
                worker = idle.pop()
                worker.give(waiting.popleft())
                busy.append(worker)
            wait([worker.future for worker in busy], POLL, FIRST_COMPLETED)
            for worker in [worker for worker in busy if worker.has_ended()]:
                busy.remove(worker)
                answer = worker.answer()
                if worker.failed_starts < ATTEMPTS:
                    idle.append(worker)
                yield worker.task, answer
        for task in waiting:
            yield task, Lost("no process could be started any more", Loss.UNSTARTED)


class _Worker(Generic[T, R]):
    """A process and its task. Where the process is lost, the next task begins with a new one."""

    task: T
    future: ProcessFuture[Any]

    def __init__(self, start: Callable[[], object], work: Callable[[T], R], limit: float | None) -> None:
        self.failed_starts = 0
        self._start, self._work, self._limit = start, work, limit
        self._pool: ProcessPool | None = None
        self._pid: int | None = None
        self._missed = 0

    def begin(self) -> None:
        """Have a process make itself ready."""
        self._pool = ProcessPool(max_workers=1, context=get_context("spawn"))
        self.future = _schedule(self._pool, partial(_begun, self._start), START_LIMIT)

    def give(self, task: T) -> None:
        """Begin a task, in the process that is ready or as soon as one is."""
        self.task = task
        if self._pool is None:
            self.begin()
        elif self._pid is not None:
            self.future = _schedule(self._pool, partial(self._work, task), self._limit)

    def has_ended(self) -> bool:
        """Whether the task has come to an end, good or bad. A process that has become ready begins with it."""
        if self._pid is None and self.future.done():
            begun = _outcome(self.future, START_LIMIT)
            if isinstance(begun, _Made):
                self._pid, self.failed_starts = begun.pid, 0
                self.give(self.task)
        return self.future.done() or self._is_gone()

    def answer(self) -> R | Lost:
        """What came of the task that has ended."""
        starting = self._pid is None
        outcome = _outcome(self.future, START_LIMIT if starting else self._limit) if self.future.done() else _GONE
        if isinstance(outcome, _Made):
            value: R = outcome.value
            return value
        self.stop()
        if starting:
            self.failed_starts += 1
            said = outcome.reason.removeprefix("its process ")
            return Lost(f"its process could not start: {said}", Loss.UNSTARTED)
        return outcome

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]  # it returns nothing, and does not say so
            # A process that is killed while it sends its result leaves a thread of the pool reading for ever.
            putting_away = Thread(target=self._pool.join, daemon=True)
            putting_away.start()
            putting_away.join(GRACE)
        self._pool, self._pid, self._missed = None, None, 0

    def _is_gone(self) -> bool:
        """Whether the process is no more although nobody says so: of exit code 0, the pool makes nothing."""
        alive = self._pid is None or self._pid in {child.pid for child in active_children()}
        self._missed = 0 if alive else self._missed + 1
        return self._missed >= GONE


_GONE = Lost("its process ended itself with exit code 0", Loss.DIED)


def _schedule(pool: ProcessPool, call: Callable[[], Any], limit: float | None) -> ProcessFuture[Any]:
    """The call's future; that of a pool whose process has died meanwhile has failed already."""
    try:
        return pool.schedule(_made, (call,), timeout=limit)
    except RuntimeError as error:
        failed: ProcessFuture[Any] = ProcessFuture()
        failed.set_exception(error)
        return failed


def _outcome(future: ProcessFuture[Any], limit: float | None) -> _Made[Any] | Lost:
    """What a call that has ended came to."""
    error = future.exception()
    if error is None:
        made: _Made[Any] | Lost = future.result()
        return made
    if isinstance(error, TimeoutError):
        return Lost(f"took longer than the limit of {limit:g} s", Loss.LATE)
    if isinstance(error, ProcessExpired):
        return Lost(f"its process {_ending(error.exitcode)}", Loss.DIED)
    return Lost(f"its process was lost: {type(error).__name__}: {error}", Loss.DIED)


def _ending(code: int) -> str:
    if code == -signal.SIGKILL:
        return "was killed (SIGKILL; out of memory?)"
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended itself with exit code {code}"


def _made(call: Callable[[], R]) -> _Made[R] | Lost:
    """Make a call in the process; what it raises becomes words there, since not every exception can be pickled."""
    found = attempted(call)
    return found if isinstance(found, Lost) else _Made(found, os.getpid())


def attempted(call: Callable[[], R]) -> R | Lost:
    """What a call returns, or why it does not."""
    try:
        return call()
    except CheckNotMade as error:
        return Lost(str(error), Loss.RAISED)
    except MemoryError as error:
        return Lost(f"ran out of memory: {error}" if str(error) else "ran out of memory", Loss.DIED)
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        said = next(iter(str(error).splitlines()), "")
        where = f"({Path(place.filename).name}, line {place.lineno})"
        return Lost(f"raised {type(error).__name__}: {said} {where}", Loss.RAISED)


def _begun(start: Callable[[], object]) -> None:
    """Make a new process ready; it ends with the one that started it, however that ends."""
    Thread(target=_end_with_parent, daemon=True).start()
    start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
