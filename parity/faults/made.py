"""A known fault by its name, or one that nobody can overlook, made in a stack wherever that runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from parity.contracts.changes import Arguments, returning
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
from parity.contracts.namespace import Namespace
from parity.faults import KNOWN
from parity.faults.injection import injected

MADE = "parity.faults.made:made"
"""For `Framework.within`, with the full name of a fault and the name of the stack."""


@contextmanager
def made(name: str, stack: str) -> Iterator[None]:
    """Make a known fault in a stack for the length of a block; raises as `injected` does, and UsageError."""
    with injected(KNOWN[name], stack):
        yield


SPOILED, BROKEN = "parity.faults.made:spoiled", "parity.faults.made:broken"
"""For `Framework.within`, with the name of a contract and of the stack; with a law's statement between them."""


@contextmanager
def spoiled(contract: str, stack: str) -> Iterator[None]:
    """Make all that a contract's function returns wrong by about itself, and so every gradient."""

    def wrong(xp: Namespace, value: Any, a: Arguments) -> Any:
        return tuple(1 - x for x in value) if isinstance(value, tuple) else 1 - value

    with injected(Fault(contract, "spoiled", "is 1 less itself", returning(wrong)), stack):
        yield


@contextmanager
def broken(contract: str, statement: str, stack: str) -> Iterator[None]:
    """Make the fault that breaks a law of a contract. Raises LookupError where there is no such law."""
    for fact in REGISTRY[contract].facts:
        if fact.statement == statement:
            change = fact.broken_by
            fault = KNOWN[f"{contract}/{change}"] if isinstance(change, str) else Fault(contract, "", "", change)
            with injected(fault, stack):
                yield
            return
    raise LookupError(f"{contract} has no law '{statement}'")
