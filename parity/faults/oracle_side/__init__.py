"""The mistakes of the modules whose rows the catalogue does not hold yet, as faults that diagnosis recognises.

When the last module is converted, this package goes, with `in_oracle.Unconverted`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from parity.contracts.contract import Contract, Inputs
from parity.faults.base import Fault
from parity.faults.in_oracle import Unconverted
from parity.faults.oracle_side import patches
from parity.faults.oracle_side.base import Mistake, plain
from parity.judging.quantity import Arrays, Quantity, by_quantity, results_of

SPECIFIC: Mapping[str, tuple[Mistake, ...]] = {
    address: mistakes for module in (patches,) for address, mistakes in module.MISTAKES.items()
}
"""The mistakes of single functions, by address."""


def _changed(mistake: Mistake, contract: Contract, inputs: Inputs, truth: Arrays) -> Mapping[Quantity, Any]:
    results = {quantity.name: truth[quantity] for quantity in results_of(contract)}
    if mistake.results is not None:
        return by_quantity(mistake.results(results, inputs), {})
    if mistake.gradients is not None:
        gradients = {quantity.name: array for quantity, array in truth.items() if quantity.is_gradient}
        return by_quantity({}, mistake.gradients(gradients, inputs))
    assert mistake.inputs is not None
    changed = plain({name: np.asarray(value) for name, value in mistake.inputs(inputs).items()})
    returned = contract.oracle()(**plain(inputs) | changed)
    values = returned if isinstance(returned, tuple) else (returned,)
    return by_quantity(dict(zip(results, values, strict=True)), {})


def _fault(address: str, mistake: Mistake) -> Fault:
    change: Any = Unconverted(partial(_changed, mistake))
    return Fault(address, "", mistake.name, change, stacks=(), where=mistake.applies)


UNCONVERTED: Mapping[str, tuple[Fault, ...]] = {
    address: tuple(_fault(address, mistake) for mistake in mistakes) for address, mistakes in SPECIFIC.items()
}
"""Their faults, by address."""
