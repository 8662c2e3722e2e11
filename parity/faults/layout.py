"""How the tensors of a function are laid out, by its address: what a change of the function needs to know."""

from __future__ import annotations

from functools import cache

from parity.contracts.changes import Kinds
from parity.contracts.declared import REGISTRY


@cache
def kinds_at(address: str) -> Kinds:
    """The kinds that the contracts of an address declare, all its variants; none where it is no contract's."""
    contracts = [contract for contract in REGISTRY.values() if contract.address == address]
    arguments = {argument.name: argument.kind for contract in contracts for argument in contract.arguments}
    return Kinds(arguments, tuple(result.kind for result in contracts[0].results) if contracts else ())
