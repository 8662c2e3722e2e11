"""The accepted divergences, all in one place. docs/divergences.md says how to add one."""

from __future__ import annotations

from collections.abc import Iterable

from parity.judging.divergences.base import Divergence

DIVERGENCES: tuple[Divergence, ...] = ()
"""None: today the stacks agree on everything that is asked of them."""


def registered() -> tuple[Divergence, ...]:
    """Every accepted divergence."""
    return DIVERGENCES


def accepted_in(names: Iterable[str]) -> tuple[Divergence, ...]:
    """The accepted divergences of the contracts with these names."""
    chosen = frozenset(names)
    return tuple(entry for entry in registered() if entry.contract in chosen)
