"""What the harness needs of a framework: run a stack's function on canonical arrays, and pull back cotangents.

An adapter is the only code that knows both a framework and a layout. It imports its framework when it is made, never
before, so that commands that need none start without. To add a framework, subclass `Framework` and give it a row in
`parity.stacks.ADAPTERS`; a stack is an instance of one for a package, under a name of its own.
"""

from __future__ import annotations

import importlib.util
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from parity._ground.errors import CheckNotMade
from parity._ground.repository import import_stack, is_found
from parity.contracts.contract import Contract, Entry, Inputs
from parity.physics.kinds import Kind
from parity.physics.precision import Precision

Cotangents = Mapping[str, NDArray[Any]]

INJECTED = "__injected__"
"""An attribute of a stack's package that is another object while something in the stack is replaced, and None or absent
otherwise. What an adapter keeps of a stack's functions, such as traces, is good for one value of it."""

Call = Callable[[], tuple[Sequence[Any], Sequence[Any | None]]]
"""Results and gradients, a framework's own tensors."""


class FrameworkMissing(CheckNotMade):
    """A framework that was asked for is not installed, or not its device; the message says what to do."""


class StackError(Exception):
    """What a stack raised, or why what it returned is no result: its own fault, never the harness's."""


RAISED = "raised "
"""How a StackError begins that says what a stack raised."""

OUT_OF_MEMORY = ("OutOfMemoryError", "ResourceExhaustedError")
"""What the frameworks call it; on a CPU, torch raises a RuntimeError that says "can't allocate memory"."""


@contextmanager
def stack_at_work() -> Iterator[None]:
    """Blame whatever is raised in the block on the stack: an exit, too, which would end the check with its own code.

    Not a lack of memory: that is no wrong mathematics, and becomes a MemoryError, so that nothing is judged.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        first_line = next(iter(str(error).splitlines()), "").strip()
        if _is_out_of_memory(error):
            raise MemoryError(first_line) from error
        raise StackError(f"{RAISED}{type(error).__name__}: {first_line}") from error


def _is_out_of_memory(error: BaseException) -> bool:
    named = isinstance(error, MemoryError) or type(error).__name__ in OUT_OF_MEMORY
    return named or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a stack returned: canonical arrays by result and, where asked for, gradients by argument.

    A gradient is missing where the framework found no path from a result to the argument.
    """

    values: Mapping[str, NDArray[Any]]
    gradients: Mapping[str, NDArray[Any]]


PAIR = "pair"
"""Stands in place of a stack's name where two stacks are measured against each other."""


@dataclass(frozen=True, slots=True)
class Stack:
    """An implementation under test.

    `name` tells it from the others in results and messages. `framework` is the one that its `package` is written in,
    and decides on adapter and layouts: two stacks may have the same. Raises ValueError for the name that stands for two
    stacks.
    """

    name: str
    framework: str
    package: str

    def __post_init__(self) -> None:
        if self.name == PAIR:
            raise ValueError(f"stack: expected another name than '{PAIR}', which stands for two stacks")


