"""The known faults: those that contracts declare, and the long lists, in a module or more for each mirrored file."""

from __future__ import annotations

from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
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
    *(fault for contract in REGISTRY.values() for fault in contract.faults),
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
"""All of them: those of the declarations, then the lists, in the order of the light."""

FAULTS: tuple[Fault, ...] = tuple(
    fault for row in ROWS for fault in (row.faults if isinstance(row, Generated) else (row,))
)
"""Those that there are: what follows from kinds is gone where a contract no longer has them."""
