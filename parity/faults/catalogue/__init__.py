"""The known defects: a module or more for each mirrored file, and one for the gains that every contract must show."""

from __future__ import annotations

from parity.faults.base import Defect
from parity.faults.catalogue import (
    dataloader,
    forward,
    forward_losses,
    losses,
    losses_errors,
    losses_object,
    networks,
    networks_blocks,
    networks_spectral,
    numerics,
    optics,
    optics_far_field,
    patches,
    patches_merged,
    patches_moved,
    patches_orders,
    probe,
    scaling,
    training,
)

DEFECTS: tuple[Defect, ...] = (
    *probe.DEFECTS,
    *optics.DEFECTS,
    *optics_far_field.DEFECTS,
    *patches.DEFECTS,
    *patches_moved.DEFECTS,
    *patches_merged.DEFECTS,
    *patches_orders.DEFECTS,
    *scaling.DEFECTS,
    *dataloader.DEFECTS,
    *losses.DEFECTS,
    *losses_errors.DEFECTS,
    *losses_object.DEFECTS,
    *networks.DEFECTS,
    *networks_blocks.DEFECTS,
    *networks_spectral.DEFECTS,
    *training.DEFECTS,
    *forward.DEFECTS,
    *forward_losses.DEFECTS,
    *numerics.DEFECTS,
)
"""All of them, in the order of the light."""
