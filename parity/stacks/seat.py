"""Where a stack runs: a process, another in its place where one is lost, and the questions that wait for it."""

from __future__ import annotations

import json
import os
import selectors
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock, Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.stacks import worker
from parity.stacks.base import StackLost
from parity.stacks.process import Ended, Process
from ptycho_exposures.checks import printable

LIMIT = 600.0
"""Seconds that a stack may take for one contract, unless the user says otherwise."""

START_LIMIT = 600.0
"""Seconds that a process may take to be ready."""

ATTEMPTS = 3
"""Processes in a row that may be lost before they are ready; then no other takes their place."""

AT_ONCE = 3
"""Questions that a process is sent before it has answered the first: it need not wait for the next."""

POLL = 0.2
"""Seconds between two looks at whether the process is still there."""


LONGEST_HEADER = 2**26
"""Bytes in which an answer's header has come to its end."""

NUMBERS = "biufc"
"""The kinds of NumPy's dtypes that an answer may have."""


class NoAnswer(Exception):
    """There is no answer; the message says why."""


class _Header(dict[str, Any]):
    """What an answer says beside its arrays. Raises StackLost for a word that it lacks: something else has sent it."""

    def __missing__(self, key: str) -> Any:
        raise StackLost(f"its process sent an answer without '{key}'")


