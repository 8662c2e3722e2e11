"""A defect, or any other change, made in a stack for the length of a block."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from parity._ground.errors import UsageError
from parity._ground.repository import import_stack
from parity.contracts.fault import Injectable
from parity.faults.layout import kinds_at
from parity.faults.namespace import namespace_of
from parity.stacks.base import INJECTED

Place = tuple[Any, str]
"""An object and the name of an attribute of it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Replacement:
    """What stands for a change while it is made, and those around it: `right` is what `wrong` stands in for."""

    right: Any
    wrong: Any
    around: _Replacement | None


@contextmanager
def injected(change: Injectable, stack: str) -> Iterator[None]:
    """Make a change in a stack, and unmake it at the end of the block, whatever happens in it.

    Raises UsageError where there is no such stack or the change is not one of it, LookupError where the stack has
    nothing at the change's address.
    """
    xp = namespace_of(stack)
    if stack not in change.stacks:
        raise UsageError(f"{change.full_name} can be made in {' and '.join(change.stacks)}; got '{stack}'")

    def wrong(right: Any) -> Any:
        return change.change(xp, right, kinds_at(_origin(xp.package, change.address, right)))

    with replaced_in(xp.package, change.address, wrong):
        yield


@contextmanager
def replaced_in(package: str, address: str, change: Callable[[Any], Any]) -> Iterator[None]:
    """Put what `change` makes of `package.address` in its place, wherever the package refers to it.

    The modules and classes that imported the object under whatever name refer to it too. Where the address is itself
    such an import of a function, it alone is replaced. Modules that are imported within the block are cleaned up after
    it, and no trace of a function outlives the change. Raises LookupError where there is no such object.
    """
    module, name = _named(package, address)
    root = import_stack(package)
    around: _Replacement | None = getattr(root, INJECTED, None)
    right = getattr(module, name)
    wrong = _of_its_own(change(right))
    alone = _is_import(module, _first(right, around))
    places = [(module, name)] if alone else list(_references(package, right, module, name))
    before = set(_references(package, wrong, module, name))
    try:
        setattr(root, INJECTED, _Replacement(right, wrong, around))
        for owner, attribute in places:
            setattr(owner, attribute, wrong)
        yield
    finally:
        for owner, attribute in places:
            setattr(owner, attribute, right)
        for owner, attribute in set(_references(package, wrong, module, name)) - before:
            setattr(owner, attribute, right)
        setattr(root, INJECTED, around)


def _named(package: str, address: str) -> tuple[ModuleType, str]:
    """The module of an address, imported, and the name in it."""
    file, _, name = address.rpartition(".")
    try:
        module = import_stack(f"{package}.{file}") if file else None
    except ModuleNotFoundError as error:
        if not f"{package}.{file}".startswith(f"{error.name}"):  # what the module itself imports is missing
            raise
        module = None
    if module is None or not hasattr(module, name):
        raise LookupError(f"address: expected file.name of something in {package}, got '{address}'")
    return module, name


def _of_its_own(wrong: Any) -> Any:
    """A function that nothing else refers to: a library's own, put in a stack's place, has other places too."""
    if not isinstance(wrong, FunctionType | BuiltinFunctionType):
        return wrong
    # Without its attributes: TensorFlow reads in them what a function decorates.
    return functools.wraps(wrong, updated=())(lambda *positional, **named: wrong(*positional, **named))


def _first(found: Any, around: _Replacement | None) -> Any:
    """What stood where something is found before any change."""
    while around is not None:
        found, around = around.right if found is around.wrong else found, around.around
    return found


def _origin(package: str, address: str, found: Any) -> str:
    """The address under which a function was defined, if a module of the package did that."""
    module, name = getattr(found, "__module__", None) or "", getattr(found, "__name__", "")
    return f"{module.removeprefix(package + '.')}.{name}" if module.startswith(f"{package}.") else address


def _is_import(module: ModuleType, found: Any) -> bool:
    """Whether a function or class of a module is another module's."""
    return getattr(found, "__module__", module.__name__) != module.__name__ and callable(found)


def _references(package: str, found: Any, module: ModuleType, name: str) -> Iterator[Place]:
    """Every attribute of the package's modules, and of their classes, that is the object; a plain value's own alone."""
    if not callable(found):
        yield module, name
        return
    for other in _modules(package):
        for attribute, value in list(vars(other).items()):
            if value is found:
                yield other, attribute
            elif isinstance(value, type) and value.__module__ == other.__name__:
                yield from ((value, inner) for inner, held in list(vars(value).items()) if held is found)


def _modules(package: str) -> list[ModuleType]:
    return [
        module
        for name, module in list(sys.modules.items())
        if isinstance(module, ModuleType) and (name == package or name.startswith(f"{package}."))
    ]
