"""The false-alarm set: other code for the same mathematics, a module for each mirrored file that has any."""

from __future__ import annotations
