"""What a stack was not asked, and why: it is counted and listed, and it is never a pass."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Omitted(StrEnum):
    """Why nothing was asked: nobody has bound the contract, the stack does not claim it, or claims no gradient."""

    NOT_BOUND = "not bound"
    OUTSIDE = "outside"
    NO_GRADIENT = "no gradient asked"


@dataclass(frozen=True, slots=True)
class Omission:
    """One thing that one stack was not asked.

    `quantity` is the text of a gradient, or of a law; "" is everything in the `case`. `case` is "" where it is all of
    them. `why` is what the bindings say.
    """

    contract: str
    stack: str
    omitted: Omitted
    case: str = ""
    precision: str = ""
    quantity: str = ""
    why: str = ""
