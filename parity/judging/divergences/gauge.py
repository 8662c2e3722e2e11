"""A difference that nobody could measure: a field's global phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.contracts.contract import Contract
from parity.judging.divergences.base import Difference, Example, Rest, gradients_of, is_gradient
from parity.judging.divergences.fit import Fit, fitted, joined, noise_of, restored
from parity.judging.expectation import bounded_gradients, exactly, gradient_of
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

    def touches(self, contract: Contract) -> tuple[str, ...]:
        return (*_complex_results(contract), *gradients_of(contract))

    def faults(self, contract: Contract) -> tuple[str, ...]:
        return () if _complex_results(contract) else ("expected a complex result, got none",)

    def remove(self, example: Example) -> Mapping[str, Rest]:
        fields = [quantity for quantity in example.quantities if quantity in _complex_results(example.contract)]
        oracles = [example.quantities[quantity] for quantity in fields]
        fit = fitted(
            joined([bounded.value for bounded in oracles]),
            joined([example.arrays[quantity] for quantity in fields]),
            joined([noise_of(bounded) + COMPLEX_PRODUCT * np.abs(bounded.value) for bounded in oracles]),
        )
        if fit is None or fit.number == 0:
            return {}
        turned = {quantity: example.quantities[quantity] * _turn(fit, 1, example) for quantity in fields}
        back = np.conj(_turn(fit, 1, example).value)
        rests = {
            quantity: _rest(fit, example, quantity, example.arrays[quantity] * back, bounded.error)
            for quantity, bounded in turned.items()
        }
        return rests | self._gradients(example, fields, fit)

    def _gradients(self, example: Example, fields: list[str], fit: Fit) -> dict[str, Rest]:
        """What the gradients depart by from the oracle's of the turned cotangents, beside its own."""
        names = [quantity for quantity in example.quantities if is_gradient(quantity)]
        if not names:
            return {}
        cotangents: dict[str, Any] = dict(example.cotangents)
        for name in fields:
            cotangents[name] = exactly(cotangents[name], example.precision) * _turn(fit, -1, example)
        found = bounded_gradients(example.contract, example.inputs, cotangents, example.precision)
        rests: dict[str, Rest] = {}
        for argument, bounded in found.items():
            quantity = gradient_of(argument)
            if quantity in names:
                value = example.quantities[quantity].value
                got = example.arrays[quantity] - bounded.value + value
                rests[quantity] = _rest(fit, example, quantity, got, bounded.error)
        return rests


def _turn(fit: Fit, way: int, example: Example) -> Bounded:
    """e^{iφ}, or its inverse, as a stack has it: rounded."""
    angle = way * np.angle(fit.number)
    return Bounded(np.asarray(np.exp(1j * angle)), np.asarray(fit.error / abs(fit.number) + 2), example.precision)


def _rest(fit: Fit, example: Example, quantity: str, got: Any, error: Any) -> Rest:
    oracle = example.quantities[quantity]
    rounding = fit.rounding(example.precision) / abs(fit.number)
    sole = 1.0 if fit.elements == 1 else None
    return Rest(got, restored(oracle, error), float(np.angle(fit.number)), rounding, sole=sole)


def _complex_results(contract: Contract) -> tuple[str, ...]:
    return tuple(result.name for result in contract.results if result.kind.numbers is Numbers.COMPLEX)
