"""What the oracle says of a case: values and gradients with their bounds, and a witness for rounding.

The witness is the oracle's own formulas evaluated in the working precision by NumPy: a third correct
implementation. Its gain errors are the scale on which the pooled gain of a stack is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Contract, Inputs, has_readings
from parity.judging.quantity import Arrays, by_quantity
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import Precision


def bounded_values(contract: Contract, inputs: Inputs, precision: Precision) -> dict[str, Bounded]:
    """The oracle's results for inputs rounded to `precision`."""
    returned = contract.oracle()(**bounded_arguments(contract, inputs, precision))
    return _by_name([r.name for r in contract.results], _as_tuple(returned), precision)


def bounded_gradients(
    contract: Contract, inputs: Inputs, cotangents: Mapping[str, NDArray[Any] | Bounded], precision: Precision
) -> dict[str, Bounded]:
    """The oracle's gradients for inputs and cotangents rounded to `precision`; none for a contract without any.

    A cotangent that has an error of its own is taken as it is, and so is an argument.
    """
    names = [a.name for a in contract.differentiable]
    if not names:
        return {}
    pulled = [_as_given(cotangents[result.name], precision) for result in contract.results]
    returned = contract.oracle_vjp()(*pulled, **bounded_arguments(contract, inputs, precision))
    return _by_name(names, returned, precision)


def witness(contract: Contract, inputs: Inputs, cotangents: Inputs, precision: Precision) -> Arrays:
    """The oracle's formulas in plain working-precision arithmetic: results and gradients by quantity."""
    arguments = {
        a.name: inputs[a.name].item() if a.kind.static else _widened(inputs[a.name], precision)
        for a in contract.arguments
    }
    with np.errstate(all="ignore"):
        values = {r.name: x for r, x in zip(contract.results, _as_tuple(contract.oracle()(**arguments)), strict=True)}
        gradients = {}
        if contract.differentiable and not has_readings(inputs):
            pulled = [precision.round(cotangents[r.name]) for r in contract.results]
            returned = contract.oracle_vjp()(*pulled, **arguments)
            gradients = {a.name: g for a, g in zip(contract.differentiable, returned, strict=True)}
    return {quantity: np.asarray(array) for quantity, array in by_quantity(values, gradients).items()}


def _widened(array: NDArray[Any], precision: Precision) -> NDArray[Any]:
    readings = np.issubdtype(array.dtype, np.integer)
    return array.astype(precision.real) if readings else precision.round(array)


def bounded_arguments(contract: Contract, inputs: Inputs, precision: Precision) -> dict[str, Any]:
    """The arguments as the oracle takes them, by name: rounded to `precision`, and plain where they are static."""
    return {
        a.name: inputs[a.name].item() if a.kind.static else _as_given(inputs[a.name], precision)
        for a in contract.arguments
    }


def _as_given(array: NDArray[Any] | Bounded, precision: Precision) -> Bounded:
    """An argument that has an error of its own as it is, any other exact."""
    return array if isinstance(array, Bounded) else exactly(array, precision)


def exactly(array: NDArray[Any], precision: Precision) -> Bounded:
    """An array as every side gets it: rounded to `precision`, and from then on exact."""
    return Bounded.exact(precision.round(array), precision)


def _by_name(names: list[str], returned: tuple[Any, ...], precision: Precision) -> dict[str, Bounded]:
    """Results by name; what the oracle computed without any rounding came back as a plain array."""
    return {
        name: x if isinstance(x, Bounded) else exactly(np.asarray(x), precision)
        for name, x in zip(names, returned, strict=True)
    }


def _as_tuple(returned: Any) -> tuple[Any, ...]:
    return returned if isinstance(returned, tuple) else (returned,)
