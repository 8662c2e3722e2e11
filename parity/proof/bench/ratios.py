"""Two series of the same benchmark, beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from parity.proof.bench.sizes import Timed


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median over rounds of the code at hand over that of the other; the least and the largest of a round."""

    of_medians: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One contract in one stack and mode at N × N pixels, steady, in both revisions."""

    contract: str
    stack: str
    mode: str
    size: int
    bare: Ratio
    harness: Ratio


def compared(here: Sequence[Timed], there: Sequence[Timed]) -> Compared:
    """What was timed round by round at hand and there, all of the same contract, stack, mode and size."""
    one = here[0]
    return Compared(
        one.contract,
        one.stack,
        one.mode,
        one.size,
        bare=_ratio([timed.bare.steady for timed in here], [timed.bare.steady for timed in there]),
        harness=_ratio([timed.harness.steady for timed in here], [timed.harness.steady for timed in there]),
    )


def _ratio(here: Sequence[float], there: Sequence[float]) -> Ratio:
    by_round = [one / other for one, other in zip(here, there, strict=True)]
    return Ratio(median(here) / median(there), min(by_round), max(by_round))
