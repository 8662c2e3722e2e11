"""A fault made in the oracle's function: the arrays that a stack with that fault would return, but for rounding."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.changes import Backward
from parity.contracts.contract import Contract, Inputs
from parity.contracts.fault import Fault
from parity.faults.injection import replaced_in
from parity.faults.layout import kinds_at
from parity.faults.namespace import NUMPY
from parity.judging.quantity import Arrays, Quantity, gradient_of, results_of

_REFUSED = (ArithmeticError, ValueError, IndexError)
"""What the oracle, or a formula, says of arguments that make no sense."""


def made_in_oracle(fault: Fault, contract: Contract, inputs: Inputs, truth: Arrays) -> Arrays | None:
    """What `contract`'s function would return with the fault made in it: the quantities that it changes.

    `inputs` are rounded to the working precision already, `truth` is the oracle's for them, float64 or complex128, as
    is what is returned. Of a gradient that is wrong alone, the gradient is known; of any other fault, the results. None
    where the fault cannot be made or has no meaning: the oracle refuses, or a quantity has another shape or is no
    longer real.
    """
    if not fault.where(inputs):
        return None
    try:
        with np.errstate(all="ignore"):
            changed = _changed(fault, contract, inputs, truth)
    except _REFUSED:
        return None
    wrong = {quantity: _fitted(np.asarray(array), truth[quantity]) for quantity, array in changed.items()}
    found = {quantity: array for quantity, array in wrong.items() if array is not None}
    return found if found and len(found) == len(wrong) else None


def _changed(fault: Fault, contract: Contract, inputs: Inputs, truth: Arrays) -> Mapping[Quantity, Any]:
    change: Any = fault.change
    if isinstance(change, Backward):
        gradient = gradient_of(change.name)
        return {gradient: change.gradient(NUMPY, truth[gradient])} if gradient in truth else {}
    results = results_of(contract)
    right = tuple(truth[quantity] for quantity in results)
    arguments = _plain(inputs)
    if fault.at:
        returned = _within(fault, contract)(**arguments)
    elif contract.around:
        wrong = fault.change(NUMPY, contract.around.contract.oracle(), kinds_at(contract.address))
        returned = contract.around.oracle(wrong)(**arguments)
    else:
        returned = _made(fault, contract, arguments, right)
    returned = returned if isinstance(returned, tuple) else (returned,)
    returned_by = zip(results, returned, right, strict=True)
    return {quantity: wrong for quantity, wrong, known in returned_by if wrong is not known}


def _made(fault: Fault, contract: Contract, arguments: Mapping[str, Any], right: tuple[Any, ...]) -> Any:
    """What the function returns that is wrong in itself."""
    return fault.change(NUMPY, _known(contract, arguments, right), kinds_at(contract.address))(**arguments)


def _within(fault: Fault, contract: Contract) -> Callable[..., Any]:
    """The oracle's function while another that it calls is wrong."""

    def called(**arguments: Any) -> Any:
        kinds = kinds_at(fault.at)
        with replaced_in(NUMPY.package, fault.at, lambda right: fault.change(NUMPY, right, kinds)):
            return contract.oracle()(**arguments)

    return called


def _known(contract: Contract, arguments: Mapping[str, Any], truth: tuple[Any, ...]) -> Callable[..., Any]:
    """The oracle's function, which need not be asked again for what it returns of the right arguments."""
    oracle = contract.oracle()
    parameters = inspect.signature(oracle).parameters

    @functools.wraps(oracle)
    def right(**given: Any) -> Any:
        left_alone = given.keys() <= {*arguments, *parameters}
        if left_alone and all(given[name] is argument for name, argument in arguments.items()):
            return truth if len(truth) > 1 else truth[0]
        return oracle(**given)

    return right


def _plain(inputs: Inputs) -> dict[str, Any]:
    """The arguments as the oracle's functions take them without bounds: numbers, choices, float64 or complex128.

    A real number is NumPy's, whose reciprocal of 0 is infinite and raises nothing.
    """
    return {name: wide(array) if array.ndim else _scalar(array) for name, array in inputs.items()}


def _scalar(array: NDArray[Any]) -> Any:
    return np.float64(array) if np.issubdtype(array.dtype, np.floating) else array.item()


def wide(array: NDArray[Any]) -> NDArray[Any]:
    """Numbers as float64 or complex128; flags and choices as they are."""
    if np.issubdtype(array.dtype, np.number):
        return array.astype(np.complex128 if np.iscomplexobj(array) else np.float64, copy=False)
    return array


def _fitted(wrong: NDArray[Any], right: NDArray[Any]) -> NDArray[Any] | None:
    """`wrong` in the numbers of `right`; None where it cannot stand in its place."""
    if wrong.shape != right.shape or (np.iscomplexobj(wrong) and not np.iscomplexobj(right)):
        return None
    return wrong.astype(np.complex128 if np.iscomplexobj(right) else np.float64)
