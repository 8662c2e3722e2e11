"""Conventions: in which respects a stack's function says the same as a contract in other terms, as plain data.

A binding states them. They are applied to what the oracle is asked and to what is handed over, never to a tolerance:
values, gradients and bounds follow. `conventions.py` has what they are, `reading.py` reads and refuses them,
`amplitudes.py`, `reductions.py` and `edges.py` what each does, and `around.py` puts them round the oracle.
"""

from __future__ import annotations

from parity.contracts.conventions.conventions import NONE, Conventions

__all__ = ["NONE", "Conventions"]
