"""This repository, in which the two stacks lie beside the harness, and having Python find them there.

A wheel holds the harness without a stack. Where it is installed, packages named `ptycho` and `ptycho_torch` are
somebody else's, so that nothing may import or read them unless it is told to: only what runs a stack asks for one here.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds the harness: the root of its checkout, where there is one."""

STACKS = ("ptycho", "ptycho_torch")
"""The packages of the stacks."""

HARNESS = ("parity", "ptycho_exposures")
"""The packages of the harness."""


def holds_stacks(root: Path = ROOT) -> bool:
    """Whether a folder is a checkout of this project, and no folder that a wheel of it is installed in."""
    project = root / "pyproject.toml"
    return project.is_file() and 'name = "ptycho-parity"' in project.read_text(encoding="utf-8")


class _OwnStacks:
    """Finds the stacks of this repository, before any other packages of these names."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [str(ROOT)]) if name in STACKS else None


_FINDER = _OwnStacks()


def prefer_own_stacks() -> None:
    """Have every later import of a stack find the one of this repository. Does nothing where a wheel is installed."""
    if _FINDER not in sys.meta_path and holds_stacks():
        sys.meta_path.insert(0, _FINDER)


def is_found(package: str) -> bool:
    """Whether there is such a package, which need not be imported to tell."""
    prefer_own_stacks()
    return importlib.util.find_spec(package) is not None


def import_stack(address: str) -> ModuleType:
    """The module of a stack at an address such as `ptycho_torch.losses`, imported. Raises what importing it raises."""
    prefer_own_stacks()
    return importlib.import_module(address)
