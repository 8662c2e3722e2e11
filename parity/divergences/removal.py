"""What an entry accepts, taken off the arrays of a stack; and what is then measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contract import Contract, Inputs
from parity.divergences.base import Divergence, Example, Rest
from parity.measure import Label, Measurement, distance, fault_of, less, measure_pair, measure_rest
from parity.oracle.bounded import Bounded
from parity.precision import Precision

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


def remains(
    divergences: Iterable[Divergence],
    case: str,
    stack: str,
    path: str,
    arrays: Arrays,
    quantities: Mapping[str, Bounded],
    asked: tuple[Contract, Inputs, Inputs, Precision],
) -> Remains:
    """Take off what is accepted of a stack in a case, where it shows.

    `path` is the public name that was called, '' for the function itself; `asked` is the contract with the inputs and
    cotangents that it was asked about. Where everything in an entry's scope agrees as it is, nothing is taken off.
    """
    contract = asked[0]
    rests: dict[str, Rest] = {}
    entries: dict[str, Divergence] = {}
    for entry in divergences:
        if not (entry.applies(contract.name, stack, case) and entry.has_name(path)):
            continue
        scope = [q for q in quantities if q in entry.scope(contract) and q in arrays]
        found = _off(entry, scope, arrays, quantities, asked)
        rests |= found
        entries |= dict.fromkeys(found, entry)
    return Remains(arrays, rests, entries)


def _off(
    entry: Divergence,
    scope: Sequence[str],
    arrays: Arrays,
    quantities: Mapping[str, Bounded],
    asked: tuple[Contract, Inputs, Inputs, Precision],
) -> Mapping[str, Rest]:
    """What is left of the quantities in scope; nothing where the size is that of no difference."""
    contract, inputs, cotangents, precision = asked
    fit = [q for q in scope if _is_like(arrays[q], quantities[q])]
    if all(_agrees(arrays[q], quantities[q]) for q in fit):
        return {}
    example = Example(
        contract,
        precision,
        inputs,
        cotangents,
        {q: arrays[q].astype(quantities[q].value.dtype) for q in fit},
        {q: quantities[q] for q in fit},
    )
    with np.errstate(all="ignore"):
        rests = entry.kind.remove(example)
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
