"""Wherever a helper lies that a loss uses, a change of it asks the contract; nothing is run."""

import pytest

from parity.contracts.declared import REGISTRY
from parity.gate.impact import changes_since, impact_of
from parity.gate.impact.mapping import FOLDERS
from tests.parity.gate.check.placements import BROKEN


@pytest.mark.parametrize("placement", BROKEN, ids=str)
def test_a_change_of_a_helper_asks_the_contract(clone, placement):
    placement.write(clone.root, "1.0")
    clone.commit()
    placement.write(clone.root, "1.01")
    clone.commit()
    found = impact_of(changes_since(clone.root, "HEAD~1", FOLDERS), REGISTRY)
    assert found.reasons("losses.mae"), found.aside
