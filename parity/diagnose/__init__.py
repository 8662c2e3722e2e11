"""What would explain a failure: explanations as data, tried in order of simplicity."""

from __future__ import annotations
