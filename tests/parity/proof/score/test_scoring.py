"""One contract scored: what each way of looking sees of defects whose mathematics is known."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parity._ground.codes import AGREE, DISAGREE, NOT_CHECKED
from parity.contracts.changes import replaced, returning
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault, Rewrite
from parity.contracts.namespace import Namespace
from parity.faults.injection import injected
from parity.goldens.folder import GoldenSet
from parity.proof.score.preparation import Preparation
from parity.proof.score.result import ContractScore, DefectScore, Look
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


def factor_always(contract: Contract, framework: Framework, measurements: Any) -> Any:
    return SimpleNamespace(cause="is off by a factor")


def impossible(contract: Contract, framework: Framework, measurements: Any) -> Any:
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
    def changes_of(name: str, changes: tuple[Any, ...]) -> list[Any]:
        return [change for change in changes if change.target == name]

    return {
        name: score_contract(preparation, eager, changes_of(name, DEFECTS), changes_of(name, REWRITES), factor_always)
        for name, preparation in preparations.items()
    }


@pytest.fixture
def of(scored) -> Any:
    """The score of a defect in a stack."""

    def find(name: str, stack: str = "torch") -> DefectScore:
        contract = scored[name.split("/")[0]]
        return next(defect for defect in contract.defects if (defect.defect, defect.stack) == (name, stack))

    return find


def test_every_defect_is_scored_in_each_of_its_stacks(scored):
    found = [(defect.defect, defect.stack) for contract in scored.values() for defect in contract.defects]
    assert found == [(defect.full_name, stack) for defect in DEFECTS for stack in defect.stacks]


def test_a_plain_defect_shows_in_every_example_and_its_side_is_named(of):
    for stack in ("torch", "tensorflow"):
        found = of("losses.mae/gain", stack)
        assert found.caught
        assert found.sided
        for column in (Look.FLOAT32, Look.FLOAT64, Look.GRADIENT):
            assert found.seen[column].caught > 0
        assert found.seen[Look.GOLDEN].caught == found.seen[Look.GOLDEN].tried > 0
        assert found.first_column == Look.FLOAT32


def test_a_gain_far_below_a_float32_shows_in_float64_alone(of):
    found = of("losses.mae/fine-gain")
    assert found.caught
    assert found.seen[Look.FLOAT32].caught == 0
    assert found.seen[Look.FLOAT64].caught > 0
    assert found.first_column == Look.FLOAT64


def test_what_is_wrong_with_a_gradient_shows_in_no_value(of):
    found = of("losses.mae/detached")
    assert found.caught
    assert found.seen[Look.FLOAT32].caught == found.seen[Look.FLOAT64].caught == 0
    assert found.seen[Look.GRADIENT].caught > 0
    assert all(seen.caught == 0 for seen in found.baselines.values())


def test_a_law_that_is_broken_is_seen(of):
    assert of("losses.mae/offset").seen[Look.FACT].caught > 0


def test_a_stack_that_raises_is_caught_in_every_example_by_everybody(of, preparations):
    found = of("losses.mae/raising")
    examples = preparations["losses.mae"].verdict.examples
    assert (found.any_column.caught, found.any_column.tried) == (examples, examples)
    correct = {name: seen.caught for name, seen in of("losses.mae/raising").baselines.items()}
    assert correct["rtol=1e-5, atol=1e-6 in float64"] == examples


def test_nobody_notices_what_is_no_defect(of):
    found = of("losses.mae/nothing")
    assert not found.caught
    assert found.any_column.caught == 0
    assert found.any_column.first == ""
    assert found.first_column == "–"
    assert all(seen.caught == 0 for seen in found.baselines.values())


def test_the_first_example_that_shows_it_is_named(of, preparations):
    names = [example.case.name for example in preparations["losses.mae"].examples]
    assert of("losses.mae/gain").any_column.first in names


def test_the_stage_of_a_composition_is_named(of):
    for stack in ("torch", "tensorflow"):
        assert of("optics.illuminate/gain", stack).seen[Look.STAGE].caught == 1


def test_a_tolerance_is_credited_only_where_it_is_silent_on_correct_code(of, scored):
    strict = "np.testing.assert_allclose in float32"
    alarms = scored["losses.mae"].alarms[strict]
    seen = of("losses.mae/raising").baselines[strict]
    assert seen.caught + alarms.caught == seen.tried == alarms.tried


def test_a_cause_is_right_where_it_is_one_of_those_that_are(of):
    assert of("losses.mae/gain").explained.is_right
    assert not of("losses.mae/offset").explained.is_right
    assert of("losses.mae/nothing").explained.cause is None
    assert of("losses.mae/nothing").explained.is_right


def test_a_diagnosis_that_raises_is_a_wrong_answer(preparations, eager):
    (found,) = score_contract(preparations["losses.mae"], eager, DEFECTS[2:3], diagnose=impossible).defects
    assert found.explained is not None
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
                assert before is not None
                assert now is not None
                assert all(np.array_equal(now[name], before[name], equal_nan=True) for name in before)


def test_what_example_and_run_show_of_correct_code_is_small(scored):
    found = scored["losses.mae"]
    assert found.agrees
    assert found.epsilon is not None
    assert 0 < found.epsilon < 1e-3
    assert found.pooled is None or 0 < found.pooled < 1e-3


def test_pytest_is_asked_in_this_process():
    arguments = ("--parity-profile", "ci", "--parity-examples", "1")
    disk = Fault("probe.disk", "gain", "is off by a factor", gain(1e-3))
    assert held_by_pytest(["probe.disk"], arguments) == AGREE
    with injected(disk, "torch"):
        assert held_by_pytest(["probe.disk"], arguments) == DISAGREE
    assert held_by_pytest(["probe.disk"], arguments) == AGREE
    assert held_by_pytest(["no.such"], arguments) not in (AGREE, DISAGREE)


def test_a_session_that_breaks_is_no_contract_that_does_not_hold(monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("of the harness")

    monkeypatch.setattr("parity.judging.run.judge", broken)
    assert held_by_pytest(["probe.disk"], ("--parity-profile", "ci", "--parity-examples", "1")) == NOT_CHECKED
