"""What an entry accepts, taken off the arrays of a stack; and what is then measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity._ground.errors import CheckNotMade
from parity.judging.divergences.base import Comparison, Divergence, Remainder
from parity.judging.measurement import (
    Label,
    Measurement,
    distance,
    fault_of,
    measure_pair,
    measure_remainder,
    without_accepted,
)
from parity.judging.quantity import Arrays, Quantity
from parity.physics.oracle.bounded import Bounded


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """What a stack returned in an example, corrected for what is accepted of it.

    `remainders` are left of those quantities that a divergence was taken off, and `entries` are these divergences.
    """

    arrays: Arrays
    remainders: Mapping[Quantity, Remainder] = field(default_factory=dict)
    entries: Mapping[Quantity, Divergence] = field(default_factory=dict)

    def measure(self, label: Label, stack: str) -> Measurement:
        """The remainder of a quantity against the oracle; a size that its entry does not accept is a fault."""
        quantity = label.quantity.own
        entry, left = self.entries[quantity], self.remainders[quantity]
        measured = measure_remainder(label, stack, left.got, left.oracle, left.accepted)
        if left.sensitivity is not None:
            measured = replace(measured, epsilon=max(measured.epsilon, left.sensitivity * (entry.high - entry.low)))
        fault = left.fault or (None if entry.admits(left.size, left.rounding) else _unaccepted(entry, left.size))
        return replace(measured, divergence=left.size, fault=fault)

    def comparable(self, quantity: Quantity, oracle: Bounded) -> bool:
        """Whether a quantity can be compared with another stack's."""
        if quantity in self.remainders:
            return not self.remainders[quantity].alone
        return quantity in self.arrays and fault_of(self.arrays[quantity], oracle) is None


def _unaccepted(entry: Divergence, size: float) -> str:
    return (
        f"its accepted divergence ({type(entry.kind).__name__}) measures {size:.6g}, "
        f"expected {entry.low:.6g} to {entry.high:.6g}"
    )


def corrected(divergences: Iterable[Divergence], case: str, stack: str, path: str, whole: Comparison) -> Corrected:
    """Take off what is accepted of a stack in a case, where it shows.

    `path` is the public name that was called, '' for the function itself; `whole` has all that it returned, as it
    returned it. Where everything in an entry's scope agrees as it is, nothing is taken off.
    """
    remainders: dict[Quantity, Remainder] = {}
    entries: dict[Quantity, Divergence] = {}
    for entry in divergences:
        applies = entry.applies(whole.contract.name, stack, case) and entry.has_name(path)
        if applies and not entry.kind.faults(whole.contract):  # which are said when all has run
            found = _remainders(entry, whole)
            remainders |= found
            entries |= dict.fromkeys(found, entry)
    return Corrected(whole.arrays, remainders, entries)


def _remainders(entry: Divergence, whole: Comparison) -> Mapping[Quantity, Remainder]:
    """What is left of the quantities in scope; nothing where they agree, or the size is that of no difference."""
    in_scope = {q: bounded for q, bounded in whole.quantities.items() if q in entry.scope(whole.contract)}
    quantities = {
        q: bounded for q, bounded in in_scope.items() if q in whole.arrays and _is_like(whole.arrays[q], bounded)
    }
    if all(_agrees(whole.arrays[q], bounded) for q, bounded in quantities.items()):
        return {}
    wide = {q: whole.arrays[q].astype(bounded.value.dtype) for q, bounded in quantities.items()}
    try:
        with np.errstate(all="ignore"):
            remainders = entry.kind.remove(replace(whole, arrays=wide, quantities=quantities))
    except CheckNotMade:
        raise
    except Exception as error:  # of a function of the user's, which returned something else than it should
        raise CheckNotMade(f"{entry.title}: taking it off raised {type(error).__name__}: {error}") from error
    return remainders if any(_shows(entry, left) for left in remainders.values()) else {}


def _shows(entry: Divergence, left: Remainder) -> bool:
    """Whether a size is not that of no difference, or may be one that is accepted: about as large as its rounding."""
    return not abs(left.size - entry.kind.neutral) <= left.rounding or entry.admits(left.size, left.rounding)


def _is_like(got: NDArray[Any], oracle: Bounded) -> bool:
    """Whether an array has the oracle's shape and precision, whatever is in it."""
    return got.shape == oracle.shape and got.dtype == oracle.precision.dtype_like(oracle.value)


def _agrees(got: NDArray[Any], oracle: Bounded) -> bool:
    return fault_of(got, oracle) is None and distance(got, oracle.value, oracle.allowed).ratio <= 1


def measure_corrected(label: Label, one: Corrected, other: Corrected, oracle: Bounded) -> Measurement:
    """Two stacks against each other, each without what is accepted of it; what is left of neither is not counted."""
    quantity = label.quantity
    remainders = [stack.remainders.get(quantity) for stack in (one, other)]
    if remainders == [None, None]:
        return measure_pair(label, one.arrays[quantity], other.arrays[quantity], oracle)
    error = np.maximum.reduce([oracle.error if left is None else left.oracle.error for left in remainders])
    outside = np.logical_or.reduce(
        [np.zeros(oracle.shape, bool) if left is None or left.outside is None else left.outside for left in remainders]
    )
    arrays = [
        stack.arrays[quantity] if left is None else left.got
        for stack, left in zip((one, other), remainders, strict=True)
    ]
    got, beside = (np.where(outside, 0.0, array) for array in arrays)
    judged = oracle.derive(np.where(outside, 0.0, oracle.value), np.where(outside, np.inf, error))
    return without_accepted(measure_pair(label, got, beside, judged), int(outside.sum()))


def without_broken(measurements: Iterable[Measurement], divergences: Iterable[Divergence]) -> list[Measurement]:
    """Measurements of facts, each that a divergence is said to break, and does, taken for what it is.

    Its size is the departure in units of what is allowed. What a stack raised is no departure.
    """
    entries = tuple(divergences)
    return [
        replace(m, ratio=0.0, divergence=m.ratio)
        if not m.agrees and m.fault is None and any(_breaks(entry, m) for entry in entries)
        else m
        for m in measurements
    ]


def _breaks(entry: Divergence, measured: Measurement) -> bool:
    return measured.quantity.text in entry.breaks and entry.applies(measured.contract, measured.stack, measured.case)
