"""Where functions and classes are defined, read from the sources: nothing of them is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from parity._ground.repository import ROOT
from parity.contracts.contract import Contract, Entry
from parity.contracts.mirror import MIRRORS
from parity.gate.preflight.findings import PreflightFinding, PreflightOutcome
from parity.stacks import MIRRORED


@dataclass(frozen=True, slots=True)
class DefinitionPlace:
    """The first line of a definition."""

    path: Path
    line: int

    def relative_to(self, root: Path) -> str:
        """`file:line`, the file relative to a folder above it."""
        return f"{self.path.relative_to(root).as_posix()}:{self.line}"


def place(path: Path, name: str) -> DefinitionPlace | None:
    """Where a file defines a function or class of this name at its top; None if it does not, or is not there."""
    line = _definitions(path).get(name)
    return None if line is None else DefinitionPlace(path, line)


def places(folder: Path, name: str) -> list[DefinitionPlace]:
    """Every place in the files below a folder where a function or class of this name is defined."""
    return [found for path in sorted(folder.rglob("[!.]*.py")) if (found := place(path, name))]


def implementations(contract: Contract) -> PreflightFinding:
    """Where both stacks and the oracle have the function of a contract, and where its other names are.

    Failed where one has none: then that name cannot be held to anything.
    """
    functions = [(folder / f"{contract.module}.py", contract.function) for folder in MIRRORS.values()]
    entries = [_entry(entry) for entry in contract.entries if MIRRORED[entry.stack].package in MIRRORS]
    lines = [_said(functions), *(f"{_said([where])} {where[1]}" for where in entries)]
    missing = any(place(*where) is None for where in (*functions, *entries))
    return PreflightFinding(
        contract.name, PreflightOutcome.FAILED if missing else PreflightOutcome.PASSED, "\n".join(lines)
    )


def _entry(entry: Entry) -> tuple[Path, str]:
    """The file and the name of an entry: of `model.PoissonLoss` in torch, ptycho_torch/model.py and PoissonLoss."""
    module, name = entry.path.split(".")[:2]
    return MIRRORS[MIRRORED[entry.stack].package] / f"{module}.py", name


def _said(wanted: Iterable[tuple[Path, str]]) -> str:
    found = [(path, place(path, name)) for path, name in wanted]
    return "  ".join(
        where.relative_to(ROOT) if where else f"{path.relative_to(ROOT).as_posix()}: none" for path, where in found
    )


@cache
def _definitions(path: Path) -> dict[str, int]:
    """The lines of the functions and classes at the top of a file, by name."""
    if not path.is_file():
        return {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {node.name: node.lineno for node in tree.body if isinstance(node, kinds)}
