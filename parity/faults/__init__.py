"""The catalogue of known defects, and of rewrites that are none; how one is made in a stack."""

from __future__ import annotations

from parity.faults.base import Fault, Rewrite
from parity.faults.catalogue import FAULTS as _DEFECTS
from parity.faults.collection import Collection
from parity.faults.rewrites import REWRITES as _REWRITES

__all__ = ["CATALOGUE", "REWRITES", "Collection", "Fault", "Rewrite"]

CATALOGUE: Collection[Fault] = Collection("defect", _DEFECTS)
"""Every known defect by its full name: each must be found, and its side named."""

REWRITES: Collection[Rewrite] = Collection("rewrite", _REWRITES)
"""Every rewrite by its full name: each must stay silent."""
