"""The known faults: a module or more for each mirrored file, and one for the gains that every contract must show."""

from __future__ import annotations

from parity.faults.base import Fault
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
from parity.faults.generated import Generated

ROWS: tuple[Fault | Generated, ...] = (
    *probe.FAULTS,
    *optics.FAULTS,
    *optics_far_field.FAULTS,
    *patches.FAULTS,
    *patches_moved.FAULTS,
    *patches_merged.FAULTS,
    *patches_orders.FAULTS,
    *scaling.FAULTS,
    *dataloader.FAULTS,
    *losses.FAULTS,
    *losses_errors.FAULTS,
    *losses_object.FAULTS,
    *networks.FAULTS,
    *networks_blocks.FAULTS,
    *networks_spectral.FAULTS,
    *training.FAULTS,
    *forward.FAULTS,
    *forward_losses.FAULTS,
    *numerics.FAULTS,
)
"""All of them, in the order of the light."""

FAULTS: tuple[Fault, ...] = tuple(
    fault for row in ROWS for fault in (row.faults if isinstance(row, Generated) else (row,))
)
"""Those that there are: what follows from kinds is gone where a contract no longer has them."""
