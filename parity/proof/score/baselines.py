"""What a test written by hand would notice: two stacks' results held together by a fixed tolerance.

Such a test compares values. It has no truth to blame a side with, and it does not look at gradients.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from parity.judging.quantity import Arrays, Quantity
from parity.physics.precision import FLOAT32, FLOAT64, Precision


@dataclass(frozen=True, slots=True)
class Baseline:
    """The rule |a − b| ≤ atol + rtol·|b|, elementwise, in one precision."""

    rule: str
    precision: Precision
    rtol: float
    atol: float
    same_dtype: bool = False

    @property
    def name(self) -> str:
        return f"{self.rule} in {self.precision.real}"

    def fires(self, got: Arrays | None, expected: Arrays) -> bool:
        """Whether a test of that rule fails; one fails too where a stack raises, or returns another shape."""
        if got is None:
            return True
        return not all(self._passes(got, expected, name) for name in expected if not name.is_gradient)

    def _passes(self, got: Arrays, expected: Arrays, result: Quantity) -> bool:
        if result not in got or got[result].shape != expected[result].shape:
            return False
        if self.same_dtype and got[result].dtype != expected[result].dtype:
            return False
        with np.errstate(all="ignore"):
            return bool(np.allclose(got[result], expected[result], self.rtol, self.atol, equal_nan=True))


def _rules() -> Iterator[Baseline]:
    in_single: dict[str, tuple[float, float]] = {
        "np.testing.assert_allclose": (1e-7, 0.0),
        "rtol=1e-5, atol=1e-6": (1e-5, 1e-6),
        "torch.testing.assert_close": (1.3e-6, 1e-5),
    }
    in_double = in_single | {"torch.testing.assert_close": (1e-7, 1e-7)}
    for precision, tolerances in ((FLOAT32, in_single), (FLOAT64, in_double)):
        for rule, (rtol, atol) in tolerances.items():
            yield Baseline(rule, precision, rtol, atol, same_dtype=rule.startswith("torch"))


BASELINES: tuple[Baseline, ...] = tuple(_rules())
"""The defaults of NumPy and of torch, and a popular choice, in either precision."""
