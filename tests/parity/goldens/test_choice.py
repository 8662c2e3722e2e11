"""Which cases are frozen where nobody asks for one."""

from dataclasses import replace

import numpy as np
import pytest

from parity.contracts.cases.case import forced
from parity.contracts.changes import returning
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
from parity.goldens import choice, proof
from parity.goldens.choice import Candidate, choose
from parity.goldens.errors import GoldenError
from parity.goldens.freeze import freeze, golden_inputs
from parity.goldens.record import encode
from parity.judging.quantity import result_of
from parity.physics.precision import FLOAT32, FLOAT64

MAE = REGISTRY["losses.mae"]


def golden_of(case, precision=FLOAT32, frameworks=()):
    inputs, cotangents, precision = golden_inputs(case, precision)
    return freeze(case.contract, case.stratum.name, case.seed, precision, inputs, cotangents, frameworks).golden


@pytest.mark.parametrize("name", ["losses.mae", "scaling.count_photons"])
def test_what_is_chosen_tells_every_fault_that_any_stratum_tells_and_none_is_needless(name) -> None:
    contract = REGISTRY[name]
    chosen = choose(contract)
    told = [set(golden_of(candidate.case, candidate.precision).proof) for candidate in chosen]
    assert told == [candidate.told for candidate in chosen]
    every = set().union(*(golden_of(case).proof for case in forced(contract)))
    assert set().union(*told) >= every
    for needed in range(len(told)):
        assert not told[needed] <= set().union(*told[:needed], *told[needed + 1 :])
    assert len(chosen) < len(contract.strata)
    assert [candidate.case for candidate in chosen] == [candidate.case for candidate in choose(contract)]


@pytest.fixture
def pools(monkeypatch):
    """What candidates are made of instead of cases: sizes in bytes, and a letter for each fault told.

    First those of the strata in float32, then further seeds, then float64. A, B and C are the function's own faults.
    """
    own = [Fault(MAE.name, name, name, returning(lambda xp, mae, a: mae)) for name in "ABC"]
    monkeypatch.setattr(choice, "own_faults", lambda contract: own)

    def made(first, further=(), finer=()):
        case = next(forced(MAE))
        by_pool = {
            (True, FLOAT32): [Candidate(case, FLOAT32, size, frozenset(told)) for size, told in first],
            (False, FLOAT32): [Candidate(case, FLOAT32, size, frozenset(told)) for size, told in further],
            (True, FLOAT64): [Candidate(case, FLOAT64, size, frozenset(told)) for size, told in finer],
        }

        def candidates(cases, precision):
            first_of_strata = all(case.seed == 0 for case in cases)
            return iter(by_pool[first_of_strata, precision])

        monkeypatch.setattr(choice, "_candidates", candidates)
        return [(candidate.size, "".join(sorted(candidate.told))) for candidate in choose(MAE)]

    return made


def test_the_one_that_tells_most_a_byte_comes_first(pools) -> None:
    assert pools([(1000, "ABC"), (100, "AB"), (200, "Cd")]) == [(100, "AB"), (200, "Cd")]


def test_whatever_turns_out_to_be_needless_is_left_out(pools) -> None:
    """The small one is chosen first, and then those that tell all it does."""
    assert pools([(10, "BC"), (1000, "AB"), (1001, "Cd")]) == [(1000, "AB"), (1001, "Cd")]


def test_the_large_are_left_out_even_where_they_tell_more(pools) -> None:
    most = choice.PREFERRED_BYTES
    assert pools([(most, "ABC"), (most + 1, "ABCd")]) == [(most, "ABC")]


def test_unless_all_are_large_and_then_the_smallest_is_kept(pools) -> None:
    most = choice.PREFERRED_BYTES
    assert pools([(3 * most, "ABCd"), (2 * most, "ABC")]) == [(2 * most, "ABC")]


def test_further_seeds_are_for_the_function_s_own_faults_alone(pools) -> None:
    further = [(10, "def"), (100, "C"), (200, "Cd")]
    assert pools([(100, "AB")], further, finer=[(1, "ABC")]) == [(100, "AB"), (100, "C")]


def test_float64_is_for_what_no_seed_tells(pools) -> None:
    assert pools([(100, "A")], [(100, "B")], [(300, "C"), (1, "d")]) == [(100, "A"), (100, "B"), (300, "C")]


def test_what_no_case_tells_is_done_without(pools) -> None:
    assert pools([(100, "A")], [(100, "A")], [(100, "A")]) == [(100, "A")]


def test_what_a_later_one_makes_needless_is_left_out(pools) -> None:
    assert pools([(100, "AB")], [(200, "ABC")]) == [(200, "ABC")]


def test_a_contract_none_of_whose_cases_tells_a_fault_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(proof, "recognised_faults", lambda contract: ())
    with pytest.raises(GoldenError) as refused:
        choose(MAE)
    assert str(refused.value) == "losses.mae: expected a case that tells some fault from the truth, got none"


def test_a_case_of_which_some_element_cannot_be_judged_is_none(monkeypatch) -> None:
    first = choose(MAE)[0].case

    def unbounded(contract, stratum, *others):
        found = freeze(contract, stratum, *others)
        if stratum != first.stratum.name:
            return found
        bounds = {**found.golden.bounds, result_of("mae"): np.array(np.inf)}
        return replace(found, golden=replace(found.golden, bounds=bounds))

    monkeypatch.setattr(choice, "freeze", unbounded)
    assert first.stratum.name not in {chosen.case.stratum.name for chosen in choose(MAE)}


@pytest.mark.parametrize("name", ["losses.mae", "optics.far_field_amplitude", "scaling.count_photons"])
@pytest.mark.parametrize("precision", [FLOAT32, FLOAT64])
def test_what_is_chosen_by_its_size_has_about_that_size(stacks, name, precision) -> None:
    """To within a third and the texts: enough to tell the small from the large."""
    case = next(forced(REGISTRY[name]))
    size = len(encode(golden_of(case, precision, stacks)))
    texts = 8000
    assert 2 / 3 * (size - texts) <= choice._size(golden_of(case, precision)) <= 4 / 3 * size
