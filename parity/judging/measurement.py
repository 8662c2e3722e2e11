"""One array of one stack against the oracle: numbers, no opinion.

A measurement holds everything that a verdict needs, so that stored results can be judged again. Pairs of stacks
are measured alike, against each other, with twice the allowance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.judging.quantity import Quantity
from parity.physics.oracle.bounded import Bounded, Reals
from parity.stacks.base import PAIR

INFORMATIVE = 0.01
"""An element informs where its allowance is at most 1 % of it; an example, where one element does."""


@dataclass(frozen=True, slots=True)
class Gain:
    """The common gain error of an array, as the weighted mean of (b − v)/v: `moment` / `weight`.

    s = Σ Re(v̄·(b − v))/E² / Σ |v|²/E². Kept as a fraction so that examples can be pooled.
    """

    moment: float = 0.0
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Distance:
    """How far an array is from what is expected of it.

    `ratio` is the largest error in units of what is allowed, at `index`, where the array has `got`, the other
    `expected`, the error is `error` and `allowed` is allowed. `gap` is the largest error in units of the largest true
    value, or as it is where all are 0. Of `elements`, those whose bound is infinite are `undecided`. `shape` is that of
    the array.
    """

    ratio: float = 0.0
    index: tuple[int, ...] = ()
    got: str = ""
    expected: str = ""
    error: float = 0.0
    allowed: float = 0.0
    gap: float = 0.0
    elements: int = 0
    undecided: int = 0
    shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Measurement:
    """One quantity of one stack in one case and precision: its distance from the oracle's, and what that tells.

    The numbers from `ratio` to `undecided`, and the `shape`, are those of a `Distance`, with `epsilon` among them, the
    smallest relative defect that any element would show. A `fault` is what made comparison impossible: the stack
    raised, or returned another shape or precision, or NaN. Where an accepted `divergence` was taken off first, that is
    its size; one that is not what was accepted is a fault, too.
    """

    contract: str
    case: str
    precision: str
    quantity: Quantity
    stack: str
    ratio: float = 0.0
    index: tuple[int, ...] = ()
    got: str = ""
    expected: str = ""
    error: float = 0.0
    allowed: float = 0.0
    gap: float = 0.0
    epsilon: float = np.inf
    elements: int = 0
    undecided: int = 0
    gain: Gain = Gain()
    witness: Gain = Gain()
    fault: str | None = None
    divergence: float | None = None
    shape: tuple[int, ...] = ()

    @property
    def is_of_pair(self) -> bool:
        """Whether two stacks were measured against each other, and not one against the oracle."""
        return self.stack == PAIR

    @property
    def informative(self) -> bool:
        return self.epsilon <= INFORMATIVE

    @property
    def agrees(self) -> bool:
        return self.fault is None and self.ratio <= 1


@dataclass(frozen=True, slots=True)
class Label:
    """Where a measurement belongs."""

    contract: str
    case: str
    precision: str
    quantity: Quantity

    def measurement(
        self, stack: str, distance: Distance, epsilon: float, gain: Gain = Gain(), witness: Gain = Gain()
    ) -> Measurement:
        """The measurement of a stack's array at this distance."""
        return Measurement(
            self.contract,
            self.case,
            self.precision,
            self.quantity,
            stack,
            distance.ratio,
            distance.index,
            distance.got,
            distance.expected,
            distance.error,
            distance.allowed,
            distance.gap,
            epsilon,
            distance.elements,
            distance.undecided,
            gain,
            witness,
            shape=distance.shape,
        )

    def fault(self, stack: str, fault: str, elements: int = 0) -> Measurement:
        """The measurement of what could not be compared, and why."""
        return Measurement(
            self.contract, self.case, self.precision, self.quantity, stack, elements=elements, fault=fault
        )


def measure(
    label: Label, stack: str, got: NDArray[Any], oracle: Bounded, witness: NDArray[Any] | None = None
) -> Measurement:
    """A stack's array against the oracle's; its gain where there is a witness to compare that with."""
    fault = fault_of(got, oracle)
    if fault:
        return label.fault(stack, fault, got.size)
    found = distance(got, oracle.value, oracle.allowed)
    if witness is None:
        return label.measurement(stack, found, _smallest_visible(oracle))
    return label.measurement(stack, found, _smallest_visible(oracle), _gain(got, oracle), _gain(witness, oracle))


def measure_pair(
    label: Label, one: NDArray[Any], other: NDArray[Any], oracle: Bounded, allowed: Reals | None = None
) -> Measurement:
    """Two stacks against each other, to differ by at most `allowed`.

    Without it, by twice what one may stray from the oracle: they may lie on opposite sides of it.
    """
    apart = distance(one, other, 2 * oracle.allowed if allowed is None else allowed, truth=oracle.value)
    return label.measurement(PAIR, apart, 2 * _smallest_visible(oracle))


