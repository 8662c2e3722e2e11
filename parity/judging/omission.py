"""What a stack was not asked, and why: it is counted and listed, and it is never a pass."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Omitted(StrEnum):
    """Why nothing was asked: nobody has bound the contract, the stack does not claim it, or claims no gradient.

    In terms of its own is what a binding states conventions of; elements are not judged where these leave them open.
    """

    NOT_BOUND = "not bound"
    OUTSIDE = "outside"
    NO_GRADIENT = "no gradient asked"
    IN_OWN_TERMS = "in terms of its own"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Omission:
    """One thing that one stack was not asked.

    `quantity` is the text of a result, a gradient or a law, or the path of an entry; "" is everything in the `case`.
    `case` is "" where it is all of them. `why` is what the bindings say, or how many elements are not judged.
    """

    contract: str
    stack: str
    omitted: Omitted
    case: str = ""
    precision: str = ""
    quantity: str = ""
    why: str = ""
