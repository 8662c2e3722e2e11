"""Cases: the same example everywhere, its cotangents, and the words it is asked for in."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from parity._ground.errors import UsageError
from parity.contracts.cases.case import (
    ONE_HOT_EVERY,
    Case,
    Coordinates,
    coordinates_of,
    forced,
    parse_case,
    parse_precisions,
    precisions_of,
    sweep,
)
from parity.contracts.cases.datasets import Dataset
from parity.contracts.cases.families.exposures import ExposureSpec
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.physics.precision import FLOAT32, FLOAT64, PRECISIONS

MAE, FAR_FIELD, ILLUMINATE = (
    REGISTRY[name] for name in ("losses.mae", "optics.far_field_amplitude", "optics.illuminate")
)

DIGEST = """
import hashlib
from parity.contracts.cases.case import forced
from parity.contracts.declared import REGISTRY

digest = hashlib.sha256()
for contract in REGISTRY.values():
    for case in forced(contract):
        for name, array in case.inputs().items():
            digest.update(f"{case.name} {name} {array.dtype} {array.shape}".encode() + array.tobytes())
print(digest.hexdigest())
"""


def digest_in_a_process_of_its_own(hash_seed: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", DIGEST],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
    ).stdout


def test_a_case_is_the_same_to_the_last_bit_in_every_process() -> None:
    first, second = (digest_in_a_process_of_its_own(seed) for seed in "12")
    assert len(first.strip()) == 64
    assert first == second


@pytest.mark.parametrize("contract", REGISTRY.values(), ids=list(REGISTRY))
def test_every_stratum_has_inputs_that_the_contract_accepts(contract: Contract) -> None:
    for case in forced(contract):
        assert list(case.inputs()) == [argument.name for argument in contract.arguments]


def test_an_argument_looks_the_same_in_every_contract_of_a_case() -> None:
    ours, theirs = (
        Case(REGISTRY[name], MAE.stratum("odd"), 3).inputs() for name in ("losses.mae", "losses.poisson_nll")
    )
    np.testing.assert_array_equal(ours["observed"], theirs["observed"])


def test_a_sweep_forces_every_stratum_and_then_goes_round_them() -> None:
    names = [case.name for case in sweep(MAE, len(MAE.strata) + 2)]
    strata = [stratum.name for stratum in MAE.strata]
    assert names == [*(f"{s}/0" for s in strata), *(f"{s}/1" for s in strata), f"{strata[0]}/2", f"{strata[1]}/2"]


def cotangent(contract: Contract, seed: int, value: NDArray[np.float64]) -> NDArray[np.float64]:
    case = Case(contract, contract.strata[0], seed)
    (result,) = contract.results
    return case.cotangents({result.name: value})[result.name]


def test_cotangents_are_random_and_never_alike() -> None:
    for seed in range(ONE_HOT_EVERY - 1):
        weights = cotangent(MAE, seed, np.ones((2, 3)))
        assert len(np.unique(weights)) == weights.size


def test_cotangents_of_a_complex_result_are_complex() -> None:
    weights = cotangent(ILLUMINATE, 0, np.ones((2, 3)))
    assert weights.dtype == np.complex128
    assert weights.real.all()
    assert weights.imag.all()


def test_every_fourth_cotangent_is_one_element() -> None:
    counts = [np.count_nonzero(cotangent(MAE, seed, np.ones((5, 5)))) for seed in range(2 * ONE_HOT_EVERY)]
    assert counts == 2 * [25, 25, 25, 1]


def test_a_scalar_has_a_cotangent_too() -> None:
    assert all(cotangent(MAE, seed, np.array(2.0)) != 0 for seed in range(ONE_HOT_EVERY))


def test_a_relative_cotangent_is_as_small_as_its_value() -> None:
    weights = cotangent(FAR_FIELD, 0, np.array([1e-9, 1.0, 2.0]))
    assert abs(weights[0]) < 1e-6 * abs(weights[2])


def test_a_relative_cotangent_asks_for_the_gradient_at_zero() -> None:
    assert cotangent(FAR_FIELD, 0, np.array([0.0, 1.0, 2.0]))[0] != 0
    assert cotangent(FAR_FIELD, 0, np.zeros((2, 2))).all()


def test_a_case_is_read_as_it_is_written() -> None:
    case = parse_case(MAE, "odd/17")
    assert case == Case(MAE, MAE.stratum("odd"), 17)
    assert case.name == "odd/17"


@pytest.mark.parametrize("text", ["odd", "odd/", "odd/x", "odd/-1", "odd/1.5", "odd/1/2", "", "odd 17"])
def test_what_is_no_case(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_case(MAE, text)
    assert str(caught.value) == f"a case is written stratum/seed, such as odd/17; got '{text}'"


def test_an_unknown_stratum() -> None:
    with pytest.raises(UsageError, match=r"^unknown stratum 'ood' of losses\.mae; did you mean 'odd'\?$"):
        parse_case(MAE, "ood/17")


def test_a_measured_case_needs_its_data_set() -> None:
    with pytest.raises(UsageError, match=r"^unknown stratum 'measured' of losses\.mae"):
        parse_case(MAE, "measured/0")


def test_precisions_are_read_once_each_in_order() -> None:
    assert parse_precisions("f32") == (FLOAT32,)
    assert parse_precisions("f64,f32,f64") == (FLOAT64, FLOAT32)


@pytest.mark.parametrize(("text", "word"), [("f16", "f16"), ("f32, f64", " f64"), ("", "")])
def test_an_unknown_precision(text: str, word: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_precisions(text)
    assert str(caught.value) == f"unknown precision '{word}'; there are: f32, f64, wide"


def test_readings_are_tried_in_float64_alone() -> None:
    """Whatever is wanted: they are widened to it."""
    both = tuple(PRECISIONS.values())
    assert precisions_of({"amplitude": np.ones((1, 1, 2, 2), np.uint16)}, both) == (FLOAT64,)
    assert precisions_of({"amplitude": np.ones((1, 1, 2, 2)), "size": np.array(3)}, both) == both


def test_where_a_case_lies_is_in_its_specification() -> None:
    case = parse_case(MAE, "oblong/1")
    assert isinstance(case.spec, ExposureSpec)
    assert coordinates_of(MAE, "oblong/1") == case.coordinates == Coordinates(15, case.spec.photons)
    assert case.inputs()["observed"].shape[-2:] == (15, 8)


def test_a_contract_that_counts_nothing_has_no_photons() -> None:
    assert coordinates_of(ILLUMINATE, "even/1") == Coordinates(16, None)


def test_a_measured_case_has_the_frame_of_its_data_set() -> None:
    random = np.random.default_rng(1)
    patterns, probe = random.uniform(0, 9, (3, 8, 10)), np.ones((1, 8, 10), complex)
    dataset = Dataset(Path("scan.npz"), patterns, probe, np.zeros((3, 2)), None, ())
    assert coordinates_of(MAE, "measured/0", dataset) == Coordinates(10, None)


@pytest.mark.parametrize("text", ["measured/0", "ood/1", "even/x", "even"])
def test_of_a_case_that_cannot_be_found_nothing_is_known(text: str) -> None:
    assert coordinates_of(MAE, text) == Coordinates()
