"""Objects to expose: the public address of `ptycho_exposures.objects`, whose functions these are."""

from ptycho_exposures.objects import (
    MIN_AMPLITUDE,
    OBJECTS,
    PHOTOGRAPHS,
    ObjectMaker,
    SimulatedObject,
    gaussian_random_field,
    lines,
    make_object,
    photograph,
    points,
    scan_patches,
    scan_positions,
)

__all__ = [
    "MIN_AMPLITUDE",
    "OBJECTS",
    "PHOTOGRAPHS",
    "ObjectMaker",
    "SimulatedObject",
    "gaussian_random_field",
    "lines",
    "make_object",
    "photograph",
    "points",
    "scan_patches",
    "scan_positions",
]
