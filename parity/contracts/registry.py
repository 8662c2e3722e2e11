"""Contracts by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from parity._ground.errors import UsageError
from parity.contracts.contract import Contract, did_you_mean, selected


class Registry(Mapping[str, Contract]):
    """Contracts by name, in the order in which they are declared."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._contracts: dict[str, Contract] = {}
        for contract in contracts:
            if contract.name in self._contracts:
                raise ValueError(f"contract {contract.name} is declared twice")
            self._contracts[contract.name] = contract

    def __getitem__(self, name: str) -> Contract:
        """The contract of that name; UsageError with the nearest names if there is none."""
        if name not in self._contracts:
            raise UsageError(f"unknown contract '{name}'{did_you_mean(name, self._contracts)}")
        return self._contracts[name]

    def __contains__(self, name: object) -> bool:
        return name in self._contracts

    def __iter__(self) -> Iterator[str]:
        return iter(self._contracts)

    def __len__(self) -> int:
        return len(self._contracts)

    def select(self, names: Iterable[str]) -> tuple[Contract, ...]:
        """The named contracts, all of them for no name; `selected` says what a name can be."""
        return tuple(self[name] for name in selected(names, self, "contract"))
