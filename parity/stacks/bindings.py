"""The file of a subject's bindings, as text: what it declares, and stubs for what it does not declare yet."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from parity._ground.errors import UsageError
from parity.contracts.contract import Argument, Contract, Result
from parity.physics.kinds import Kind

HEADING = '''"""How {package} does what the contracts of ptycho-parity say: a function for each.

It is called with the arguments of the contract by name: tensors of {framework}, in the layout that is given. Sizes and
flags are plain. It returns a tensor, or as many as the contract has results. `raise Outside(why)` says that {package}
does not claim to do this.
"""

from parity_binding import Outside, binds
'''
"""What a new file of bindings begins with."""

TEST = '''"""`pytest -m parity` holds every contract that is bound; the others are skipped, and said."""

import pytest
from parity.contracts.declared import REGISTRY


@pytest.mark.parity
@pytest.mark.parametrize("name", REGISTRY)
def test_contract(parity, name):
    parity.hold(REGISTRY[name])
'''
"""The test file of a user's repository."""


class Declared(NamedTuple):
    """A binding in a file: its line, and which conventions it states."""

    line: int
    conventions: tuple[str, ...]

    @property
    def words(self) -> str:
        return ": ".join(filter(None, (f"line {self.line}", ", ".join(self.conventions))))


def declared_in(file: Path, content: bytes | None = None) -> dict[str, Declared]:
    """The contracts that a file binds, or did when this was its content, each with its first binding.

    Nothing is run. Raises UsageError for a file that is no Python.
    """
    try:
        tree = ast.parse(file.read_bytes() if content is None else content, str(file))
    except SyntaxError as error:
        raise UsageError(f"{file}, line {error.lineno}: expected Python, got {error.msg}") from error
    found: dict[str, Declared] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and (contract := _bound_by(decorator)):
                    found.setdefault(contract, Declared(node.lineno, _stated_by(decorator)))
    return found


def _stated_by(decorator: ast.Call) -> tuple[str, ...]:
    """The conventions that a decorator states, by name; what it takes them from, where it does not name them."""
    named = [keyword.arg or ast.unparse(keyword.value) for keyword in decorator.keywords]
    return tuple(name for name in named if name not in ("name", "unasked"))


def _bound_by(decorator: ast.Call) -> str | None:
    """The contract that a decorator binds, if that is what it does and it says so in words."""
    if not decorator.args:
        return None
    name = getattr(decorator.func, "id", getattr(decorator.func, "attr", ""))
    (first, *_) = decorator.args
    bound = first.value if isinstance(first, ast.Constant) else None
    return bound if name == "binds" and isinstance(bound, str) else None


def stub(contract: Contract, framework: str, package: str) -> str:
    """A binding that is to be written: arguments and results with their kinds, units and layouts."""
    names = ", ".join(argument.name for argument in contract.arguments)
    lines = [*_described(contract.arguments, framework, ""), *_described(contract.results, framework, "returns ")]
    words = "\n".join([f'"""{contract.equation}', "", *lines, '"""'])
    return (
        f'@binds("{contract.name}")\n'
        f"def {contract.function}({names}):\n"
        f"{textwrap.indent(words, '    ', lambda line: bool(line.strip()))}\n"
        f'    raise NotImplementedError("call what does this in {package}")\n'
    )


def _described(entries: Sequence[Argument] | Sequence[Result], framework: str, word: str) -> Iterator[str]:
    for entry in entries:
        kind = entry.kind
        unit = "" if kind.unit in ("", "1") else f", in {kind.unit}"
        yield f"{word}{entry.name}: {kind.name}, {kind.numbers}{_laid_out(kind, framework)}{unit}"


def _laid_out(kind: Kind, framework: str) -> str:
    """Its axes in the layout of a framework; nothing of what is plain."""
    if kind.static:
        return ""
    layout = kind.layouts.get(framework, kind.axes)
    return f" ({', '.join(layout)}{',' if len(layout) == 1 else ''})"
