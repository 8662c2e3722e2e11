"""How far two versions of a golden are apart, array by array, and whether rounding alone explains it.

What explains a change depends on what the array is:

| array | changed by rounding alone where |
|---|---|
| `tensorflow/…`, `torch/…` | it moved by at most twice its bound: either may lie on its own side of the oracle |
| `oracle/…` | it moved by at most twice what its bound would be in float64, in which the oracle is computed |
| `bounds/…` | it moved by at most 10⁻⁹ of itself |
| `proof` | the faults are the same, and no ratio moved by more than one unit of its last digit |
| `inputs/…`, `cotangents/…`, `case` | never: they are what is asked, and nobody rounds a question |

Everything else is a change of meaning, and so is an array that appears or vanishes: something is judged that was not,
or is no longer. An output filled in where none was stored is neither, for nothing that was there means anything else:
it is `added`, and so are faults that a proof names besides those it did. Provenance is never counted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.goldens.npz import digest
from parity.goldens.record import PROVENANCE, Golden, NamedArrays, is_of_stack
from parity.physics.oracle.bounded import Bounded, Reals
from parity.physics.precision import FLOAT64, Precision

SIDES = 2
"""Two results that are each within a bound of the truth are within twice that of each other."""

SAME_BOUND = 1e-9
"""How much of itself a bound may move by rounding.

Bounds are float64 sums of positive terms: a relative error of at most one unit roundoff an addition, 1.1·10⁻¹⁶, so
that 10⁻⁹ is nine million additions in a chain, more than any oracle makes. Its divisions alone subtract, b − u·error,
and lose more than this only within 10⁻⁷ of where the bound becomes infinite. Between NumPy's vectorised code and its
plain one, bounds of the first case of every stratum move by at most 5·10⁻¹³.
"""

PROOF_DIGITS = 2
"""How many significant digits a proof's ratio has."""

MOST_DIGITS = 17.0
"""What float64 has; equal arrays agree in as many."""


