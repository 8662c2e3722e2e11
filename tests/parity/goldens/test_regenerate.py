"""Goldens made anew from what they hold."""

from dataclasses import replace

import numpy as np
import pytest

from parity.contracts.cases.case import parse_case
from parity.contracts.cases.datasets import read_dataset
from parity.contracts.declared import REGISTRY
from parity.goldens import freeze as freezing
from parity.goldens import proof
from parity.goldens.drift import Nature
from parity.goldens.errors import GoldenError
from parity.goldens.freeze import freeze
from parity.goldens.message import outside_message, promoted_line
from parity.goldens.provenance import Stamp
from parity.goldens.record import encode
from parity.goldens.regenerate import promote, regenerate
from parity.goldens.replay import replay
from parity.judging.quantity import result_of
from parity.physics.precision import FLOAT32, FLOAT64

MAE = REGISTRY["losses.mae"]
LATER = "d" * 40


@pytest.fixture
def later(stamp) -> Stamp:
    return replace(stamp, reason="a year later", commit=LATER)


@pytest.fixture
def foreign(frozen, stamp, stacks):
    """A golden of inputs that its case does not simulate, as after a change of the simulation."""
    golden = frozen("losses.mae")
    inputs = {name: array * np.float32(1.5) for name, array in golden.inputs.items()}
    made = freeze(MAE, golden.stratum, golden.seed, golden.precision, inputs, golden.cotangents, stacks)
    return stamp.on(made.golden, "simulated", {})


@pytest.mark.parametrize("resimulate", [False, True])
@pytest.mark.parametrize("contract", ["losses.mae", "optics.far_field_amplitude", "scaling.count_photons"])
def test_where_nothing_drifts_a_golden_stays_as_it_is_provenance_and_all(frozen, later, contract, resimulate) -> None:
    golden = frozen(contract)
    found = regenerate(golden, REGISTRY[contract], later, resimulate)
    assert found.new is golden
    assert found.drifts == []
    assert found.outside == {}


def test_the_stored_inputs_are_what_it_is_made_from(foreign, later) -> None:
    found = regenerate(foreign, MAE, later)
    assert found.new is foreign


def test_inputs_are_simulated_anew_on_demand_alone_and_that_is_said_loudly(foreign, frozen, later) -> None:
    found = regenerate(foreign, MAE, later, resimulate=True)
    simulated = frozen("losses.mae")
    for name, array in simulated.inputs.items():
        np.testing.assert_array_equal(found.new.inputs[name], array)
    assert found.new.provenance["inputs"] == f"SIMULATED ANEW at {LATER}: a year later"
    assert found.drifts[0].nature is Nature.SEMANTIC
    assert {drift.array for drift in found.drifts} >= {"inputs/predicted", "inputs/observed", "oracle/value/mae"}


def test_where_inputs_come_from_is_remembered_when_it_is_recomputed(foreign, later, stamp) -> None:
    anew = regenerate(foreign, MAE, later, resimulate=True).new
    lost = replace(anew, outputs={})
    again = regenerate(lost, MAE, replace(stamp, reason="another")).new
    assert again.provenance["inputs"] == f"SIMULATED ANEW at {LATER}: a year later"
    assert again.provenance["reason"] == "another"


def test_what_drifted_is_found_and_the_new_golden_says_who_made_it(frozen, later, break_torch) -> None:
    golden = frozen("losses.mae")
    break_torch(1 + 2**-22)
    found = regenerate(golden, MAE, later)
    assert found.outside == {}
    assert {drift.array.split("/")[0] for drift in found.drifts} == {"torch"}
    assert {drift.nature for drift in found.drifts} == {Nature.ROUNDING}
    assert 0 < max(drift.bounds for drift in found.drifts) <= 1
    assert found.old is golden
    assert (found.new.provenance["commit"], found.new.provenance["reason"]) == (LATER, "a year later")
    np.testing.assert_array_equal(found.new.oracle[result_of("mae")], golden.oracle[result_of("mae")])


def test_recomputed_twice_it_is_the_same_bytes(frozen, later, break_torch) -> None:
    break_torch(1 + 2**-22)
    one = regenerate(frozen("losses.mae"), MAE, later).new
    other = regenerate(frozen("losses.mae"), MAE, later).new
    assert encode(one) == encode(other)
    assert regenerate(one, MAE, replace(later, reason="yet another")).new is one


def test_a_stack_that_is_outside_its_bounds_is_named_with_the_worst_of_it(frozen, later, break_torch) -> None:
    break_torch(1.001)
    found = regenerate(frozen("losses.mae"), MAE, later)
    assert found.outside.keys() == {"torch"}
    title, line = outside_message(MAE, found).splitlines()
    assert title == "golden losses.mae/even-0: outside the bounds that it would have now"
    assert line.startswith("  torch, ∂/∂predicted in float32: ")
    assert line.endswith(" times the bound)")