class Reply:
    """What a process has sent, to be read by whoever asked."""

    def __init__(self, header: Mapping[str, Any], body: bytes) -> None:
        self.header, self._body = header, body

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The arrays by name. Raises StackLost where they are none."""
        try:
            return _Header(worker.unframe(self.header, self._body))
        except (ValueError, TypeError):
            raise StackLost("its process sent something that is no answer") from None


class _Question:
    """A question and what is to be sent of it: nothing where a process is to say that it is ready."""

    def __init__(self, contract: str, parts: list[bytes]) -> None:
        self.contract = contract
        self.parts = parts
        self.future: Future[Reply] = Future()


class Seat:
    """Questions are answered one after another, and may be asked at any time from any thread: the urgent ones first.

    A contract at which a process was lost is not asked again, and neither is one that took longer than `limit` seconds;
    other questions that waited are asked of the next process.
    """

    def __init__(self, name: str, begin: Callable[[], Process], limit: float = LIMIT) -> None:
        self._name, self._begin, self._limit = name, begin, limit
        self._lock = Lock()
        self._sent: deque[_Question] = deque()
        """Those that the process has, or is being sent; it is answering the first."""
        self._urgent: deque[_Question] = deque()
        self._later: deque[_Question] = deque()
        self._unsent: deque[memoryview] = deque()
        self._received = bytearray()
        self._header: Mapping[str, Any] | None = None
        self._since = time.monotonic()
        self._spent: dict[str, float] = {}
        self._lost: dict[str, str] = {}
        self._failed_starts, self._is_over = 0, ""
        self._woken, self._wake = os.pipe()
        for pipe in (self._woken, self._wake):
            os.set_blocking(pipe, False)
        self._process: Process | None = None
        self.introduction: Future[Reply] = self._seated()
        """What the first process says of itself when it is ready."""
        self._thread = Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def ask(
        self, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], contract: str = "", *, urgent: bool = True
    ) -> Future[Reply]:
        """Ask about a contract, before all that can wait if it is urgent. The future raises NoAnswer for none."""
        question = _Question(contract, worker.frame(header, arrays))
        with self._lock:
            self._append(question, self._urgent if urgent else self._later)
        self._nudge()
        return question.future

    def end(self) -> None:
        """End the process. Nothing is answered any more."""
        with self._lock:
            self._is_over = self._is_over or f"{self._name} is not asked any more"
        self._nudge()
        self._thread.join()

    def _append(self, question: _Question, queue: deque[_Question]) -> None:
        why = self._is_over or self._lost.get(question.contract)
        if why:
            question.future.set_exception(NoAnswer(why))
            return
        if self._process is None:
            self._seated()
        queue.append(question)

    def _seated(self) -> Future[Reply]:
        """Begin a process, whose first answer says that it is ready."""
        self._process = self._begin()
        self._received.clear()
        self._header = None
        self._unsent.clear()
        ready = _Question("", [])
        self._sent.append(ready)
        self._since = time.monotonic()
        return ready.future

    def _serve(self) -> None:
        """Send and receive until the end, whatever becomes of the processes. Nobody is left to wait for an answer."""
        try:
            while not self._is_over:
                self._advance()
        except Exception as error:
            self._is_over = f"{self._name} cannot be asked: {type(error).__name__}: {error}"
        with self._lock:
            if self._process:
                self._process.end()
            self._give_up(self._is_over)
            os.close(self._woken)
            os.close(self._wake)
            self._wake = -1

    def _advance(self) -> None:
        process = self._process
        try:
            if process is None:
                self._await_events(None)
            else:
                self._exchange(process)
        except Ended as ended:
            self._replace(f"{self._name}'s process {ended}")

    def _exchange(self, process: Process) -> None:
        """Send what can be sent, receive what has come, and see whether the process still answers."""
        ready = self._await_events(process)
        if process.sink in ready:
            self._send(process)
        if process.source in ready:
            self._received += process.read()
            while self._receive():
                pass
        elif not ready:
            process.require_alive()
        self._require_in_time()

    def _await_events(self, process: Process | None) -> set[int]:
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            if process:
                selector.register(process.source, selectors.EVENT_READ)
                if self._has_to_send():
                    selector.register(process.sink, selectors.EVENT_WRITE)
            ready = {key.fd for key, _ in selector.select(POLL)}
        if self._woken in ready:
            os.read(self._woken, 4096)
        return ready

    def _has_to_send(self) -> bool:
        """Whether something is to be sent now; the process is sent few questions at once, for urgent ones to come."""
        with self._lock:
            while not self._unsent and len(self._sent) < AT_ONCE and (queue := self._urgent or self._later):
                question = queue.popleft()
                if not self._sent:
                    self._since = time.monotonic()
                self._sent.append(question)
                self._unsent += (memoryview(part) for part in question.parts if part)
            return bool(self._unsent)

    def _send(self, process: Process) -> None:
        with self._lock:
            while self._unsent:
                part = self._unsent[0]
                written = process.write(part)
                if written < len(part):
                    self._unsent[0] = part[written:]
                    return
                self._unsent.popleft()

    def _receive(self) -> bool:
        """Hand over the next answer, if all of it has come."""
        if self._header is None:
            line, found, rest = self._received.partition(b"\n")
            if not found:
                if len(line) > LONGEST_HEADER:
                    raise Ended("sent something that is no answer")
                return False
            self._header, self._received = self._header_in(line), rest
        size = sum(worker.sizes_of(self._header))
        if len(self._received) < size:
            return False
        answer = Reply(self._header, bytes(self._received[:size]))
        del self._received[:size]
        self._header = None
        with self._lock:
            question, now = self._sent.popleft(), time.monotonic()
            self._spent[question.contract] = self._spent.get(question.contract, 0.0) + now - self._since
            self._since = now
            if not question.parts:
                self._failed_starts = 0
        question.future.set_result(answer)
        return True

    def _header_in(self, line: bytearray) -> Mapping[str, Any]:
        """The header of the next answer. Raises Ended where something other than the worker has written to its pipe."""
        try:
            header = _Header(_shown(json.loads(line)))
            sizes = worker.sizes_of(header)
            kinds = {np.dtype(dtype).kind for _, dtype, _, _ in header["arrays"]}
        except (AttributeError, ValueError, TypeError, RecursionError, StackLost):
            raise Ended("sent something that is no answer") from None
        if any(size < 0 for size in sizes) or not kinds <= set(NUMBERS):
            raise Ended("sent something that is no answer")
        if not self._sent:
            raise Ended("sent an answer to no question")
        return header

    def _require_in_time(self) -> None:
        with self._lock:
            first = self._sent[0] if self._sent else None
            taken = time.monotonic() - self._since
        if first is None:
            return
        if not first.parts and taken > START_LIMIT:
            self._replace(f"{self._name}'s process was not ready after {START_LIMIT:g} s")
        elif first.parts and taken + self._spent.get(first.contract, 0.0) > self._limit:
            self._replace(f"{self._name} took longer than the limit of {self._limit:g} s")

    def _replace(self, why: str) -> None:
        """End the process, which the first question has cost, and ask the others of another."""
        with self._lock:
            if self._process is None:
                return
            words = self._process.last_words
            self._process.end()
            self._process = None
            if self._sent and not self._sent[0].parts:
                self._failed_starts += 1
                starting = self._sent.popleft()
                why = f"{why} before it was ready{f': {words}' if words else ''}"
                starting.future.set_exception(NoAnswer(why))
            if self._failed_starts >= ATTEMPTS:
                self._is_over = f"{why}; it was the last of {ATTEMPTS} in a row that were never ready"
                return
            self._drop_the_first(why)
            again = [(queue, [*queue]) for queue in (self._urgent, self._later)]
            again[0][1][:0] = self._sent
            self._sent.clear()
            for queue, questions in again:
                queue.clear()
                for question in questions:
                    self._append(question, queue)

    def _drop_the_first(self, why: str) -> None:
        """The question that is being answered is lost, and with it all of its contract; the next if there is none."""
        queue = self._sent or self._urgent or self._later
        if not queue:
            return
        first = queue.popleft()
        first.future.set_exception(NoAnswer(why))
        if first.contract:
            self._lost[first.contract] = why

    def _give_up(self, why: str) -> None:
        for queue in (self._sent, self._urgent, self._later):
            for question in queue:
                if not question.future.done():
                    question.future.set_exception(NoAnswer(why))
            queue.clear()

    def _nudge(self) -> None:
        """Have the thread look at the questions; where it is no more, another file may have the number of its pipe."""
        with self._lock, suppress(OSError):
            os.write(self._wake, b".")


def _shown(said: Any) -> Any:
    """What a process says, without anything that a terminal would obey: it may reach one, or a report."""
    if isinstance(said, str):
        return said if said.isprintable() else "\n".join(map(printable, said.split("\n")))
    if isinstance(said, dict):
        return {key: _shown(value) for key, value in said.items()}
    return [_shown(value) for value in said] if isinstance(said, list) else said
