"""The declarations, a file for each mirrored file. A row in a `CONTRACTS` is a row in the test plan."""

from __future__ import annotations

from parity.contracts.declared import dataloader, forward, losses, networks, optics, patches, probe, scaling, training
from parity.contracts.registry import Registry

REGISTRY = Registry(
    (
        *probe.CONTRACTS,
        *optics.CONTRACTS,
        *patches.CONTRACTS,
        *scaling.CONTRACTS,
        *dataloader.CONTRACTS,
        *losses.CONTRACTS,
        *networks.CONTRACTS,
        *training.CONTRACTS,
        *forward.CONTRACTS,
    )
)
"""Every contract, in the order of the light."""
