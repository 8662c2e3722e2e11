"""The conventions of one binding of one contract, and the contract as they have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Contract, Inputs
from parity.contracts.conventions.edges import touched
from parity.contracts.conventions.moves import Move

if TYPE_CHECKING:
    from parity.contracts.conventions.amplitudes import Handed
    from parity.contracts.conventions.reductions import Reducing

Arrays = Mapping[str, NDArray[Any]]
Masks = Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class Conventions:
    """What a binding states, in `words`, and what follows; `stated` tells it from others.

    `contract` is the contract as the binding has it, None where that is the contract itself: its function is that of
    what is handed over, and of what comes back. `moved` is exact, and done where arrays reach the stack and leave it.
    """

    stated: str = ""
    words: tuple[str, ...] = ()
    contract: Contract | None = None
    handed: Mapping[str, Handed] = field(default_factory=dict)
    reducing: Reducing | None = None
    moved: Mapping[str, tuple[Move, ...]] = field(default_factory=dict)
    edge: str = ""
    tells: bool = True
    """Whether what comes back is the contract's result in another unit, or that itself."""

    @property
    def values_stated(self) -> str:
        """What tells it from others in which values are others."""
        return self.stated if self.contract else ""

    def given(self, inputs: Inputs) -> Inputs:
        """The arguments that are handed over, not rounded yet."""
        return {name: self.handed[name].given(x) if name in self.handed else x for name, x in inputs.items()}

    def cotangents(self, cotangents: Inputs, touched: Masks) -> Inputs:
        """Cotangents of what comes back, made of those of the contract's results; 0 where nothing is judged."""
        found = dict(cotangents)
        first = next(iter(found))
        if self.reducing:
            found[first] = self.reducing.cotangent(found[first])
        return {name: np.where(touched[name], 0.0, x) if name in touched else x for name, x in found.items()}

    def recovered(self, returned: Arrays) -> Arrays:
        """What the contract's results are, of what comes back; nothing where that does not tell."""
        if not self.tells:
            return {}
        return {name: self.handed[name].recovered(x) if name in self.handed else x for name, x in returned.items()}

    def touched(self, contract: Contract, inputs: Inputs) -> Masks:
        """By result of the contract, where an edge rule decides, which is not judged."""
        return {contract.results[0].name: touched(contract, inputs)} if self.edge else {}

    def dark(self, given: Inputs) -> Masks:
        """By argument, where nothing has a gradient with respect to what is handed over."""
        found = {name: handed.dark(given[name]) for name, handed in self.handed.items() if name in given}
        return {name: mask for name, mask in found.items() if mask.any()}

    def to_stack(self, contract: Contract, arrays: Arrays) -> Arrays:
        """Arguments, or cotangents of results, as the stack has them."""
        return self._each(contract, arrays, Move.to_stack)

    def from_stack(self, contract: Contract, arrays: Arrays) -> Arrays:
        """Results, or gradients of arguments, as the contract has them."""
        return self._each(contract, arrays, Move.from_stack)

    def _each(self, contract: Contract, arrays: Arrays, move: Any) -> Arrays:
        kinds, found = contract.kinds, dict(arrays)
        for name in self.moved.keys() & found.keys():
            for each in self.moved[name]:
                found[name] = move(each, kinds[name], found[name])
        return found


NONE = Conventions()
"""Those of a binding that states none."""
