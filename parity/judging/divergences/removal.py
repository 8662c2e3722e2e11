"""What an entry accepts, taken off the arrays of a stack; and what is then measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.judging.divergences.base import Divergence, Example, Rest
from parity.judging.measurement import Label, Measurement, distance, fault_of, less, measure_pair, measure_rest
from parity.physics.oracle.bounded import Bounded

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Remains:
    """What a stack returned in an example, and what is left of those quantities that a divergence was taken off.

    `entries` are the divergences that were, by quantity.
    """

    arrays: Arrays
    rests: Mapping[str, Rest] = field(default_factory=dict)
    entries: Mapping[str, Divergence] = field(default_factory=dict)

    def measure(self, label: Label, quantity: str, stack: str) -> Measurement:
        """The rest of a quantity against the oracle; a size that its entry does not accept is a fault."""
        entry, rest = self.entries[quantity], self.rests[quantity]
        measured = measure_rest(label, stack, rest.got, rest.oracle, rest.accepted)
        if rest.sole is not None:
            measured = replace(measured, epsilon=max(measured.epsilon, rest.sole * (entry.high - entry.low)))
        fault = None if entry.admits(rest.size, rest.rounding) else _left(entry, rest)
        return replace(measured, divergence=rest.size, fault=fault)

    def comparable(self, quantity: str, oracle: Bounded) -> bool:
        """Whether a quantity can be compared with another stack's."""
        return quantity in self.rests or (quantity in self.arrays and fault_of(self.arrays[quantity], oracle) is None)


def _left(entry: Divergence, rest: Rest) -> str:
    return (
        f"its accepted divergence ({type(entry.kind).__name__}) measures {rest.size:.6g}, "
        f"expected {entry.low:.6g} to {entry.high:.6g}"
    )


def remains(divergences: Iterable[Divergence], case: str, stack: str, path: str, whole: Example) -> Remains:
    """Take off what is accepted of a stack in a case, where it shows.

    `path` is the public name that was called, '' for the function itself; `whole` has all that it returned, as it
    returned it. Where everything in an entry's scope agrees as it is, nothing is taken off.
    """
    rests: dict[str, Rest] = {}
    entries: dict[str, Divergence] = {}
    for entry in divergences:
        if entry.applies(whole.contract.name, stack, case) and entry.has_name(path):
            found = _off(entry, whole)
            rests |= found
            entries |= dict.fromkeys(found, entry)
    return Remains(whole.arrays, rests, entries)


def _off(entry: Divergence, whole: Example) -> Mapping[str, Rest]:
    """What is left of the quantities in scope; nothing where they agree, or the size is that of no difference."""
    in_scope = {q: bounded for q, bounded in whole.quantities.items() if q in entry.scope(whole.contract)}
    quantities = {
        q: bounded for q, bounded in in_scope.items() if q in whole.arrays and _is_like(whole.arrays[q], bounded)
    }
    if all(_agrees(whole.arrays[q], bounded) for q, bounded in quantities.items()):
        return {}
    wide = {q: whole.arrays[q].astype(bounded.value.dtype) for q, bounded in quantities.items()}
    with np.errstate(all="ignore"):
        rests = entry.kind.remove(replace(whole, arrays=wide, quantities=quantities))
    return rests if any(_shows(entry, rest) for rest in rests.values()) else {}


def _shows(entry: Divergence, rest: Rest) -> bool:
    """Whether a size is not that of no difference, or may be one that is accepted: about as large as its rounding."""
    return not abs(rest.size - entry.kind.neutral) <= rest.rounding or entry.admits(rest.size, rest.rounding)


def _is_like(got: NDArray[Any], oracle: Bounded) -> bool:
    """Whether an array has the oracle's shape and precision, whatever is in it."""
    return got.shape == oracle.shape and got.dtype == oracle.precision.dtype_like(oracle.value)


def _agrees(got: NDArray[Any], oracle: Bounded) -> bool:
    return fault_of(got, oracle) is None and distance(got, oracle.value, oracle.allowed)["ratio"] <= 1


def measure_remains(label: Label, quantity: str, one: Remains, other: Remains, oracle: Bounded) -> Measurement:
    """Two stacks against each other, each without what is accepted of it; what is left of neither is not counted."""
    rests = [r.rests.get(quantity) for r in (one, other)]
    if rests == [None, None]:
        return measure_pair(label, one.arrays[quantity], other.arrays[quantity], oracle)
    error = np.maximum.reduce([oracle.error if rest is None else rest.oracle.error for rest in rests])
    outside = np.logical_or.reduce(
        [np.zeros(oracle.shape, bool) if rest is None or rest.outside is None else rest.outside for rest in rests]
    )
    got = [r.arrays[quantity] if rest is None else rest.got for r, rest in zip((one, other), rests, strict=True)]
    left, right = (np.where(outside, 0.0, array) for array in got)
    judged = oracle.derive(np.where(outside, 0.0, oracle.value), np.where(outside, np.inf, error))
    return less(measure_pair(label, left, right, judged), int(outside.sum()))


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
    return measured.quantity in entry.breaks and entry.applies(measured.contract, measured.stack, measured.case)
