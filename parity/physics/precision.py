"""The working precisions a stack is held to, and the two numbers of each that every bound is built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


@dataclass(frozen=True, slots=True)
class Precision:
    """A binary floating-point format in which the stacks compute.

    `unit_roundoff` is u, half the distance from 1 to the next number: one correctly rounded operation
    errs by at most u, relatively. `smallest_normal` is where that stops being true.
    """

    name: str
    real: str
    complex: str
    unit_roundoff: float
    smallest_normal: float

    @property
    def is_double(self) -> bool:
        """Whether it has the digits of float64."""
        return self.real == "float64"

    def dtype_like(self, array: NDArray[Any]) -> DTypeLike:
        """The dtype of this precision for a real or complex array; integers and flags keep their own."""
        if np.iscomplexobj(array):
            return self.complex
        return self.real if np.issubdtype(array.dtype, np.floating) else array.dtype

    def round(self, array: NDArray[Any]) -> NDArray[Any]:
        """`array` rounded to this precision; integers and flags as they are."""
        return array.astype(self.dtype_like(array), copy=False)


FLOAT32 = Precision("f32", "float32", "complex64", unit_roundoff=2.0**-24, smallest_normal=2.0**-126)
FLOAT64 = Precision("f64", "float64", "complex128", unit_roundoff=2.0**-53, smallest_normal=2.0**-1022)
WIDENED = Precision("wide", "float64", "complex128", FLOAT64.unit_roundoff, FLOAT64.smallest_normal)
"""Float64, in a subject whose sources have every single precision in them doubled: its mathematics alone is asked."""

PRECISIONS = {precision.name: precision for precision in (FLOAT32, FLOAT64)}
"""Those that every stack is asked in."""

ALL_PRECISIONS = {**PRECISIONS, WIDENED.name: WIDENED}
