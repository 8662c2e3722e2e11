"""What is reconstructed from: simulated exposures of one object, patch beside overlapping patch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.families.exposures import ExposureStratum, intensity_scale, observed, patches
from parity.contracts.cases.families.probes import probe
from parity.contracts.cases.families.scanned import SCAN_OFFSET
from parity.contracts.declared import REGISTRY
from parity.physics.oracle.patches import padded_size, relative_positions

OBJECTIVE = "forward.training_objective"

SIDE, GRIDSIZE, LOG10_PHOTONS = 32, 5, 6.0
"""Pixels a side of a pattern, patches along a side of the group, and photons of the mean pattern."""


def expose(
    seed: int = 0, side: int = SIDE, gridsize: int = GRIDSIZE, log10_photons: float = LOG10_PHOTONS
) -> dict[str, NDArray[Any]]:
    """The objective's arguments at the truth: a group of gridsize² overlapping patches of one object of grid lines.

    All weights of the losses are 0, and the intensity scale is the true one. Raises ValueError for an even gridsize,
    with which patches would lie between pixels, where a merged object is smoothed.
    """
    if gridsize % 2 == 0:
        raise ValueError(f"gridsize: expected an odd number, so that patches lie at whole pixels, got {gridsize}")
    stratum = ExposureStratum(
        "lines",
        "what a defect does to a reconstruction",
        shapes=((side, side),),
        groups=(1,),
        patches=(gridsize**2,),
        modes=(1,),
        log10_photons=(log10_photons, log10_photons),
        textures=("lines",),
    )
    spec = stratum.draw(seed)
    rows, columns = np.indices((gridsize, gridsize)).reshape(2, -1) * float(SCAN_OFFSET)
    size = np.array(padded_size(side, gridsize, SCAN_OFFSET, jitter=0))
    given = {
        "patches": patches(spec),
        "positions": relative_positions(np.stack([columns, rows], axis=-1)[None]),
        "probe": probe(spec),
        "log_scale": np.log(intensity_scale(spec)),
        "observed": observed(spec),
        "target": patches(spec),
        "rows": size,
        "columns": size,
        "weighting": np.array("uniform"),
    }
    arguments = {a.name: np.asarray(given.get(a.name, 0.0)) for a in REGISTRY[OBJECTIVE].arguments}
    REGISTRY[OBJECTIVE].check(arguments)
    return arguments
