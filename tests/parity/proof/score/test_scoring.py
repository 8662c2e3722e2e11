"""One contract scored: what each way of looking sees of defects whose mathematics is known."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parity._ground.codes import AGREE, DISAGREE, NOT_CHECKED
from parity.contracts.changes import replaced, returning
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault, Rewrite
from parity.contracts.namespace import Namespace
from parity.faults.injection import injected
from parity.goldens.folder import GoldenSet
from parity.proof.score.preparation import Preparation
from parity.proof.score.result import ContractScore, Explained, Look, Seen
from parity.proof.score.scoring import Stacks, score_contract
from parity.proof.score.session import GOLDENS, held_by_pytest
from parity.stacks.base import Framework

Frameworks = tuple[Framework, ...]

MAE, ILLUMINATE = REGISTRY["losses.mae"], REGISTRY["optics.illuminate"]
CONTRACTS = (MAE, ILLUMINATE)


def detached(xp: Namespace, result: Any, a: Any) -> Any:
    return xp.detach(result)


def gain(relative: float) -> Any:
    return returning(lambda xp, result, a: xp.gain(result, relative))


def raising(xp: Namespace, a: Any) -> Any:
    raise ValueError("no")


DEFECTS = (
    Fault("losses.mae", "gain", "is off by a factor", gain(1e-3)),
    Fault("losses.mae", "fine-gain", "is off by a factor", gain(1e-12)),
    Fault("losses.mae", "detached", "is detached", returning(detached), stacks=("torch",)),
    Fault("losses.mae", "raising", "raises", replaced(raising), stacks=("torch",)),
    Fault("losses.mae", "offset", "has an offset", returning(lambda xp, r, a: r + 0.01), stacks=("torch",)),
    Fault("losses.mae", "nothing", "is as it is", gain(0.0), diagnosis=()),
    Fault("optics.illuminate", "gain", "is off by a factor", gain(1e-3)),
)
REWRITES = (
    Rewrite("losses.mae", "nothing", "is as it is", gain(0.0)),
    Rewrite("losses.mae", "no-rewrite", "is off by a factor", gain(0.01), stacks=("torch",)),
)


def factor_always(*asked: Any) -> Any:
    return SimpleNamespace(cause="is off by a factor")


def impossible(*asked: Any, **more: Any) -> Any:
    raise RuntimeError("lost")


@pytest.fixture(scope="module")
def eager(stacks) -> Stacks:
    by_name = {framework.name: framework for framework in stacks}
    return Stacks(by_name, by_name)


@pytest.fixture(scope="module")
def preparations(stacks) -> dict[str, Preparation]:
    goldens = GoldenSet.read(GOLDENS)
    return {contract.name: Preparation.of(contract, stacks, 2, goldens) for contract in CONTRACTS}


@pytest.fixture(scope="module")
def scored(preparations, eager) -> dict[str, ContractScore]:
    def of(name: str, changes: tuple[Any, ...]) -> list[Any]:
        return [change for change in changes if change.target == name]

    return {
        name: score_contract(preparation, eager, of(name, DEFECTS), of(name, REWRITES), factor_always)
        for name, preparation in preparations.items()
    }


@pytest.fixture
def of(scored):
    """The score of a defect in a stack."""
    found = {(one.defect, one.stack): one for contract in scored.values() for one in contract.defects}
    return lambda name, stack="torch": found[name, stack]


def test_every_defect_is_scored_in_each_of_its_stacks(scored):
    found = [(defect.defect, defect.stack) for contract in scored.values() for defect in contract.defects]
    assert found == [(defect.full_name, stack) for defect in DEFECTS for stack in defect.stacks]


VALUES = {Look.FLOAT32, Look.FLOAT64}


@pytest.mark.parametrize(
    ("name", "stack", "shows", "does_not", "first"),
    [
        ("losses.mae/gain", "torch", {*VALUES, Look.GRADIENT, Look.GOLDEN}, set(), Look.FLOAT32),
        ("losses.mae/gain", "tensorflow", {*VALUES, Look.GRADIENT, Look.GOLDEN}, set(), Look.FLOAT32),
        ("losses.mae/fine-gain", "torch", {Look.FLOAT64}, {Look.FLOAT32}, Look.FLOAT64),
        ("losses.mae/detached", "torch", {Look.GRADIENT}, VALUES, Look.GRADIENT),
        ("losses.mae/offset", "torch", {Look.FACT}, set(), Look.FLOAT32),
        ("losses.mae/nothing", "torch", set(), {*VALUES, Look.GRADIENT, Look.FACT, Look.GOLDEN}, "–"),
        ("optics.illuminate/gain", "torch", {Look.STAGE}, set(), Look.FLOAT32),
        ("optics.illuminate/gain", "tensorflow", {Look.STAGE}, set(), Look.FLOAT32),
    ],
)
def test_a_defect_shows_where_its_mathematics_says(of, name, stack, shows, does_not, first):
    found = of(name, stack)
    assert found.caught is found.sided is bool(shows)
    assert all(found.seen[look].caught > 0 for look in shows)
    assert all(found.seen[look].caught == 0 for look in does_not)
    assert found.first_column == first


def test_a_gain_shows_in_every_golden_and_the_first_example_that_shows_it_is_named(of, preparations):
    found = of("losses.mae/gain")
    assert found.seen[Look.GOLDEN].caught == found.seen[Look.GOLDEN].tried > 0
    assert found.any_column.first in [example.case.name for example in preparations["losses.mae"].examples]
    assert of("optics.illuminate/gain").seen[Look.STAGE].caught == 1


@pytest.mark.parametrize("name", ["losses.mae/detached", "losses.mae/nothing"])
def test_what_shows_in_no_value_no_tolerance_notices(of, name):
    assert all(seen.caught == 0 for seen in of(name).baselines.values())


def test_nobody_notices_what_is_no_defect(of):
    assert of("losses.mae/nothing").any_column == Seen(0, of("losses.mae/gain").any_column.tried)


def test_a_stack_that_raises_is_caught_in_every_example_by_everybody(of, preparations):
    found = of("losses.mae/raising")
    examples = preparations["losses.mae"].verdict.examples
    assert (found.any_column.caught, found.any_column.tried) == (examples, examples)
    assert found.baselines["rtol=1e-5, atol=1e-6 in float64"].caught == examples


def test_a_tolerance_is_credited_only_where_it_is_silent_on_correct_code(of, scored):
    strict = "np.testing.assert_allclose in float32"
    alarms = scored["losses.mae"].alarms[strict]
    seen = of("losses.mae/raising").baselines[strict]
    assert seen.caught + alarms.caught == seen.tried == alarms.tried


def test_a_cause_is_right_where_it_is_one_of_those_that_are(of):
    assert of("losses.mae/gain").explained.is_right
    assert not of("losses.mae/offset").explained.is_right
    assert of("losses.mae/nothing").explained == Explained(None, ())


def test_a_diagnosis_that_raises_is_a_wrong_answer(preparations, eager):
    (found,) = score_contract(preparations["losses.mae"], eager, DEFECTS[2:3], diagnose=impossible).defects
    assert found.explained.cause == "the diagnosis raised RuntimeError: lost"
    assert not found.explained.is_right


def test_a_rewrite_is_silent_or_its_alarm_is_told(scored):
    *silent, loud = scored["losses.mae"].rewrites
    assert [(r.rewrite, r.stack, r.silent, r.said) for r in silent] == [
        ("losses.mae/nothing", stack, True, "") for stack in ("tensorflow", "torch")
    ]
    assert not loud.silent
    assert "times the bound" in loud.said


def test_the_stacks_are_as_they_were(preparations, stacks):
    for preparation in preparations.values():
        assert preparation.verdict.agrees
        for example in preparation.examples[:2]:
            for framework in stacks:
                before, now = example.right[framework.name][0], example.hold(framework)[0]
                assert all(np.array_equal(now[name], before[name], equal_nan=True) for name in before)


def test_what_example_and_run_show_of_correct_code_is_small(scored):
    found = scored["losses.mae"]
    assert found.agrees
    assert 0 < found.epsilon < 1e-3
    assert found.pooled is None or 0 < found.pooled < 1e-3


ONE_EXAMPLE = ("--parity-profile", "ci", "--parity-examples", "1")


def test_pytest_is_asked_in_this_process():
    disk = Fault("probe.disk", "gain", "is off by a factor", gain(1e-3))
    assert held_by_pytest(["probe.disk"], ONE_EXAMPLE) == AGREE
    with injected(disk, "torch"):
        assert held_by_pytest(["probe.disk"], ONE_EXAMPLE) == DISAGREE
    assert held_by_pytest(["probe.disk"], ONE_EXAMPLE) == AGREE
    assert held_by_pytest(["no.such"], ONE_EXAMPLE) not in (AGREE, DISAGREE)


def test_a_session_that_breaks_is_no_contract_that_does_not_hold(monkeypatch):
    monkeypatch.setattr("parity.judging.run.judge", impossible)
    assert held_by_pytest(["probe.disk"], ONE_EXAMPLE) == NOT_CHECKED
