"""The catalogue of known defects, and of rewrites that are none; how one is made in a stack."""

from __future__ import annotations
