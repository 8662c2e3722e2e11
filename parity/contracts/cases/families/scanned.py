"""Simulated objects, as a scan sees them."""

from __future__ import annotations

import math

import numpy as np

from parity.contracts.cases.families.family import Real, Shape
from parity.physics.kinds import AMPLITUDE, PHASE
from ptycho_exposures import objects

STACK = "tensorflow"
"""The stack whose layout `ptycho_exposures.objects` and `ptycho_exposures.diffsim` speak."""

SCAN_STEP, SCAN_OFFSET, SCAN_MARGIN = 2, 3, 8
"""Pixels between groups, between the patches of a group, and by which an object at least exceeds a patch."""


def scanned_object(
    random: np.random.Generator, texture: str, phase_span: float, patch: Shape, groups: int, gridsize: int
) -> tuple[Real, Real]:
    """Amplitude and phase of one object as a scan on a grid sees it in B groups of C = gridsize², each (B, C, H, W)."""
    reach = SCAN_STEP * (math.ceil(math.sqrt(groups)) - 1) + SCAN_OFFSET * (gridsize - 1)
    margin = max(SCAN_MARGIN, reach)
    frame = (patch[0] + margin, patch[1] + margin)
    whole = objects.make_object(texture, frame, random, phase_span)
    scan = objects.scan_positions(frame, patch, step=SCAN_STEP, gridsize=gridsize, offset=SCAN_OFFSET)
    positions = scan[random.permutation(len(scan))[:groups]]
    return (
        AMPLITUDE.from_framework(STACK, objects.scan_patches(whole.amplitude, positions, patch)),
        PHASE.from_framework(STACK, objects.scan_patches(whole.phase, positions, patch)),
    )
