"""How the terms of a loss are weighted."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.scenes.base import Drawn, Real


class LossWeights(Drawn):
    """Weights of the order of 1, but for a likelihood that has none."""

    @property
    def full(self) -> NDArray[np.bool_]:
        """Whether a Poisson loss keeps the term in the counts alone."""
        return np.array(self.spec.full)

    @cached_property
    def nll_weight(self) -> Real:
        return self._scalar("nll_weight", 0.1, 2.0) * float(self.spec.likelihood)

    @cached_property
    def mae_weight(self) -> Real:
        return self._scalar("mae_weight", 0.1, 2.0)

    @cached_property
    def realspace_weight(self) -> Real:
        return self._scalar("realspace_weight", 0.1, 2.0)

    @cached_property
    def tv_weight(self) -> Real:
        return self._scalar("tv_weight", 0.1, 2.0)

    @cached_property
    def realspace_mae_weight(self) -> Real:
        return self._scalar("realspace_mae_weight", 0.1, 2.0)
