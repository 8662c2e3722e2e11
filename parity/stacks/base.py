"""What the harness needs of a stack: results of its functions for canonical arrays, and pulled back cotangents.

`Framework` is a stack behind canonical arrays, wherever it runs: in this process (`parity.stacks.here`) or in one of
its own (`parity.stacks.remote`). What knows a framework is an engine in `parity.stacks.worker`; to add a framework,
write one and give it a row in `ENGINES`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Generic, ParamSpec, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from parity._ground.errors import CheckNotMade
from parity.contracts.cases.domain import Domain
from parity.contracts.contract import Contract, Entry, Inputs
from parity.contracts.conventions import NONE, Conventions
from parity.physics.kinds import Kind
from parity.physics.precision import Precision
from parity.stacks.worker import ENGINES, INJECTED, RAISED, Question, StackError, stack_at_work

__all__ = ["INJECTED", "RAISED", "StackError", "stack_at_work"]

P = ParamSpec("P")
T = TypeVar("T")

Cotangents = Mapping[str, NDArray[Any]]

HALF = ("float16", "bfloat16", "complex32")
SINGLE = ("float32", "complex64")


class FrameworkMissing(CheckNotMade):
    """A framework that was asked for is not installed, or not its device; the message says what to do."""


class OutsideDomain(Exception):  # it is no error
    """A stack does not claim to do what it is asked; the message says why not."""


class StackLost(CheckNotMade):
    """A stack's process came to an end, or was ended, before it answered; the message says how."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a stack returned: canonical arrays by result and, where asked for, gradients by argument.

    A gradient is missing where the framework found no path from a result to the argument.
    """

    values: Mapping[str, NDArray[Any]]
    gradients: Mapping[str, NDArray[Any]]
    unasked: tuple[str, ...] = ()
    """The arguments with respect to which no gradient was asked for: the stack claims none."""


@dataclass(frozen=True, slots=True)
class Intermediate:
    """What an operation of a stack returned: its dtype, of complex numbers that of their parts, and the operation."""

    dtype: str
    operation: str


PAIR = "pair"
"""Stands in place of a stack's name where two stacks are measured against each other."""


@dataclass(frozen=True, slots=True)
class Stack:
    """An implementation under test.

    `name` tells it from the others in results and messages. `framework` is the one that its `package` is written in,
    and decides on engine and layouts: two stacks may have the same. Raises ValueError for the name that stands for two
    stacks.
    """

    name: str
    framework: str
    package: str

    def __post_init__(self) -> None:
        if self.name == PAIR:
            raise ValueError(f"stack: expected another name than '{PAIR}', which stands for two stacks")


@dataclass(frozen=True, slots=True)
class Returned:
    """What a stack's function gave, in the layout of its framework: results, and gradients, None without a path."""

    results: Sequence[NDArray[Any]]
    gradients: Sequence[NDArray[Any] | None]
    left: bool = False
    """Whether a result has left the framework, and with it the way back: it came as NumPy's."""


@dataclass(frozen=True, slots=True)
class Awaited(Generic[T]):
    """A question that has been asked: `answer` waits, unless it `is_answered`."""

    answer: Callable[[], T]
    is_answered: Callable[[], bool]


