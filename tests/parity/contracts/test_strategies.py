"""Hypothesis draws cases of a contract, and shrinks them to what a person would try first."""

import pytest
from hypothesis import find, given, settings

from parity.contracts.cases.case import Case
from parity.contracts.cases.strategies import SEEDS, cases
from parity.contracts.declared import REGISTRY

MAE = REGISTRY["losses.mae"]


@given(cases(MAE))
@settings(max_examples=50, database=None)
def test_what_is_drawn_is_a_case_besides_the_forced_ones(case: Case) -> None:
    assert case.contract is MAE
    assert case.stratum in MAE.strata
    assert 1 <= case.seed <= SEEDS
    assert case.dataset is None


@pytest.mark.parametrize("least", [1, 5, 1000])
def test_a_failure_shrinks_to_the_first_stratum_and_the_smallest_seed(least: int) -> None:
    failing = {"prime", "single", "far"}
    case = find(
        cases(MAE),
        lambda case: case.stratum.name in failing and case.seed >= least,
        settings=settings(max_examples=500, database=None, derandomize=True),
    )
    assert case.name == f"prime/{least}"