class Nature(StrEnum):
    """What kind of change it is, the most serious last."""

    SAME = "same"
    ROUNDING = "rounding"
    ADDED = "added"
    SEMANTIC = "semantic"

    @property
    def rank(self) -> int:
        return list(Nature).index(self)


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one array of a golden moved.

    `golden` is its name, `array` the array's in the file. `bounds` is the largest change in units of the old bound,
    infinite where it cannot be compared or has no bound; an element whose bound is infinite moved by 0 of it. `ulps` is
    the largest change in units in the last place of the array's own dtype, for complex numbers in the worse part.
    `digits` is how many significant digits of the largest value still agree, −log₁₀(max |new − old| / max |old|) from
    0 to 17. `note` says what these numbers cannot: another shape, what is new, how a bound became wider.
    """

    golden: str
    array: str
    nature: Nature
    bounds: float
    ulps: float
    digits: float
    note: str = ""


def drifts(old: Golden, new: Golden) -> list[Drift]:
    """Every array that changed between two versions of a golden, the worst first: by nature, then by size."""
    before, after = old.arrays(), new.arrays()
    found = []
    for array in sorted((before.keys() | after.keys()) - {PROVENANCE}):
        if array not in before or array not in after:
            found.append(_come_or_gone(new.name, array, "new" if array in after else "gone"))
        elif digest(before[array]) != digest(after[array]):
            found.append(_changed(new.name, array, before, after, old.precision))
    return worst_first(found)


def worst_first(found: Iterable[Drift]) -> list[Drift]:
    """By nature, then by how many bounds and how many units in the last place, then by name."""
    return sorted(found, key=lambda d: (-d.nature.rank, -d.bounds, -d.ulps, d.golden, d.array))


def worst_nature(natures: Iterable[Nature]) -> Nature:
    """The most serious of them; SAME for none."""
    return max(natures, key=lambda nature: nature.rank, default=Nature.SAME)


def ulps(old: NDArray[Any], new: NDArray[Any]) -> float:
    """The largest distance of two arrays of one shape and dtype in units in the last place.

    That is how many numbers of the dtype one would step over, and 0 from −0 to 0 and from NaN to NaN. From NaN to a
    number it is infinite. Integers and flags are counted as they are.
    """
    if np.iscomplexobj(old):
        return max(ulps(old.real, new.real), ulps(old.imag, new.imag))
    if not old.size:
        return 0.0
    if old.dtype.kind != "f":
        return float(max(abs(int(b) - int(a)) for a, b in zip(old.flat, new.flat, strict=True)))
    steps = np.where(np.signbit(old) == np.signbit(new), _apart(_steps(old), _steps(new)), _steps(old) + _steps(new))
    lost = np.isnan(old) != np.isnan(new)
    return math.inf if lost.any() else float(np.max(steps, initial=0, where=~np.isnan(old)))


def _steps(array: NDArray[Any]) -> NDArray[np.uint64]:
    """How many numbers lie between 0 and the modulus: its bits, read as an integer."""
    return np.abs(np.ascontiguousarray(array)).view(f"u{array.dtype.itemsize}").astype(np.uint64)


def _apart(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return np.maximum(one, other) - np.minimum(one, other)


def _come_or_gone(golden: str, array: str, note: str) -> Drift:
    nature = Nature.ADDED if is_of_stack(array) and note == "new" else Nature.SEMANTIC
    return Drift(golden, array, nature, math.inf, math.inf, 0.0, note)


def _changed(golden: str, array: str, before: NamedArrays, after: NamedArrays, precision: Precision) -> Drift:
    old, new = before[array], after[array]
    part, _, path = array.partition("/")
    if part in _OF_TEXTS:
        nature, note = _OF_TEXTS[part](json.loads(str(old)), json.loads(str(new)))
        unmoved = nature is Nature.ROUNDING
        size, digits = (0.0, float(PROOF_DIGITS)) if unmoved else (math.inf, 0.0)
        return Drift(golden, array, nature, size, size, digits, note)
    for what, was, now in (("shape", old.shape, new.shape), ("dtype", old.dtype, new.dtype)):
        if was != now:
            return Drift(golden, array, Nature.SEMANTIC, math.inf, math.inf, 0.0, f"{what} {was} → {now}")
    if old.dtype.kind == "U":
        return Drift(golden, array, Nature.SEMANTIC, math.inf, math.inf, 0.0, "another text")
    bound = before.get(f"bounds/{path}")
    if part == "bounds":
        nature, size, note = _of_bounds(old, new)
    elif (part == "oracle" or is_of_stack(array)) and bound is not None and bound.shape == old.shape:
        nature, size, note = _of_values(old, new, bound, precision if part == "oracle" else None)
    else:
        nature, size, note = Nature.SEMANTIC, math.inf, _uncountable(old, new)
    return Drift(golden, array, nature, size, ulps(old, new), _digits(old, new), note)


def _of_values(
    old: NDArray[Any], new: NDArray[Any], bound: Reals, precision: Precision | None
) -> tuple[Nature, float, str]:
    """A stack's output against its bound; the oracle's value, where a precision is given, against that in float64."""
    moved, note = _moved(old, new), _uncountable(old, new)
    allowed, unknown = bound, np.zeros(bound.shape, bool)
    if precision is not None:
        allowed = Bounded(old, Bounded.allowing(old, bound, precision).error, FLOAT64).allowed
        unknown = np.isinf(bound) & (moved > 0)  # where nothing is known of rounding, it explains nothing
    if unknown.any() and not note:
        note = f"{int(unknown.sum())} of {old.size} elements moved where no bound is known"
    explained = (moved <= SIDES * allowed) & ~unknown & (np.isnan(old) == np.isnan(new))
    return Nature.ROUNDING if explained.all() else Nature.SEMANTIC, _in_bounds(old, new, bound), note


def _of_bounds(old: Reals, new: Reals) -> tuple[Nature, float, str]:
    """A bound that moved changes how stacks are judged."""
    turned = np.isinf(old) != np.isinf(new)
    wider, narrower = new > old * (1 + SAME_BOUND), new < old * (1 - SAME_BOUND)
    nature = Nature.SEMANTIC if wider.any() or narrower.any() else Nature.ROUNDING
    size = math.inf if turned.any() else _in_bounds(old, new, old)
    with np.errstate(all="ignore"):
        most_wider = np.max(new / old, initial=1.0, where=wider)
        most_narrower = np.max(old / new, initial=1.0, where=narrower)
    words = [f"wider by ×{_factor(most_wider)}"] if wider.any() else []
    words += [f"narrower by ×{_factor(most_narrower)}"] if narrower.any() else []
    return nature, size, ", ".join(words)


def _of_proof(old: Mapping[str, float], new: Mapping[str, float]) -> tuple[Nature, str]:
    more = [f"tells now: {name}" for name in sorted(new.keys() - old.keys())]
    other = [f"tells no longer: {name}" for name in sorted(old.keys() - new.keys())]
    for name in sorted(old.keys() & new.keys()):
        if not _same_ratio(old[name], new[name]):
            other.append(f"{name}: {old[name]:.{PROOF_DIGITS}g} → {new[name]:.{PROOF_DIGITS}g} times the bound")
    nature = Nature.SEMANTIC if other else Nature.ADDED if more else Nature.ROUNDING
    return nature, _first(other + more)


def _of_case(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Nature, str]:
    keys = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return Nature.SEMANTIC, _first([f"{key} {old.get(key)} → {new.get(key)}" for key in keys])


_OF_TEXTS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], tuple[Nature, str]]]
_OF_TEXTS = {"case": _of_case, "proof": _of_proof}


def _moved(old: NDArray[Any], new: NDArray[Any]) -> Reals:
    """|new − old| in float64: 0 where both are NaN or the same infinity, infinite where only one is NaN."""
    wide = np.complex128 if np.iscomplexobj(old) else np.float64
    one, other = old.astype(wide), new.astype(wide)
    alike = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(all="ignore"):
        moved = np.where(alike, 0.0, np.abs(other - one))
    return np.where(np.isnan(moved), np.inf, moved)


def _in_bounds(old: NDArray[Any], new: NDArray[Any], bound: Reals) -> float:
    """The largest change in units of the bound; what cannot be compared is infinitely far."""
    if (np.isnan(old) != np.isnan(new)).any():
        return math.inf
    moved = _moved(old, new)
    with np.errstate(all="ignore"):
        ratio = np.where((moved == 0) | np.isinf(bound), 0.0, moved / bound)
    return float(np.max(ratio, initial=0.0))


def _digits(old: NDArray[Any], new: NDArray[Any]) -> float:
    moved = float(np.max(_moved(old, new), initial=0.0))
    if moved == 0:
        return MOST_DIGITS
    with np.errstate(all="ignore"):
        modulus = np.abs(old.astype(np.complex128 if np.iscomplexobj(old) else np.float64))
    scale = float(np.max(modulus, initial=0.0, where=np.isfinite(modulus)))
    if scale == 0 or math.isinf(moved):
        return 0.0
    return min(max(math.log10(scale) - math.log10(moved), 0.0), MOST_DIGITS)


def _uncountable(old: NDArray[Any], new: NDArray[Any]) -> str:
    """What no number says of arrays of one shape and dtype."""
    lost = np.isnan(old) != np.isnan(new)
    if lost.any():
        index = tuple(int(i) for i in np.argwhere(lost)[0])
        return f"{old[index]:.8g} → {new[index]:.8g}" + (f" at {index}" if index else "")
    if ulps(old, new) == 0:
        return "signs of 0 or kinds of NaN alone"
    return ""


def _same_ratio(old: float, new: float) -> bool:
    """Equal to one unit of the last digit, that of the larger."""
    if old == new:
        return True
    last = math.floor(math.log10(max(abs(old), abs(new)))) - PROOF_DIGITS + 1
    return abs(new - old) <= 10.0**last * (1 + 1e-9)  # 1.1 − 1 is a little more than 0.1


def _factor(ratio: float) -> str:
    """A factor, with as many digits as it takes to differ from 1."""
    if not math.isfinite(ratio):
        return "∞"
    return next(text for digits in range(2, 18) if float(text := f"{ratio:.{digits}g}") != 1)


def _first(words: list[str], most: int = 3) -> str:
    more = f"; and {len(words) - most} more" if len(words) > most else ""
    return "; ".join(words[:most]) + more
