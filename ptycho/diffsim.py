"""Simulates exposures: the public address of `ptycho_exposures.diffsim`, whose functions these are.

Every simulated case of the project comes through them, whichever stack it is for.
"""

from ptycho_exposures.diffsim import (
    FALSE_ALARM,
    MAX_MEAN_COUNT,
    Exposures,
    Seed,
    check_scaled_alike,
    count_photons,
    diffract,
    illuminate_and_diffract,
    observe_amplitude,
    scale_nphotons,
)

__all__ = [
    "FALSE_ALARM",
    "MAX_MEAN_COUNT",
    "Exposures",
    "Seed",
    "check_scaled_alike",
    "count_photons",
    "diffract",
    "illuminate_and_diffract",
    "observe_amplitude",
    "scale_nphotons",
]
