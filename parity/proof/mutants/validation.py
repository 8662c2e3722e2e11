"""What of a file refuses bad arguments, told from what computes, by the syntax tree alone.

A border is a call into `checks` or of a `_require…` whose result nobody uses, a `raise`, a condition or loop with
nothing else in it, an assignment that only such statements read, and a private function that only they call.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

CHECKS = "checks"
REFUSING = "_require"


def border_statements(tree: ast.Module) -> frozenset[ast.AST]:
    """The outermost statements, and the whole functions, that refuse bad arguments; all within them does so too."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    found: set[ast.AST] = {function for function in functions if function.name.startswith(REFUSING)}
    while True:
        before = len(found)
        for function in functions:
            _add_statements(function, found)
        found |= set(_called_by_borders_alone(tree, functions, found))
        if len(found) == before:
            return frozenset(found)


def _add_statements(function: ast.FunctionDef, found: set[ast.AST]) -> None:
    for statement in ast.walk(function):
        if isinstance(statement, ast.stmt) and statement is not function and _refuses(statement, found):
            found.add(statement)
    read_by_borders_alone = _read(ast.walk(function)) - _read(_outside(function, found))
    for statement in ast.walk(function):
        if isinstance(statement, ast.Assign):
            names = {name.id for target in statement.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
            if names <= read_by_borders_alone:
                found.add(statement)


def _refuses(statement: ast.stmt, found: set[ast.AST]) -> bool:
    match statement:
        case ast.Raise():
            return True
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(module), _))):
            return module == CHECKS
        case ast.Expr(ast.Call(ast.Name(name))):
            return name.startswith(REFUSING)
        case ast.If() | ast.For():
            return all(inner in found or _refuses(inner, found) for inner in (*statement.body, *statement.orelse))
    return False


def _called_by_borders_alone(
    tree: ast.Module, functions: Iterable[ast.FunctionDef], found: set[ast.AST]
) -> Iterator[ast.FunctionDef]:
    named_by_borders_alone = _read(ast.walk(tree)) - _read(_outside(tree, found))
    for function in functions:
        if function.name.startswith("_") and function.name in named_by_borders_alone:
            yield function


def _read(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that are read."""
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _outside(node: ast.AST, found: set[ast.AST]) -> Iterator[ast.AST]:
    """Everything in a tree that is not part of a border."""
    for child in ast.iter_child_nodes(node):
        if child not in found:
            yield child
            yield from _outside(child, found)
