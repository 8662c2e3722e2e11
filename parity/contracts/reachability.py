"""Reads from the sources which contracts can see a change of a definition: those whose functions lead to it.

A definition leads to another if it names it, in its own file, as an import, or as an attribute of a module of the
package. That is more than is ever called, and never less, because nothing in the stacks is looked up by a string.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from parity.contracts.contract import Contract

Address = str
"""`file.definition` within a package."""


Callers = Mapping[Address, frozenset[Address]]
"""By definition, the definitions that name it."""


def nearest_first(
    address: Address, callers: Callers, contracts: Mapping[str, Contract], stack: str
) -> tuple[tuple[str, ...], ...]:
    """The contracts that lead to a definition of a stack, nearest first; contracts that are equally many calls away
    stand together.
    """
    away = _distances(address, callers)
    groups: dict[int, list[str]] = defaultdict(list)
    for name, contract in contracts.items():
        names = (contract.address, *(entry.path for entry in contract.entries if entry.stack == stack))
        reached = [away[name] for name in names if name in away]
        if reached:
            groups[min(reached)].append(name)
    return tuple(tuple(groups[distance]) for distance in sorted(groups))


def led_to(address: Address, callers: Callers, marks: frozenset[Address]) -> dict[Address, Address | None]:
    """What a definition leads to, itself included: by address, the last of `marks` before it on the way, or None.

    None too where one way of several leads past all of them.
    """
    before: dict[Address, Address | None] = {address: None}
    front: list[Address] = [address]
    while front:
        following: list[Address] = []
        for named in front:
            mark = named if named in marks else before[named]
            for caller in sorted(callers.get(named, ())):
                if caller not in before or (mark is None and before[caller] is not None):
                    before[caller] = mark
                    following.append(caller)
        front = following
    return before


def callers_in(folder: Path, package: str = "") -> Callers:
    """The callers in the package whose files are in this folder. Without `package`, the package has the name of the
    folder.
    """
    return callers_of(sources_in(folder), package or folder.name)


def sources_in(folder: Path) -> dict[str, str]:
    """The files of a package by module."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("[!.]*.py"))}


def callers_of(sources: Mapping[str, str], package: str) -> Callers:
    """The callers among the modules of a package, read from their sources. Raises SyntaxError if a source is not
    Python.
    """
    trees = {module: ast.parse(text) for module, text in sources.items()}
    callers: dict[Address, set[Address]] = defaultdict(set)
    for module, tree in trees.items():
        own = {name: f"{module}.{name}" for definition in tree.body for name in names_defined(definition)}
        definitions, modules = _imports(tree, package, trees)
        for definition in tree.body:
            for name in names_defined(definition):
                for named in _named(definition, own | definitions, modules):
                    callers[named].add(f"{module}.{name}")
    return {address: frozenset(found) for address, found in callers.items()}


def _distances(address: Address, callers: Mapping[Address, frozenset[Address]]) -> dict[Address, int]:
    away = {address: 0}
    front = [address]
    while front:
        front = [caller for named in front for caller in sorted(callers.get(named, ())) if _is_new(caller, named, away)]
    return away


def _is_new(caller: Address, named: Address, away: dict[Address, int]) -> bool:
    if caller in away:
        return False
    away[caller] = away[named] + 1
    return True


def _named(definition: ast.AST, definitions: Mapping[str, Address], modules: Mapping[str, str]) -> Iterator[Address]:
    for node in ast.walk(definition):
        match node:
            case ast.Name(name) if name in definitions:
                yield definitions[name]
            case ast.Attribute(ast.Name(name), attribute) if name in modules:
                yield f"{modules[name]}.{attribute}"


def _imports(
    tree: ast.Module, package: str, trees: Mapping[str, ast.Module]
) -> tuple[dict[str, Address], dict[str, str]]:
    """What a file imports from its package: definitions and modules, each by the name it has there."""
    definitions: dict[str, Address] = {}
    modules: dict[str, str] = {}
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            continue
        for alias in node.names:
            here = alias.asname or alias.name
            if node.module == package and alias.name in trees:
                modules[here] = alias.name
            elif node.module.startswith(f"{package}."):
                definitions[here] = f"{node.module.removeprefix(package + '.')}.{alias.name}"
    return definitions, modules


def names_defined(definition: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top of a file defines: functions, classes and assigned names."""
    match definition:
        case ast.FunctionDef(name) | ast.ClassDef(name):
            yield name
        case ast.Assign(targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(ast.Name(name)):
            yield name
