"""A difference that nobody could measure: a field's global phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.contracts.contract import Contract
from parity.judging.divergences.base import Comparison, Difference, Remainder
from parity.judging.divergences.fit import Fit, fitted, joined, noise_of, restored
from parity.judging.expectation import bounded_gradients, exactly
from parity.judging.quantity import Quantity, gradient_of, gradients_of, result_of
from parity.physics.kinds import Numbers
from parity.physics.oracle.bounded import COMPLEX_PRODUCT, Bounded


@dataclass(frozen=True, slots=True)
class Gauge(Difference):
    """Complex results are the oracle's times one e^{iφ}. The size is φ, in (−π, π].

    A stack whose result is turned by φ pulls a cotangent w back as the oracle does w·e^{−iφ}: with that its gradients
    are judged.
    """

    @property
    def words(self) -> str:
        return "times one phase factor"

    def touches(self, contract: Contract) -> tuple[Quantity, ...]:
        return (*_complex_results(contract), *gradients_of(contract))

    def faults(self, contract: Contract) -> tuple[str, ...]:
        return () if _complex_results(contract) else ("expected a complex result, got none",)

    def remove(self, comparison: Comparison) -> Mapping[Quantity, Remainder]:
        fields = [quantity for quantity in comparison.quantities if quantity in _complex_results(comparison.contract)]
        oracles = [comparison.quantities[quantity] for quantity in fields]
        fit = fitted(
            joined([bounded.value for bounded in oracles]),
            joined([comparison.arrays[quantity] for quantity in fields]),
            joined([noise_of(bounded) + COMPLEX_PRODUCT * np.abs(bounded.value) for bounded in oracles]),
        )
        if fit is None or fit.number == 0:
            return {}
        turned = {quantity: comparison.quantities[quantity] * _turn(fit, 1, comparison) for quantity in fields}
        back = np.conj(_turn(fit, 1, comparison).value)
        remainders = {
            quantity: _remainder(fit, comparison, quantity, comparison.arrays[quantity] * back, bounded.error)
            for quantity, bounded in turned.items()
        }
        return remainders | self._gradients(comparison, fields, fit)

    def _gradients(self, comparison: Comparison, fields: list[Quantity], fit: Fit) -> dict[Quantity, Remainder]:
        """What the gradients depart by from the oracle's of the turned cotangents, beside its own."""
        gradients = [quantity for quantity in comparison.quantities if quantity.is_gradient]
        if not gradients:
            return {}
        cotangents: dict[str, Any] = dict(comparison.cotangents)
        for field in fields:
            cotangents[field.name] = exactly(cotangents[field.name], comparison.precision) * _turn(fit, -1, comparison)
        found = bounded_gradients(comparison.contract, comparison.inputs, cotangents, comparison.precision)
        remainders: dict[Quantity, Remainder] = {}
        for argument, bounded in found.items():
            quantity = gradient_of(argument)
            if quantity in gradients:
                value = comparison.quantities[quantity].value
                got = comparison.arrays[quantity] - bounded.value + value
                remainders[quantity] = _remainder(fit, comparison, quantity, got, bounded.error)
        return remainders


def _turn(fit: Fit, way: int, comparison: Comparison) -> Bounded:
    """e^{iφ}, or its inverse, as a stack has it: rounded."""
    angle = way * np.angle(fit.number)
    return Bounded(np.asarray(np.exp(1j * angle)), np.asarray(fit.error / abs(fit.number) + 2), comparison.precision)


def _remainder(fit: Fit, comparison: Comparison, quantity: Quantity, got: Any, error: Any) -> Remainder:
    oracle = comparison.quantities[quantity]
    rounding = fit.rounding(comparison.precision) / abs(fit.number)
    sensitivity = 1.0 if fit.elements == 1 else None
    return Remainder(got, restored(oracle, error), float(np.angle(fit.number)), rounding, sensitivity=sensitivity)


def _complex_results(contract: Contract) -> tuple[Quantity, ...]:
    return tuple(result_of(result.name) for result in contract.results if result.kind.numbers is Numbers.COMPLEX)