class Framework(ABC):
    """One stack under test, behind canonical NumPy arrays."""

    distribution: str
    modes: tuple[str, ...]
    threads: str

    def __init__(self, stack: Stack, mode: str, device: str) -> None:
        if importlib.util.find_spec(stack.framework) is None:
            raise FrameworkMissing(
                f"{stack.framework} is not installed, so {stack.package} cannot be checked: "
                f"pip install 'ptycho-parity[{self.distribution}]', or check the other stack alone with --stack"
            )
        if not is_found(stack.package):
            raise FrameworkMissing(
                f"{stack.package}, the stack in {stack.framework}, is not here: "
                "run this in the repository of the stacks"
            )
        self.stack = stack
        self.mode = mode
        self.device = device

    @property
    def name(self) -> str:
        """The name of the stack."""
        return self.stack.name

    def in_mode(self, mode: str) -> Self:
        """The same stack in another mode."""
        return type(self)(self.stack, mode, self.device)

    def _require_device(self, gpus: int) -> None:
        if self.device == "cuda" and not gpus:
            raise FrameworkMissing(
                f"{self.stack.framework} sees no CUDA device: run with --device cpu, or install its GPU build: "
                "pip install 'ptycho-parity[gpu]'"
            )

    @property
    @abstractmethod
    def version(self) -> str:
        """The version of the framework."""

    @property
    def description(self) -> str:
        """Everything about this framework that the numbers depend on."""
        return f"{self.stack.framework} {self.version} ({self.mode}, {self.device}, threads: {self.threads}, TF32 off)"

    def evaluate(
        self,
        contract: Contract,
        inputs: Inputs,
        precision: Precision,
        cotangents: Cotangents | None = None,
        entry: Entry | None = None,
    ) -> Evaluation:
        """The stack's results for canonical `inputs`, rounded to `precision`, and with cotangents its gradients.

        Through the contract's own function, or through another entry to it. Raises StackError for whatever the stack
        raises, and if it lacks the function or does not return as many tensors as the contract has results.
        """
        results, gradients = self.ready(contract, inputs, precision, cotangents, entry)()
        with stack_at_work():
            values = [self._array(result) for result in results]
            pulled = [None if gradient is None else self._array(gradient) for gradient in gradients]
        if len(values) != len(contract.results):
            raise StackError(f"returned {len(values)} results, expected {len(contract.results)}")
        asked = contract.differentiable if cotangents else ()
        return Evaluation(
            {r.name: self._canonical(r.kind, x, precision) for r, x in zip(contract.results, values, strict=True)},
            {
                a.name: self._canonical(a.kind, g, precision)
                for a, g in zip(asked, pulled, strict=True)
                if g is not None
            },
        )

    def ready(
        self,
        contract: Contract,
        inputs: Inputs,
        precision: Precision,
        cotangents: Cotangents | None = None,
        entry: Entry | None = None,
    ) -> Call:
        """The call behind `evaluate`, on tensors that are ready: what no harness can do without."""
        function = _bound(entry.call, self._named(entry.path)) if entry else self._named(contract.address)
        layout = self.stack.framework
        arguments = {
            a.name: a.kind.to_framework(layout, inputs[a.name] if a.kind.static else precision.round(inputs[a.name]))
            for a in contract.arguments
        }
        pulled = {
            r.name: r.kind.to_framework(layout, precision.round(cotangents[r.name]))
            for r in contract.results
            if cotangents
        }
        return self._ready(contract, function, arguments, pulled, eager=entry.eager if entry else contract.eager)

    def forget(self) -> None:  # noqa: B027  # an adapter may keep nothing
        """Drop what was traced or compiled, so that the next call traces and compiles as the first did."""

    def _named(self, address: str) -> Any:
        """What the stack has at `module.name`, or in a package of its own at `package.module.name`."""
        module, _, name = address.rpartition(".")
        with stack_at_work():
            return getattr(import_stack(f"{self.stack.package}.{module}"), name)

    def _injected(self) -> object:
        """What stands for the change that is made in the stack just now; None where there is none."""
        return getattr(sys.modules.get(self.stack.package), INJECTED, None)

    def _canonical(self, kind: Kind, array: NDArray[Any], precision: Precision) -> NDArray[Any]:
        """In canonical layout; an array of another rank is left as it came, for the judge to name.

        Whole numbers, which have no precision, are judged as numbers of the working precision.
        """
        if kind.static and np.issubdtype(array.dtype, np.integer):
            array = array.astype(precision.real)
        layout = self.stack.framework
        return kind.from_framework(layout, array) if kind.is_laid_out(layout, array) else array

    @abstractmethod
    def _ready(
        self,
        contract: Contract,
        function: Callable[..., Any],
        arguments: Mapping[str, NDArray[Any]],
        cotangents: Mapping[str, NDArray[Any]],
        *,
        eager: bool,
    ) -> Call:
        """A call of `function` on tensors of `arguments`, both in this framework's layout.

        It returns tensors: results and, with cotangents, gradients of the differentiable arguments, None where there is
        no path; `eager` forbids to trace the function. A result whose shape is not its cotangent's has no gradient: its
        shape is what is wrong. It raises StackError for whatever the function raises.
        """

    @abstractmethod
    def _array(self, tensor: Any) -> NDArray[Any]:
        """A tensor as NumPy's."""


@cache
def _bound(call: Callable[..., Any], target: Any) -> Callable[..., Any]:
    """An entry's call with its target: one object for one target, so that it is traced once."""
    return partial(call, target)
