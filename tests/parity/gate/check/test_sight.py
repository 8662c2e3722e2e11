from dataclasses import replace

import pytest

from parity.contracts.declared import REGISTRY
from parity.gate.check.noticing import noticed
from parity.gate.check.sight import blind, sights_of
from parity.judging.measurement import Measurement
from parity.judging.run import Plan, run_one

MAE = REGISTRY["losses.mae"]


@pytest.fixture(scope="module")
def held(stacks):
    """The contract, held, and all that it is held by."""
    return run_one(Plan((MAE,), 0), stacks), sights_of(MAE, {framework.name: framework for framework in stacks})


def test_a_right_judge_notices_all_that_is_wrong():
    assert all(noticed().values())


def test_a_judge_that_lets_things_pass_notices_less(monkeypatch):
    monkeypatch.setattr(Measurement, "agrees", property(lambda one: one.fault is None and one.ratio <= 1e6))
    unnoticed = [what for what, seen in noticed().items() if not seen]
    assert "1000 bounds off at (0, 0), y in f32" in unnoticed
    assert "nan at (-1, -1), y in f32" not in unnoticed


def test_a_contract_that_is_held_sees_everything(held):
    result, sights = held
    assert {sight.quantity.text for sight in sights.seen} == {m.quantity.text for m in result.measurements}
    assert list(blind(MAE, sights, result)) == []


def test_what_no_comparison_notices_is_said_of_all_at_once(held, stacks, monkeypatch):
    monkeypatch.setattr(Measurement, "agrees", True)
    (said,) = blind(MAE, sights_of(MAE, {framework.name: framework for framework in stacks}), held[0])
    assert said.startswith("what is wrong is no longer noticed: mae in f64 of tensorflow, ")
    assert said.endswith(" more; nothing at all is noticed")


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        (lambda m: not m.quantity.is_gradient, "nothing at all is noticed of gradients"),
        (lambda m: m.precision == "f64", "nothing at all is noticed in f32"),
        (lambda m: m.stack != "torch", "nothing at all is noticed in torch"),
        (lambda m: m.quantity.text != "∂/∂observed", "∂/∂observed in f64 of tensorflow, "),
        (lambda m: m.case != "odd/0", "not every stratum is tried any more: odd"),
    ],
)
def test_what_was_not_compared_is_said(held, kept, sentence):
    result, sights = held
    (said,) = blind(MAE, sights, replace(result, measurements=tuple(filter(kept, result.measurements))))
    assert sentence in said
