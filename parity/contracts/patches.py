"""Contracts of `patches`: where patches lie, and how they count."""

from __future__ import annotations

from parity.contract import Argument, Contract, Result
from parity.kinds import OBJECT, WEIGHT
from parity.strata import SHAPES

CONTRACTS = (
    Contract(
        name="patches.central_weight",
        equation="1 on the central H//2 × W//2 pixels, 0 elsewhere",
        arguments=(Argument("patches", OBJECT),),
        results=(Result("weight", WEIGHT),),
        strata=SHAPES,
    ),
)
