"""From measurements to a verdict: who is wrong, or why nothing can be said.

Nothing here touches a framework or an array, so that stored measurements are judged exactly as fresh ones.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Quota
from parity.judging.measurement import Gain, Measurement
from parity.judging.quantity import Quantity
from parity.physics.precision import FLOAT32, FLOAT64, WIDENED

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

POOLED_FROM = 4
"""Examples from which a common gain error is looked for: beside fewer, a stack is allowed more than it could show."""

FALSE_GAIN = 1e-6
"""How often correct code may be said to have a common gain error, in one quantity of one stack."""

RESAMPLES = 400


class Outcome(StrEnum):
    """What is said of a contract."""

    AGREE = "agree"
    DISAGREE = "disagree"
    UNDECIDED = "undecided"
    UNINFORMATIVE = "uninformative"


UNJUDGED = frozenset({Outcome.UNDECIDED, Outcome.UNINFORMATIVE})
"""The outcomes that say neither that a contract holds nor that it does not."""


@dataclass(frozen=True, slots=True)
class PooledGain:
    """The common gain error of one quantity of one stack over a run, and its bootstrap interval.

    `allowed` is what correct code shows: twice the largest gain error of the witness's resamples, more where examples
    are few, and one rounding on either side.
    """

    quantity: Quantity
    stack: str
    low: float
    high: float
    allowed: float

    @property
    def agrees(self) -> bool:
        return self.low <= self.allowed and self.high >= -self.allowed


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one contract, and the numbers it rests on.

    `sides` are the stacks that disagree with the oracle; `alike` says that they err together, so that the
    oracle is suspected too. `worst` is the largest error of each stack in units of its bound, `gap` the largest
    relative distance of the two stacks in float64, `epsilon` the smallest relative defect that one example of the
    contract's least sensitive quantity shows.
    """

    contract: str
    outcome: Outcome
    examples: int
    worst: Mapping[str, float]
    gap: float | None
    epsilon: float
    precisions: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()
    alike: bool = False
    failures: tuple[Measurement, ...] = ()
    gains: tuple[PooledGain, ...] = ()
    reason: str = ""

    @property
    def agrees(self) -> bool:
        return self.outcome is Outcome.AGREE


def judge(contract: str, measurements: Sequence[Measurement], quota: Quota, whole: bool = True) -> Verdict:
    """The verdict on one contract from all its measurements. Without any, nothing was checked: undecided.

    Of some of its examples (`whole` is false) only what each shows by itself is judged: quotas and pooled gains are a
    matter of all of them.
    """
    single = [m for m in measurements if not m.is_of_pair]
    failures = tuple(sorted((m for m in single if not m.agrees), key=_severity))
    gains = _pooled_gains(single) if whole else ()
    off = tuple(g for g in gains if not g.agrees)
    sides = tuple(dict.fromkeys([m.stack for m in failures] + [g.stack for g in off]))
    outcome, reason = _outcome(measurements, failures, off, quota if whole else None)
    return Verdict(
        contract=contract,
        outcome=outcome,
        examples=len({m.case for m in measurements}),
        worst={stack: _worst(ms) for stack, ms in _grouped(single, lambda m: m.stack).items()},
        gap=_gap(measurements),
        epsilon=_epsilon(single),
        precisions=tuple(dict.fromkeys(m.precision for m in measurements)),
        sides=sides,
        alike=len(sides) > 1 and _err_together(failures, measurements),
        failures=failures,
        gains=gains,
        reason=reason,
    )


def _outcome(
    measurements: Sequence[Measurement],
    failures: Sequence[Measurement],
    off: Sequence[PooledGain],
    quota: Quota | None,
) -> tuple[Outcome, str]:
    if not measurements:
        return Outcome.UNDECIDED, "no example was run"
    if failures:
        return Outcome.DISAGREE, ""
    if off:
        worst = max(off, key=lambda g: min(abs(g.low), abs(g.high)) / g.allowed)
        return Outcome.DISAGREE, (
            f"{worst.stack}: {worst.quantity} has a common gain error between {worst.low:.2g} and {worst.high:.2g}, "
            f"allowed {worst.allowed:.2g}"
        )
    apart = [m for m in measurements if m.is_of_pair and not m.agrees]
    if apart:
        return Outcome.DISAGREE, (
            f"{apart[0].quantity}, case {apart[0].case}: the stacks are too far apart, each within its own bound"
        )
    return _unjudged(measurements, quota) if quota else (Outcome.AGREE, "")


def _unjudged(measurements: Sequence[Measurement], quota: Quota) -> tuple[Outcome, str]:
    """Whether more of a contract without failures was left unjudged than its quota allows."""
    for (precision, quantity), group in _grouped(measurements, lambda m: (m.precision, m.quantity)).items():
        share = sum(m.undecided for m in group) / max(1, sum(m.elements for m in group))
        if share > quota.undecided:
            return Outcome.UNDECIDED, (
                f"{quantity} in {precision}: {share:.2%} of the elements have no bound, quota {quota.undecided:.2%}"
            )
    single = [m for m in measurements if not m.is_of_pair]
    diverging = {m.quantity for m in single if m.divergence is not None}
    for where, group in _grouped(single, lambda m: _told_apart(m, quota, diverging)).items():
        blind = _blind(group)
        if blind > quota.uninformative:
            return Outcome.UNINFORMATIVE, (
                f"{where}: {blind:.1%} of the examples show nothing smaller than 1 %, quota {quota.uninformative:.1%}"
            )
    return Outcome.AGREE, ""


