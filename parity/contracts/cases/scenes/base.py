"""What every part of a scene is made of: the specification, and random numbers of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.strata import Spec

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


class Drawn:
    """Arrays drawn for one specification, each from a random stream of its own."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    @property
    def shape(self) -> tuple[int, int]:
        return self.spec.height, self.spec.width

    def _scalar(self, name: str, low: float, high: float, logarithmic: bool = False) -> Real:
        random = self.spec.generator(name)
        if logarithmic:
            return np.array(10 ** random.uniform(np.log10(low), np.log10(high)))
        return np.array(random.uniform(low, high))
