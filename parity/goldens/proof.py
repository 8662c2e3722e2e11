"""That a golden is worth keeping: the faults that it tells from the truth."""

from __future__ import annotations

from collections.abc import Mapping

from parity.contracts.contract import Contract, Inputs
from parity.faults.in_oracle import made_in_oracle
from parity.faults.recognition import recognised_faults
from parity.goldens.errors import GoldenError
from parity.judging.measurement import distance
from parity.judging.quantity import Quantity
from parity.physics.oracle.bounded import Bounded

LEAST = 10.0
"""A fault is told from the truth where it exceeds the bound this many times: a stack within its bound cannot hide it,
nor can one that is on the other side of the oracle."""

MOST = 1e99
"""What is infinitely far off, as JSON has it."""


def proof_of(contract: Contract, inputs: Inputs, truth: Mapping[Quantity, Bounded]) -> dict[str, float]:
    """Every fault that exceeds some bound at least `LEAST` times: by how much, to two digits.

    `inputs` in the working precision; `truth` by quantity.
    """
    values = {quantity: bounded.value for quantity, bounded in truth.items()}
    told: dict[str, float] = {}
    for fault in recognised_faults(contract):
        wrong = made_in_oracle(fault, contract, inputs, values) or {}
        ratio = max((distance(wrong[q], truth[q].value, truth[q].allowed).ratio for q in wrong), default=0.0)
        if ratio >= LEAST:
            told[fault.what] = float(f"{min(ratio, MOST):.2g}")
    return told


def require_proof(name: str, contract: Contract, proof: Mapping[str, float]) -> None:
    """Raise GoldenError for a golden that cannot tell a single fault from the truth."""
    if not proof:
        known = len(recognised_faults(contract))
        raise GoldenError(
            f"{name}: expected a case that tells a fault of {contract.name} from the truth by {LEAST:g} times the "
            f"bound, got one that tells none of {known}"
        )
