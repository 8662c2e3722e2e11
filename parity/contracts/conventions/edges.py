"""Which elements of a result an edge rule touches: those that see what is outside a frame, or its outermost pixels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Contract, Inputs
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT64

RULES = ("repeat", "periodic")
"""What may stand outside a frame instead of zeros."""

FRAMED: Mapping[str, str] = {"patches.translate": "patches", "patches.extract_patches": "canvas"}
"""By contract, the argument from whose frame its result is interpolated: with weights whose sum is 1."""


def touched(contract: Contract, inputs: Inputs) -> NDArray[np.bool_]:
    """The elements that are not the mean of inner pixels alone: where a frame of ones with a rim of zeros is not 1.

    The rim, because a slope at a whole shift sees one pixel more than the value does.
    """
    name = FRAMED[contract.name]
    ones = np.zeros_like(inputs[name])
    ones[..., 1:-1, 1:-1] = 1
    given = {
        a.name: x.item() if a.kind.static else Bounded.exact(x, FLOAT64)
        for a in contract.arguments
        for x in (ones if a.name == name else inputs[a.name],)
    }
    covered = contract.oracle()(**given)
    return np.asarray(np.abs(covered.value - 1) > covered.allowed)
