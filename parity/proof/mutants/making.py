"""A mutant made in a stack for the length of a block."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from parity._ground.repository import import_stack
from parity.faults.injection import replaced_in
from parity.proof.mutants.mutate import Mutant


class InvalidMutant(Exception):
    """A mutant that is no program: its definition does not compile, or raises while it is made."""


@contextmanager
def made(mutant: Mutant) -> Iterator[None]:
    """Put the mutant in the place of what it changes, wherever the package refers to it, and take it out again.

    Whatever happens in the block; raises InvalidMutant before it.
    """
    module = import_stack(f"{mutant.package}.{mutant.module}")
    wrong = _wrong(mutant, module)
    file = _file(mutant)
    # Where a traceback, and AutoGraph in a test that traces, looks for the source.
    linecache.cache[file] = len(mutant.source), None, mutant.source.splitlines(keepends=True), file
    try:
        with replaced_in(mutant.package, mutant.address, lambda right: wrong):
            yield
    finally:
        linecache.cache.pop(file, None)


def _wrong(mutant: Mutant, module: ModuleType) -> Any:
    """The changed definition, which sees the module as the right one does and has not changed it."""
    made: dict[str, Any] = {}
    try:
        code = compile(mutant.source, _file(mutant), "exec", dont_inherit=True)
        exec(code, vars(module), made)
    except Exception as error:
        raise InvalidMutant(f"{type(error).__name__}: {error}") from error
    return made[mutant.definition]


def _file(mutant: Mutant) -> str:
    return f"<mutant {mutant.id} of {mutant.place}>"
