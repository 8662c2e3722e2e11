"""Arrays that are right and arrays that are wrong, each measured and judged: what the judge notices of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Quota
from parity.judging.measurement import Label, Measurement, measure, measure_pair, without_accepted
from parity.judging.quantity import gradient_of, result_of
from parity.judging.verdict import Outcome, judge
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT32, FLOAT64, Precision

_STACK, _EXAMPLES = "torch", 30


def noticed() -> dict[str, bool]:
    """By what is wrong, whether that is no agreement."""
    return {what: judge("", found, Quota()).outcome is not Outcome.AGREE for what, found in _judged()}


def _judged() -> Iterator[tuple[str, Sequence[Measurement]]]:
    for precision in (FLOAT32, FLOAT64):
        oracle = _oracle(precision)
        for what, got in _wrong(oracle, precision):
            for quantity in (result_of("y"), gradient_of("x")):
                label = Label("", "odd/0", precision.name, quantity)
                yield f"{what}, {quantity.text} in {precision.name}", [measure(label, _STACK, got, oracle)]
        label = Label("", "odd/0", precision.name, result_of("y"))
        apart = oracle.value + 5 * oracle.allowed
        yield f"two stacks apart in {precision.name}", [measure_pair(label, oracle.value, apart, oracle)]
        right = measure(label, _STACK, precision.round(oracle.value), oracle)
        for what, error in (("no bound", np.inf), ("a bound as large as the value", 1 / precision.unit_roundoff)):
            vague = oracle.derive(oracle.value, np.full(oracle.shape, error))
            yield f"{what} in {precision.name}", [measure(label, _STACK, precision.round(oracle.value), vague)]
        yield f"elements that are not judged in {precision.name}", [without_accepted(right, -1)]
    yield "nothing measured", []
    yield "a common gain of 1e-6", list(_gained(1e-6))


def _oracle(precision: Precision) -> Bounded:
    value = np.linspace(1.0, 2.0, 12).reshape(3, 4)
    return Bounded.exact(value, precision).derive(precision.round(value).astype(np.float64), np.ones(value.shape))


def _wrong(oracle: Bounded, precision: Precision) -> Iterator[tuple[str, NDArray[Any]]]:
    right, first, last = precision.round(oracle.value), (0, 0), (-1, -1)
    for times in (2, 1e3, 1e9):
        for place in (first, last):
            yield f"{times:g} bounds off at {place}", _changed(right, place, oracle.value + times * oracle.allowed)
    for number in (np.nan, np.inf, -np.inf, 0.0):
        yield f"{number} at {last}", _changed(right, last, np.full(oracle.shape, number))
    yield "the opposite sign", -right
    yield "another shape", right.T
    yield "another precision", right.astype("float64" if precision is FLOAT32 else "float32")
    yield "complex numbers", right.astype(precision.complex)


def _changed(right: NDArray[Any], place: tuple[int, int], to: NDArray[Any]) -> NDArray[Any]:
    changed = right.copy()
    changed[place] = to[place]
    return changed


def _gained(gain: float) -> Iterator[Measurement]:
    """Examples that agree each, and have an error in common."""
    random = np.random.default_rng(0)
    for number in range(_EXAMPLES):
        value = random.uniform(1.0, 2.0, (64, 64))
        oracle = Bounded.exact(value, FLOAT32).derive(value, np.full(value.shape, 100.0))
        label = Label("", f"odd/{number}", FLOAT32.name, result_of("y"))
        yield measure(label, _STACK, FLOAT32.round(value * (1 + gain)), oracle, FLOAT32.round(value))
