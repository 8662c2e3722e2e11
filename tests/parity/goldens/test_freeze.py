"""A case becomes a golden."""

from dataclasses import replace

import numpy as np
import pytest

from parity.contracts.cases.case import parse_case
from parity.contracts.declared import REGISTRY
from parity.goldens import proof
from parity.goldens.errors import GoldenError
from parity.goldens.freeze import freeze, golden_inputs, require_current, truth_of
from parity.goldens.record import decode, encode
from parity.judging.measurement import measure_pair
from parity.judging.quantity import gradient_of, result_of
from parity.physics.precision import FLOAT32, FLOAT64

MAE, COUNT, NLL = (REGISTRY[name] for name in ("losses.mae", "scaling.count_photons", "losses.poisson_nll"))


def frozen_case(contract, name, frameworks, precision=FLOAT32):
    case = parse_case(contract, name)
    inputs, cotangents, precision = golden_inputs(case, precision)
    return freeze(contract, case.stratum.name, case.seed, precision, inputs, cotangents, frameworks)


def test_a_golden_holds_what_the_oracle_says_and_what_the_stacks_return(stacks) -> None:
    found = frozen_case(MAE, "even/0", stacks)
    golden = found.golden
    assert found.withheld == {}
    assert golden.name == "losses.mae/even-0"
    quantities = {result_of("mae"), gradient_of("predicted"), gradient_of("observed")}
    assert golden.oracle.keys() == golden.bounds.keys() == quantities
    assert {stack: outputs.keys() for stack, outputs in golden.outputs.items()} == {
        "tensorflow": quantities,
        "torch": quantities,
    }
    case = parse_case(MAE, "even/0")
    for name, array in case.inputs().items():
        np.testing.assert_array_equal(golden.inputs[name], array.astype(np.float32))
    expected = np.mean(np.abs(np.subtract(*(golden.inputs[n].astype(float) for n in ("predicted", "observed")))))
    np.testing.assert_allclose(golden.oracle[result_of("mae")], expected, rtol=1e-14)


def test_both_stacks_are_stored_within_their_bounds_and_within_twice_that_of_each_other(stacks) -> None:
    golden = frozen_case(MAE, "even/0", stacks).golden
    for quantity, bounded in golden.truth.items():
        one, other = (golden.outputs[stack][quantity] for stack in ("tensorflow", "torch"))
        assert (np.abs(one - bounded.value) <= golden.bounds[quantity]).all()
        label = truth_of(golden, MAE)._label(quantity, None)
        assert measure_pair(label, one, other, bounded).agrees


@pytest.mark.parametrize("precision", [FLOAT32, FLOAT64])
def test_what_is_frozen_twice_has_equal_bytes_and_survives_them(stacks, precision) -> None:
    one, other = (encode(frozen_case(MAE, "odd/3", stacks, precision).golden) for _ in range(2))
    assert one == other
    suffix = "" if precision is FLOAT32 else ".f64"
    again = decode(one, f"losses.mae/odd-3{suffix}")
    assert encode(again) == one
    assert {array.dtype for array in again.inputs.values()} == {np.dtype(precision.real)}
    assert {array.dtype for array in again.outputs["torch"].values()} == {np.dtype(precision.real)}


def test_readings_are_frozen_as_they_were_read_and_judged_in_float64_without_gradients(stacks) -> None:
    golden = frozen_case(COUNT, "readings/0", stacks, FLOAT32).golden
    assert golden.name == "scaling.count_photons/readings-0.f64"
    assert golden.precision is FLOAT64
    assert np.issubdtype(golden.inputs["amplitude"].dtype, np.integer)
    assert golden.cotangents == {}
    assert golden.oracle.keys() == {result_of("photons")}
    assert golden.outputs["torch"][result_of("photons")].dtype == np.float64


def test_a_flag_stays_a_flag(stacks) -> None:
    assert frozen_case(NLL, "even/0", stacks).golden.inputs["full"].dtype == bool


def test_arrays_are_stored_in_the_order_of_a_file(monkeypatch) -> None:
    """However a simulation lays them out: rounding depends on the order in which an array lies in memory."""
    case = parse_case(MAE, "odd/0")
    transposed = {name: np.asfortranarray(array) for name, array in case.inputs().items()}
    monkeypatch.setattr("parity.contracts.cases.case.Case.inputs", lambda self: transposed)
    inputs, cotangents, _ = golden_inputs(case, FLOAT32)
    assert not any(array.flags.c_contiguous for array in transposed.values())
    assert all(array.flags.c_contiguous for array in (*inputs.values(), *cotangents.values()))


