"""A stack in a process of its own: whatever it does there, it cannot touch whoever judges it."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, ParamSpec, Self, TypeVar

from numpy.typing import NDArray

from parity._ground.environment import prepare_environment, torch_has_onednn, torch_threads
from parity._ground.errors import UsageError
from parity._ground.repository import ROOT, is_found
from parity.contracts.contract import Contract
from parity.stacks.base import (
    Framework,
    FrameworkMissing,
    Returned,
    Stack,
    StackError,
    StackLost,
    no_device,
    not_here,
    not_installed,
)
from parity.stacks.process import Ended, Late, Process
from parity.stacks.worker import Question, Settings

P = ParamSpec("P")
T = TypeVar("T")

START_LIMIT = 600.0
"""Seconds that a process may take to be ready."""

LIMIT = 600.0
"""Seconds that a stack may take for one contract, unless the user says otherwise."""

ATTEMPTS = 3
"""Processes in a row that may be lost before they are ready; then no other takes their place."""

Answer = tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]


class Seat:
    """Where a stack runs: a process, and another in its place where one is lost.

    A contract at which a process was lost is not asked again, and neither is one that took longer than `limit` seconds.
    """

    def __init__(self, stack: Stack, device: str, limit: float) -> None:
        prepare_environment()
        self.stack, self.device = stack, device
        self._limit = limit
        self._settings = Settings(
            stack.framework, stack.package, [str(ROOT)], device, torch_threads(), torch_has_onednn()
        )
        self._lock = RLock()
        self._hello: Mapping[str, Any] | None = None
        self._spent: dict[str, float] = {}
        self._lost: dict[str, str] = {}
        self._failed_starts, self._failed_start = 0, ""
        self._keys = itertools.count()
        self._process: Process | None = self._begin()
        self._is_ready = self._has_ended = False
        self.lane = ThreadPoolExecutor(1, f"{stack.name}")

    def _begin(self) -> Process:
        return Process(self._settings, Path(sys.executable), dict(os.environ))

    def end(self) -> None:
        """End the process; nothing can be asked any more."""
        self._has_ended = True
        self.lane.shutdown(wait=False, cancel_futures=True)
        if self._process:
            self._process.end()

    def introduction(self) -> Mapping[str, Any]:
        """What a process says when it is ready: the version of the framework, its threads, its GPUs.

        Raises FrameworkMissing where the framework, the stack or the device is not there, and StackLost.
        """
        with self._lock:
            if self._hello is None:
                self._ready("")
            return self._usable()

    def ask(self, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], contract: str = "") -> Answer:
        """Ask about a contract. Raises StackError for what the stack did wrong, and StackLost without an answer."""
        with self._lock:
            if contract in self._lost:
                raise StackLost(self._lost[contract])
            process = self._ready(contract)
            started = time.monotonic()
            left = max(0.0, self._limit - self._spent.get(contract, 0.0))
            try:
                answer, answered = process.ask(header, arrays, started + left)
            except Ended as ended:
                raise self._gone(contract, f"{self.stack.name}'s process {ended}") from None
            except Late:
                said = f"{self.stack.name} took longer than the limit of {self._limit:g} s"
                raise self._gone(contract, said) from None
            except BaseException:
                self._process = None
                raise
            if contract:
                self._spent[contract] = self._spent.get(contract, 0.0) + time.monotonic() - started
        return _refused(answer), answered

    def _ready(self, contract: str) -> Process:
        """The process, or another in its place, once it is ready. Where too many were not, none is begun any more."""
        if self._process is None:
            if self._failed_starts >= ATTEMPTS:
                raise StackLost(self._failed_start)
            self._process, self._is_ready = self._begin(), False
        if self._has_ended:  # while this thread was at work, or began the process
            self._process.end()
        if not self._is_ready:
            self._hello = self._introduced(self._process, contract)
            self._is_ready, self._failed_starts = True, 0
        self._usable()
        return self._process

    def _introduced(self, process: Process, contract: str) -> Mapping[str, Any]:
        try:
            hello, _ = process.answer(time.monotonic() + START_LIMIT)
        except Ended as ended:
            said = f"{self.stack.name}'s process {ended} before it was ready"
            words = process.last_words
            raise self._not_begun(contract, f"{said}: {words}" if words else said) from None
        except Late:
            said = f"{self.stack.name}'s process was not ready after {START_LIMIT:g} s"
            raise self._not_begun(contract, said) from None
        return hello

    def _usable(self) -> Mapping[str, Any]:
        hello = self._hello
        assert hello is not None
        if "missing" in hello:
            raise not_installed(self.stack) if "installed" in hello["missing"] else FrameworkMissing(hello["missing"])
        if self.device == "cuda" and not hello["gpus"]:
            raise no_device(self.stack)
        return hello

    def _not_begun(self, contract: str, said: str) -> StackLost:
        self._failed_starts += 1
        self._failed_start = said
        return self._gone(contract, said)

    def _gone(self, contract: str, said: str) -> StackLost:
        """The process is no more, and the contract that it was asked about is not asked again."""
        if self._process:
            self._process.end()
        self._process = None
        if contract:
            self._lost[contract] = said
        return StackLost(said)

    @contextmanager
    def within(self, context: str, *arguments: object) -> Iterator[None]:
        """For the length of the block, the process is in a context, given as `module:name` with its arguments.

        Raises LookupError if the context does.
        """
        key = str(next(self._keys))
        answer, _ = self.ask({"ask": "enter", "context": context, "arguments": list(arguments), "key": key}, {})
        if "lookup" in answer:
            raise LookupError(answer["lookup"])
        process = self._process
        try:
            yield
        finally:
            if self._process is process and process is not None:
                self.ask({"ask": "leave", "key": key}, {})


def _refused(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer that is one, or what it says is wrong."""
    if "stack" in answer:
        raise StackError(answer["stack"])
    if "refused" in answer:
        raise UsageError(answer["refused"])
    if "missing" in answer:
        raise FrameworkMissing(answer["missing"])
    if "memory" in answer:
        raise MemoryError(answer["memory"])
    return answer


class Remote(Framework):
    """A stack of this repository that runs in a process of its own."""

    def __init__(self, stack: Stack, mode: str, device: str, limit: float = LIMIT, seat: Seat | None = None) -> None:
        super().__init__(stack, mode, device)
        if not is_found(stack.package):
            raise not_here(stack)
        self.seat = seat or Seat(stack, device, limit)

    @property
    def version(self) -> str:
        return str(self.seat.introduction()["version"])

    @property
    def threads(self) -> str:
        return str(self.seat.introduction()["threads"])

    def in_mode(self, mode: str) -> Self:
        return type(self)(self.stack, mode, self.device, seat=self.seat)

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Soon: one after another, in a thread of this process that waits for the other."""
        return self.seat.lane.submit(call, *args, **kwargs)

    def forget(self) -> None:
        self.seat.ask({"ask": "forget"}, {})

    def _returned(self, contract: Contract, question: Question) -> Returned:
        answer, arrays = self.seat.ask({"ask": "evaluate", **question.header()}, question.arrays(), contract.name)
        return Returned(
            [arrays[f"result:{i}"] for i in range(answer["results"])],
            [arrays.get(f"gradient:{i}") for i in range(len(question.watched) if question.cotangents else 0)],
        )

    def _narrow(self, contract: Contract, question: Question, dtypes: Sequence[str]) -> Mapping[str, str]:
        header = {"ask": "intermediates", **question.header(), "narrower": list(dtypes)}
        answer, _ = self.seat.ask(header, question.arrays(), contract.name)
        narrow: Mapping[str, str] = answer["narrow"]
        return narrow
