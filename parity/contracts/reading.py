"""Reads one file of Python: what each of its statements binds, imports and names, and what nobody can follow.

A name that is looked up by a string, a file that is opened, text that is executed: from there anything may be reached.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from parity.contracts.leading import is_plain_attribute, is_pure

Place = tuple[str, int]
"""A construct as it is written, and its line."""

_HOOKS = ("__init_subclass__", "__set_name__", "__prepare__", "__class_getitem__", "__mro_entries__")
"""Methods that run where somebody else defines a class."""

_CHANGING = (
    *("append", "extend", "insert", "add", "update", "setdefault", "register"),
    *("pop", "popitem", "remove", "discard", "clear"),
)
"""Methods that change what they are called on."""


@dataclass(frozen=True, slots=True)
class Import:
    """A name that is another's: `target` in full. Without a name, a module that is imported."""

    name: str
    target: str


@dataclass(frozen=True, slots=True)
class Named:
    """What a piece of code names: chains such as `checks.require`, its imports, and its constructs that are dark.

    `own` are names of its functions and classes themselves. `changed` are chains that it assigns to or alters in place.
    """

    chains: tuple[Place, ...]
    own: frozenset[str]
    imports: tuple[Import, ...]
    changed: tuple[Place, ...]
    dark: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement at the top of a file: the names that it binds, what it names, and what of that an import may call."""

    names: tuple[str, ...]
    all: Named
    at_import: Named
    decorators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Module:
    """A file as it can be read: by name that is bound at its top, what it stands for, in full, if it is imported."""

    statements: tuple[Statement, ...] = ()
    bound: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@lru_cache(maxsize=1024)
def read_module(content: bytes, name: str, *, is_package: bool) -> Module:
    """The module of this name. Raises SyntaxError for what is no Python."""
    tree = parsed(content)
    package = name if is_package else name.rpartition(".")[0]
    typed = _has_type_checking(tree)
    statements = tuple(_statement(node, package, typed) for node in tree.body)
    bound: dict[str, tuple[str, ...]] = {}
    for statement in statements:
        for name in statement.names:
            targets = (each.target for each in statement.all.imports if each.name == name)
            bound[name] = (*bound.get(name, ()), *targets)
    return Module(statements, bound)


def _has_type_checking(tree: ast.Module) -> bool:
    """Whether the name TYPE_CHECKING is what it seems."""
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    sources = {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if "TYPE_CHECKING" in (alias.name, alias.asname)
    }
    return sources == {"typing"} and "TYPE_CHECKING" not in bound


def parsed(content: bytes | str) -> ast.Module:
    """The syntax. Raises SyntaxError for what is no Python, whatever the reason."""
    try:
        return ast.parse(content)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error) or "it is nested too deeply") from error


def chain_of(node: ast.AST) -> str:
    """`a.b.c` of names and attributes; "" of anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def decorator_of(node: ast.AST) -> str:
    """The name of a decorator, called or not."""
    return chain_of(node.func if isinstance(node, ast.Call) else node)


