"""Rewrites that must stay silent: a module for each mirrored file."""

from __future__ import annotations

from parity.contracts.fault import Rewrite
from parity.faults.rewrites import dataloader, forward, losses, networks, optics, patches, probe, scaling, training

REWRITES: tuple[Rewrite, ...] = (
    *probe.REWRITES,
    *optics.REWRITES,
    *patches.REWRITES,
    *scaling.REWRITES,
    *dataloader.REWRITES,
    *losses.REWRITES,
    *networks.REWRITES,
    *training.REWRITES,
    *forward.REWRITES,
)
"""All of them, in the order of the light."""
