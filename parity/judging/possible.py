"""What a measurement can be. Of one that was read from a file, this says why nobody can have measured it."""

from __future__ import annotations

import cmath
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from parity.contracts.contract import Contract
from parity.judging.measurement import Measurement
from parity.judging.quantity import Quantity, by_quantity, law_of
from parity.physics.kinds import Kind
from parity.stacks import MIRRORED

_DIGITS = 1e-6
"""How far the eight digits of two numbers may take their difference, in units of the larger."""

_ROUNDED = 1e-9
"""How far apart two ways of computing one ratio may be."""


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """What can be measured of a contract: quantities with their kinds, laws without one, and the stacks' entries."""

    kinds: Mapping[Quantity, Kind | None]
    entries: Collection[tuple[str, str]]

    @classmethod
    def of(cls, contract: Contract) -> Asking:
        """Everything that a stack can be asked of a contract."""
        results = {result.name: result.kind for result in contract.results}
        kinds = by_quantity(results, {argument.name: argument.kind for argument in contract.differentiable})
        laws = dict.fromkeys(law_of(fact.statement) for fact in contract.facts)
        return cls({**kinds, **laws}, {(entry.stack, entry.path) for entry in contract.entries})

    def has(self, quantity: Quantity, stack: str) -> bool:
        """Whether it has a quantity. The names of a subject's bindings are its own."""
        return quantity.own in self.kinds and (
            not quantity.entry or stack not in MIRRORED or (stack, quantity.entry) in self.entries
        )


def impossible(
    measured: Measurement, asking: Asking, *, in_own_terms: bool = False, open_elements: bool = False
) -> str:
    """Why nobody can have measured this, as "field: expected, got"; "" where one can.

    Args:
        measured: what was read.
        asking: what can be measured of its contract.
        in_own_terms: the stack has the function in other terms than the contract, so that its arrays have other axes.
        open_elements: some elements are not counted.
    """
    return next(_reasons(measured, asking, in_own_terms, open_elements), "")


def _reasons(m: Measurement, asking: Asking, in_own_terms: bool, open_elements: bool) -> Iterator[str]:
    if not asking.has(m.quantity, m.stack):
        yield f"quantity: expected one of {m.contract}, got {m.quantity}"
        return
    for name, number in (("ratio", m.ratio), ("allowed", m.allowed), ("gap", m.gap), ("epsilon", m.epsilon)):
        if not number >= 0:
            yield f"{name}: expected a number of at least 0, got {number}"
    if not (m.error >= 0 or (math.isnan(m.error) and m.ratio > 1)):
        yield f"error: expected a number of at least 0, got {m.error}"
    for name, gain in (("gain", m.gain), ("witness", m.witness)):
        if not gain.weight >= 0:
            yield f"{name}.weight: expected a number of at least 0, got {gain.weight}"
        if math.isnan(gain.moment) and m.ratio <= 1:
            yield f"{name}.moment: expected a number, got nan"
    if m.fault is not None:
        if not m.fault.strip():
            yield "fault: expected what made comparison impossible, got nothing"
        if m.divergence is None and (m.ratio, m.error, m.index, m.shape) != (0.0, 0.0, (), ()):
            yield f"ratio: expected none beside a fault, got {m.ratio:g}"
        return
    if m.divergence is not None and math.isnan(m.divergence):
        yield "divergence: expected a size, got nan"
    yield from _of_elements(m, None if in_own_terms else asking.kinds[m.quantity.own], open_elements)
    yield from _of_numbers(m)


def _of_elements(m: Measurement, kind: Kind | None, open_elements: bool) -> Iterator[str]:
    size = math.prod(m.shape)
    if kind is not None and len(m.shape) != len(kind.axes):
        yield f"shape: expected that of {kind.axes or 'one number'}, got {m.shape}"
    if m.elements > size or (m.elements < size and not open_elements):
        yield f"elements: expected {size}, as shape {m.shape} has, got {m.elements}"
    if m.undecided > m.elements:
        yield f"undecided: expected at most the {m.elements} elements, got {m.undecided}"
    if len(m.index) != (len(m.shape) if size else 0) or any(i >= n for i, n in zip(m.index, m.shape, strict=False)):
        yield f"index: expected a place in shape {m.shape}, got {m.index}"


def _of_numbers(m: Measurement) -> Iterator[str]:
    got, expected = (_parsed(text) for text in (m.got, m.expected))
    counted = math.prod(m.shape) > 0
    if counted and (got is None or expected is None):
        yield f"got: expected a number and the oracle's, got '{m.got}' and '{m.expected}'"
    due = _ratios(m.error, m.allowed)
    departed = m.divergence is not None and m.quantity.is_law  # a law that is known to be broken
    found = m.divergence if departed and m.divergence is not None else m.ratio
    if not any(_alike(found, one) for one in due):
        yield f"ratio: expected {due[0]:g}, error {m.error:g} in units of {m.allowed:g}, got {found:g}"
    if departed and m.ratio:
        yield f"ratio: expected 0 of a law that a divergence breaks, got {m.ratio:g}"
    if got is not None and expected is not None and cmath.isfinite(got) and cmath.isfinite(expected):
        apart, largest = abs(got - expected), max(abs(got), abs(expected))
        if math.isfinite(apart) and not abs(apart - m.error) <= _DIGITS * largest:
            yield f"error: expected {apart:g}, from {m.expected} to {m.got}, got {m.error:g}"


def _ratios(error: float, allowed: float) -> tuple[float, ...]:
    """What an error is in units of what is allowed, as `distance` counts; the likeliest first."""
    if error == 0:
        return (0.0,)
    if math.isnan(error) or allowed == 0:
        return (math.inf,)
    return (0.0, math.inf) if math.isinf(allowed) else (error / allowed,)


def _alike(one: float, other: float) -> bool:
    return one == other or math.isclose(one, other, rel_tol=_ROUNDED)


def _parsed(text: str) -> complex | None:
    try:
        return complex(text)
    except ValueError:
        return None
