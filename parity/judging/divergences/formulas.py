"""Differences that bring an oracle of their own: the same value by another formula, or another value altogether."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from inspect import signature
from typing import Any

import numpy as np

from parity._ground.errors import CheckNotMade
from parity.contracts.contract import Contract
from parity.judging.divergences.base import Comparison, Difference, Remainder
from parity.judging.expectation import bounded_arguments, bounded_gradients, bounded_values, exactly
from parity.judging.measurement import distance
from parity.judging.quantity import Quantity, by_quantity, gradients_of, results_of
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT64

Quantities = Mapping[Quantity, Bounded]
Vjp = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _OfAnOracle(Difference):
    """A difference that brings `oracle` and, of gradients, `vjp`."""

    oracle: Callable[..., Any]
    vjp: Vjp | None = None

    def touches(self, contract: Contract) -> tuple[Quantity, ...]:
        return (*results_of(contract), *(gradients_of(contract) if self.vjp else ()))

    def faults(self, contract: Contract) -> tuple[str, ...]:
        """Which of a user's functions do not take the arguments of the contract."""
        names = [argument.name for argument in contract.arguments]
        given: Iterable[tuple[Callable[..., Any] | None, int]] = ((self.oracle, 0), (self.vjp, len(contract.results)))
        return tuple(
            f"{_named(function)}: expected the arguments {', '.join(names)}"
            f"{' after cotangents' if cotangents else ''}, got {signature(function)}"
            for function, cotangents in given
            if function and not _takes(function, cotangents, names)
        )


@dataclass(frozen=True, slots=True)
class AnotherFormula(_OfAnOracle):
    """The result is the oracle's, evaluated by another formula, and is judged by the bound of that formula.

    `oracle` gets the arguments by name and is written as the oracle is, in the operations of
    `parity.physics.oracle.operations`, so that its bound follows. `vjp` gets the cotangents of the results before the
    arguments and returns gradients by argument; what it does not return is judged as always. In float64 both must give
    what the contract's oracle gives, within both bounds: else the formula is a rule of its own, and the entry at fault.
    The size is the largest error in units of the contract's own bound.
    """

    @property
    def words(self) -> str:
        return f"by the formula {_named(self.oracle)}"

    def remove(self, comparison: Comparison) -> Mapping[Quantity, Remainder]:
        found = _evaluated(comparison, self.oracle, self.vjp)
        fault = found if isinstance(found, str) else self._departure(comparison)
        if isinstance(found, str) or fault:
            return _at_fault(comparison, fault or "")
        arrays, quantities = comparison.arrays, comparison.quantities
        size = max(distance(arrays[q], bounded.value, bounded.allowed).ratio for q, bounded in quantities.items())
        return {q: Remainder(arrays[q], _looser(quantities[q], formula), size, 0.0) for q, formula in found.items()}

    def _departure(self, comparison: Comparison) -> str:
        """Where the formula gives another value than the contract's oracle, both in float64; "" where it does not."""
        fine = _in_float64(comparison)
        found = _evaluated(fine, self.oracle, self.vjp)
        for quantity, formula in ({} if isinstance(found, str) else found).items():
            right = fine.quantities[quantity]
            apart = distance(formula.value, right.value, formula.allowed + right.allowed)
            if apart.ratio > 1:
                return (
                    f"the formula {_named(self.oracle)} gives {apart.got} for {quantity} at {apart.index}, the oracle "
                    f"{apart.expected}: it is a rule of its own"
                )
        return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class OwnRule(_OfAnOracle):
    """The result is another than the contract's, and is judged by an oracle of its own alone.

    `oracle` and `vjp` are those of `AnotherFormula`. Gradients that `vjp` does not return are the contract's. The size
    is how far the rule is from the contract's oracle, relative to the largest value.
    """

    @property
    def words(self) -> str:
        return f"by a rule of its own, {_named(self.oracle)}"

    def remove(self, comparison: Comparison) -> Mapping[Quantity, Remainder]:
        found = _evaluated(comparison, self.oracle, self.vjp)
        if isinstance(found, str):
            return _at_fault(comparison, found)
        sizes = [_apart(rule, comparison.quantities[quantity]) for quantity, rule in found.items()]
        size, rounding = max(sizes, default=(0.0, 0.0))
        return {q: Remainder(comparison.arrays[q], rule, size, rounding, alone=True) for q, rule in found.items()}


