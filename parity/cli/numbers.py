"""What a number in an option may be: each has an end on both sides, and is one."""

from __future__ import annotations

import math
from typing import Any

import click

COUNT, AT_LEAST_ONE = click.IntRange(0, 10**6), click.IntRange(1, 10**6)
"""How many examples, steps or groups."""

PROCESSES = click.IntRange(1, 1024)

SEED = click.IntRange(0, 2**32 - 1)
"""What every generator of every framework takes."""


class Finite(click.FloatRange):
    """A number in a range, and neither infinite nor NaN."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        number: float = super().convert(value, parameter, context)
        if not math.isfinite(number):
            self.fail(f"expected a finite number, got '{value}'", parameter, context)
        return number


SECONDS, RATE = Finite(0, 10**7, min_open=True), Finite(0, 10**7, min_open=True)
PHOTONS = Finite(1, 1e12)
