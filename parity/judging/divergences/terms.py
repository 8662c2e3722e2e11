"""Differences that are added: one number, or a term that is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Contract
from parity.judging.divergences.base import Comparison, Difference, Remainder
from parity.judging.divergences.fit import Fit, fitted, joined, noise_of, restored
from parity.judging.expectation import bounded_arguments, exactly
from parity.judging.quantity import Quantity, by_quantity, gradients_of, result_of, results_of
from parity.physics.oracle.bounded import Bounded


@dataclass(frozen=True, slots=True)
class ConstantTerm(Difference):
    """The result is the oracle's plus one number, the same for all its elements; gradients are as they should be.

    The size is the number, fitted in every example (its modulus, of a complex result), or the number divided by how
    many elements the argument named `per` has.
    """

    per: str = ""

    @property
    def words(self) -> str:
        return f"plus one number{f' for each element of {self.per}' if self.per else ''}"

    def touches(self, contract: Contract) -> tuple[Quantity, ...]:
        return results_of(contract)

    def faults(self, contract: Contract) -> tuple[str, ...]:
        return unknown_argument(contract, self.per) if self.per else ()

    def remove(self, comparison: Comparison) -> Mapping[Quantity, Remainder]:
        remainders = {quantity: self._remainder(comparison, quantity) for quantity in comparison.arrays}
        return {quantity: left for quantity, left in remainders.items() if left}

    def _remainder(self, comparison: Comparison, quantity: Quantity) -> Remainder | None:
        got, oracle = comparison.arrays[quantity], comparison.quantities[quantity]
        fit = _constant(got - oracle.value, oracle)
        if fit is None:
            return None
        constant, count = fit.bounded(oracle.precision), comparison.inputs[self.per].size if self.per else 1
        size = abs(fit.number) if np.iscomplexobj(oracle.value) else fit.number.real
        largest = float(np.max(np.abs(oracle.value), initial=0.0))
        return Remainder(
            got - constant.value,
            restored(oracle, (oracle + constant).error),
            size / count,
            fit.rounding(oracle.precision) / count,
            sensitivity=(count / largest if largest else np.inf) if fit.elements == 1 else None,
        )


def _constant(departure: NDArray[Any], oracle: Bounded) -> Fit | None:
    """One number for all elements; each knows it as well as it can itself be known with the number added."""
    finite = departure[np.isfinite(departure)]
    if not finite.size:
        return None
    roughly = np.median(finite.real) + (1j * np.median(finite.imag) if np.iscomplexobj(finite) else 0.0)
    return fitted(np.ones(departure.shape), departure, noise_of(oracle + roughly))


@dataclass(frozen=True, slots=True)
class KnownTerm(Difference):
    """The result is the oracle's plus a term of the arguments that is known: nothing is fitted, nothing is left open.

    `term` gets the arguments by name and returns what is added to the contract's first result. It is written as the
    oracle is, in the operations of `parity.physics.oracle.operations`, so that it carries its own rounding. Gradients
    are as they should be but for those that `vjp` returns, by argument, from the cotangent of the result and the
    arguments.
    The size is how often the term was found: 1 where a stack has it, 0 where it has not.
    """

    term: Callable[..., Any]
    vjp: Callable[..., Mapping[str, Any]] | None = None

    @property
    def words(self) -> str:
        return f"plus {getattr(self.term, '__name__', 'a known term').strip('_').replace('_', ' ')}"

    def touches(self, contract: Contract) -> tuple[Quantity, ...]:
        return (result_of(contract.results[0].name), *(gradients_of(contract) if self.vjp else ()))

    def remove(self, comparison: Comparison) -> Mapping[Quantity, Remainder]:
        terms = {name: term for name, term in self._terms(comparison).items() if name in comparison.arrays}
        changed = {name: comparison.quantities[name] + term for name, term in terms.items()}
        times = fitted(
            joined([term.value for term in terms.values()]),
            joined([comparison.arrays[name] - comparison.quantities[name].value for name in terms]),
            joined([noise_of(bounded) for bounded in changed.values()]),
        )
        if times is None:
            return {}
        size, rounding = times.number.real, times.rounding(comparison.precision)
        return {
            name: Remainder(
                comparison.arrays[name] - term.value,
                restored(comparison.quantities[name], changed[name].error),
                size,
                rounding,
            )
            for name, term in terms.items()
        }

    def _terms(self, comparison: Comparison) -> dict[Quantity, Bounded]:
        """What is added to each quantity."""
        arguments = bounded_arguments(comparison.contract, comparison.inputs, comparison.precision)
        result = comparison.contract.results[0].name
        gradients: Mapping[str, Any] = {}
        if self.vjp and any(quantity.is_gradient for quantity in comparison.arrays):
            gradients = self.vjp(exactly(comparison.cotangents[result], comparison.precision), **arguments)
        return {
            quantity: _as_bounded(term, comparison.quantities[quantity])
            for quantity, term in by_quantity({result: self.term(**arguments)}, gradients).items()
            if quantity in comparison.quantities
        }


def _as_bounded(term: Any, like: Bounded) -> Bounded:
    """A term of the shape of what it is added to."""
    bounded = like.coerce(term)
    return like.derive(np.broadcast_to(bounded.value, like.shape), np.broadcast_to(bounded.error, like.shape))


def unknown_argument(contract: Contract, name: str) -> tuple[str, ...]:
    """A fault where a contract has no argument of that name."""
    known = [argument.name for argument in contract.arguments]
    return () if name in known else (f"unknown argument '{name}'; there are: {', '.join(known)}",)
