import dataclasses

import pytest

from parity.contracts.changes import returning
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
from parity.faults import CATALOGUE, made
from parity.faults.collection import Collection
from parity.gate.check.sharpness import POOLED, sample, unnoticed
from parity.stacks import load

MAE = REGISTRY["losses.mae"]
STACKS = ("tensorflow", "torch")


@pytest.fixture(scope="module")
def frameworks():
    return {framework.name: framework for framework in load(mode="eager")}


def test_a_sample_has_so_many_of_each_stack():
    made = sample(MAE, STACKS, 3, "a")
    assert [stack for _, stack in made] == ["tensorflow"] * 3 + ["torch"] * 3
    assert all(defect.target == MAE.name for defect, _ in made)


def test_the_seed_says_which():
    assert sample(MAE, STACKS, 3, "a") == sample(MAE, STACKS, 3, "a")
    assert len({sample(MAE, STACKS, 3, seed) for seed in "abcdefgh"}) > 1


def test_what_only_many_examples_show_is_not_sampled():
    assert f"{MAE.name}/{POOLED}" in CATALOGUE
    assert POOLED not in {defect.name for defect, _ in sample(MAE, STACKS, 1000, "")}


def test_known_defects_are_noticed(frameworks):
    assert list(unnoticed(MAE, sample(MAE, STACKS, 4, "a"), frameworks)) == []


@pytest.fixture
def known(monkeypatch):
    """Make one more defect known to whoever makes it by its name."""

    def add(fault):
        monkeypatch.setattr(made, "KNOWN", Collection("defect", [fault]))
        return fault

    return add


def test_what_is_none_is_not_noticed(frameworks, known):
    harmless = known(Fault(MAE.name, "nothing", "does nothing", returning(lambda xp, value, a: value)))
    (said,) = unnoticed(MAE, [(harmless, "torch")], frameworks)
    assert said == "losses.mae/nothing, made in torch, is no longer noticed"


def test_a_contract_without_the_gradient_no_longer_notices_one_that_is_lost(frameworks):
    detached = [
        (defect, "torch") for defect in CATALOGUE.values() if defect.target == MAE.name and "detached" in defect.name
    ]
    assert detached
    assert list(unnoticed(MAE, detached, frameworks)) == []
    arguments = tuple(dataclasses.replace(argument, differentiable=False) for argument in MAE.arguments)
    blind = dataclasses.replace(MAE, arguments=arguments)
    assert len(list(unnoticed(blind, detached, frameworks))) == len(detached)


def test_what_can_no_longer_be_made_is_said(frameworks, known):
    moved = known(Fault(MAE.name, "moved", "lies elsewhere", returning(lambda xp, value, a: value), at="losses._gone"))
    (said,) = unnoticed(MAE, [(moved, "torch")], frameworks)
    assert said.startswith("losses.mae/moved, made in torch, cannot be made any more")
