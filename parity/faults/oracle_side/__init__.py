"""The ways to be wrong, as mathematics: what the oracle's function would return if a mistake were made.

No stack is touched. A case that tells a mistake from the truth proves that it discriminates, and the mistake whose
result fits what a wrong stack returned is a likely cause. Those of one function are in the module of its file's name,
in `MISTAKES` under its address; what follows from the kinds of arguments and results alone is in `generic`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Contract, Inputs
from parity.faults.oracle_side import dataloader, forward, losses, networks, optics, patches, probe, scaling, training
from parity.faults.oracle_side.base import Mistake, Values, plain
from parity.faults.oracle_side.generic import generic_mistakes
from parity.judging.quantity import Arrays, Quantity, by_quantity, results_of

__all__ = ["SPECIFIC", "Mistake", "Values", "mistaken", "mistakes_of"]

SPECIFIC: Mapping[str, tuple[Mistake, ...]] = {
    address: mistakes
    for module in (probe, optics, patches, scaling, dataloader, losses, networks, training, forward)
    for address, mistakes in module.MISTAKES.items()
}
"""The mistakes of single functions, by address."""

_REFUSED = (ArithmeticError, ValueError, IndexError)
"""What the oracle, or a formula, says of arguments that make no sense."""


def mistakes_of(contract: Contract) -> tuple[Mistake, ...]:
    """The mistakes that can be made of a contract's function: its own first, then those of its kinds."""
    own = SPECIFIC.get(contract.address, ())
    names = {mistake.name for mistake in own}
    return *own, *(mistake for mistake in generic_mistakes(contract) if mistake.name not in names)


def mistaken(contract: Contract, mistake: Mistake, inputs: Inputs, truth: Arrays) -> Arrays | None:
    """What `contract`'s function would return with the mistake made: the quantities that it changes.

    `inputs` are rounded to the working precision already, `truth` is the oracle's for them, float64 or complex128, as
    is what is returned. Only results are known of a mistake in the arguments or the results. None where the mistake
    does not apply or has no meaning: the oracle refuses, or a quantity has another shape or is no longer real.
    """
    if not mistake.applies(inputs):
        return None
    try:
        with np.errstate(all="ignore"):
            changed = _changed(contract, mistake, inputs, truth)
    except _REFUSED:
        return None
    wrong = {quantity: _fitted(np.asarray(array), truth[quantity]) for quantity, array in changed.items()}
    found = {quantity: array for quantity, array in wrong.items() if array is not None}
    return found if found and len(found) == len(wrong) else None


def _changed(contract: Contract, mistake: Mistake, inputs: Inputs, truth: Arrays) -> Mapping[Quantity, Any]:
    results = {quantity.name: truth[quantity] for quantity in results_of(contract)}
    if mistake.results is not None:
        return by_quantity(mistake.results(results, inputs), {})
    if mistake.gradients is not None:
        gradients = {quantity.name: array for quantity, array in truth.items() if quantity.is_gradient}
        return by_quantity({}, mistake.gradients(gradients, inputs))
    assert mistake.inputs is not None
    returned = contract.oracle()(**plain(inputs) | _arguments(contract, mistake.inputs(inputs)))
    values = returned if isinstance(returned, tuple) else (returned,)
    return by_quantity(dict(zip(results, values, strict=True)), {})


def _arguments(contract: Contract, changed: Mapping[str, Any]) -> dict[str, Any]:
    """Changed arguments as the oracle takes them. LookupError for a name that it does not know."""
    unknown = changed.keys() - {argument.name for argument in contract.arguments}
    if unknown:
        raise LookupError(f"{contract.name} has no {', '.join(sorted(unknown))}, which a mistake changes")
    return plain({name: np.asarray(value) for name, value in changed.items()})


def _fitted(wrong: NDArray[Any], right: NDArray[Any]) -> NDArray[Any] | None:
    """`wrong` in the numbers of `right`; None where it cannot stand in its place."""
    if wrong.shape != right.shape or (np.iscomplexobj(wrong) and not np.iscomplexobj(right)):
        return None
    return wrong.astype(np.complex128 if np.iscomplexobj(right) else np.float64)
