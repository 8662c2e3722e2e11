"""Short ways to say what is wrong with a function: with what it is given, with what it returns, with its gradient.

A change turns a right function into a wrong one. It is written on an array namespace and sees tensors in canonical
layout, whatever the function's own: a stack's, or the oracle's.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from parity.contracts.namespace import Namespace, Tensor
from parity.physics.kinds import Kind

Arguments = SimpleNamespace
"""A function's arguments by name, tensors in canonical layout."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """How a function's tensors are laid out: its arguments by name, and its results; nothing where nobody knows."""

    arguments: Mapping[str, Kind]
    results: tuple[Kind, ...]


Change = Callable[[Namespace, Any, Kinds], Any]
"""From a namespace, a right function, and how its tensors are laid out, to a wrong one."""

Of = Callable[[Namespace, Tensor], Tensor]


def given(**changes: Of) -> Change:
    """The function is given some of its arguments changed, each by a function of the namespace and the argument."""

    def change(xp: Namespace, a: Arguments) -> Mapping[str, Tensor]:
        return {name: changed(xp, getattr(a, name)) for name, changed in changes.items()}

    return giving(change)


def giving(change: Callable[[Namespace, Arguments], Mapping[str, Tensor]]) -> Change:
    """The function is given the arguments that `change` returns in place of its own."""

    def changed(xp: Namespace, right: Any, kinds: Kinds) -> Any:
        call = _Call(xp, right, kinds)
        return call.wrapped(lambda a: call.right(**{**vars(a), **change(xp, a)}))

    return changed


def returning(change: Callable[[Namespace, Any, Arguments], Any]) -> Change:
    """The function returns what `change` makes of its result, which is a tuple where there are several."""

    def changed(xp: Namespace, right: Any, kinds: Kinds) -> Any:
        call = _Call(xp, right, kinds)
        return call.wrapped(lambda a: change(xp, call.right(**vars(a)), a))

    return changed


def replaced(formula: Callable[[Namespace, Arguments], Any]) -> Change:
    """Another formula stands where the function was."""
    return lambda xp, right, kinds: _Call(xp, right, kinds).wrapped(lambda a: formula(xp, a))


def raw(change: Callable[[Namespace, Any], Any]) -> Change:
    """Whatever the stack has there, a constant or class perhaps, is replaced by what `change` makes of it."""
    return lambda xp, right, kinds: change(xp, right)


@dataclass(frozen=True, slots=True)
class Backward:
    """A change of the gradient of an argument alone: every value is right.

    `gradient` makes the wrong gradient of the right one. `argument` is what the function is given instead, the same
    value; where nothing is said, one through which that gradient passes back.
    """

    name: str
    gradient: Of
    argument: Of | None = None

    def __call__(self, xp: Namespace, right: Any, kinds: Kinds) -> Any:
        return given(**{self.name: self.argument or self._passing_back})(xp, right, kinds)

    def _passing_back(self, xp: Namespace, x: Tensor) -> Tensor:
        return xp.passing_back(x, lambda gradient: self.gradient(xp, gradient))


def passing_back(**gradient: Of) -> Backward:
    """The gradient of one argument is what a function makes of the right one."""
    ((name, changed),) = gradient.items()
    return Backward(name, changed)


def detached(name: str) -> Backward:
    """No gradient passes through an argument."""
    return Backward(name, lambda xp, gradient: xp.zeros_like(gradient), lambda xp, x: xp.detach(x))


def then(first: Change, second: Change) -> Change:
    """Two changes at once: the second is made in what the first has made."""

    def changed(xp: Namespace, right: Any, kinds: Kinds) -> Any:
        return second(xp, functools.wraps(right, updated=())(first(xp, right, kinds)), kinds)

    return changed


class _Call:
    """A stack's function between canonical tensors, however it is called."""

    def __init__(self, xp: Namespace, right: Any, kinds: Kinds) -> None:
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
