"""What is left of a contract in a domain."""

from __future__ import annotations

import pytest

from parity.contracts.cases.domain import Domain
from parity.contracts.declared import REGISTRY


def test_a_network_is_asked_about_no_frame_that_it_cannot_take() -> None:
    network = REGISTRY["networks.autoencode@256"]
    claimed, _ = Domain(shapes=((8, 8), (64, 64), (256, 256))).restricted(network)
    assert {stratum.name: stratum.shapes for stratum in claimed.strata} == {
        "many": ((256, 256),),
        "coarsest": ((64, 64), (256, 256)),
    }


@pytest.mark.parametrize(("name", "left"), [("patches.pad", True), ("optics.illuminate", False)])
def test_the_number_of_modes_is_claimed_only_where_a_contract_has_modes(name: str, left: bool) -> None:
    claimed, never = Domain(modes=(1,)).restricted(REGISTRY[name])
    assert ("many" in [stratum.name for stratum in claimed.strata]) is left
    assert ("many" in never) is not left
