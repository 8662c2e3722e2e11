"""Explanations with a parameter that is searched for through the oracle: an argument scaled, or shifted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from parity.contracts.changes import given
from parity.contracts.contract import Argument, Contract
from parity.contracts.fault import Fault
from parity.faults.diagnosis.evidence import Exhibit
from parity.faults.diagnosis.explanation import Explanation, Fit
from parity.faults.diagnosis.parameters import Array, Elementwise, finite, known_of, number
from parity.faults.in_oracle import made_in_oracle
from parity.judging.quantity import Arrays, Quantity
from parity.physics.kinds import BIAS, KERNEL, Numbers

_FACTORS = tuple(sign * 2.0 ** (power / 4) for power in range(-24, 25) for sign in (1, -1))
_CONSTANTS = tuple(sign * 2.0**power for power in range(-32, 13) for sign in (1, -1))
_STARTS, _STEPS, _HALVINGS = 3, 12, 6
"""Of the search for a parameter: from how many points of the grid, how often improved, how often a step is halved."""


def fits_of_arguments(contract: Contract) -> Iterator[Fit]:
    """What may have become of one argument: each is asked for by evaluating the oracle a few hundred times."""
    for argument in contract.arguments:
        if argument.kind.numbers in (Numbers.REAL, Numbers.COMPLEX) and argument.kind not in (KERNEL, BIAS):
            yield partial(_argument, argument, "enters times a constant factor", _times)
            yield partial(_argument, argument, "a constant is added to", _plus)


def _argument(
    argument: Argument, words: str, change: Callable[[float], Elementwise], exhibits: Sequence[Exhibit]
) -> Explanation | None:
    if not all(any(quantity in exhibit.results for quantity in exhibit.wrong) for exhibit in exhibits):
        return None
    neutral = 1.0 if change is _times else 0.0
    parameter = _searched(exhibits, argument.name, change, neutral)
    if parameter is None:
        return None
    is_factor = change is _times
    cause = f"{argument.name} {words}" if is_factor else f"{words} {argument.name}"
    said = number(parameter)
    detail = f"{argument.name} enters times {said}" if is_factor else f"{said} is added to {argument.name}"
    return Explanation(cause, partial(_made, argument.name, change(parameter)), detail)


def _searched(
    exhibits: Sequence[Exhibit], argument: str, change: Callable[[float], Elementwise], neutral: float
) -> float | None:
    """The parameter that brings the oracle nearest to what came, in all exhibits together.

    The best of a grid, improved by Gauss–Newton steps that are halved until they improve it.
    """
    targets = [_Target(exhibit, exhibit.wrong[0]) for exhibit in exhibits]
    if not all(target.is_known for target in targets):
        return None

    def off(parameter: float) -> Array:
        """What is missing to what came, relative to it."""
        return np.concatenate([target.missing(argument, change(parameter)) for target in targets])

    def size(missing: Array) -> float:
        power = float(np.sum(np.abs(missing) ** 2))
        return power if math.isfinite(power) else math.inf

    def improved(best: float, parameter: float) -> tuple[float, float]:
        for _ in range(_STEPS):
            step = 1e-6 * (abs(parameter) or 1.0)
            here = off(parameter)
            slope = (here - off(parameter + step)) / step
            power = size(slope)
            if not (power and math.isfinite(power) and best and math.isfinite(best)):
                break
            full = float(np.sum(np.real(np.conj(slope) * here))) / power
            moves = (parameter + full / 2**halving for halving in range(_HALVINGS))
            better = next(((found, moved) for moved in moves if (found := size(off(moved))) < best), None)
            if better is None:
                break
            best, parameter = better
        return best, parameter

    starts = sorted((size(off(p)), p) for p in (neutral, *(_FACTORS if change is _times else _CONSTANTS)))
    best, parameter = min(improved(*start) for start in starts[:_STARTS])
    return parameter if parameter != neutral and math.isfinite(best) else None


class _Target:
    """What came in one exhibit, to be met by the oracle with an argument changed."""

    def __init__(self, exhibit: Exhibit, quantity: Quantity) -> None:
        self._exhibit, self._quantity, self._known = exhibit, quantity, known_of(exhibit, quantity)
        self._got = finite(exhibit, quantity)[1]
        self._scale = float(np.max(np.abs(self._got), initial=0.0))

    @property
    def is_known(self) -> bool:
        return self._scale > 0

    def missing(self, argument: str, change: Elementwise) -> Array:
        """What the oracle's result lacks, relative to the largest of what came; ∞ where it has none."""
        found = _made(argument, change, self._exhibit)
        if found is None or self._quantity not in found:
            return np.full(self._got.shape, np.inf)
        return np.asarray((self._got - found[self._quantity][self._known]) / self._scale)


def _made(argument: str, change: Elementwise, exhibit: Exhibit) -> Arrays | None:
    """What the oracle returns of the arguments of an exhibit, one of them changed."""
    contract = exhibit.truth.contract
    fault = Fault(contract.name, "", "", given(**{argument: lambda xp, x: change(x)}))
    return made_in_oracle(fault, contract, exhibit.inputs, exhibit.right)


def _times(parameter: float) -> Elementwise:
    return lambda array: array * parameter


def _plus(parameter: float) -> Elementwise:
    return lambda array: array + parameter
