"""What is expected of a stack that has a contract's function in other terms, and what of it is not judged there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Contract, Inputs
from parity.contracts.conventions import Conventions
from parity.judging.expectation import bounded_gradients, bounded_values, witness
from parity.judging.quantity import Arrays, Quantity, by_quantity
from parity.physics.oracle.bounded import Bounded
from parity.physics.oracle.operations import where
from parity.physics.precision import Precision

Masks = Mapping[Quantity, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What is handed over, and what the oracle says of it; nothing is expected of the elements that are `unjudged`."""

    contract: Contract
    inputs: Inputs
    cotangents: Inputs
    quantities: Mapping[Quantity, Bounded]
    unjudged: Masks
    limits: Masks

    def witness(self, precision: Precision) -> Arrays:
        """The oracle's formulas in the working precision; what is known as a limit alone, as it is known."""
        seen = witness(self.contract, self.inputs, self.cotangents, precision)
        limits = {q: np.where(mask, self.quantities[q].value, seen[q]) for q, mask in self.limits.items()}
        return {**seen, **limits}

    def judged_results(self, values: Inputs) -> Inputs:
        """What a stack returned, by result; 0 where it is not judged."""
        return {q.name: x for q, x in judged(by_quantity(values, {}), self.unjudged).items()}

    def judged_gradients(self, gradients: Inputs) -> Inputs:
        """Its gradients by argument, likewise."""
        return {q.name: x for q, x in judged(by_quantity({}, gradients), self.unjudged).items()}


def expected(own: Contract, terms: Conventions, inputs: Inputs, cotangents: Inputs, precision: Precision) -> Expected:
    """Ask the oracle in the terms of a binding; `inputs` and `cotangents` are the contract's own."""
    contract, given = terms.contract or own, terms.given(inputs)
    touched = terms.touched(own, _rounded(inputs, precision))
    pulled = terms.cotangents(cotangents, touched) if cotangents else {}
    gradients = bounded_gradients(contract, given, pulled, precision) if pulled else {}
    limits: dict[str, NDArray[np.bool_]] = {}
    unknown: dict[str, NDArray[np.bool_]] = {}
    for name, dark in terms.dark(_rounded(given, precision)).items() if pulled else ():
        if name in gradients:
            lit = [{**given, name: np.where(dark, light, given[name])} for light in _NEAR]
            near, nearer = (bounded_gradients(contract, each, pulled, precision)[name] for each in lit)
            with np.errstate(invalid="ignore"):  # where both are infinite
                has_limit = np.abs(near.value - nearer.value) <= near.allowed + nearer.allowed
            limits[name], unknown[name] = dark & has_limit, dark & ~has_limit
            gradients[name] = where(limits[name], near, gradients[name])
    unjudged = by_quantity(touched, unknown)
    quantities = by_quantity(bounded_values(contract, given, precision), gradients)
    known = {q: _open(bounded, unjudged.get(q)) for q, bounded in quantities.items()}
    return Expected(contract, given, pulled, known, unjudged, by_quantity({}, limits))


_NEAR = (2.0**-100, 2.0**-104)
"""Intensities far below any that matters: what a gradient is at both, it is at 0."""


def judged(arrays: Arrays, unjudged: Masks) -> Arrays:
    """What a stack returned; 0 where it is not judged."""
    masks = {q: mask for q, mask in unjudged.items() if q in arrays and arrays[q].shape == mask.shape}
    return {q: np.where(masks[q], x.dtype.type(0), x) if q in masks else x for q, x in arrays.items()}


def _rounded(inputs: Inputs, precision: Precision) -> Inputs:
    return {name: precision.round(array) for name, array in inputs.items()}


def _open(bounded: Bounded, unjudged: NDArray[np.bool_] | None) -> Bounded:
    """What is expected, and where nothing is judged 0, of which nothing is known."""
    if unjudged is None:
        return bounded
    return bounded.derive(np.where(unjudged, 0.0, bounded.value), np.where(unjudged, np.inf, bounded.error))
