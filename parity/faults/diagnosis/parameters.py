"""Reading a parameter off exhibits, and writing it as a person would."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.faults.diagnosis.evidence import Exhibit
from parity.judging.quantity import Quantity

Array = NDArray[Any]
Elementwise = Callable[[Array], Array]


def clearest(exhibits: Sequence[Exhibit]) -> tuple[Exhibit, Quantity]:
    """The exhibit that a parameter is read off, that with the largest error in units of its bound; and the quantity."""
    wrong = [(exhibit, quantity) for exhibit in exhibits for quantity in exhibit.wrong[:1]]
    return max(wrong, key=lambda pair: pair[0].before.get(pair[1], 0.0))


def finite(exhibit: Exhibit, quantity: Quantity) -> tuple[Array, Array]:
    """What is right and what came, where both are known."""
    right, got = exhibit.right[quantity], exhibit.got[quantity].astype(exhibit.right[quantity].dtype)
    known = known_of(exhibit, quantity)
    return right[known], got[known]


def known_of(exhibit: Exhibit, quantity: Quantity) -> Array:
    """Where what is right, what came and the bound are finite."""
    right, got, allowed = exhibit.right[quantity], exhibit.got[quantity], exhibit.bounds[quantity].allowed
    return np.asarray(np.isfinite(right) & np.isfinite(got) & np.isfinite(allowed))


def number(value: complex) -> str:
    """A fitted number as a person would write it."""
    if abs(value.imag) > 1e-9 * abs(value):
        return f"{value:.6g}"
    real = value.real
    if 1e-14 < abs(real - 1) < 1e-2:
        return f"1 {'+' if real > 1 else '−'} {abs(real - 1):.3g}"
    for words, exact in _NAMED:
        for sign, prefix in ((1, ""), (-1, "−")):
            if math.isclose(real, sign * exact, rel_tol=1e-9):
                return prefix + words
    return f"{real:.6g}".replace("-", "−", 1) if real < 0 else f"{real:.6g}"


_NAMED = (
    *((str(n), float(n)) for n in range(1, 17)),
    *((f"1/{n}", 1 / n) for n in range(2, 17)),
    ("√2", math.sqrt(2)),
    ("1/√2", math.sqrt(0.5)),
    ("π", math.pi),
    ("1/π", 1 / math.pi),
    ("2π", 2 * math.pi),
    ("1/2π", 0.5 / math.pi),
)