def _told_apart(measurement: Measurement, quota: Quota, diverging: Collection[Quantity]) -> str:
    """What must inform on its own: a quantity in one precision or, if the quota says so, in any.

    In any, too, where a divergence was taken off: what is left may be less than the float32 rounding of what was there.
    """
    in_any = quota.any_precision or measurement.quantity in diverging
    return measurement.quantity.text if in_any else f"{measurement.quantity} in {measurement.precision}"


def _blind(measurements: Iterable[Measurement]) -> float:
    """The share of examples none of whose measurements informs; where all is outside a domain, nothing is asked."""
    asked = (m for m in measurements if m.elements > 0 or m.divergence is None)
    examples = _grouped(asked, lambda m: (m.case, m.stack)).values()
    return sum(not any(m.informative for m in example) for example in examples) / max(1, len(examples))


def _severity(measurement: Measurement) -> tuple[bool, bool, bool, bool, float]:
    """Results before their gradients; faults first; float64, where nothing is rounding, before float32; by size.

    What is widened has no narrow constant either.
    """
    return (
        measurement.quantity.is_gradient,
        measurement.fault is None,
        measurement.precision == FLOAT32.name,
        measurement.precision != WIDENED.name,
        -measurement.ratio,
    )


def _err_together(failures: Sequence[Measurement], measurements: Sequence[Measurement]) -> bool:
    """Whether the stacks are nearer to each other than halfway, by orders of magnitude, from the bound to the oracle.

    The bound itself would be too strict: it is that of the oracle's formula, not of the one they have in common.
    """
    wrong = {(m.case, m.precision, m.quantity): m.ratio for m in failures}
    pairs = [(m, wrong.get((m.case, m.precision, m.quantity))) for m in measurements if m.is_of_pair]
    apart = [m.ratio > max(1.0, ratio) ** 0.5 for m, ratio in pairs if ratio is not None]
    return bool(apart) and not any(apart)


def _worst(measurements: Iterable[Measurement]) -> float:
    return max((np.inf if m.fault else m.ratio for m in measurements), default=0.0)


def _gap(measurements: Iterable[Measurement]) -> float | None:
    """Of what informs: where a true value is 0, rounding alone is compared with rounding."""
    pairs = [m for m in measurements if m.is_of_pair and m.precision == FLOAT64.name]
    return max((m.gap for m in pairs if m.informative), default=0.0) if pairs else None


def _epsilon(measurements: Sequence[Measurement]) -> float:
    """By quantity the most sensitive example in float32 (float64 where there is no other), then the least of those."""
    seen = [m for m in measurements if m.precision == FLOAT32.name and not m.fault]
    seen = seen or [m for m in measurements if not m.fault]
    groups = _grouped(seen, lambda m: m.quantity).values()
    return max((min((m.epsilon for m in group if m.epsilon > 0), default=0.0) for group in groups), default=np.inf)


def _pooled_gains(measurements: Sequence[Measurement]) -> tuple[PooledGain, ...]:
    """In float32 alone: in float64 one example shows smaller gains than any that matter."""
    seen = [m for m in measurements if m.precision == FLOAT32.name and m.witness.weight > 0 and not m.fault]
    groups = _grouped(seen, lambda m: (m.quantity, m.stack))
    return tuple(
        _pooled_gain(quantity, stack, group) for (quantity, stack), group in groups.items() if len(group) >= POOLED_FROM
    )


def _pooled_gain(quantity: Quantity, stack: str, group: Sequence[Measurement]) -> PooledGain:
    draws = np.random.default_rng(len(group)).integers(0, len(group), (RESAMPLES, len(group)))
    stack_gains = _resampled([m.gain for m in group], draws)
    witness_gains = _resampled([m.witness for m in group], draws)
    allowed = 2 * FLOAT32.unit_roundoff + _times_the_witness(len(group)) * float(np.abs(witness_gains).max())
    return PooledGain(quantity, stack, float(stack_gains.min()), float(stack_gains.max()), allowed)


def _times_the_witness(examples: int) -> float:
    """How many times the witness's largest gain error a stack is allowed in a number of examples: twice, or more.

    n gains spread evenly over twice the range of n others are all of one sign, and each more than k ≥ 2 times the
    largest of those, with a probability of 2·k⁻ⁿ/C(2n, n). Of few examples the resamples reach as far as their least
    and largest gains, so that no correct stack errs more often than `FALSE_GAIN`.
    """
    return max(2.0, math.exp((math.log(2 / FALSE_GAIN) - math.log(math.comb(2 * examples, examples))) / examples))


def _resampled(gains: Sequence[Gain], draws: NDArray[np.int64]) -> NDArray[np.float64]:
    moments = np.array([gain.moment for gain in gains])
    weights = np.array([gain.weight for gain in gains])
    return np.asarray(moments[draws].sum(axis=1) / weights[draws].sum(axis=1))


def _grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups
