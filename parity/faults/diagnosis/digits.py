"""An intermediate with fewer digits than the working precision: a cause, where it explains the size of the error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Entry
from parity.faults.diagnosis.evidence import Exhibit
from parity.faults.diagnosis.explanation import Explanation
from parity.judging.expectation import bounded_gradients, bounded_values
from parity.judging.quantity import Arrays, Quantity, by_quantity
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT32, Precision
from parity.stacks.base import SINGLE, Framework

SINGLE_INSIDE = "single precision inside double"

_HALF = Precision("f16", "float16", "complex32", unit_roundoff=2.0**-11, smallest_normal=2.0**-14)
_BRAIN = Precision("bf16", "bfloat16", "bfloat16", unit_roundoff=2.0**-8, smallest_normal=2.0**-126)
_OF_DTYPE = {
    dtype: precision for precision in (_HALF, _BRAIN, FLOAT32) for dtype in (precision.real, precision.complex)
}

_NEIGHBOURS = 8


def narrow(framework: Framework, exhibits: Sequence[Exhibit], entry: Entry | None) -> Explanation | None:
    """A narrow intermediate, where all that is wrong is no larger than its digits can make it.

    A stack can have one that does no harm beside a fault that does.
    """
    truth = exhibits[0].truth
    given = truth.contract, truth.inputs, truth.precision, truth.cotangents or None, entry
    if any(exhibit.fault for exhibit in exhibits):
        return None
    for found in framework.narrow_intermediates(*given):
        digits = _OF_DTYPE[found.dtype]
        if all(_is_within(exhibit, digits) or _is_grain(exhibit, digits, framework, entry) for exhibit in exhibits):
            cause = f"an intermediate is {found.dtype}"
            inside = f"{SINGLE_INSIDE}: " if truth.precision.is_double and found.dtype in SINGLE else ""
            return Explanation(cause, lambda exhibit: None, f"{inside}{cause} ({found.operation})")
    return None


def _is_within(exhibit: Exhibit, digits: Precision) -> bool:
    """Whether all that is wrong lies within the bound of who computes in these digits, arguments included."""
    bounds = _bounds(exhibit, digits)
    return all(_strays_less(exhibit, quantity, bounds[quantity]) for quantity in exhibit.wrong)


def _is_grain(exhibit: Exhibit, digits: Precision, framework: Framework, entry: Entry | None) -> bool:
    """Whether all that is wrong comes out anew where the arguments move by a rounding in these digits.

    A formula that loses more digits than the oracle's is beyond its bound, but not beyond this: its errors have no
    mean. Those of a wrong term stay as they are.
    """
    random = np.random.default_rng(0)
    errors = [_errors(exhibit, digits, framework, entry, random) for _ in range(_NEIGHBOURS)]
    return all(_has_no_mean([found.get(quantity) for found in errors]) for quantity in exhibit.wrong)


def _errors(
    exhibit: Exhibit, digits: Precision, framework: Framework, entry: Entry | None, random: np.random.Generator
) -> Arrays:
    """How far off a stack is at arguments that are moved, downwards: some have 1 as their limit."""
    truth = exhibit.truth
    contract, precision = truth.contract, truth.precision
    inputs = {
        name: precision.round(x * (1 - 4 * digits.unit_roundoff * random.random(x.shape)))
        if np.issubdtype(x.dtype, np.inexact)
        else x
        for name, x in truth.inputs.items()
    }
    gradients = bounded_gradients(contract, inputs, truth.cotangents, precision) if truth.cotangents else {}
    quantities = by_quantity(bounded_values(contract, inputs, precision), gradients)
    moved = Exhibit.of(replace(truth, inputs=inputs, quantities=quantities), framework, entry)
    return {q: x - moved.right[q] for q, x in moved.got.items() if x.shape == moved.right[q].shape}


def _has_no_mean(errors: Sequence[NDArray[Any] | None]) -> bool:
    found = [error for error in errors if error is not None]
    if len(found) < len(errors):
        return False
    with np.errstate(all="ignore"):
        mean, spread = (np.sqrt(np.mean(np.square(np.abs(of(found, axis=0))))) for of in (np.mean, np.std))
    return bool(mean < spread)


def _bounds(exhibit: Exhibit, digits: Precision) -> Mapping[Quantity, Bounded]:
    truth = exhibit.truth
    inputs, cotangents = (
        {name: _rounded(truth.precision.round(x), digits) for name, x in arrays.items()}
        for arrays in (truth.inputs, truth.cotangents)
    )
    with np.errstate(all="ignore"):
        gradients = bounded_gradients(truth.contract, inputs, cotangents, digits) if cotangents else {}
        return by_quantity(bounded_values(truth.contract, inputs, digits), gradients)


def _rounded(array: NDArray[Any], digits: Precision) -> Any:
    """An array that has been rounded once to these digits, or lies below their range; sizes and flags as they are."""
    if not array.ndim or not np.issubdtype(array.dtype, np.inexact):
        return array
    magnitude = np.abs(array).astype(np.float64)
    flushed = (magnitude > 0) & (magnitude < digits.smallest_normal)
    return Bounded(array, np.where(flushed, digits.smallest_normal / digits.unit_roundoff, magnitude), digits)


def _strays_less(exhibit: Exhibit, quantity: Quantity, bounded: Bounded) -> bool:
    """What has left the range of these digits has no size."""
    got = exhibit.got[quantity]
    if got.shape != bounded.shape:
        return False
    with np.errstate(all="ignore"):
        error = np.abs(got - bounded.value)
    overflown = bounded.precision.smallest_normal > exhibit.truth.precision.smallest_normal
    return bool(np.all((error <= bounded.allowed) | (overflown & ~np.isfinite(error))))
