"""What a loss is given: exposures, a prediction of them, and how the terms of the loss are weighted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.families import exposures
from parity.contracts.cases.families.exposures import ExposureSpec, ExposureStratum, Prediction
from parity.contracts.cases.families.family import Real, between, in_family


@dataclass(frozen=True, slots=True)
class LossSpec(ExposureSpec):
    """Exposures that a loss compares with their prediction."""

    stratum: LossStratum


@dataclass(frozen=True, slots=True)
class LossStratum(ExposureStratum):
    """A region of what losses are given: of a Poisson loss that is not `full`, or without weight of the likelihood."""

    full: bool = True
    likelihood: bool = True

    specification: ClassVar[type[LossSpec]] = LossSpec


SHAPES = in_family(LossStratum, exposures.SHAPES)
EXPOSURES = in_family(LossStratum, exposures.EXPOSURES)
WRAPPED = in_family(LossStratum, exposures.WRAPPED)
EQUAL = (LossStratum("equal", "the kink and the minimum", prediction=(Prediction.EQUAL,)),)
APART = (
    LossStratum("near", "a step before convergence", prediction=(Prediction.NEAR,)),
    LossStratum("far", "arguments exchanged, ratios inverted", prediction=(Prediction.FAR,)),
)
EXTINCT = (
    LossStratum(
        "extinct",
        "a large number for +∞, NaN",
        groups=(1,),  # a cotangent of 0 for one group would meet an infinite slope
        log10_photons=(3.0, 12.0),
        prediction=(Prediction.EXTINCT,),
    ),
)
UNWEIGHTED = (
    LossStratum(
        "unweighted",
        "0 times an infinite likelihood",
        log10_photons=(3.0, 12.0),
        prediction=(Prediction.EXTINCT,),
        likelihood=False,
    ),
)
BARE = (LossStratum("bare", "the term in k alone kept on one side", full=False),)
DIM = (LossStratum("dim", "a square that underflows, 0/0", log10_modulus=(-28.0, -12.0)),)


def full(spec: LossSpec) -> NDArray[np.bool_]:
    """Whether a Poisson loss keeps the term in the counts alone, ()."""
    return np.array(spec.stratum.full)


some_nll_weight = between("nll_weight", 0.1, 2.0)
"""The weight of the likelihood, ()."""


def nll_weight(spec: LossSpec) -> Real:
    """The weight of the likelihood, or 0, ()."""
    return some_nll_weight(spec) * float(spec.stratum.likelihood)


mae_weight = between("mae_weight", 0.1, 2.0)
"""The weight of the mean error of amplitudes, ()."""

realspace_weight = between("realspace_weight", 0.1, 2.0)
"""The weight of the loss of the object, ()."""

tv_weight = between("tv_weight", 0.1, 2.0)
"""The weight of the total variation in it, ()."""

realspace_mae_weight = between("realspace_mae_weight", 0.1, 2.0)
"""The weight of the mean error of the object in it, ()."""
