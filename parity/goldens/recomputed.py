"""Whether the oracle still says what goldens hold of their inputs: values and bounds, which judge the stacks.

A hash proves that a file is the one that the manifest lists, and no more: whoever writes a golden writes its hashes.
What the oracle computes anew, nobody has written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from parity.contracts.contract import Contract
from parity.goldens.drift import Nature, drifts
from parity.goldens.errors import GoldenError
from parity.goldens.freeze import truth_of
from parity.goldens.record import Golden

MOST = 5
"""Of the arrays of a golden; the rest is counted."""


def unlike_the_oracle(golden: Golden, contract: Contract) -> Iterator[str]:
    """Sentences on the quantities whose stored value or bound is another than the oracle's, by more than rounding.

    Raises GoldenError where the contract can no longer be asked about the stored inputs.
    """
    truth = truth_of(golden, contract).quantities
    fresh = replace(
        golden,
        oracle={quantity: bounded.value for quantity, bounded in truth.items()},
        bounds={quantity: bounded.allowed for quantity, bounded in truth.items()},
    )
    off = [drift for drift in drifts(fresh, golden) if drift.nature is Nature.SEMANTIC]
    for drift in off[:MOST]:
        part, _, path = drift.array.partition("/")
        quantity = path.replace("gradient/", "∂/∂").removeprefix("value/")
        what = "the bounds" if part == "bounds" else "the value"
        got = drift.note or f"one that is {drift.bounds:.3g} times the bound away"
        yield f"{golden.name}: {quantity}: expected {what} that the oracle computes of the stored inputs, got {got}"
    if len(off) > MOST:
        yield f"{golden.name}: and {len(off) - MOST} more"


def as_computed(golden: Golden, contract: Contract) -> Golden:
    """The golden, if the oracle computes what it holds. Raises GoldenError where it does not, or cannot be asked."""
    for said in unlike_the_oracle(golden, contract):
        raise GoldenError(f"{said}; nothing can be held to that: `parity golden regen` makes it anew")
    return golden