def measure_remainder(label: Label, stack: str, got: NDArray[Any], oracle: Bounded, accepted: int = 0) -> Measurement:
    """The remainder of a stack's array against the oracle's, `accepted` elements of unlimited bound not counted.

    There is no gain to pool: no witness has had the same taken off.
    """
    found = distance(got, oracle.value, oracle.allowed)
    return without_accepted(label.measurement(stack, found, _smallest_visible(oracle)), accepted)


def without_accepted(measured: Measurement, accepted: int) -> Measurement:
    """A measurement that does not count elements which are accepted as they are."""
    return replace(measured, elements=measured.elements - accepted, undecided=measured.undecided - accepted)


def fault_of(got: NDArray[Any], oracle: Bounded) -> str | None:
    """Why an array cannot be compared with the oracle's, or None."""
    if got.shape != oracle.shape:
        return f"returned shape {got.shape}, expected {oracle.shape}"
    expected = oracle.precision.dtype_like(oracle.value)
    if got.dtype != expected:
        return f"returned {got.dtype}, expected {expected}"
    alien = np.isnan(got) & ~np.isnan(oracle.value)
    if alien.any():
        index = _place(np.argwhere(alien)[0])
        return f"returned NaN at {index}, oracle {_number(oracle.value[index])}"
    return None


def missing_gradient(label: Label, stack: str, oracle: Bounded) -> Measurement:
    """A gradient that the framework has no path for; one that is zero anyway is none the worse for it."""
    return measure(label, stack, oracle.precision.round(np.zeros_like(oracle.value)), oracle)


def distance(got: NDArray[Any], expected: NDArray[Any], allowed: Reals, truth: NDArray[Any] | None = None) -> Distance:
    """The worst element, how much of the array could be judged, and the error relative to the truth at its largest.

    The truth is what is expected, unless that has errors of its own.
    """
    truth = expected if truth is None else truth
    with np.errstate(all="ignore"):
        error = np.abs(got - expected)
        ratio = error / allowed
        undecided = 0
        if not (np.isfinite(ratio).all() and np.isfinite(allowed).all()):
            error = np.where(got == expected, 0.0, error)
            unbounded = ~np.isfinite(allowed) & np.isfinite(expected)
            undecided = int(unbounded.sum())
            ratio = np.where(unbounded | (error == 0), 0.0, error / allowed)
            ratio = np.where(np.isnan(ratio), np.inf, ratio)
    worst = np.unravel_index(int(np.argmax(ratio)), ratio.shape) if ratio.size else ()
    index = _place(worst)
    scale = np.max(np.abs(truth), initial=0.0, where=np.isfinite(truth))
    finite = np.max(error, initial=0.0, where=np.isfinite(error))
    gap = float(finite / scale) if scale else float(finite)
    if not got.size:
        return Distance(gap=gap, undecided=undecided, shape=got.shape)
    return Distance(
        ratio=float(ratio[index]),
        index=index,
        got=_number(got[index]),
        expected=_number(expected[index]),
        error=float(error[index]),
        allowed=float(allowed[index]),
        gap=gap,
        elements=got.size,
        undecided=undecided,
        shape=got.shape,
    )


@lru_cache(maxsize=64)
def _smallest_visible(oracle: Bounded) -> float:
    """ε_min = min allowed / |v|. Where v is infinite, or exactly zero without an error, any defect shows."""
    magnitude = np.abs(oracle.value)
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = np.where((oracle.error == 0) | np.isinf(magnitude), 0.0, np.inf)
        relative = np.where((magnitude > 0) & np.isfinite(magnitude), oracle.allowed / magnitude, exact)
    positive = relative[magnitude > 0]
    return float(positive.min()) if positive.size else float(relative.min(initial=np.inf))


def _gain(got: NDArray[Any], oracle: Bounded) -> Gain:
    with np.errstate(all="ignore"):
        weight = 1 / np.square(oracle.error)
        usable = np.isfinite(weight) & np.isfinite(oracle.value) & np.isfinite(got) & (weight > 0)
        difference = got - oracle.value
        moment = np.real(np.conj(oracle.value) * difference) * weight
        power = np.square(np.abs(oracle.value)) * weight
    return Gain(float(moment[usable].sum()), float(power[usable].sum()))


def _place(index: Any) -> tuple[int, ...]:
    return tuple(int(i) for i in index)


def _number(value: Any) -> str:
    """A number for people, with the digits in which two float32 can differ."""
    return f"{complex(value):.8g}" if np.iscomplexobj(value) else f"{float(value):.8g}"
