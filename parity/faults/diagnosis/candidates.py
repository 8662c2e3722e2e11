"""The battery: every explanation that is tried for a contract, the simplest and most particular first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Contract
from parity.faults.diagnosis.arguments import fits_of_arguments
from parity.faults.diagnosis.evidence import Exhibit
from parity.faults.diagnosis.explanation import Explanation, Fit, of_fault
from parity.faults.diagnosis.results import fits_of_gradients, fits_of_results
from parity.faults.recognition import recognised_faults
from parity.judging.quantity import Arrays

ZERO = "the result is 0"
DETACHED = "the result is detached from all arguments"

_FUNCTIONS: tuple[tuple[str, Callable[[NDArray[Any]], Any]], ...] = (
    ("the logarithm of 1 + the result is returned", np.log1p),
    ("the logarithm of the result is returned", np.log),
    ("the exponential of the result is returned", np.exp),
    ("the reciprocal of the result is returned", np.reciprocal),
    ("the modulus of the result is returned", np.abs),
    ("the imaginary part of the result is 0", lambda z: np.real(z) + 0j if np.iscomplexobj(z) else z),
    ("the real part of the result is 0", lambda z: 1j * np.imag(z) if np.iscomplexobj(z) else 0 * z),
    ("negative results are 0", lambda x: x if np.iscomplexobj(x) else np.maximum(x, 0)),
)


def battery(contract: Contract) -> Iterator[Fit]:
    """The explanations of a contract in order of simplicity.

    What can become of any result at all comes first, without a parameter; then the faults that are particular to the
    function, and those of its kinds; then what has a parameter, of the results, of a gradient, of an argument. The
    oracle of a costly contract is not asked for an argument's.
    """
    yield _fixed(Explanation(ZERO, lambda exhibit: {q: np.zeros_like(exhibit.right[q]) for q in exhibit.results}))
    yield from (_fixed(of_fault(fault)) for fault in recognised_faults(contract))
    yield from (_fixed(_elementwise(cause, change)) for cause, change in _FUNCTIONS)
    yield from fits_of_results(contract)
    yield _fixed(Explanation(DETACHED, _without_gradients))
    yield from fits_of_gradients(contract)
    if contract.cost == 1:
        yield from fits_of_arguments(contract)


def _without_gradients(exhibit: Exhibit) -> Arrays:
    return {q: np.zeros_like(right) for q, right in exhibit.right.items() if q not in exhibit.results}


def _fixed(explanation: Explanation) -> Fit:
    return lambda exhibits: explanation


def _elementwise(cause: str, change: Callable[[NDArray[Any]], Any]) -> Explanation:
    def predict(exhibit: Exhibit) -> Arrays | None:
        with np.errstate(all="ignore"):
            return {quantity: np.asarray(change(exhibit.right[quantity])) for quantity in exhibit.results}

    return Explanation(cause, predict)
