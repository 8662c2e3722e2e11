"""Whether numbers are photon counts, or the square roots of counts: what the values say by themselves.

Counts are whole multiples of a unit, 1 as a detector writes them; their roots are not, but their squares are. The unit
is tried as 1 and as the least positive value, which a count of one is after all values were divided by something.

How sure that is. Let all values be roots √k of Poisson counts, and look at those above the unit √u. One is a whole
multiple of it where k = u·j², and whatever the light, at most 0.23 of the counts above u are: most for u = 1, where
they are 4, 9, 16, …, at a mean of 4. So `FEWEST` of them are all whole with a probability of at most 0.23¹⁵ < 10⁻⁹.
Rounding makes few more of them whole, because multiples beyond `FARTHEST` are left out: up to there float32 knows a
square within 4·ε·4096 = 0.002. Fewer values above the unit say nothing, and none at all says that it does not matter:
0 and 1 are their own roots.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEWEST = 15
"""Values above the unit that decide."""

FARTHEST = 4096
"""The largest count, in units, that is looked at where the unit is a value that was rounded."""

LARGEST = 2**20
"""The largest value that is looked at where the unit is 1: float32 has eighths up to there."""

_ROUNDING = 4 * float(np.finfo(np.float32).eps)
"""Relative, of the square of a quotient of two float32."""


class PixelNature(StrEnum):
    """What values are, as far as they show it."""

    COUNTS = "counts"
    AMPLITUDES = "amplitudes"
    EITHER = "either"
    UNTOLD = "untold"


def nature(values: NDArray[Any]) -> PixelNature:
    """What non-negative, finite values of any shape are.

    COUNTS: integers by their type, or at least `FEWEST` values above a unit and all of them whole multiples of it.
    AMPLITUDES: not counts, and their squares are whole multiples of the square of the unit. EITHER: nothing but 0 and
    one other value. UNTOLD: too few, or neither, such as what was smoothed or had a background subtracted.
    """
    if values.dtype.kind in "iu":
        return PixelNature.COUNTS
    lit = values[values > 0].astype(np.float64)
    if not lit.size:
        return PixelNature.EITHER
    least = float(lit.min())
    if _all_whole(lit, LARGEST, rounding=0.0) or _all_whole(lit / least, FARTHEST, rounding=_ROUNDING):
        return PixelNature.COUNTS
    if least == lit.max():
        return PixelNature.EITHER
    if any(_all_whole(np.square(lit / unit), FARTHEST, rounding=_ROUNDING) for unit in (1.0, least)):
        return PixelNature.AMPLITUDES
    return PixelNature.UNTOLD


def are_counts(multiples: NDArray[Any]) -> bool:
    """Whether squares of float32, of any shape, are whole numbers up to `FARTHEST`, as far as rounding shows it."""
    return not _off(multiples[multiples <= FARTHEST].astype(np.float64), _ROUNDING).any()


def _all_whole(multiples: NDArray[np.float64], farthest: int, rounding: float) -> bool:
    """Whether all multiples up to the farthest are whole but for relative rounding, and enough of them exceed 1."""
    judged = multiples[multiples <= farthest]
    return not _off(judged, rounding).any() and int(np.count_nonzero(np.round(judged) > 1)) >= FEWEST


def _off(multiples: NDArray[np.float64], rounding: float) -> NDArray[np.bool_]:
    return np.abs(multiples - np.round(multiples)) > rounding * multiples
