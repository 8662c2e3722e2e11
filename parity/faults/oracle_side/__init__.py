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
from parity.faults.in_oracle import Unconverted, Values
from parity.faults.oracle_side import dataloader, forward, networks, optics, probe, scaling, training
from parity.faults.oracle_side.base import Mistake, plain
from parity.judging.measurement import GRADIENT

SPECIFIC: Mapping[str, tuple[Mistake, ...]] = {
    address: mistakes
    for module in (probe, optics, scaling, dataloader, networks, training, forward)
    for address, mistakes in module.MISTAKES.items()
}
"""The mistakes of single functions, by address."""


def _changed(mistake: Mistake, contract: Contract, inputs: Inputs, truth: Values) -> Mapping[str, Any]:
    results = {result.name: truth[result.name] for result in contract.results}
    if mistake.results is not None:
        return mistake.results(results, inputs)
    if mistake.gradients is not None:
        return mistake.gradients({name: truth[name] for name in truth if name.startswith(GRADIENT)}, inputs)
    assert mistake.inputs is not None
    changed = plain({name: np.asarray(value) for name, value in mistake.inputs(inputs).items()})
    returned = contract.oracle()(**plain(inputs) | changed)
    return dict(zip(results, returned if isinstance(returned, tuple) else (returned,), strict=True))


def _fault(address: str, mistake: Mistake) -> Fault:
    change: Any = Unconverted(partial(_changed, mistake))
    return Fault(address, "", mistake.name, change, stacks=(), where=mistake.applies)


UNCONVERTED: Mapping[str, tuple[Fault, ...]] = {
    address: tuple(_fault(address, mistake) for mistake in mistakes) for address, mistakes in SPECIFIC.items()
}
"""Their faults, by address."""
