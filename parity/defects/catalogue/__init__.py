"""The catalogue: every known defect, a module for each mirrored file. A row in a `DEFECTS` is a row in the score."""

from __future__ import annotations
