"""Wherever a helper lies that a loss uses, a change of it asks the contract; nothing is run."""

import pytest

from parity.contracts.declared import REGISTRY
from parity.gate.impact import changes_since, impact_of
from parity.gate.impact.mapping import FOLDERS
from tests.parity.gate.check.placements import BROKEN

IN_EVERY_RUN = (
    "a subpackage, three modules away",
    "a module that answers for its names",
    "a function put in another's place at import",
    "a decorator that keeps what it is given",
    "a star",
    "a number in a file that is called a document",
    "one of several functions by the type of the argument",
    "a submodule",
    "a folder that is a symbolic link",
    "a file that git skips",
    "a file of an old time",
    "a file that git ignores",
)


@pytest.mark.parametrize(
    "placement",
    [pytest.param(one, marks=() if one.name in IN_EVERY_RUN else pytest.mark.commits) for one in BROKEN],
    ids=str,
)
def test_a_change_of_a_helper_asks_the_contract(clone, placement):
    placement.write(clone.root, "1.0")
    clone.commit()
    placement.write(clone.root, "1.01")
    clone.commit()
    found = impact_of(changes_since(clone.root, "HEAD~1", FOLDERS), REGISTRY)
    assert found.reasons("losses.mae"), found.aside
