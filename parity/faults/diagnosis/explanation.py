"""What an explanation is: words, and what a stack would have returned if they were true.

An explanation with parameters is fitted to the exhibits first; what comes of that, as every explanation without, makes
a prediction for each exhibit. It is accepted if it is borne out by all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.fault import Fault
from parity.faults.diagnosis.evidence import Exhibit
from parity.faults.in_oracle import made_in_oracle
from parity.judging.quantity import Arrays, Quantity

Predict = Callable[[Exhibit], Arrays | None]
"""From an exhibit to the quantities that are other than they should be; None where nothing is claimed."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Words that stand behind a stack's name, more of them in `detail`, and what follows if they are true."""

    cause: str
    predict: Predict
    detail: str = ""

    def explains(self, exhibit: Exhibit) -> bool:
        """Whether what came is what was predicted, as nearly as one who computes that can tell.

        Where results are wrong, all of them must be explained, and gradients follow; else all gradients must be. An
        error counts as explained if at least three quarters of the way, in orders of magnitude, from where it was down
        to the bound are gone: the bound is that of the right formula, not of the wrong one.
        """
        if exhibit.fault is not None:
            return False
        predicted = self.predict(exhibit)
        if predicted is None:
            return not exhibit.wrong
        of_gradients = not any(quantity in exhibit.results for quantity in exhibit.wrong)
        if of_gradients and exhibit.wrong and any(quantity in exhibit.results for quantity in predicted):
            return False
        subjects = exhibit.bounds if of_gradients else exhibit.results
        if any(quantity in exhibit.faults for quantity in subjects):
            return False
        return all(self._meets(exhibit, predicted, quantity) for quantity in subjects)

    def _meets(self, exhibit: Exhibit, predicted: Arrays, quantity: Quantity) -> bool:
        before = exhibit.before[quantity]
        if quantity in exhibit.wrong and before <= 1:
            return False  # too small beside its own array to be told from anything
        limit = max(1.0, before) ** 0.25 if isfinite(before) else 1.0
        expected = predicted.get(quantity, exhibit.right[quantity])
        left = exhibit.left_by(quantity, expected)
        if left <= limit or quantity not in predicted or left > before / _PROMISING:
            return left <= limit
        return exhibit.left_by(quantity, expected, self._noise(exhibit, quantity, expected)) <= limit

    def _noise(self, exhibit: Exhibit, quantity: Quantity, expected: NDArray[Any]) -> NDArray[Any]:
        """What is lost of a prediction where it cancels: as much as it moves when its arguments do by roundings."""
        moved = [(self.predict(nearby) or {}).get(quantity, expected) for nearby in exhibit.nearby]
        with np.errstate(invalid="ignore"):
            return np.max([np.abs(other - expected) for other in moved], axis=0)


_PROMISING = 1e3
"""An explanation that takes less than so much of an error away is not looked at twice."""

Fit = Callable[[Sequence[Exhibit]], Explanation | None]
"""From the exhibits to an explanation with its parameters chosen, or to none where there is nothing to choose from."""


def of_fault(fault: Fault) -> Explanation:
    """A known fault as an explanation, in its own words."""
    return Explanation(fault.what, partial(_made, fault))


def _made(fault: Fault, exhibit: Exhibit) -> Arrays | None:
    return made_in_oracle(fault, exhibit.truth.contract, exhibit.inputs, exhibit.right)
