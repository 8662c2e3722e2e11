"""Time, taken: the steps of some work, and one call again and again."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

LEAST_SECONDS, LEAST_CALLS, MOST_CALLS = 0.3, 3, 30
"""A call is repeated for so long, but so often at least and at most."""


class Stopwatch:
    """Adds up the seconds of each step."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[step] += time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class Pace:
    """The seconds of one call after another. The first traces and compiles what the others only run."""

    seconds: tuple[float, ...]

    @property
    def first(self) -> float:
        return self.seconds[0]

    @property
    def steady(self) -> float:
        """Seconds of a call once everything is traced and compiled: the median of all but the first."""
        return median(self.seconds[1:])

    @property
    def per_second(self) -> float:
        return 1 / self.steady


def paced(call: Callable[[], object]) -> Pace:
    """Call until the steady state has been seen for long enough."""
    seconds = [_seconds(call)]
    while len(seconds) <= LEAST_CALLS or (sum(seconds[1:]) < LEAST_SECONDS and len(seconds) <= MOST_CALLS):
        seconds.append(_seconds(call))
    return Pace(tuple(seconds))


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
