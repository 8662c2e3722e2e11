"""The faults that diagnosis can name and goldens prove that they tell from the truth, of any contract."""

from __future__ import annotations

from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
from parity.faults.catalogue import FAULTS
from parity.faults.generated import generated_faults


def recognised_faults(contract: Contract) -> tuple[Fault, ...]:
    """Those of a contract, the most particular first: its function's own, then those that follow from its kinds."""
    own = own_faults(contract)
    said = {fault.what for fault in own}
    return *own, *(fault for fault in generated_faults(contract).values() if fault.what not in said)


def own_faults(contract: Contract) -> tuple[Fault, ...]:
    """Those that are declared for a contract's function, or in the catalogue, whichever variant they are aimed at."""
    of_function = [fault for fault in FAULTS if fault.target.split("@")[0] == contract.address]
    own = [fault for fault in of_function if is_recognised(fault) and not fault.generic]
    return tuple({fault.what: fault for fault in reversed(own)}.values())[::-1]


def is_recognised(fault: Fault) -> bool:
    """Whether diagnosis can name it and goldens prove it: its own words are a right cause, and the oracle has it.

    Of the functions within others, the oracle has those alone that are contracts.
    """
    is_in_oracle = not fault.at or fault.at in {contract.address for contract in REGISTRY.values()}
    return is_in_oracle and not fault.blind and fault.what in fault.right_diagnoses
