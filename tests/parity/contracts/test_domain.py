"""What is left of a contract in a domain."""

from __future__ import annotations

from parity.contracts.cases.domain import Domain
from parity.contracts.declared import REGISTRY


def test_a_network_is_asked_about_no_frame_that_it_cannot_take() -> None:
    network = REGISTRY["networks.autoencode@256"]
    claimed, _ = Domain(shapes=((8, 8), (64, 64), (256, 256))).restricted(network)
    assert {stratum.name: stratum.shapes for stratum in claimed.strata} == {
        "many": ((256, 256),),
        "coarsest": ((64, 64), (256, 256)),
    }
