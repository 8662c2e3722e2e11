"""Faults that follow from the kinds of a contract, and how a row of the catalogue refers to one.

Each can be made in the stacks and in the oracle; the score makes those for which the catalogue has a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import BOTH, Fault
from parity.faults.from_kinds import of_argument, of_gradient, of_result


def generated_faults(contract: Contract) -> Mapping[str, Fault]:
    """Those of a contract's results, arguments and gradients by name, the simplest first.

    What is done to a number is simpler than what is done to what makes it.
    """
    rows = [
        *(row for result in contract.results for row in of_result(contract, result)),
        *(row for argument in contract.arguments for row in of_argument(argument)),
        *(row for argument in contract.differentiable for row in of_gradient(argument)),
    ]
    faults = {row.name: row.aimed_at(contract) for row in rows}
    assert len(faults) == len(rows), f"{contract.name}: two faults that follow from its kinds have one name"
    return faults


@dataclass(frozen=True, slots=True)
class Generated:
    """A row of the catalogue for a fault that follows from the kinds of a contract: the score makes it.

    `name` is that of `generated_faults`, `called` another that the row has. What else is given stands in place of what
    follows.
    """

    target: str
    name: str
    called: str = ""
    shows: str | None = None
    diagnosis: tuple[str, ...] | None = None
    at: str = ""
    stacks: tuple[str, ...] = BOTH

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The fault; none where it no longer follows, because the contract promises less: `parity check` says so."""
        found = generated_faults(REGISTRY[self.target]) if self.target in REGISTRY else {}
        if self.name not in found:
            return ()
        fault = found[self.name]
        row = replace(
            fault,
            name=self.called or self.name,
            at=self.at,
            stacks=self.stacks,
            shows=fault.shows if self.shows is None else self.shows,
            diagnosis=fault.diagnosis if self.diagnosis is None else self.diagnosis,
        )
        return (row,)