def run_at_import(node: ast.stmt) -> Iterator[ast.AST]:
    """What of a statement may call something when the file is imported: of a function, decorators and defaults."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from node.decorator_list
            yield from (
                default for default in (*node.args.defaults, *node.args.kw_defaults) if default and _calls(default)
            )
        case ast.ClassDef():
            yield from (*node.decorator_list, *node.bases, *node.keywords)
            for statement in node.body:
                yield from run_at_import(statement)
        case ast.Assign(targets, value) if all(isinstance(target, ast.Name) for target in targets):
            yield from [node] if _calls(value) else ()
        case ast.AnnAssign(ast.Name(), value=value):
            yield from [node] if value and _calls(value) else ()
        case ast.Expr(ast.Constant()) | ast.Pass():
            pass
        case _:
            yield node


def only_returns(node: ast.AST) -> bool:
    """Whether this is an assignment that calls nothing but what returns a value, by the names."""
    called = [chain_of(inner.func) for inner in ast.walk(node) if isinstance(inner, ast.Call)]
    is_assignment = isinstance(node, ast.Assign | ast.AnnAssign)
    return is_assignment and all(map(is_pure, called))


def _calls(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Call) for inner in ast.walk(node))


def _statement(node: ast.stmt, package: str, typed: bool) -> Statement:
    everything, imported = _Reading(package, typed), _Reading(package, typed)
    everything.visit(node)
    for part in run_at_import(node):
        imported.visit(part)
    decorators = tuple(decorator_of(one) for inner in ast.walk(node) for one in getattr(inner, "decorator_list", ()))
    return Statement(tuple(dict.fromkeys(everything.bound)), everything.named(), imported.named(), decorators)


class _Reading(ast.NodeVisitor):
    """Goes through a piece of code. `bound` are the names that it binds outside of functions and classes."""

    def __init__(self, package: str, typed: bool) -> None:
        self._package, self._typed, self._depth = package, typed, 0
        self.bound: list[str] = []
        self._own: set[str] = set()
        self._chains: list[Place] = []
        self._imports: list[Import] = []
        self._changed: list[Place] = []
        self._dark: list[Place] = []

    def named(self) -> Named:
        """What was found."""
        chains, changed, dark = (tuple(dict.fromkeys(places)) for places in (self._chains, self._changed, self._dark))
        return Named(chains, frozenset(self._own), tuple(dict.fromkeys(self._imports)), changed, dark)

    def _bind(self, name: str | None) -> None:
        if name and self._depth:
            self._own.add(name)
        elif name:
            self.bound.append(name)

    def _deeper(self, *nodes: ast.AST) -> None:
        self._depth += 1
        for node in nodes:
            self.visit(node)
        self._depth -= 1

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._chains.append((node.id, node.lineno))
        else:
            self._bind(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr.startswith("__") and not is_plain_attribute(node.attr):
            self._dark.append((ast.unparse(node), node.lineno))
        self._changes(node)
        if chain_of(node):
            self._chains.append((chain_of(node), node.lineno))
        else:
            self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._changes(node)
        self.generic_visit(node)

    def _changes(self, node: ast.Attribute | ast.Subscript) -> None:
        root: ast.AST = node
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if isinstance(root, ast.Name) and not isinstance(node.ctx, ast.Load):
            self._changed.append((root.id, node.lineno))

    def visit_Call(self, node: ast.Call) -> None:
        name = chain_of(node.func)
        if name == "getattr" and len(node.args) > 1 and not isinstance(node.args[1], ast.Constant):
            looked = node.args[0]
            if not isinstance(looked, ast.Name) or looked.id not in self._own:
                self._dark.append((ast.unparse(node), node.lineno))
        if "." in name and name.rpartition(".")[2] in _CHANGING:
            self._changed.append((name, node.lineno))
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        self._changed += [(name, node.lineno) for name in node.names]

    def visit_arg(self, node: ast.arg) -> None:
        self._own.add(node.arg)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._bind(node.name)
        if node.name in _HOOKS:
            self._dark.append((f"def {node.name}", node.lineno))
        for part in (*node.decorator_list, *([node.returns] if node.returns else [])):
            self.visit(part)
        self._deeper(node.args, *node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815  # as ast names it

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name)
        if any(keyword.arg == "metaclass" for keyword in node.keywords):
            self._dark.append((f"class {node.name}(metaclass=…)", node.lineno))
        self._deeper(*node.decorator_list, *node.bases, *node.keywords, *node.body)

    def _visit_scope(self, node: ast.AST) -> None:
        self._deeper(*ast.iter_child_nodes(node))

    visit_Lambda = visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_scope  # noqa: N815

    def _visit_binding(self, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar) -> None:
        self._bind(node.name)
        self.generic_visit(node)

    visit_ExceptHandler = visit_MatchAs = visit_MatchStar = _visit_binding  # noqa: N815

    def visit_If(self, node: ast.If) -> None:
        if self._typed and chain_of(node.test) == "TYPE_CHECKING" and not node.orelse:
            for inner in ast.walk(node):  # nobody runs it
                if isinstance(inner, ast.alias):
                    self._bind((inner.asname or inner.name).partition(".")[0])
        else:
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._import(alias.asname or alias.name.partition(".")[0], alias.name if alias.asname else "", alias.name)

    def _import(self, name: str, target: str, module: str) -> None:
        self._bind(name)
        self._imports += [Import(name, target or name), Import("", module)]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        above = self._package.split(".") if node.level else []
        source = ".".join([*above[: len(above) - node.level + 1], *([node.module] if node.module else [])])
        for alias in node.names:
            if alias.name == "*":
                self._dark.append((f"from {source} import *", node.lineno))
                self._imports.append(Import("", source))
            else:
                self._import(alias.asname or alias.name, f"{source}.{alias.name}", source)
