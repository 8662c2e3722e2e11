"""What is asked of a change: the contracts that it touches, how many examples of each, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from parity.contracts.cases.profiles import PROFILES
from parity.contracts.contract import Contract
from parity.gate.impact import Impact, Reason

EXAMPLES, FEW = 100, 4
"""Drawn besides the strata of each contract that is touched, where no more than so many are; else as in profile ci."""

SPOTS = 3
"""Defects that are made of each contract and stack, to see that they are still noticed."""


@dataclass(frozen=True, slots=True)
class PlannedContract:
    """One contract that is asked: `examples` besides its strata; `touched` tells its own code from what it uses."""

    contract: str
    touched: bool
    examples: int
    reasons: tuple[Reason, ...]

    @property
    def why(self) -> str:
        """The first reasons, in words."""
        words = list(dict.fromkeys(reason.words for reason in self.reasons))
        return "; ".join(words[:2]) + (f"; and {len(words) - 2} more" if len(words) > 2 else "")


def plan_of(impact: Impact, contracts: Mapping[str, Contract]) -> tuple[PlannedContract, ...]:
    """The contracts to ask, in their order; none where nothing that is computed differs, or something is no Python.

    What uses a touched contract is asked on its strata: that they fit together is a matter of wiring, and no number of
    draws shows more of that.
    """
    if impact.unreadable:
        return ()
    ci = PROFILES["ci"].examples
    touched = EXAMPLES if len(impact.touched) <= FEW else ci
    asked = []
    for name in contracts:
        reasons = impact.reasons(name)
        if reasons:
            others = ci if impact.everything else 0
            asked.append(
                PlannedContract(name, name in impact.touched, touched if name in impact.touched else others, reasons)
            )
    return tuple(asked)
