"""The catalogue of known faults, and of rewrites that are none; how one is made in a stack, and in the oracle."""

from __future__ import annotations

from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault, Rewrite
from parity.faults.catalogue import FAULTS as _FAULTS
from parity.faults.collection import Collection
from parity.faults.generated import generated_faults
from parity.faults.rewrites import REWRITES as _REWRITES

__all__ = ["CATALOGUE", "KNOWN", "REWRITES"]

CATALOGUE: Collection[Fault] = Collection("defect", _FAULTS)
"""Every fault that the score makes, by its full name: each must be found, and its side named."""

KNOWN: Collection[Fault] = Collection(
    "defect",
    {
        fault.full_name: fault
        for fault in (*(f for c in REGISTRY.values() for f in generated_faults(c).values()), *_FAULTS)
        if fault.stacks
    }.values(),
)
"""Every fault that can be made in a stack: those, and all that follow from the kinds of a contract."""

REWRITES: Collection[Rewrite] = Collection("rewrite", _REWRITES)
"""Every rewrite by its full name: each must stay silent."""
