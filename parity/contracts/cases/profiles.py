"""How many cases a test session draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Profile:
    """How many cases of a contract a session draws after one of each stratum, and whether it always draws the same
    ones.
    """

    examples: int
    derandomize: bool


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "ci": Profile(20, derandomize=True),
        "dev": Profile(10, derandomize=False),
        "nightly": Profile(1000, derandomize=False),
    }
)
