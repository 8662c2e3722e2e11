"""Every contract, in both stacks: what `pytest -m parity` runs."""

import pytest

from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.contracts.mirror import mirror_faults
from parity.testing.holding import Harness

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("contract", REGISTRY.values(), ids=list(REGISTRY))
def test_both_stacks_hold_the_contract(parity: Harness, contract: Contract) -> None:
    parity.hold(contract)


def test_every_mirrored_function_has_its_contract_and_its_twins() -> None:
    assert mirror_faults(REGISTRY) == []
