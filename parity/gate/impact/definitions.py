"""Which definitions of a Python file differ between two versions of it; comments and docstrings say nothing."""

from __future__ import annotations

import ast
import builtins
import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from parity.contracts.leading import tells_nobody
from parity.contracts.reading import decorator_of, only_returns, parsed, run_at_import

_ByName = Mapping[str, Sequence[ast.stmt]]

EVERYTHING = "*"
"""Stands for all definitions of a file, where what differs is none of them."""


Source = bytes | str


def changed_definitions(old: Source, new: Source) -> dict[str, int]:
    """The definitions that differ, those that are new or gone included, each with the line of `new` to look at.

    A definition that names what is imported otherwise differs too. `EVERYTHING` is among them where a statement differs
    that defines nothing, an import that nothing names, or the order. Raises SyntaxError where a version is no Python.
    """
    was, now = _by_name(parsed(old)), _by_name(parsed(new))
    differing = _differing(was, now)
    imported = {name for name in differing if _is_imported(now.get(name, ()) or was.get(name, ()))}
    named = {name: {inner for node in nodes for inner in _names(node)} & imported for name, nodes in now.items()}
    differing |= {name for name, found in named.items() if found}
    if imported - set[str]().union(*named.values()):
        differing.add(EVERYTHING)  # what is imported may raise, whoever names it
    in_both = (was.keys() & now.keys()) - imported  # what is imported otherwise stands elsewhere, if it was defined
    if [name for name in was if name in in_both] != [name for name in now if name in in_both]:
        differing.add(EVERYTHING)
    return _lines(differing - imported, now, old, new)


def changed_imports(old: Source, new: Source) -> dict[str, int]:
    """The names that are imported otherwise, each with its line: another file may import them from this one."""
    was, now = _by_name(parsed(old)), _by_name(parsed(new))
    differing = {name for name in _differing(was, now) if _is_imported(now.get(name, ()) or was.get(name, ()))}
    return _lines(differing, now, old, new)


def is_quiet(name: str, old: Source, new: Source) -> bool:
    """Whether nothing of what differs of a definition calls anything when the file is imported.

    What a decorator, a base or a default is, those see that name the definition.
    """
    was, now = (
        [ast.dump(part) for node in _by_name(parsed(text)).get(name, ()) for part in _loud(node)] for text in (old, new)
    )
    return was == now


def _loud(node: ast.stmt) -> Iterator[ast.AST]:
    aside = {id(base) for inner in ast.walk(node) if isinstance(inner, ast.ClassDef) for base in inner.bases}
    for part in run_at_import(node):
        is_plain = isinstance(part, ast.expr) and tells_nobody(decorator_of(part))
        if id(part) not in aside and not is_plain and not only_returns(part):
            yield part


def _differing(was: _ByName, now: _ByName) -> set[str]:
    return {name for name in was.keys() | now.keys() if _said(name, was) != _said(name, now)}


def _lines(names: Iterable[str], now: _ByName, old: Source, new: Source) -> dict[str, int]:
    lines = _changed_lines(*(text.decode(errors="replace") if isinstance(text, bytes) else text for text in (old, new)))
    return {name: _line(now.get(name, ()), lines) for name in sorted(names)}


def runs_when_called(name: str, old: Source, new: Source) -> bool:
    """Whether all that differs of a definition runs when it is called: of a class, its methods alone.

    What is new or gone differs by all of it; of a class, by all but its bases. A new value matters to nobody but those
    that name it, which differ too, unless something is called for it.
    """
    was, now = (_by_name(parsed(text)).get(name, ()) for text in (old, new))
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


def definitions_at(text: Source, lines: Iterable[int]) -> Iterator[str]:
    """The functions and classes at the top of a file in which these lines lie."""
    wanted = set(lines)
    for node in parsed(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            start = min(part.lineno for part in (node, *node.decorator_list))
            if wanted & set(range(start, (node.end_lineno or start) + 1)):
                yield node.name


def _by_name(tree: ast.Module) -> _ByName:
    """The statements at the top of a file by the names that they define or import."""
    found: dict[str, list[ast.stmt]] = defaultdict(list)
    for node in tree.body:
        for name in list(_bound(node)) or [EVERYTHING]:
            found[name].append(node)
    return found


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    match node:
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
            yield name
        case ast.Assign(targets) if all(isinstance(target, ast.Name) for target in targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(ast.Name(name)):
            yield name


def _is_imported(nodes: Sequence[ast.stmt]) -> bool:
    return all(isinstance(node, ast.Import | ast.ImportFrom) for node in nodes)


def _said(name: str, by_name: _ByName) -> list[str]:
    return [ast.dump(_Undocumented().visit(_alone(node, name))) for node in by_name.get(name, ()) if not _is_text(node)]


def _alone(node: ast.stmt, name: str) -> ast.stmt:
    """Of an import, what gives this name."""
    match node:
        case ast.Import(names):
            return ast.Import([alias for alias in names if name in _bound(ast.Import([alias]))])
        case ast.ImportFrom(module, names, level):
            return ast.ImportFrom(module, [alias for alias in names if name in _bound(ast.Import([alias]))], level)
    return node


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
