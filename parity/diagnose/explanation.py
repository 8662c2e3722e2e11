"""What an explanation is: words, and what a stack would have returned if they were true.

An explanation with parameters is fitted to the exhibits first; what comes of that, as every explanation without, makes
a prediction for each exhibit. It is accepted if it is borne out by all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from parity.diagnose.exhibit import Exhibit
from parity.mistakes import Mistake, Values, mistaken

Predict = Callable[[Exhibit], Values | None]
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
        return all(
            exhibit.left_by(quantity, predicted.get(quantity, exhibit.right[quantity]))
            <= max(1.0, exhibit.before[quantity]) ** 0.25
            for quantity in subjects
        )


Fit = Callable[[Sequence[Exhibit]], Explanation | None]
"""From the exhibits to an explanation with its parameters chosen, or to none where there is nothing to choose from."""


def of_mistake(mistake: Mistake) -> Explanation:
    """A known mistake as an explanation."""

    def predict(exhibit: Exhibit) -> Values | None:
        return mistaken(exhibit.truth.contract, mistake, exhibit.inputs, exhibit.right)

    return Explanation(mistake.name, predict)