def test_a_change_of_the_oracle_is_a_change_of_meaning(frozen, later, monkeypatch) -> None:
    from parity.physics.oracle import losses

    right = losses.mae
    monkeypatch.setattr(losses, "mae", lambda predicted, observed: right(predicted, observed) * (1 + 1e-9))
    found = regenerate(frozen("losses.mae"), MAE, later)
    natures = {drift.array: drift.nature for drift in found.drifts}
    assert natures["oracle/value/mae"] is Nature.SEMANTIC
    assert not [array for array in natures if array.startswith(("inputs", "cotangents", "torch", "tensorflow"))]


def test_a_golden_that_has_come_to_tell_no_fault_is_not_made(frozen, later, monkeypatch) -> None:
    monkeypatch.setattr(proof, "LEAST", np.inf)
    with pytest.raises(GoldenError, match=r"^losses.mae/even-0: expected a case that tells a fault"):
        regenerate(frozen("losses.mae"), MAE, later)


def test_a_case_is_promoted_with_both_stacks(stamp, frozen) -> None:
    golden = promote(parse_case(MAE, "even/0"), FLOAT32, stamp, uncommitted={})
    assert encode(golden) == encode(frozen("losses.mae"))
    assert golden.provenance["inputs"] == "simulated"
    assert golden.provenance["withheld"] == {}
    assert promoted_line(golden) == f"losses.mae/even-0: tells {len(golden.proof)} faults from the truth"


def test_a_case_is_promoted_in_float64(stamp) -> None:
    golden = promote(parse_case(MAE, "even/0"), FLOAT64, stamp, uncommitted={})
    assert golden.name == "losses.mae/even-0.f64"
    assert golden.outputs["torch"][result_of("mae")].dtype == golden.inputs["observed"].dtype == np.float64


def test_a_failing_case_is_promoted_without_what_is_wrong_held_to_and_completed_once_it_is_right(
    stamp, later, stacks, break_torch, monkeypatch
) -> None:
    with monkeypatch.context() as while_wrong:
        from ptycho_torch import losses

        right = losses.mae
        while_wrong.setattr(losses, "mae", lambda predicted, observed: right(predicted, observed) * 1.001)
        golden = promote(parse_case(MAE, "odd/17"), FLOAT32, stamp, uncommitted={})
        assert golden.outputs.keys() == {"tensorflow"}
        assert list(golden.provenance["withheld"]) == ["torch"]
        said = golden.provenance["withheld"]["torch"]
        assert said.startswith("∂/∂predicted: ")
        assert said.endswith(" times its bound")
        assert promoted_line(golden).endswith(f" from the truth; torch withheld: {said}")
        assert replay(golden, MAE, stacks).verdict.sides == ("torch",)
        assert regenerate(golden, MAE, later).outside.keys() == {"torch"}
    assert replay(golden, MAE, stacks).verdict.agrees
    completed = regenerate(golden, MAE, later)
    assert {drift.nature for drift in completed.drifts} == {Nature.ADDED}
    assert completed.new.outputs.keys() == {"tensorflow", "torch"}
    assert completed.new.provenance["withheld"] == {}


def test_a_stack_that_raises_is_withheld_and_why_is_said(stamp, break_torch) -> None:
    break_torch(lambda predicted, observed: 1 / 0)
    withheld = promote(parse_case(MAE, "even/0"), FLOAT32, stamp, {}).provenance["withheld"]
    assert withheld == {"torch": "mae: raised ZeroDivisionError: division by zero"}


def test_a_stack_with_uncommitted_changes_is_withheld_however_right_it_is(stamp) -> None:
    golden = promote(parse_case(MAE, "even/0"), FLOAT32, stamp, {"torch": "ptycho_torch/losses.py"})
    assert golden.outputs.keys() == {"tensorflow"}
    assert golden.provenance["withheld"] == {"torch": "ptycho_torch/losses.py has uncommitted changes"}


def test_measured_exposures_are_kept_and_never_simulated(stamp, later, scan) -> None:
    golden = promote(parse_case(MAE, "measured/0", read_dataset(scan)), FLOAT32, stamp, uncommitted={})
    assert golden.name == "losses.mae/measured-0"
    assert golden.provenance["inputs"] == "measured: my scan.npz"
    scan.unlink()
    assert regenerate(golden, MAE, later).new is golden
    with pytest.raises(GoldenError, match=r"^losses.mae/measured-0: expected inputs that can be simulated, got meas"):
        regenerate(golden, MAE, later, resimulate=True)
    lost = replace(golden, outputs={})
    assert regenerate(lost, MAE, later).new.provenance["inputs"] == "measured: my scan.npz"


def test_nothing_is_simulated_where_inputs_are_kept(frozen, later, monkeypatch) -> None:
    def simulated(*_):
        raise AssertionError("inputs were simulated")

    monkeypatch.setattr("parity.contracts.cases.case.Case.inputs", simulated)
    monkeypatch.setattr(freezing, "golden_inputs", simulated)
    golden = frozen("losses.mae")
    assert regenerate(golden, MAE, later).new is golden
