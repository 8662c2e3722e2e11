"""What a defect is, and short ways to write one down.

A defect is a known way to be wrong that can be made in a stack: a change from its right function to a wrong one. A
rewrite is other code for the same mathematics. Both are written in an idiom, once for both stacks. Here is what they
are made of; the catalogue is in the modules of `catalogue/`, a file for each mirrored one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.faults.idiom import Idiom, Tensor
from parity.physics.kinds import Kind

BOTH = ("tensorflow", "torch")

Arguments = SimpleNamespace
"""A function's arguments by name, tensors in canonical layout."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """How a function's tensors are laid out: its arguments by name, and its results; nothing where nobody knows."""

    arguments: Mapping[str, Kind]
    results: tuple[Kind, ...]

    @classmethod
    def at(cls, address: str) -> Kinds:
        """Those that the contracts of an address declare, all its variants."""
        contracts = [contract for contract in REGISTRY.values() if contract.address == address]
        arguments = {argument.name: argument.kind for contract in contracts for argument in contract.arguments}
        return cls(arguments, tuple(result.kind for result in contracts[0].results) if contracts else ())


Change = Callable[[Idiom, Any, Kinds], Any]
"""From an idiom, a stack's right function, and how its tensors are laid out, to a wrong one."""

Of = Callable[[Idiom, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Injectable:
    """A change that can be made in a stack.

    `target` is the contract that has to judge it, `what` says in the field's words what it does. `at` is where the
    changed function lies, `file.function` in either stack, if not at the contract's own address; where that file
    imports the function from another, the import alone is changed.
    """

    target: str
    name: str
    what: str
    change: Change
    at: str = ""
    stacks: tuple[str, ...] = BOTH

    @property
    def full_name(self) -> str:
        """`contract/name`, as the command line has it."""
        return f"{self.target}/{self.name}"

    @property
    def contract(self) -> Contract:
        return REGISTRY[self.target]

    @property
    def address(self) -> str:
        """Where the changed function lies, in the package of either stack."""
        return self.at or self.contract.address


@dataclass(frozen=True, slots=True)
class Defect(Injectable):
    """A known way to be wrong, `what` phrased to stand behind a stack's name.

    `shows` says what an input needs for it to show at all. `diagnosis` lists the explanations that are right, any of
    which will do: none for what nobody could be expected to explain, `what` alone if nothing is said.
    """

    shows: str = "any input"
    diagnosis: tuple[str, ...] | None = None

    @property
    def right_diagnoses(self) -> tuple[str, ...]:
        return (self.what,) if self.diagnosis is None else self.diagnosis


@dataclass(frozen=True, slots=True)
class Rewrite(Injectable):
    """Other code for the same mathematics, which must stay silent."""


def given(**changes: Of) -> Change:
    """The function is given some of its arguments changed, each by a function of the idiom and the argument."""

    def change(xp: Idiom, a: Arguments) -> Mapping[str, Tensor]:
        return {name: changed(xp, getattr(a, name)) for name, changed in changes.items()}

    return giving(change)


def giving(change: Callable[[Idiom, Arguments], Mapping[str, Tensor]]) -> Change:
    """The function is given the arguments that `change` returns in place of its own."""

    def changed(xp: Idiom, right: Any, kinds: Kinds) -> Any:
        call = _Call(xp, right, kinds)
        return call.wrapped(lambda a: call.right(**{**vars(a), **change(xp, a)}))

    return changed


def returning(change: Callable[[Idiom, Any, Arguments], Any]) -> Change:
    """The function returns what `change` makes of its result, which is a tuple where there are several."""

    def changed(xp: Idiom, right: Any, kinds: Kinds) -> Any:
        call = _Call(xp, right, kinds)
        return call.wrapped(lambda a: change(xp, call.right(**vars(a)), a))

    return changed


def replaced(formula: Callable[[Idiom, Arguments], Any]) -> Change:
    """Another formula stands where the function was."""
    return lambda xp, right, kinds: _Call(xp, right, kinds).wrapped(lambda a: formula(xp, a))


def raw(change: Callable[[Idiom, Any], Any]) -> Change:
    """Whatever the stack has there, a constant or class perhaps, is replaced by what `change` makes of it."""
    return lambda xp, right, kinds: change(xp, right)


class _Call:
    """A stack's function between canonical tensors, however it is called."""

    def __init__(self, xp: Idiom, right: Any, kinds: Kinds) -> None:
        self._xp, self._right = xp, right
        self._kinds, self._results = kinds.arguments, kinds.results
        self._signature = inspect.signature(right)

    def wrapped(self, wrong: Callable[[Arguments], Any]) -> Callable[..., Any]:
        """A function in the framework's layout that does what `wrong` does in the canonical one."""

        @functools.wraps(self._right, updated=())  # for whoever asks its signature, such as another change around it
        def called(*positional: Any, **named: Any) -> Any:
            arguments = self._bound(positional, named)
            canonical = {
                name: self._xp.canonical(self._kinds[name], x) if name in self._kinds else x
                for name, x in arguments.items()
            }
            return self._results_by(self._xp.laid_out, wrong(SimpleNamespace(**canonical)))

        return called

    def right(self, **canonical: Any) -> Any:
        """The right function, on canonical tensors."""
        arguments = {
            name: self._xp.laid_out(self._kinds[name], x) if name in self._kinds else x for name, x in canonical.items()
        }
        return self._results_by(self._xp.canonical, self._right(**arguments))

    def _bound(self, positional: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
        bound = self._signature.bind(*positional, **named)
        bound.apply_defaults()
        arguments: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            of_any_name = self._signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD
            arguments.update(value if of_any_name else {name: value})
        return arguments

    def _results_by(self, layout: Callable[[Any, Any], Any], returned: Any) -> Any:
        if not self._results:
            return returned
        if not isinstance(returned, tuple):
            return layout(self._results[0], returned)
        return tuple(layout(kind, x) for kind, x in zip(self._results, returned, strict=False))
