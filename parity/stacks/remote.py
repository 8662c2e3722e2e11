"""A stack in a process of its own: whatever it does there, it cannot touch whoever judges it."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

from parity._ground.environment import prepare_environment, torch_has_onednn, torch_threads
from parity._ground.errors import UsageError
from parity._ground.repository import HARNESS, ROOT, is_found
from parity._ground.search import environment_of_stacks
from parity.contracts.contract import Contract
from parity.stacks.base import (
    Awaited,
    Framework,
    FrameworkMissing,
    OutsideDomain,
    Returned,
    Stack,
    StackError,
    StackLost,
    no_device,
    not_here,
    not_installed,
)
from parity.stacks.process import Process
from parity.stacks.seat import LIMIT, NoAnswer, Reply, Seat
from parity.stacks.worker import Question, Settings

P = ParamSpec("P")
T = TypeVar("T")


class Remote(Framework):
    """A stack in a process, which `begin` begins; it may take `limit` seconds for a contract."""

    def __init__(
        self, stack: Stack, mode: str, device: str, begin: Callable[[], Process], limit: float = LIMIT
    ) -> None:
        super().__init__(stack, mode, device)
        self._limit = limit
        self._seat = Seat(stack.name, begin, limit)
        self._lane = ThreadPoolExecutor(1, stack.name)
        self._keys = itertools.count()

    @classmethod
    def of_repository(cls, stack: Stack, mode: str, device: str, limit: float = LIMIT) -> Self:
        """A stack of this repository. Raises FrameworkMissing where it is not there."""
        if not is_found(stack.package):
            raise not_here(stack)
        prepare_environment()
        settings = Settings(
            stack.framework,
            stack.package,
            [str(ROOT)],
            device,
            torch_threads(),
            torch_has_onednn(),
            absent=not_installed(stack),
            beside=HARNESS,
        )
        return cls(stack, mode, device, lambda: Process(settings, Path(sys.executable), environment_of_stacks()), limit)

    def end(self) -> None:
        """End the process; nothing can be asked any more."""
        self._lane.shutdown(wait=False, cancel_futures=True)
        self._seat.end()

    @property
    def version(self) -> str:
        return str(self.introduction["version"])

    @property
    def threads(self) -> str:
        return str(self.introduction["threads"])

    def require(self) -> None:
        hello = self.introduction
        if self.device == "cuda" and not hello["gpus"]:
            raise no_device(self.stack)

    @property
    def introduction(self) -> Mapping[str, Any]:
        """What the process says when it is ready.

        Raises FrameworkMissing where the framework or the package is not there, and StackLost where it is never ready.
        """
        return granted(self._seat.introduction).header

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Soon: one after another, in a thread of this process that waits for the other."""
        return self._lane.submit(call, *args, **kwargs)

    def forget(self) -> None:
        granted(self._seat.ask({"ask": "forget"}, {}))

    @contextmanager
    def within(self, context: str, *arguments: object) -> Iterator[None]:
        key = str(next(self._keys))
        asked = {"ask": "enter", "context": context, "arguments": list(arguments), "key": key}
        answer = self._of_change(asked)
        if "lookup" in answer.header:
            raise LookupError(answer.header["lookup"])
        try:
            yield
        finally:
            self._of_change({"ask": "leave", "key": key})

    def _of_change(self, asked: Mapping[str, Any]) -> Reply:
        """The answer about a change that is made in the stack. Raises StackLost where the stack lets nobody make it."""
        try:
            return granted(self._seat.ask(asked, {}))
        except StackError as error:
            raise StackLost(f"{self.name} {error}") from error

    def _begin(self, contract: Contract, question: Question, *, urgent: bool) -> Awaited[Returned]:
        asked = self._seat_for(question).ask(
            {"ask": "evaluate", **question.header()}, question.arrays(), contract.name, urgent=urgent
        )
        gradients = len(question.watched) if question.cotangents else 0

        def returned() -> Returned:
            answer = granted(asked)
            arrays = answer.arrays()
            return Returned(
                [arrays[f"result:{i}"] for i in range(_count(answer.header["results"]))],
                [arrays.get(f"gradient:{i}") for i in range(gradients)],
                answer.header["left"],
            )

        return Awaited(returned, asked.done)

    def _seat_for(self, question: Question) -> Seat:
        """Where a question is answered."""
        return self._seat

    def _narrow(self, contract: Contract, question: Question, dtypes: Sequence[str]) -> Mapping[str, str]:
        header = {"ask": "intermediates", **question.header(), "narrower": list(dtypes)}
        asked = self._seat_for(question).ask(header, question.arrays(), contract.name)
        narrow: Mapping[str, str] = granted(asked).header["narrow"]
        return narrow


def _count(said: object) -> int:
    """A number of results. Raises StackLost for anything else, which the worker does not send."""
    if not isinstance(said, int):
        raise StackLost("its process sent something that is no answer")
    return said


def _answer(asked: Future[Reply]) -> Reply:
    """The answer. Raises StackLost where there is none."""
    try:
        return asked.result()
    except NoAnswer as error:
        raise StackLost(str(error)) from None


def granted(asked: Future[Reply]) -> Reply:
    """An answer that is one, or raises what it says is wrong."""
    answer = _answer(asked)
    if "binding" in answer.header:
        raise StackLost(f"the binding cannot be held: {answer.header['binding']}")
    for word, error in _ERRORS.items():
        if word in answer.header:
            raise error(answer.header[word])
    return answer


_ERRORS: Mapping[str, type[Exception]] = {
    "stack": StackError,
    "refused": UsageError,
    "missing": FrameworkMissing,
    "unreadable": StackLost,
    "memory": MemoryError,
    "outside": OutsideDomain,
}
"""By the word in an answer's header that says what is wrong."""