class Framework(ABC):
    """One stack under test, behind canonical NumPy arrays."""

    def __init__(self, stack: Stack, mode: str, device: str) -> None:
        self.stack = stack
        self.mode = mode
        self.device = device

    @property
    def name(self) -> str:
        """The name of the stack."""
        return self.stack.name

    @property
    @abstractmethod
    def version(self) -> str:
        """The version of the framework."""

    @property
    @abstractmethod
    def threads(self) -> str:
        """How many threads the framework has."""

    @property
    def domain(self) -> Domain:
        """Which inputs the stack claims to do."""
        return Domain()

    @property
    def widens(self) -> bool:
        """Whether the stack can be asked in widened sources."""
        return False

    def binds(self, contract: Contract) -> bool:
        """Whether the stack has something that does what a contract says."""
        return True

    def entries_of(self, contract: Contract, inputs: Inputs, precision: Precision) -> tuple[Entry, ...]:
        """The other names that the stack has for a contract's function, where they can be asked of these inputs."""
        return contract.entries_of(self.name, inputs, precision)

    def named(self, contract: Contract) -> tuple[Entry, ...]:
        """All other names that the stack has for a contract's function, whatever the inputs."""
        return tuple(entry for entry in contract.entries if entry.stack == self.name)

    def unasked(self, contract: Contract, entry: Entry | None) -> tuple[str, ...]:
        """The arguments with respect to which the stack claims no gradient."""
        return ()

    def conventions(self, contract: Contract, entry: Entry | None) -> Conventions:
        """In which other terms the stack has a contract's function. Raises StackLost for terms that make no sense."""
        return NONE

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
        raises, and if it lacks the function or does not return as many tensors as the contract has results;
        OutsideDomain where it does not claim to do this, and StackLost where its process does not answer.
        """
        return self.begin(contract, inputs, precision, cotangents, entry, urgent=True).answer()

    def begin(
        self,
        contract: Contract,
        inputs: Inputs,
        precision: Precision,
        cotangents: Cotangents | None = None,
        entry: Entry | None = None,
        *,
        urgent: bool = False,
    ) -> Awaited[Evaluation]:
        """Ask as `evaluate` does, and go on; who waits for the answer gets what there is to raise.

        What is urgent is answered before what is not.
        """
        why = self.domain.why_outside(contract, inputs)
        if why:
            return Awaited(lambda: _outside(why), lambda: True)
        question = self._question(contract, inputs, precision, cotangents, entry)
        asked = self._begin(contract, question, urgent=urgent)
        unasked, terms = self.unasked(contract, entry), self.conventions(contract, entry)

        def answer() -> Evaluation:
            found = self._evaluation(contract, asked.answer(), precision, unasked, bool(cotangents))
            values, gradients = (terms.from_stack(contract, arrays) for arrays in (found.values, found.gradients))
            return replace(found, values=values, gradients=gradients)

        return Awaited(answer, asked.is_answered)

    def _evaluation(
        self,
        contract: Contract,
        returned: Returned,
        precision: Precision,
        unasked: tuple[str, ...],
        with_gradients: bool,
    ) -> Evaluation:
        if len(returned.results) != len(contract.results):
            raise StackError(f"returned {len(returned.results)} results, expected {len(contract.results)}")
        asked = contract.differentiable if with_gradients else ()
        return Evaluation(
            {
                r.name: self._canonical(r.kind, x, precision)
                for r, x in zip(contract.results, returned.results, strict=True)
            },
            {
                a.name: self._canonical(a.kind, g, precision)
                for a, g in zip(asked, returned.gradients, strict=True)
                if g is not None and a.name not in unasked
            },
            tuple(a.name for a in asked if returned.left or a.name in unasked),
        )

    def narrow_intermediates(
        self,
        contract: Contract,
        inputs: Inputs,
        precision: Precision,
        cotangents: Cotangents | None = None,
        entry: Entry | None = None,
    ) -> tuple[Intermediate, ...]:
        """The intermediates that hold fewer digits than `precision`, in order, the first of each dtype.

        PyTorch is watched while it dispatches; of TensorFlow a trace is made and read, not run. None where the stack
        raises, or makes what cannot be traced: then nothing is known of them.
        """
        question = self._question(contract, inputs, precision, cotangents, entry)._replace(mode="eager")
        try:
            found = self._narrow(contract, question, (*HALF, *(SINGLE if precision.is_double else ())))
        except StackError:
            return ()
        return tuple(Intermediate(dtype, operation) for dtype, operation in found.items())

    def _question(
        self,
        contract: Contract,
        inputs: Inputs,
        precision: Precision,
        cotangents: Cotangents | None,
        entry: Entry | None,
    ) -> Question:
        layout = self.stack.framework
        tensors = {
            a.name: a.kind.to_framework(layout, inputs[a.name] if a.kind.static else precision.round(inputs[a.name]))
            for a in contract.arguments
            if not a.kind.constant
        }
        return Question(
            contract=contract.name,
            address=contract.address,
            tensors=tensors,
            cotangents=[r.kind.to_framework(layout, precision.round(cotangents[r.name])) for r in contract.results]
            if cotangents
            else [],
            watched=[a.name for a in contract.differentiable],
            scalars=[a.name for a in contract.arguments if a.kind.static and not a.kind.constant],
            constants={a.name: inputs[a.name].item() for a in contract.arguments if a.kind.constant},
            mode=self.mode,
            eager=entry.eager if entry else contract.eager,
            costly=contract.eager,
            entry=self._entry(contract, entry) if entry else None,
        )

    def _entry(self, contract: Contract, entry: Entry) -> int | str:
        return contract.entries.index(entry)

    def _canonical(self, kind: Kind, array: NDArray[Any], precision: Precision) -> NDArray[Any]:
        """In canonical layout; an array of another rank is left as it came, for the judge to name.

        Whole numbers, which have no precision, are judged as numbers of the working precision.
        """
        if kind.static and np.issubdtype(array.dtype, np.integer):
            array = array.astype(precision.real)
        layout = self.stack.framework
        return kind.from_framework(layout, array) if kind.is_laid_out(layout, array) else array

    def in_mode(self, mode: str) -> Self:
        """The same stack in another mode."""
        other = copy(self)
        other.mode = mode
        return other

    @abstractmethod
    def require(self) -> None:
        """Wait until the stack can be asked.

        Raises FrameworkMissing where the framework, the stack or the device is not there, and StackLost.
        """

    @abstractmethod
    def within(self, context: str, *arguments: object) -> AbstractContextManager[None]:
        """For the length of a block, a context in the stack's process, such as a change that is made in the stack.

        It is given as `module:name`, and called with the arguments. Raises LookupError if it does.
        """

    @abstractmethod
    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Make a call that asks this stack: at once, or while others are asked if it runs in a process of its own."""

    @abstractmethod
    def forget(self) -> None:
        """Drop what was traced or compiled, so that the next call traces and compiles as the first did."""

    @abstractmethod
    def _begin(self, contract: Contract, question: Question, *, urgent: bool) -> Awaited[Returned]:
        """Ask a question, before those that can wait if it is urgent. The answer raises as `evaluate` does."""

    @abstractmethod
    def _narrow(self, contract: Contract, question: Question, dtypes: Sequence[str]) -> Mapping[str, str]:
        """Of operations with these dtypes, the first of each, by dtype. Raises as `evaluate` does."""


def _outside(why: str) -> Evaluation:
    raise OutsideDomain(why)


def modes_of(framework: str) -> Sequence[str]:
    """The modes of a framework, the first its usual one."""
    modes: Sequence[str] = ENGINES[framework].modes
    return modes


def not_installed(stack: Stack) -> str:
    """That the framework of a stack of this repository is not installed."""
    return (
        f"{stack.framework} is not installed, so {stack.package} cannot be checked: "
        f"pip install 'ptycho-parity[{stack.framework}]', or check the other stack alone with --stack"
    )


def not_here(stack: Stack) -> FrameworkMissing:
    """The package of one of this repository's stacks is not there."""
    return FrameworkMissing(
        f"{stack.package}, the stack in {stack.framework}, is not here: run this in the repository of the stacks, "
        "or declare your own code: parity init"
    )


def no_device(stack: Stack) -> FrameworkMissing:
    """The framework of a stack has no GPU."""
    return FrameworkMissing(
        f"{stack.framework} sees no CUDA device: run with --device cpu, or install its GPU build: "
        "pip install 'ptycho-parity[gpu]'"
    )