def _apart(rule: Bounded, right: Bounded) -> tuple[float, float]:
    """How far a rule is from what is right, relative to the largest value, and how well that is known."""
    largest = float(np.max(np.abs(right.value), initial=0.0, where=np.isfinite(right.value))) or 1.0
    with np.errstate(all="ignore"):
        away = np.where(rule.value == right.value, 0.0, np.abs(rule.value - right.value))
        known = np.where(away > 0, rule.allowed + right.allowed, 0.0)
    if not away.size:
        return 0.0, 0.0
    most = np.unravel_index(int(np.argmax(away)), away.shape)
    return float(away[most] / largest), float(known[most] / largest)


def _looser(own: Bounded, formula: Bounded) -> Bounded:
    """The oracle's value with the error of a formula, which is never known better than the oracle's."""
    return own.derive(own.value, np.maximum(own.error, formula.error))


def _at_fault(comparison: Comparison, fault: str) -> dict[Quantity, Remainder]:
    return {
        quantity: Remainder(comparison.arrays[quantity], bounded, np.nan, 0.0, fault=fault)
        for quantity, bounded in comparison.quantities.items()
    }


def _in_float64(comparison: Comparison) -> Comparison:
    """The same inputs and cotangents, with what the contract's oracle says of them in float64."""
    if comparison.precision.is_double:
        return comparison
    contract, given, rounded = comparison.contract, comparison.given, comparison.precision.round
    cotangents = {name: rounded(array) for name, array in comparison.cotangents.items()}
    gradients = bounded_gradients(contract, given, cotangents, FLOAT64) if cotangents else {}
    quantities = by_quantity(bounded_values(contract, given, FLOAT64), gradients)
    asked = {quantity: bounded for quantity, bounded in quantities.items() if quantity in comparison.quantities}
    return replace(comparison, precision=FLOAT64, inputs=given, cotangents=cotangents, quantities=asked)


def _evaluated(comparison: Comparison, oracle: Callable[..., Any], vjp: Vjp | None) -> Quantities | str:
    """What a user's formulas give of the quantities in scope; a sentence where they do not give it."""
    contract, precision = comparison.contract, comparison.precision
    arguments = bounded_arguments(contract, comparison.inputs, precision)
    pulled = [exactly(comparison.cotangents[r.name], precision) for r in contract.results if comparison.cotangents]
    found = _asked(partial(oracle, **arguments))
    gradients = _asked(partial(vjp, *pulled, **arguments)) if vjp and pulled else {}
    for function, returned in ((oracle, found), (vjp, gradients)):
        if isinstance(returned, Exception):
            return f"{_named(function)} raised {type(returned).__name__}: {returned}"
    results = found if isinstance(found, tuple) else (found,)
    names = [result.name for result in contract.results]
    if len(results) != len(names):
        return f"{_named(oracle)} returned {len(results)} results, expected {len(names)}"
    quantities: dict[Quantity, Bounded] = {}
    for quantity, returned in by_quantity(dict(zip(names, results, strict=True)), gradients).items():
        if quantity in comparison.quantities:
            like = comparison.quantities[quantity]
            quantities[quantity] = like.coerce(returned)
            if quantities[quantity].shape != like.shape:
                return f"{_named(oracle)} gives {quantity} in shape {quantities[quantity].shape}, expected {like.shape}"
    return quantities


def _asked(call: Callable[[], Any]) -> Any:
    """What a user's function returns, or raises."""
    try:
        with np.errstate(all="ignore"):
            return call()
    except CheckNotMade:
        raise
    except Exception as error:
        return error


def _takes(function: Callable[..., Any], cotangents: int, names: Iterable[str]) -> bool:
    try:
        signature(function).bind(*[None] * cotangents, **dict.fromkeys(names))
    except TypeError:
        return False
    return True


def _named(function: Callable[..., Any] | None) -> str:
    return getattr(function, "__name__", "a formula")
