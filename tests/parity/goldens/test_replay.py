"""Stored inputs through a stack as it is now."""

from dataclasses import replace

import numpy as np
import pytest

from parity.contracts.declared import REGISTRY
from parity.goldens import freeze
from parity.goldens.errors import GoldenError
from parity.goldens.message import replay_message, replay_table
from parity.goldens.replay import replay, stored_truth
from parity.judging.quantity import gradient_of, result_of
from parity.judging.verdict import Outcome
from parity.report.terminal import plain

MAE, FAR_FIELD, COUNT = (
    REGISTRY[name] for name in ("losses.mae", "optics.far_field_amplitude", "scaling.count_photons")
)
ERROR = result_of("mae")
OTHER = {"torch": "tensorflow", "tensorflow": "torch"}


@pytest.fixture
def alone(stacks):
    """One stack by name, as where the other is not installed."""
    return lambda name: tuple(stack for stack in stacks if stack.name == name)


def summary_of(*replays) -> str:
    return plain(replay_table(replays)).rstrip().splitlines()[-1]


@pytest.mark.parametrize("contract", [MAE, FAR_FIELD, COUNT], ids=lambda contract: contract.name)
@pytest.mark.parametrize("stack", ["torch", "tensorflow"])
def test_a_right_stack_holds_a_golden_without_the_other_stack(frozen, alone, contract, stack) -> None:
    replayed = replay(frozen(contract.name), contract, alone(stack))
    assert replayed.verdict.agrees
    assert replayed.verdict.worst.keys() == {stack}
    assert replayed.held_to == {stack: (OTHER[stack],)}
    assert replayed.moved == {stack: 0.0}
    assert summary_of(replayed) == "1 golden agrees with the oracle and with what the other stack returned"


def test_both_stacks_at_once_are_each_held_to_what_the_other_once_returned(frozen, stacks) -> None:
    replayed = replay(frozen("losses.mae"), MAE, stacks)
    assert replayed.verdict.agrees
    assert replayed.held_to == {"torch": ("tensorflow",), "tensorflow": ("torch",)}


def test_the_oracle_is_not_asked_again(frozen, stacks, monkeypatch) -> None:
    def asked(*_):
        raise AssertionError("the oracle was asked")

    monkeypatch.setattr(freeze, "bounded_values", asked)
    monkeypatch.setattr(freeze, "bounded_gradients", asked)
    for module in ("losses", "optics", "scaling"):
        name = {"losses": "mae", "optics": "far_field_amplitude", "scaling": "count_photons"}[module]
        monkeypatch.setattr(f"parity.physics.oracle.{module}.{name}", asked)
        contract = REGISTRY[f"{module}.{name}"]
        assert replay(frozen(contract.name), contract, stacks).verdict.agrees


def test_it_is_the_stored_oracle_that_judges(frozen, stacks) -> None:
    golden = frozen("losses.mae")
    moved = replace(golden, oracle={**golden.oracle, ERROR: golden.oracle[ERROR] + 4 * golden.bounds[ERROR]})
    verdict = replay(moved, MAE, stacks).verdict
    assert set(verdict.sides) == {"tensorflow", "torch"}
    assert verdict.alike


def test_it_is_the_stored_bound_that_judges(frozen, alone) -> None:
    golden = frozen("losses.mae")
    strict = replace(golden, bounds={q: bound * 1e-6 for q, bound in golden.bounds.items()}, outputs={})
    wide = replace(golden, bounds={q: bound * 1e6 for q, bound in golden.bounds.items()})
    assert not replay(strict, MAE, alone("torch")).verdict.agrees
    assert replay(wide, MAE, alone("torch")).verdict.agrees


def test_torch_is_held_to_what_tensorflow_returned(frozen, alone) -> None:
    """Were it not, an output that is stored of TensorFlow could be anything."""
    golden = frozen("losses.mae")
    off = golden.outputs["tensorflow"][ERROR] + np.float32(3 * golden.bounds[ERROR])
    stored = {**golden.outputs, "tensorflow": {**golden.outputs["tensorflow"], ERROR: off}}
    replayed = replay(replace(golden, outputs=stored), MAE, alone("torch"))
    assert replayed.verdict.outcome is Outcome.DISAGREE
    assert replayed.verdict.sides == ()
    first, why, _, command = replay_message(MAE, replayed, ["--stack", "torch"]).splitlines()
    assert first == "golden losses.mae/even-0: tensorflow and torch disagree with each other"
    assert why == "  mae, case even/0: the stacks are too far apart, each within its own bound"
    assert command == "  reproduce: parity golden replay losses.mae/even-0 --stack torch"


