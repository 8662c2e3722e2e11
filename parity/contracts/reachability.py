"""Reads from the sources which contracts can see a change of a definition: those whose functions lead to it.

A definition leads to another if it names it: in its own file, as an import, as an attribute of a module, through as
many modules as there are. That is more than is ever called, and never less, unless something is *dark*: a construct
that may lead anywhere, such as a name that is looked up by a string, or a file that is opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from parity.contracts.contract import Contract
from parity.contracts.leading import is_plain_elsewhere, is_plain_import, is_plain_name, tells_nobody
from parity.contracts.reading import Import, Module, Named, Place, Statement, read_module

Address = str
"""`package.file.definition`."""

Callers = Mapping[Address, frozenset[Address]]
"""By definition, the definitions that name it."""

IMPORT = "<import>"
"""The definition of a file that stands for what runs when it is imported, and for what outlives a call."""


@dataclass(frozen=True, slots=True)
class Dark:
    """A construct that may lead anywhere, as it is written, and where."""

    text: str
    module: str
    line: int


@dataclass(frozen=True, slots=True)
class Graph:
    """What leads to what among some modules and all that they import, and what is dark, by definition.

    `modules` are those that were read, by the paths of their files.
    """

    callers: Callers
    dark: Mapping[Address, tuple[Dark, ...]]
    modules: Mapping[str, str]

    def joined(self, other: Graph) -> Graph:
        """What either says."""
        callers = {name: self.callers.get(name, frozenset()) | found for name, found in other.callers.items()}
        dark = {name: (*self.dark.get(name, ()), *found) for name, found in other.dark.items()}
        return Graph({**self.callers, **callers}, {**self.dark, **dark}, {**self.modules, **other.modules})


Read = Callable[[str], bytes | None]
"""The content of a file that is named from the root; None where there is none."""


def graph_of(root: Path, modules: Iterable[str], read: Read | None = None) -> Graph:
    """The graph of these modules of the folder `root`, as `read` gives its files: those of the disk if it is None."""
    return _Joining(root, read or (lambda path: content_of(root / path))).graph(modules)


def content_of(file: Path) -> bytes | None:
    """The content of a file; None where there is none that can be read."""
    try:
        return file.read_bytes() if file.is_file() else None
    except OSError:
        return None


class _Joining:
    """Goes through modules, and through those that they import."""

    def __init__(self, root: Path, read: Read) -> None:
        self._root, self._read = root, read
        self._modules: dict[str, Module | None] = {}
        self._paths: dict[str, str] = {}
        self._callers: defaultdict[Address, set[Address]] = defaultdict(set)
        self._dark: defaultdict[Address, dict[Dark, None]] = defaultdict(dict)
        self._waiting: list[str] = []
        self._following: list[str] = []

    def graph(self, modules: Iterable[str]) -> Graph:
        self._waiting += modules
        done: set[str] = set()
        while self._waiting:
            name = self._waiting.pop()
            if name not in done:
                done.add(name)
                self._add(name)
        callers = {address: frozenset(found) for address, found in self._callers.items()}
        dark = {address: tuple(found) for address, found in self._dark.items()}
        return Graph(callers, dark, {path: name for name, path in self._paths.items() if name in done})

    def _add(self, name: str) -> None:
        module = self._module(name)
        self._waiting += [name.rpartition(".")[0]] if "." in name else []
        for statement in module.statements if module else ():
            importing = f"{name}.{IMPORT}"
            definitions = [f"{name}.{bound}" for bound in statement.names] or [importing]
            self._lead(definitions, name, statement, statement.all)
            calls = statement.only_returned
            if not calls or any(self._is_ours(called.partition(".")[0], name, statement) for called in calls):
                self._lead([importing], name, statement, statement.at_import)
            outlives = any(self._outlives(changed, name, statement) for changed, _ in statement.all.changed)
            if outlives or any(self._hands_on(decorator, name, statement) for decorator in statement.decorators):
                for definition in definitions:
                    self._callers[definition].add(importing)

    def _lead(self, definitions: Sequence[Address], module: str, statement: Statement, named: Named) -> None:
        """Note what some code leads to, for the definitions that it belongs to."""
        found: list[Address | Dark] = [Dark(text, module, line) for text, line in named.dark]
        for imported in named.imports:
            found += self._imported(imported, module, is_statement=named is statement.all)
        for place in named.chains:
            found += self._chain(place, module, statement)
        for definition in definitions:
            for one in found:
                if isinstance(one, Dark):
                    self._dark[definition][one] = None
                elif one != definition:
                    self._callers[one].add(definition)

    def _imported(self, imported: Import, module: str, *, is_statement: bool) -> Iterator[Address | Dark]:
        """What an import leads to: the name that it binds, to its target; what it runs, its module says."""
        parts = imported.target.split(".")
        dark = Dark(f"import {imported.target}", module, 1)
        if self._module(parts[0]) is None:
            if not is_plain_import(parts[0]):
                yield dark
        elif not imported.name:
            for end in range(1, len(parts) + 1):
                name = ".".join(parts[:end])
                if self._module(name) is None:
                    yield dark
                    return
                self._waiting.append(name)
        elif is_statement:
            yield from self._absolute(parts, dark, is_import=True)

    def _chain(self, place: Place, module: str, statement: Statement) -> Iterator[Address | Dark]:
        """What a chain of names leads to, wherever its first name is bound."""
        text, line = place
        parts, dark = text.split("."), Dark(text, module, line)
        targets = _imported_within(statement, parts[0])
        for target in targets:
            yield from self._absolute([*target.split("."), *parts[1:]], dark)
        here = self._module(module)
        if here and parts[0] in here.bound:
            found = self._within(module, parts, dark)
            is_own = parts[0] in statement.all.own and not targets
            yield from (one for one in found if not (is_own and isinstance(one, Dark)))
        elif not targets and parts[0] not in statement.all.own and not is_plain_name(parts[0]):
            yield dark

    def _absolute(self, parts: Sequence[str], dark: Dark, *, is_import: bool = False) -> Iterator[Address | Dark]:
        """What `package.module.name` leads to."""
        if self._module(parts[0]) is not None:
            yield from self._within(parts[0], parts[1:], dark, is_import=is_import)
        elif not is_import and not is_plain_elsewhere(parts):
            yield Dark(".".join(parts), dark.module, dark.line)

    def _within(
        self, module: str, parts: Sequence[str], dark: Dark, *, is_import: bool = False
    ) -> Iterator[Address | Dark]:
        """What `a.b` leads to where it is written in a module, or behind its name.

        A module that is passed on, as any object is, may be asked for anything; by an import it is not.
        """
        if not parts:
            yield from () if is_import else [dark]
            return
        here, first, rest = self._module(module) or Module(), parts[0], parts[1:]
        is_name = first in here.bound
        if is_name:
            yield f"{module}.{first}"
            for target in here.bound.get(first, ()):
                written = ".".join([target, *rest])
                if written not in self._following:  # modules may import each other
                    self._following.append(written)
                    yield from self._absolute(written.split("."), dark, is_import=is_import)
                    self._following.remove(written)
        below = f"{module}.{first}"
        is_module = self._module(below) is not None
        if is_module:
            self._waiting.append(below)
            yield from self._within(below, rest, dark, is_import=is_import or (is_name and not rest))
        if not is_name and not is_module:
            yield dark

    def _outlives(self, changed: str, module: str, statement: Statement) -> bool:
        """Whether what is assigned to, or altered in place, outlives the call."""
        root, _, method = changed.partition(".")
        if root in statement.all.own and not _imported_within(statement, root):
            return False
        return not method or self._is_ours(root, module, statement)

    def _hands_on(self, decorator: str, module: str, statement: Statement) -> bool:
        """Whether a decorator may have told somebody else of a definition."""
        return not tells_nobody(decorator) or self._is_ours(decorator.partition(".")[0], module, statement)

    def _is_ours(self, name: str, module: str, statement: Statement) -> bool:
        """Whether a name stands for something of the repository."""
        here = self._module(module) or Module()
        targets = (*_imported_within(statement, name), *here.bound.get(name, ()))
        if targets:
            return any(self._module(target.partition(".")[0]) is not None for target in targets)
        return name in here.bound

    def _module(self, name: str) -> Module | None:
        """The module of this name, where the folder has one; a folder of modules alone has no statement."""
        if name not in self._modules:
            self._modules[name] = self._read_module(name)
        return self._modules[name]

    def _read_module(self, name: str) -> Module | None:
        base = name.replace(".", "/")
        contents = {path: self._read(path) for path in (f"{base}/__init__.py", f"{base}.py")}
        found = [(path, content) for path, content in contents.items() if content is not None]
        if not found:
            return Module() if base and (self._root / base).is_dir() else None
        path, content = found[0]
        self._paths[name] = path
        why = self._why_elsewhere(path, base) if len(found) == 1 else f"{base}, which is two files"
        try:
            module = read_module(content, name, is_package=path.endswith("/__init__.py"))
        except SyntaxError as error:
            why, module = f"{path}: {error.msg}", Module()
        if why:
            self._dark[f"{name}.{IMPORT}"][Dark(why, name, 1)] = None
        return module

    def _why_elsewhere(self, path: str, base: str) -> str:
        """Why a file may not be what Python runs; "" if it is."""
        parts = Path(path).parts
        if any((self._root / Path(*parts[:end])).is_symlink() for end in range(1, len(parts) + 1)):
            return f"{path}, a symbolic link"
        if any((self._root / f"{base}{suffix}").exists() for suffix in EXTENSION_SUFFIXES):
            return f"{base}, which is compiled"
        return ""


def _imported_within(statement: Statement, name: str) -> list[str]:
    """What a statement imports under a name, in full."""
    return [each.target for each in statement.all.imports if each.name == name]


def nearest_first(
    address: Address, callers: Callers, contracts: Mapping[str, Contract], package: str, stack: str
) -> tuple[tuple[str, ...], ...]:
    """The contracts that lead to a definition of a stack's package, nearest first; contracts that are equally many
    calls away stand together.
    """
    away = _distances(address, callers)
    groups: dict[int, list[str]] = defaultdict(list)
    for name, contract in contracts.items():
        names = (contract.address, *(entry.path for entry in contract.entries if entry.stack == stack))
        reached = [away[f"{package}.{named}"] for named in names if f"{package}.{named}" in away]
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


def _distances(address: Address, callers: Callers) -> dict[Address, int]:
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
