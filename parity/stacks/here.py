"""A stack in this process: for a debugger, and for whoever changes it while it runs."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, redirect_stdout
from functools import cache, partial
from typing import Any, ParamSpec, TypeVar

from parity._ground.environment import prepare_environment, torch_has_onednn, torch_threads
from parity._ground.errors import UsageError
from parity._ground.repository import import_stack, is_found
from parity.contracts.contract import Contract, Entry, Inputs
from parity.physics.precision import Precision
from parity.stacks.base import (
    Awaited,
    Cotangents,
    Framework,
    FrameworkMissing,
    Returned,
    Stack,
    StackError,
    StackLost,
    no_device,
    not_here,
    not_installed,
    stack_at_work,
)
from parity.stacks.worker import ENGINES, Call, CannotRun, Missing, Question, Unreadable, narrower_than, not_importable

P = ParamSpec("P")
T = TypeVar("T")


class Here(Framework):
    """A stack that shares this process; its framework is imported when this is made, never before.

    Raises FrameworkMissing where the framework, the stack or the device is not there.
    """

    def __init__(self, stack: Stack, mode: str, device: str) -> None:
        super().__init__(stack, mode, device)
        if importlib.util.find_spec(stack.framework) is None:
            raise FrameworkMissing(not_installed(stack))
        if not is_found(stack.package):
            raise not_here(stack)
        started = "tensorflow" in sys.modules and "TF_NUM_INTRAOP_THREADS" not in os.environ
        prepare_environment()
        threads, onednn = torch_threads(), torch_has_onednn()
        try:
            self._engine: Any = ENGINES[stack.framework](stack.package, device, threads, onednn)
        except (Exception, SystemExit) as error:  # whatever its packages raise
            raise FrameworkMissing(not_importable(stack.framework, error)) from error
        if started and stack.framework == "tensorflow":
            self._engine.threads = "default"
        if device == "cuda" and not self._engine.gpus:
            raise no_device(stack)

    @property
    def version(self) -> str:
        return str(self._engine.version)

    @property
    def threads(self) -> str:
        return str(self._engine.threads)

    def require(self) -> None:
        """It is here."""

    @contextmanager
    def within(self, context: str, *arguments: object) -> Iterator[None]:
        module, _, name = context.partition(":")
        with ExitStack() as made:
            try:
                with _translated(), stack_at_work():
                    made.enter_context(getattr(importlib.import_module(module), name)(*arguments))
            except StackError as error:
                if isinstance(error.__cause__, LookupError | UsageError):  # there is no such change
                    raise error.__cause__ from None
                raise StackLost(f"{self.name} {error}") from error
            yield

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """At once: the future has ended."""
        future: Future[T] = Future()
        try:
            future.set_result(call(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    def forget(self) -> None:
        self._engine.forget()

    def ready(
        self,
        contract: Contract,
        inputs: Inputs,
        precision: Precision,
        cotangents: Cotangents | None = None,
        entry: Entry | None = None,
    ) -> Call:
        """The call behind `evaluate`, on tensors that are ready: what no harness can do without."""
        return self._ready(contract, self._question(contract, inputs, precision, cotangents, entry))

    def _begin(self, contract: Contract, question: Question, *, urgent: bool) -> Awaited[Returned]:
        """Nothing runs before the answer is wanted."""
        return Awaited(lambda: self._returned(contract, question), lambda: True)

    def _returned(self, contract: Contract, question: Question) -> Returned:
        with _translated():
            results, gradients = self._ready(contract, question)()
            with stack_at_work():
                return Returned(
                    [self._engine.array(result) for result in results],
                    [None if gradient is None else self._engine.array(gradient) for gradient in gradients],
                )

    def _narrow(self, contract: Contract, question: Question, dtypes: Sequence[str]) -> Mapping[str, str]:
        with _translated():
            found: Mapping[str, str] = narrower_than(self._engine.operations(self._ready(contract, question)), dtypes)
        return found

    def _ready(self, contract: Contract, question: Question) -> Call:
        if question.entry is None:
            function = self._named(question.address)
        else:
            entry = contract.entries[int(question.entry)]
            function = _bound(entry.call, self._named(entry.path))
        call: Call = self._engine.ready(function, question)
        return call

    def _named(self, address: str) -> Any:
        """What the stack has at `module.name`, or in a package of its own at `package.module.name`."""
        module, _, name = address.rpartition(".")
        with stack_at_work():
            return getattr(import_stack(f"{self.stack.package}.{module}"), name)


@contextmanager
def _translated() -> Iterator[None]:
    """What a stack raises, as whoever asks it expects; what it prints is no output of the command."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except CannotRun as error:
        raise UsageError(str(error)) from error
    except Missing as error:
        raise FrameworkMissing(str(error)) from error
    except Unreadable as error:
        raise StackLost(str(error)) from error


@cache
def _bound(call: Callable[..., Any], target: Any) -> Callable[..., Any]:
    """An entry's call with its target: one object for one target, so that it is traced once."""
    return partial(call, target)
