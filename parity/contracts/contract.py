"""What a contract is: one function of the physics, and everything that must hold of it in both stacks.

The name of a contract is its address: `optics.illuminate` is `illuminate` in `ptycho/optics.py`, in
`ptycho_torch/optics.py` and in `parity/physics/oracle/optics.py`; nothing else binds them. The declarations are in
`parity/contracts/declared/`; here is only what they are made of.
"""

from __future__ import annotations

import difflib
import importlib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from inspect import signature
from types import MappingProxyType, ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from parity._ground.errors import UsageError
from parity.contracts.cases.families.family import Spec, Stratum
from parity.contracts.changes import Change
from parity.contracts.fault import Fault
from parity.physics.kinds import Kind
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import Precision

Inputs = Mapping[str, NDArray[Any]]
Source = Callable[[Any], Any]
"""Makes the array of an argument from a specification, which is of the family that its parameter is annotated with."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a contract's function: its name in all three implementations, its kind, and where it comes from.

    The `source` makes the array from a specification of the contract's family of inputs.
    """

    name: str
    kind: Kind
    source: Source | None = None
    differentiable: bool = field(default=False, kw_only=True)

    def of(self, spec: Spec) -> Any:
        """The argument in the case of that specification. Raises UsageError if it has no source."""
        if self.source is None:
            raise UsageError(f"{self.name}: expected a source that makes it from a specification, got none")
        return self.source(spec)

    @property
    def family(self) -> type[Spec]:
        """The specifications that its source can be asked of: those of every family, where the source names none."""
        if self.source is None:
            return Spec
        parameter = next(iter(signature(self.source, eval_str=True).parameters.values()))
        return Spec if parameter.annotation is parameter.empty else parameter.annotation


