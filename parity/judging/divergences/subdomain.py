"""A difference in a part of the domain alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Contract, Inputs
from parity.judging.divergences.base import Comparison, Difference, Remainder
from parity.judging.quantity import Quantity, results_of
from parity.physics.oracle.bounded import Bounded


@dataclass(frozen=True, slots=True)
class SubDomain(Difference):
    """The result is the oracle's where `where` holds, and anything elsewhere.

    `where` gets the arguments, rounded, and returns booleans that broadcast to the shape of each quantity in scope. The
    size is the largest difference outside, relative to the largest value; ∞ where something is not finite.
    """

    where: Callable[[Inputs], NDArray[np.bool_]]

    @property
    def words(self) -> str:
        return f"only where {getattr(self.where, '__name__', 'a condition holds').strip('_').replace('_', ' ')}"

    def touches(self, contract: Contract) -> tuple[Quantity, ...]:
        return results_of(contract)

    def remove(self, comparison: Comparison) -> Mapping[Quantity, Remainder]:
        inside = np.asarray(self.where(comparison.given), np.bool_)
        remainders = {
            quantity: _remainder(got, comparison.quantities[quantity], ~np.broadcast_to(inside, got.shape))
            for quantity, got in comparison.arrays.items()
        }
        return {quantity: left for quantity, left in remainders.items() if left}


def _remainder(got: NDArray[Any], oracle: Bounded, outside: NDArray[np.bool_]) -> Remainder | None:
    """What is inside; None where nothing differs outside, so that there is nothing to accept."""
    with np.errstate(all="ignore"):
        error = np.where(got == oracle.value, 0.0, np.abs(got - oracle.value))
    differs = outside & ~(error <= oracle.allowed)
    if not differs.any():
        return None
    largest = float(np.max(np.abs(oracle.value), initial=0.0, where=np.isfinite(oracle.value)))
    difference = float(np.max(error[differs]))
    finite = np.isfinite(difference)
    return Remainder(
        np.where(outside, 0.0, got),
        oracle.derive(np.where(outside, 0.0, oracle.value), np.where(outside, np.inf, oracle.error)),
        (difference / largest if largest else np.inf) if finite else np.inf,
        0.0,
        outside,
    )