def test_a_stack_that_is_wrong_is_left_out_whole_and_the_worst_of_it_is_said(stacks, break_torch) -> None:
    break_torch(1.001)
    found = frozen_case(MAE, "even/0", stacks)
    assert found.golden.outputs.keys() == {"tensorflow"}
    assert found.withheld.keys() == {"torch"}
    worst = found.withheld["torch"]
    assert worst.quantity == gradient_of("predicted")
    assert worst.ratio > 1000


def test_a_stack_that_raises_is_left_out_and_why_is_said(stacks, break_torch) -> None:
    def broken(predicted, observed):
        raise RuntimeError("no kernel\nand more")

    break_torch(broken)
    found = frozen_case(MAE, "even/0", stacks)
    assert found.golden.outputs.keys() == {"tensorflow"}
    assert found.withheld["torch"].fault == "raised RuntimeError: no kernel"


def test_a_fault_is_worse_than_any_ratio(stacks, break_torch) -> None:
    break_torch(lambda predicted, observed: (predicted - observed).abs().mean(dim=0) * 1e9)
    worst = frozen_case(MAE, "even/0", stacks).withheld["torch"]
    assert worst.fault is not None
    assert "shape" in worst.fault


def test_a_wrong_stack_changes_nothing_of_truth_or_proof(stacks, break_torch) -> None:
    right = frozen_case(MAE, "even/0", stacks).golden
    break_torch(1.001)
    wrong = frozen_case(MAE, "even/0", stacks).golden
    assert encode(replace(wrong, outputs={})) == encode(replace(right, outputs={}))


def test_without_frameworks_the_oracle_alone_is_frozen() -> None:
    found = frozen_case(MAE, "even/0", ())
    assert found.golden.outputs == found.withheld == {}
    assert found.golden.proof


def test_a_case_that_tells_no_fault_is_not_frozen(monkeypatch) -> None:
    monkeypatch.setattr(proof, "LEAST", np.inf)
    with pytest.raises(GoldenError) as refused:
        frozen_case(MAE, "even/0", ())
    known = len(proof.recognised_faults(MAE))
    assert str(refused.value) == (
        "losses.mae/even-0: expected a case that tells a fault of losses.mae from the truth by inf times the bound, "
        f"got one that tells none of {known}"
    )


def test_the_truth_of_a_golden_is_what_it_was_frozen_with(frozen) -> None:
    for contract in (MAE, COUNT):
        golden = frozen(contract.name)
        truth = truth_of(golden, contract)
        assert truth.quantities.keys() == golden.oracle.keys()
        for quantity, bounded in truth.quantities.items():
            np.testing.assert_array_equal(bounded.value, golden.oracle[quantity])
            np.testing.assert_array_equal(bounded.allowed, golden.bounds[quantity])


def without(arrays, name):
    return {key: array for key, array in arrays.items() if key != name}


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        (
            "inputs",
            lambda arrays: {**arrays, "mask": np.ones(3, np.float32)},
            "losses.mae/even-0: expected arguments of losses.mae, got mask",
        ),
        (
            "cotangents",
            lambda arrays: {"error": arrays["mae"]},
            "losses.mae/even-0: expected cotangents of mae, got error; `parity golden regen --inputs` makes it anew",
        ),
    ],
)
def test_a_golden_of_an_older_contract_is_not_judged(frozen, part, change, message) -> None:
    golden = frozen("losses.mae")
    with pytest.raises(GoldenError) as refused:
        require_current(replace(golden, **{part: change(getattr(golden, part))}), MAE)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: without(arrays, "observed"),
        lambda arrays: {**arrays, "observed": arrays["observed"][..., :-1]},
        lambda arrays: {**arrays, "observed": arrays["observed"][0]},
    ],
    ids=["an argument is missing", "shapes differ", "another rank"],
)
def test_inputs_that_a_contract_does_not_take_are_refused_and_the_way_out_is_named(frozen, change) -> None:
    golden = frozen("losses.mae")
    with pytest.raises(GoldenError, match=r"^losses.mae/even-0: .*; `parity golden regen --inputs` makes it anew$"):
        require_current(replace(golden, inputs=change(golden.inputs)), MAE)