@dataclass(frozen=True, slots=True)
class Entry:
    """Another public name in one stack for what a contract's function does, held to the same oracle.

    `call` gets what `path` (module.name in the stack's package, or in one within it) names, and the arguments as
    keywords. `applies` says of which inputs the name can be asked, and `precisions` in which, if not all. What makes
    variables is `eager`: no graph is traced of it.
    """

    stack: str
    path: str
    call: Callable[..., Any]
    applies: Callable[[Inputs], bool] = lambda inputs: True
    eager: bool = False
    precisions: tuple[Precision, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What a contract's function returns.

    `relative` scales the random cotangent of this result by its modulus, where that is not 0. A far field needs it: in
    its dark corner the direction of the field, and with it the gradient of the amplitude, is below the rounding of the
    transform. What is `reduced` is a mean or a sum over axes of its arguments, such as `sum CHW`.
    """

    name: str
    kind: Kind
    relative: bool = False
    reduced: str = ""


class Around(Protocol):
    """What is put round an oracle's function, and round its vjp: the conventions of a binding."""

    @property
    def contract(self) -> Contract:
        """The contract without them."""
        ...

    def oracle(self, own: Callable[..., Any]) -> Callable[..., Any]: ...

    def oracle_vjp(self, own: Callable[..., Any], vjp: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]: ...


class Trial(Protocol):
    """One stack on the inputs of one case, as a unit fact sees it."""

    inputs: Inputs

    def value(self, **changed: NDArray[Any]) -> Bounded:
        """The stack's first result, some inputs changed, with the error that the oracle grants it."""
        ...

    def gradient(self, argument: str, **changed: NDArray[Any]) -> Bounded:
        """The stack's gradient of the sum of its first result with respect to `argument`."""
        ...

    def exact(self, array: Any) -> Bounded:
        """An array known exactly, for the other side of a law."""
        ...


@dataclass(frozen=True, slots=True)
class Law:
    """What a unit fact claims of two quantities: `left` equals `right`, or is at least it."""

    left: Bounded
    right: Bounded
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """A law that holds in each stack alone, whatever the other does: homogeneity, conservation, stationarity.

    `applies` says on which inputs it says anything. A law that nothing breaks tests nothing: `broken_by` names a known
    fault of the contract that breaks it, or is a change of the function that does.
    """

    statement: str
    law: Callable[[Trial], Law]
    applies: Callable[[Inputs], bool] = lambda inputs: True
    broken_by: str | Change = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of a contract may go unjudged before it fails.

    `undecided` is the share of elements whose bound is infinite, `uninformative` the share of examples in which no
    element is known to 1 %, each of one quantity in one precision. The latter cannot be 0: a sum over a random
    cotangent cancels now and then; beyond one in ten, a contract is not being tested. Where `any_precision` is declared
    an example informs if it does in one of those that were run: long chains, whose gradients float32 alone leaves open.
    """

    undecided: float = 0.0
    uninformative: float = 0.1
    any_precision: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a composition: the contract that it is, and where its arguments come from.

    `sources` names, for each argument of the stage's contract, an argument of the composition or an earlier stage's
    result; an argument that is not listed comes from the one of its own name. `sizes` are arguments that the
    composition fixes. `result` is what later stages know the stage's result by.
    """

    contract: str
    result: str
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    sizes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def source(self, argument: str) -> str:
        return self.sources.get(argument, argument)


@dataclass(frozen=True, slots=True)
class Contract:
    """One function of the physics, its kinds, the strata it must be tried on, and the facts that hold of it.

    `name` is the address of the function; behind an @ follows the variant, where one function has several contracts.
    `textbook` is the equation as a textbook writes it, without a thought for rounding. A test evaluates it to 100
    digits: it gets the elementary functions of mpmath for arrays, `mp.exp` among them, then the arguments by name. Long
    equations stand in that test. `faults` are known ways to be wrong, the more particular first; long lists of them
    stand in `parity/faults/catalogue/`.
    `stages` says what other contracts a composition is made of on given inputs, in order; the last stage's result is
    the composition's. `cost` is that of an example in units of a usual one: so much fewer are drawn. What is `eager` is
    not traced: its few examples would take less time than the trace. The sides of a frame are multiples of `divisor`.
    What is `around` its oracle says that it stands for the contract as a binding has it.
    """

    name: str
    equation: str
    arguments: tuple[Argument, ...]
    results: tuple[Result, ...]
    strata: tuple[Stratum, ...]
    textbook: Callable[..., Any] | None = None
    facts: tuple[Fact, ...] = ()
    faults: tuple[Fault, ...] = ()
    entries: tuple[Entry, ...] = ()
    quota: Quota = Quota()
    stages: Callable[[Inputs], tuple[Stage, ...]] | None = None
    cost: int = 1
    eager: bool = False
    divisor: int = 1
    around: Around | None = None

    def __post_init__(self) -> None:
        """Refuse another contract's faults, and strata of a family that the arguments cannot be made of."""
        for fault in self.faults:
            if fault.target != self.name:
                raise UsageError(f"{self.name}: expected faults of its own, got {fault.full_name}")
        families = {argument.name: argument.family for argument in self.arguments}
        for stratum in self.strata:
            for argument, family in families.items():
                if not issubclass(stratum.specification, family):
                    raise UsageError(
                        f"{self.name}: argument '{argument}' is made from {family.__name__}, "
                        f"stratum '{stratum.name}' draws {stratum.specification.__name__}"
                    )

    @property
    def address(self) -> str:
        """`file.function` in both stacks and in the oracle."""
        return self.name.split("@")[0]

    @property
    def module(self) -> str:
        return self.address.split(".")[0]

    @property
    def function(self) -> str:
        return self.address.split(".")[1]

    def drawn(self, examples: int) -> int:
        """How many cases are drawn where `examples` are drawn of a usual contract."""
        return math.ceil(examples / self.cost)

    def takes(self, frame: tuple[int, ...]) -> bool:
        """Whether it can be asked about frames of these sides."""
        return all(side % self.divisor == 0 for side in frame)

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Those of arguments and results, by name."""
        found = {argument.name: argument.kind for argument in self.arguments}
        return found | {result.name: result.kind for result in self.results}

    @property
    def differentiable(self) -> tuple[Argument, ...]:
        return tuple(argument for argument in self.arguments if argument.differentiable)

    def entries_of(self, stack: str, inputs: Inputs, precision: Precision) -> tuple[Entry, ...]:
        """The other names that one stack has for the function, where they can be asked of these inputs."""
        return tuple(
            entry
            for entry in self.entries
            if entry.stack == stack and precision in (entry.precisions or (precision,)) and entry.applies(inputs)
        )

    def oracle(self) -> Callable[..., Any]:
        """The oracle's function."""
        own = _attribute(self._oracle_module(), self.function)
        return self.around.oracle(own) if self.around else own

    def oracle_vjp(self) -> Callable[..., tuple[Any, ...]]:
        """The oracle's vector–Jacobian product: cotangents first, gradients of the differentiable arguments."""
        vjp = _attribute(self._oracle_module(), f"{self.function}_vjp")
        return self.around.oracle_vjp(_attribute(self._oracle_module(), self.function), vjp) if self.around else vjp

    def _oracle_module(self) -> ModuleType:
        return importlib.import_module(f"parity.physics.oracle.{self.module}")

    def stratum(self, name: str) -> Stratum:
        """The stratum of that name; UsageError with the nearest names if the contract has none."""
        for stratum in self.strata:
            if stratum.name == name:
                return stratum
        known = [stratum.name for stratum in self.strata]
        raise UsageError(f"unknown stratum '{name}' of {self.name}{did_you_mean(name, known)}")

    def check(self, inputs: Inputs) -> None:
        """Refuse inputs that this contract cannot be asked about.

        Raises TypeError or ValueError naming the argument, what was expected and what came.
        """
        sizes: dict[str, tuple[int, str]] = {}
        for argument in self.arguments:
            if argument.name not in inputs:
                raise ValueError(f"{argument.name}: expected {argument.kind.name}, got nothing")
            argument.kind.check(argument.name, inputs[argument.name])
            for axis, size in zip(argument.kind.axes, inputs[argument.name].shape, strict=True):
                if axis.islower():
                    continue
                first, owner = sizes.setdefault(axis, (size, argument.name))
                if size != first:
                    raise ValueError(
                        f"{argument.name}: expected {axis} = {first} as in {owner}, "
                        f"got shape {inputs[argument.name].shape}"
                    )


def selected(names: Iterable[str], known: Iterable[str], noun: str) -> tuple[str, ...]:
    """The `known` names that a user means, in the order of `names`; all of them for no name.

    A name is a whole one, or what stands before a `.`, `@` or `/`: `losses` means all that a file has, the address of a
    function all its variants, a contract all its defects or goldens. Raises UsageError, with the nearest, for a name
    that means none; `noun` says what such a name is.
    """
    known = tuple(known)
    found: dict[str, None] = {}
    for name in names:
        members = [one for one in known if one == name or one.startswith((f"{name}.", f"{name}@", f"{name}/"))]
        if not members:
            near = known if "/" in name else (*known, *(one.partition("/")[0] for one in known if "/" in one))
            files = () if "." in name else tuple(one.split(".")[0] for one in known)
            raise UsageError(f"unknown {noun} '{name}'{did_you_mean(name, dict.fromkeys((*files, *near)))}")
        found.update(dict.fromkeys(members))
    return tuple(found) or known


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """The tail of a usage error: the nearest name, or all there are."""
    names = sorted(known)
    near = difflib.get_close_matches(given, names, n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; there are: {', '.join(names)}"


def _attribute(module: ModuleType, name: str) -> Any:
    try:
        return getattr(module, name)
    except AttributeError:
        raise LookupError(f"{module.__name__} has no {name}, which a contract needs") from None


def has_readings(inputs: Inputs) -> bool:
    """Whether some input is a detector's integers, which are widened to float64 and have no gradient."""
    return any(np.issubdtype(array.dtype, np.integer) and array.ndim > 0 for array in inputs.values())
