"""Shards: the cases of a run, shared out among machines by name, so that each machine knows its own cases."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number`, from 1, of `of` parts. Raises ValueError for any that does not exist."""

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise ValueError(f"shard: expected a number from 1 to the number of shards, got {self}")

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard written `number/of`, such as 2/3. Raises ValueError for anything else."""
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and len(text) < 16):
            raise ValueError(f"shard: expected number/of, such as 2/3, got '{text}'")
        return cls(int(number), int(of))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def has(self, contract: str, case: str) -> bool:
        """Whether a case belongs to this shard. Every machine gets the same answer, whichever other cases it runs."""
        digest = hashlib.sha256(f"{contract} {case}".encode()).digest()
        return int.from_bytes(digest) % self.of == self.number - 1
