"""The accepted divergences: those that the repository around the working folder declares."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from parity.judging.divergences.base import Divergence
from parity.judging.divergences.declared import read_divergences
from parity.stacks import declaring


def registered() -> tuple[Divergence, ...]:
    """Every accepted divergence.

    Raises UsageError for a declaration that is wrong; docs/divergences.md says what one may be.
    """
    return accepted_by(Path.cwd())


@cache
def accepted_by(folder: Path) -> tuple[Divergence, ...]:
    """Those of the repository around a folder. Raises UsageError as `registered`."""
    found = declaring(folder)
    return read_divergences(*found) if found else ()


def accepted_in(names: Iterable[str]) -> tuple[Divergence, ...]:
    """The accepted divergences of the contracts with these names."""
    chosen = frozenset(names)
    return tuple(entry for entry in registered() if entry.contract in chosen)
