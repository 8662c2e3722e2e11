"""From the text of a source file to its mutants: every small change, one at a time, in a fixed order."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import Any

from parity.proof.mutants.operators import OPERATORS, Site
from parity.proof.mutants.validation import border_statements


class MutantKind(StrEnum):
    """What a mutant is a change of: what is computed, or what is refused."""

    MATHEMATICS = "mathematics"
    BORDER = "border"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A small change to one definition of a file, which stands at its top level; `source` is the changed definition.

    `function` is the innermost function that is changed, `line` and `column` where in the file, counted from 1 and 0.
    """

    package: str
    module: str
    definition: str
    function: str
    line: int
    column: int
    operator: str
    before: str
    after: str
    kind: MutantKind
    source: str

    @property
    def id(self) -> str:
        """A name that lasts as long as the text of the definition does, wherever in the file it stands."""
        told_by = "\n".join((self.package, self.module, self.definition, self.source))
        return hashlib.sha256(told_by.encode()).hexdigest()[:10]

    @property
    def address(self) -> str:
        """`file.definition`, as contracts are named."""
        return f"{self.module}.{self.definition}"

    @property
    def place(self) -> str:
        """`package/file.py:line:column`, as compilers have it."""
        return f"{self.package}/{self.module}.py:{self.line}:{self.column}"


def mutants_of(package: str, module: str, text: str) -> list[Mutant]:
    """Every mutant of the file `package/module.py` of this text, by place; no two have the same source.

    Left out is what cannot be wrong: docstrings, annotations, decorators, and the messages of errors.
    """
    tree = ast.parse(text)
    borders = border_statements(tree)
    modules = frozenset(_imported_modules(tree))
    found: dict[tuple[str, str], Mutant] = {}
    for definition in tree.body:
        name = _defined(definition)
        if name is None:
            continue
        right = ast.unparse(definition)
        blank = Mutant(package, module, name, name, 0, 0, "", "", "", MutantKind.MATHEMATICS, right)
        top = _Place(definition, tree, modules, frozenset(), "", definition in borders, "body", None, name, borders)
        for mutant in _mutants(top, blank):
            if mutant.source != right:
                found.setdefault((name, mutant.source), mutant)
    return sorted(found.values(), key=lambda mutant: (mutant.line, mutant.column, mutant.operator, mutant.after))


def thinned(mutants: Sequence[Mutant], most: int) -> list[Mutant]:
    """At most so many mutants of each operator in each function, the smallest ids; the order is kept.

    Ids are as good as random, and those of a smaller number are among those of a larger one.
    """

    def group(mutant: Mutant) -> tuple[str, ...]:
        return mutant.package, mutant.module, mutant.function, mutant.operator

    kept: set[str] = set()
    for _, alike in groupby(sorted(mutants, key=group), key=group):
        kept |= set(sorted(mutant.id for mutant in alike)[:most])
    return [mutant for mutant in mutants if mutant.id in kept]


@dataclass(frozen=True, slots=True)
class _Place(Site):
    """A site, where it stands in its parent, and in which function."""

    field: str
    index: int | None
    function: str
    borders: frozenset[ast.AST]

    def put(self, node: ast.AST) -> None:
        """Let another node stand here."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def _mutants(top: _Place, blank: Mutant) -> Iterator[Mutant]:
    for place in _places(top):
        for operator, changes in OPERATORS.items():
            for changed in changes(place):
                place.put(changed)
                try:
                    source = ast.unparse(top.node)
                finally:
                    place.put(place.node)
                yield replace(
                    blank,
                    function=place.function,
                    line=place.node.lineno,  # type: ignore[attr-defined]
                    column=place.node.col_offset,  # type: ignore[attr-defined]
                    operator=operator,
                    before=_headline(place.node),
                    after=_headline(changed),
                    kind=MutantKind.BORDER if place.refuses else MutantKind.MATHEMATICS,
                    source=source,
                )


def _places(place: _Place) -> Iterator[_Place]:
    """Every node below a place that may be changed, from the outside inwards."""
    node = place.node
    function, returns, bound = place.function, place.returns, place.bound
    if isinstance(node, ast.FunctionDef):
        function = node.name if place.function == node.name else f"{place.function}.{node.name}"
        returns = ast.unparse(node.returns) if node.returns else ""
        bound = frozenset(argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg))
    for field, value in ast.iter_fields(node):
        if field in ("decorator_list", "annotation", "returns", "bases", "targets", "target", "type_comment"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if not isinstance(child, ast.AST) or _cannot_be_wrong(child, node, index):
                continue
            refuses = place.refuses or child in place.borders
            within = replace(place, function=function, returns=returns, bound=bound, refuses=refuses)
            inner = replace(within, node=child, parent=node, field=field, index=index)
            if hasattr(child, "lineno") or isinstance(child, ast.Slice):
                yield inner
            yield from _places(inner)
            bound |= {
                name.id for name in ast.walk(child) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            }


def _cannot_be_wrong(node: ast.AST, parent: ast.AST, index: Any) -> bool:
    match node:
        case ast.Expr(ast.Constant(str())):
            return index == 0 or isinstance(parent, ast.Module)
        case ast.JoinedStr():
            return True
        case ast.Call(ast.Attribute(ast.Constant(str()), "format")):
            return True
        case ast.Call(ast.Attribute(_, "refusal")):
            return True
    return isinstance(parent, ast.Raise)


def _defined(definition: ast.stmt) -> str | None:
    match definition:
        case ast.FunctionDef(name) | ast.ClassDef(name):
            return name
        case ast.Assign([ast.Name(name)]) if not name.startswith("__"):
            return name
    return None


def _imported_modules(tree: ast.Module) -> Iterator[str]:
    """Names that stand for modules: those of `import`, and what is imported from a package by a lower-case name."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names if alias.name.islower())


def _headline(node: ast.AST) -> str:
    """A node as text, the first line of it where there are several."""
    return ast.unparse(node).splitlines()[0]
