"""From numbers to places on a plot: logarithmic axes, and ticks that people can read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_TICKS = 7

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, in units of the picture, and its label."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from `low` to `high`, which lie at `start` and `end` of the picture; `marked` has values and their
    labels.
    """

    low: float
    high: float
    start: float
    end: float
    marked: tuple[tuple[float, str], ...]

    def at(self, value: float) -> float:
        """The place of a value in the picture. A value beyond an end of the axis lies at that end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        return tuple(Tick(self.at(value), text) for value, text in self.marked)


def powers(values: Iterable[float], base: int, start: float, end: float) -> Scale:
    """A logarithmic axis, in exponents, around positive values; at least from one power of the base to the next."""
    exponents = [math.log(value, base) for value in values]
    low, high = math.floor(min(exponents) + 1e-9), math.ceil(max(exponents) - 1e-9)
    if low == high:
        low, high = low - 1, high + 1
    words = power_of_ten if base == 10 else (lambda exponent: str(base**exponent))
    return Scale(low, high, start, end, tuple((n, words(n)) for n in stepped(low, high)))


def numbers(count: int, start: float, end: float) -> Scale:
    """An axis of the first `count` natural numbers."""
    last = max(count, 2)
    return Scale(1, last, start, end, ((1, "1"), (last, str(last))))


def stepped(low: int, high: int) -> Sequence[int]:
    """Whole numbers from `low` to `high`, with 0 if it lies between; about `MOST_TICKS` at most."""
    step = max(1, math.ceil((high - low) / (MOST_TICKS - 1)))
    return range(math.ceil(low / step) * step, high + 1, step)


def power_of_ten(exponent: int) -> str:
    """A power of ten as `10⁻³`, and 1 and 10 as they are."""
    return str(10**exponent) if exponent in (0, 1) else "10" + str(exponent).translate(_SUPERSCRIPTS)
