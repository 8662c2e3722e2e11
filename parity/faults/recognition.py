"""The faults that diagnosis can name and goldens prove that they tell from the truth, of any contract."""

from __future__ import annotations

from parity.contracts.contract import Contract
from parity.faults.base import Fault
from parity.faults.catalogue import FAULTS
from parity.faults.generated import generated_faults


def recognised_faults(contract: Contract) -> tuple[Fault, ...]:
    """Those of a contract, the most particular first: its function's own, then those that follow from its kinds."""
    own = own_faults(contract)
    said = {fault.what for fault in own}
    return *own, *(fault for fault in generated_faults(contract).values() if fault.what not in said)


def own_faults(contract: Contract) -> tuple[Fault, ...]:
    """Those that the catalogue has for a contract's function, whichever variant they are aimed at."""
    of_function = [fault for fault in FAULTS if fault.target.split("@")[0] == contract.address]
    own = [fault for fault in of_function if fault.is_recognised and not fault.generic]
    return tuple({fault.what: fault for fault in reversed(own)}.values())[::-1]