def test_a_stack_that_is_wrong_is_named_with_golden_place_and_the_line_that_repeats_it(
    frozen, stacks, alone, monkeypatch
) -> None:
    from ptycho_torch import optics

    right = optics.far_field_amplitude
    monkeypatch.setattr(optics, "far_field_amplitude", lambda exit_waves: right(exit_waves).mul(1 + 1e-3))
    golden = frozen("optics.far_field_amplitude")
    both, one = replay(golden, FAR_FIELD, stacks), replay(golden, FAR_FIELD, alone("torch"))
    first, finding, off, frozen_then, command = replay_message(FAR_FIELD, both).splitlines()
    assert first == "golden optics.far_field_amplitude/odd-0: torch disagrees with the oracle (tensorflow agrees)"
    assert finding.startswith("  torch, amplitude in float32: ")
    assert " at group " in finding
    assert " times the bound)" in finding
    assert off == "  off: amplitude, ∂/∂exit_waves"
    assert frozen_then.startswith(f"  frozen: {golden.provenance['date']} at ")
    assert command == "  reproduce: parity golden replay optics.far_field_amplitude/odd-0"
    assert replay_message(FAR_FIELD, one).splitlines()[0].endswith(": torch disagrees with the oracle")
    assert replay(golden, FAR_FIELD, alone("tensorflow")).verdict.agrees


def test_a_wrong_gradient_of_right_values_is_found(frozen, alone, break_torch) -> None:
    def detached(predicted, observed):
        value = (predicted - observed.detach()).abs().mean()
        return value + 0 * observed.sum()

    break_torch(detached)
    verdict = replay(frozen("losses.mae"), MAE, alone("torch")).verdict
    assert {failure.quantity for failure in verdict.failures} == {gradient_of("observed")}


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (
            lambda predicted, observed: (predicted - observed).abs().mean().double(),
            "returned float64, expected float32",
        ),
        (lambda predicted, observed: (predicted - observed).abs().mean(dim=0), "returned shape "),
        (lambda predicted, observed: (predicted - observed).abs().mean() * float("nan"), "NaN"),
        (lambda predicted, observed: 1 / 0, "raised ZeroDivisionError: division by zero"),
    ],
    ids=["precision", "shape", "NaN", "raises"],
)
def test_what_cannot_be_compared_disagrees(frozen, alone, break_torch, broken, fault) -> None:
    break_torch(broken)
    replayed = replay(frozen("losses.mae"), MAE, alone("torch"))
    assert replayed.verdict.sides == ("torch",)
    assert any(fault in (failure.fault or "") for failure in replayed.verdict.failures)
    assert fault in replay_message(MAE, replayed)


def test_nothing_has_moved_that_cannot_be_compared(frozen, alone, break_torch) -> None:
    break_torch(lambda predicted, observed: 1 / 0)
    assert replay(frozen("losses.mae"), MAE, alone("torch")).moved == {"torch": None}


def test_a_step_within_the_bound_agrees_and_is_said_in_bounds(frozen, alone, break_torch) -> None:
    golden = frozen("losses.mae")
    break_torch(1 + 2**-22)
    replayed = replay(golden, MAE, alone("torch"))
    assert replayed.verdict.agrees
    one_ulp = np.spacing(golden.outputs["torch"][ERROR]) / golden.bounds[ERROR]
    assert 0 < one_ulp < replayed.moved["torch"] < 1


def test_where_nothing_is_stored_of_the_other_stack_that_is_said(frozen, stacks, alone) -> None:
    golden = frozen("losses.mae")
    lone = replace(golden, outputs={"torch": golden.outputs["torch"]})
    assert replay(lone, MAE, alone("torch")).held_to == {"torch": ()}
    assert replay(lone, MAE, alone("tensorflow")).moved == {"tensorflow": None}
    assert summary_of(replay(lone, MAE, alone("torch")), replay(golden, MAE, alone("torch"))) == (
        "2 goldens agree with the oracle and with what the other stack returned, "
        "of which nothing is stored in losses.mae/even-0"
    )
    assert "of which nothing is stored in losses.mae/even-0" in summary_of(replay(lone, MAE, stacks))


def test_the_table_counts_what_disagrees(frozen, stacks, break_torch) -> None:
    break_torch(1.001)
    replays = [replay(frozen(contract.name), contract, stacks) for contract in (MAE, COUNT)]
    table = plain(replay_table(replays))
    heading, mae, count, *_ = table.splitlines()
    assert heading.split() == ["contract", "goldens", "tensorflow", "moved", "torch", "moved", "verdict"]
    assert mae.startswith("losses.mae ")
    assert mae.rstrip().endswith("1 of 1 disagree")
    assert count.rstrip().endswith("agree")
    assert "1 of 2 goldens disagrees" in table


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda golden: {"oracle": {ERROR: golden.oracle[ERROR]}, "bounds": {ERROR: golden.bounds[ERROR]}},
            "losses.mae/even-0: expected mae, ∂/∂observed, ∂/∂predicted, as losses.mae has them, got mae; "
            "`parity golden regen` brings it up to date",
        ),
        (
            lambda golden: {
                "oracle": {**golden.oracle, result_of("rmse"): golden.oracle[ERROR]},
                "bounds": {**golden.bounds, result_of("rmse"): golden.bounds[ERROR]},
            },
            "losses.mae/even-0: expected mae, ∂/∂observed, ∂/∂predicted, as losses.mae has them, "
            "got mae, rmse, ∂/∂observed, ∂/∂predicted; `parity golden regen` brings it up to date",
        ),
    ],
    ids=["fewer", "more"],
)
def test_a_golden_that_says_other_things_than_its_contract_is_not_judged(frozen, change, message) -> None:
    golden = frozen("losses.mae")
    with pytest.raises(GoldenError) as refused:
        stored_truth(replace(golden, **change(golden)), MAE)
    assert str(refused.value) == message
