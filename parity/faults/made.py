"""A known fault by its name, made in a stack wherever that runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from parity.faults import KNOWN
from parity.faults.injection import injected

MADE = "parity.faults.made:made"
"""For `Framework.within`, with the full name of a fault and the name of the stack."""


@contextmanager
def made(name: str, stack: str) -> Iterator[None]:
    """Make a known fault in a stack for the length of a block; raises as `injected` does, and UsageError."""
    with injected(KNOWN[name], stack):
        yield
