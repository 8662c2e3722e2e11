"""Defects, or rewrites, by name, and how a user says which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from parity._ground.errors import UsageError
from parity.contracts.contract import did_you_mean, selected
from parity.contracts.fault import Injectable

C = TypeVar("C", bound=Injectable)


class Collection(Mapping[str, C]):
    """Changes by full name, `contract/name`, in their order; `noun` is what a user calls one.

    Raises ValueError where two have the same name.
    """

    def __init__(self, noun: str, changes: Iterable[C]) -> None:
        self._noun = noun
        self._changes: dict[str, C] = {}
        for change in changes:
            if change.full_name in self._changes:
                raise ValueError(f"{change.full_name}: expected one {noun} of that name, got two")
            self._changes[change.full_name] = change

    def __getitem__(self, name: str) -> C:
        """The change of that full name; UsageError with the nearest name if there is none."""
        if name not in self._changes:
            raise UsageError(f"unknown {self._noun} '{name}'{did_you_mean(name, self)}")
        return self._changes[name]

    def __contains__(self, name: object) -> bool:
        return name in self._changes

    def __iter__(self) -> Iterator[str]:
        return iter(self._changes)

    def __len__(self) -> int:
        return len(self._changes)

    def select(self, names: Iterable[str] = ()) -> tuple[C, ...]:
        """Those that are meant, all for no name; `selected` says what a name can be."""
        return tuple(self[name] for name in selected(names, self, self._noun))
