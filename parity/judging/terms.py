"""What is expected of a stack that has a contract's function in other terms, and what of it is not judged there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Contract, Inputs
from parity.contracts.conventions import Conventions
from parity.judging.expectation import bounded_gradients, bounded_values
from parity.judging.quantity import Arrays, Quantity, by_quantity
from parity.physics.oracle.bounded import Bounded
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


def expected(own: Contract, terms: Conventions, inputs: Inputs, cotangents: Inputs, precision: Precision) -> Expected:
    """Ask the oracle in the terms of a binding; `inputs` and `cotangents` are the contract's own."""
    contract, given = terms.contract or own, terms.given(inputs)
    touched = terms.touched(own, _rounded(inputs, precision))
    pulled = terms.cotangents(cotangents, touched) if cotangents else {}
    gradients = bounded_gradients(contract, given, pulled, precision) if pulled else {}
    dark = terms.dark(_rounded(given, precision)) if pulled else {}
    unjudged = by_quantity(touched, {name: mask for name, mask in dark.items() if name in gradients})
    quantities = by_quantity(bounded_values(contract, given, precision), gradients)
    return Expected(contract, given, pulled, {q: _open(b, unjudged.get(q)) for q, b in quantities.items()}, unjudged)


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
