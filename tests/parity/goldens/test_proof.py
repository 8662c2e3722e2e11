"""That a golden tells faults from the truth."""

import math

import numpy as np
import pytest

from parity.contracts.changes import returning
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
from parity.faults.in_oracle import made_in_oracle
from parity.faults.recognition import recognised_faults
from parity.goldens import proof
from parity.goldens.errors import GoldenError
from parity.goldens.proof import LEAST, MOST, proof_of, require_proof
from parity.goldens.replay import replay
from parity.judging.measurement import distance
from parity.judging.quantity import result_of

MAE, FAR_FIELD = REGISTRY["losses.mae"], REGISTRY["optics.far_field_amplitude"]


def made(monkeypatch, *faults) -> None:
    monkeypatch.setattr(proof, "recognised_faults", lambda contract: faults)


def off_by(bounds, truth, name="off"):
    """A fault that adds so many bounds to the mean."""
    allowed = truth[result_of("mae")].allowed
    return Fault("losses.mae", name, name, returning(lambda xp, mae, a: mae + bounds * allowed))


def test_a_golden_tells_every_fault_that_is_ten_bounds_off_and_no_other(frozen) -> None:
    for contract in (MAE, FAR_FIELD):
        golden = frozen(contract.name)
        truth = golden.truth
        wide = {name: array.astype(np.result_type(array, np.float64)) for name, array in golden.inputs.items()}
        told = {}
        for fault in recognised_faults(contract):
            wrong = made_in_oracle(fault, contract, wide, golden.oracle) or {}
            ratios = [distance(wrong[q], truth[q].value, truth[q].allowed).ratio for q in wrong]
            if max(ratios, default=0) >= LEAST == 10:
                told[fault.what] = float(f"{max(ratios):.2g}")
        assert golden.proof == told
        assert len(told) >= 20


@pytest.mark.parametrize(("bounds", "told"), [(10.01, {"off": 10.0}), (9.99, {}), (123.4, {"off": 120.0}), (0.0, {})])
def test_ten_bounds_is_the_least_and_two_digits_are_kept(frozen, monkeypatch, bounds, told) -> None:
    golden = frozen("losses.mae")
    made(monkeypatch, off_by(bounds, golden.truth))
    assert proof_of(MAE, golden.inputs, golden.truth) == told


def test_what_is_infinitely_far_off_is_a_number_in_json(frozen, monkeypatch) -> None:
    golden = frozen("losses.mae")
    made(monkeypatch, Fault("losses.mae", "off", "off", returning(lambda xp, mae, a: mae + np.inf)))
    assert proof_of(MAE, golden.inputs, golden.truth) == {"off": MOST}
    assert math.isfinite(MOST)


def test_a_fault_that_has_no_meaning_in_a_case_is_not_told(frozen, monkeypatch) -> None:
    golden = frozen("losses.mae")
    far = Fault("losses.mae", "far", "far", returning(lambda xp, mae, a: mae + 1e9), where=lambda inputs: False)
    made(monkeypatch, far)
    assert proof_of(MAE, golden.inputs, golden.truth) == {}


def test_readings_are_taken_as_they_are(frozen) -> None:
    """Widened, integers would no longer be readings."""
    golden = frozen("scaling.count_photons")
    assert proof_of(REGISTRY["scaling.count_photons"], golden.inputs, golden.truth) == golden.proof
    assert golden.proof


def test_no_proof_is_refused_with_what_was_tried() -> None:
    known = len(recognised_faults(MAE))
    with pytest.raises(
        GoldenError, match=f"^losses.mae/even-0: expected a case .*, got one that tells none of {known}$"
    ):
        require_proof("losses.mae/even-0", MAE, {})
    require_proof("losses.mae/even-0", MAE, {"off": 10.0})


def test_a_stack_that_makes_a_fault_of_the_proof_does_not_hold_the_golden(frozen, stacks, break_torch) -> None:
    """Of those whose formula fits in a line."""
    golden = frozen("losses.mae")
    faults = {
        "10⁻⁴ of it too large": lambda predicted, observed: (predicted - observed).abs().mean() * (1 + 1e-4),
        "squared": lambda predicted, observed: (predicted - observed).abs().mean() ** 2,
        "predicted enters squared": lambda predicted, observed: (predicted**2 - observed).abs().mean(),
        "a sum for a mean": lambda predicted, observed: (predicted - observed).abs().sum(),
    }
    torch = [stack for stack in stacks if stack.name == "torch"]
    for wrong in faults.values():
        break_torch(wrong)
        assert replay(golden, MAE, torch).verdict.sides == ("torch",)
