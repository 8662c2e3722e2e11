"""`pytest -m golden`: what was frozen of every contract, in both stacks, or in the one of `--golden-stack`."""

from pathlib import Path

import pytest

from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.faults.recognition import own_faults
from parity.goldens.folder import GoldenSet
from parity.goldens.proof import LEAST, proof_of
from parity.goldens.record import Golden
from parity.testing.replaying import Goldens

FIXTURES = Path(__file__).parents[3] / "fixtures" / "golden"

pytestmark = [
    pytest.mark.golden,
    pytest.mark.parametrize("contract", REGISTRY.values(), ids=lambda contract: contract.name),
]


@pytest.fixture(scope="module")
def stored() -> GoldenSet:
    return GoldenSet.read(FIXTURES)


def goldens_of(contract: Contract, stored: GoldenSet) -> list[Golden]:
    return [stored.golden(name) for name in stored.names if name.startswith(f"{contract.name}/")]


def test_the_stacks_hold_what_was_frozen(contract: Contract, goldens: Goldens) -> None:
    goldens.replay(contract)


def test_every_golden_tells_the_faults_that_its_proof_names(contract: Contract, stored: GoldenSet) -> None:
    for golden in goldens_of(contract, stored):
        told = proof_of(contract, golden.inputs, golden.truth)
        assert told.keys() == golden.proof.keys(), golden.name
        assert min(told.values()) >= LEAST


def test_together_they_tell_every_fault_that_is_named_for_the_function(contract: Contract, stored: GoldenSet) -> None:
    told = frozenset().union(*(golden.proof for golden in goldens_of(contract, stored)))
    assert [fault.what for fault in own_faults(contract) if fault.what not in told] == []


def test_both_stacks_are_frozen(contract: Contract, stored: GoldenSet) -> None:
    """A stack whose output was withheld is right again, or was never: `parity golden regen` says which."""
    for golden in goldens_of(contract, stored):
        assert golden.outputs.keys() == {"tensorflow", "torch"}, f"{golden.name}: {golden.provenance['withheld']}"
