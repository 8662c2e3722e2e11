"""Hypothesis strategies: a case is drawn as a stratum and a seed, never as arrays.

Element-wise arrays of image size are mostly degenerate and slow to draw; a specification is drawn in no time, and
shrinks to something a person reads: the first stratum that fails, and the smallest seed, which is its smallest shape.
"""

from __future__ import annotations

from hypothesis import event
from hypothesis import strategies as st

from parity.contracts.cases.case import Case
from parity.contracts.cases.families.family import Stratum
from parity.contracts.contract import Contract

SEEDS = 2**16


def cases(contract: Contract) -> st.SearchStrategy[Case]:
    """Any case of a contract."""

    def case(stratum: Stratum, seed: int) -> Case:
        event(f"stratum {stratum.name}")
        return Case(contract, stratum, seed)

    return st.builds(case, st.sampled_from(contract.strata), st.integers(1, SEEDS))
