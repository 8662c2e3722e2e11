"""Which definitions of a Python file differ between two versions of it; comments and docstrings say nothing."""

from __future__ import annotations

import ast
import builtins
import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from parity.contracts.reachability import names_defined

EVERYTHING = "*"
"""Stands for all definitions of a file, where what differs is none of them."""


def changed_definitions(old: str, new: str) -> dict[str, int]:
    """The definitions that differ, those that are new or gone included, each with the line of `new` to look at.

    A definition that names what is imported otherwise differs too. `EVERYTHING` is among them where a statement differs
    that defines nothing, an import that nothing names, or the order. Raises SyntaxError where a version is no Python.
    """
    before, after = ast.parse(old), ast.parse(new)
    was, now = _by_name(before), _by_name(after)
    differing = {name for name in was.keys() | now.keys() if _said(was.get(name, ())) != _said(now.get(name, ()))}
    imported = {name for name in differing if _is_imported(now.get(name, ()) or was.get(name, ()))}
    named = {name: {inner for node in nodes for inner in _names(node)} & imported for name, nodes in now.items()}
    differing |= {name for name, found in named.items() if found}
    if imported - set[str]().union(*named.values()):
        differing.add(EVERYTHING)  # what is imported may raise, whoever names it
    in_both = (was.keys() & now.keys()) - imported  # what is imported otherwise stands elsewhere, if it was defined
    if [name for name in was if name in in_both] != [name for name in now if name in in_both]:
        differing.add(EVERYTHING)
    lines = _changed_lines(old, new)
    return {name: _line(now.get(name, ()), lines) for name in sorted(differing - imported)}


def runs_when_called(name: str, old: str, new: str) -> bool:
    """Whether all that differs of a definition runs when it is called: of a class, its methods alone.

    What is new or gone differs by all of it; of a class, by all but its bases. A new value matters to nobody but those
    that name it, which differ too, unless something is called for it.
    """
    was, now = (_by_name(ast.parse(text)).get(name, ()) for text in (old, new))
    if not was and name.isidentifier() and not hasattr(builtins, name) and all(map(_is_plain_value, now)):
        return True
    if not all(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in (*was, *now)):
        return False
    return _shells(was, bool(now)) == _shells(now, bool(was))


def _is_plain_value(node: ast.stmt) -> bool:
    is_value = isinstance(node, ast.Assign | ast.AnnAssign)
    return is_value and not any(isinstance(inner, ast.Call) for inner in ast.walk(node))


def _shells(nodes: Sequence[ast.stmt], with_bases: bool) -> list[str]:
    """What of classes runs where they stand, as text; of functions, nothing."""
    shells = [part for node in nodes if isinstance(node, ast.ClassDef) for part in _shell(node, with_bases)]
    return [ast.dump(part) for part in shells]


def _shell(node: ast.ClassDef, with_bases: bool) -> Iterator[ast.AST]:
    yield from (*node.decorator_list, *node.keywords, *(node.bases if with_bases else ()))
    for statement in node.body:
        if isinstance(statement, ast.ClassDef):
            yield from _shell(statement, with_bases=True)
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.Pass) and not _is_text(statement):
            yield statement


def definitions_at(text: str, lines: Iterable[int]) -> Iterator[str]:
    """The functions and classes at the top of a file in which these lines lie."""
    wanted = set(lines)
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            start = min(part.lineno for part in (node, *node.decorator_list))
            if wanted & set(range(start, (node.end_lineno or start) + 1)):
                yield node.name


def _by_name(tree: ast.Module) -> Mapping[str, Sequence[ast.stmt]]:
    """The statements at the top of a file by the names that they define or import."""
    found: dict[str, list[ast.stmt]] = defaultdict(list)
    for node in tree.body:
        for name in list(_bound(node)) or [EVERYTHING]:
            found[name].append(node)
    return found


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    else:
        yield from names_defined(node)


def _is_imported(nodes: Sequence[ast.stmt]) -> bool:
    return all(isinstance(node, ast.Import | ast.ImportFrom) for node in nodes)


def _said(nodes: Sequence[ast.stmt]) -> list[str]:
    return [ast.dump(_Undocumented().visit(node)) for node in nodes if not _is_text(node)]


class _Undocumented(ast.NodeTransformer):
    """Drops what stands for nothing but its own text."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [statement for statement in body if not _is_text(statement)]  # type: ignore[attr-defined]
        return node


def _is_text(node: ast.AST) -> bool:
    match node:
        case ast.Expr(ast.Constant(str())):
            return True
    return False


def _names(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _changed_lines(old: str, new: str) -> list[int]:
    """The lines of the new version that differ; where lines are gone, the one that follows."""
    matcher = difflib.SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False)
    changed: list[int] = []
    for kind, _, _, start, stop in matcher.get_opcodes():
        if kind != "equal":
            changed += range(start + 1, max(stop, start + 1) + 1)
    return changed


def _line(nodes: Sequence[ast.stmt], changed: Sequence[int]) -> int:
    """The first changed line within a definition, else its own; 1 of what is gone."""
    for node in nodes:
        inside = [line for line in changed if node.lineno <= line <= (node.end_lineno or node.lineno)]
        if inside:
            return inside[0]
    return nodes[0].lineno if nodes else 1
