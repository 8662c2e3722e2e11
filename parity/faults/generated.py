"""Faults that follow from the kinds of a contract, and how a row of the catalogue refers to one.

Each can be made in the stacks and in the oracle; the score asks for those that the catalogue names with `generated`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.faults.base import BOTH, Fault
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


def generated(
    target: str,
    name: str,
    *,
    called: str = "",
    shows: str | None = None,
    diagnosis: tuple[str, ...] | None = None,
    at: str = "",
    stacks: tuple[str, ...] = BOTH,
) -> Fault:
    """A fault that follows from the kinds of a contract, as a row of the catalogue: the score asks for it.

    What is given stands in place of what follows. LookupError where nothing of that name follows.
    """
    found = generated_faults(REGISTRY[target])
    if name not in found:
        raise LookupError(f"{target}/{name}: expected a fault that follows from its kinds, one of {', '.join(found)}")
    fault = found[name]
    return replace(
        fault,
        name=called or name,
        at=at,
        stacks=stacks,
        shows=fault.shows if shows is None else shows,
        diagnosis=fault.diagnosis if diagnosis is None else diagnosis,
    )
