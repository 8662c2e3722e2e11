"""One rule in every command: what was not checked outweighs what is wrong, and a defect that is missed is 1."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parity import cli
from parity._ground.codes import AGREE, DISAGREE, NOT_CHECKED, USAGE, exit_code
from parity._ground.repository import ROOT
from parity.cli.explain import explain_command
from parity.cli.golden.reading import replay_command
from parity.cli.preflight import preflight_command
from parity.gate.preflight.findings import PreflightFinding, PreflightOutcome
from parity.goldens.replay import Replay, replay
from parity.judging.run import ContractRun, NotChecked
from parity.judging.verdict import Outcome
from parity.report.content import Report
from parity.report.gathering import gather
from parity.runs.isolation import Outcomes, hold
from parity.stacks.base import Framework

FEW = ("--examples", "0", "--precision", "f64", "--mode", "eager")
pytestmark = pytest.mark.usefixtures("in_process")

DECIDING = {"parity/_ground/codes.py", "parity/cli/__init__.py", "parity/cli/apart.py", "parity/cli/check.py"}
"""Where 3 is decided: of what was found or raised, of a process that ended without a word, of checks elsewhere."""


@pytest.mark.parametrize(
    ("wrong", "unchecked", "code"),
    [(False, False, 0), (True, False, 1), (False, True, 3), (True, True, 3)],
)
def test_what_was_not_checked_outweighs_what_is_wrong(wrong: bool, unchecked: bool, code: int) -> None:
    assert exit_code(wrong=wrong, unchecked=unchecked) == code
    assert (AGREE, DISAGREE, USAGE, NOT_CHECKED) == (0, 1, 2, 3)


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "parity").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_no_other_module_gives_a_number_the_meaning_of_an_exit_code() -> None:
    defining = {path for path, tree in sources() for node in tree.body if _is_number_of_a_code(node)}
    assert defining == {"parity/_ground/codes.py"}


def _is_number_of_a_code(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Assign):
        return False
    names = {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    numbers = {part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)}
    return bool(names & {"AGREE", "DISAGREE", "USAGE", "NOT_CHECKED", "BROKEN"} and numbers & {1, 2, 3})


def test_a_command_decides_nothing_but_what_is_wrong_and_what_is_unchecked() -> None:
    for path, tree in sources():
        if path.startswith("parity/cli/") and path not in DECIDING:
            read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            assert not read & {"DISAGREE", "NOT_CHECKED", "USAGE"}, path
            returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
            assert not any(isinstance(value, ast.Constant) and isinstance(value.value, int) for value in returned), path


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.fixture
def torn_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    from ptycho_torch import losses

    right = losses.mae
    monkeypatch.setattr(losses, "mae", lambda predicted, observed: right(predicted, observed) * (1 + 1e-9))


def test_a_run_that_lost_a_contract_is_not_checked_although_another_disagrees(
    torn_torch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_loss(*given: Any) -> Outcomes:
        held = hold(*given)
        return replace(held, found=(*held.found, NotChecked("scaling.count_photons", "lost")))

    assert ended("run", "losses.mae", *FEW) == DISAGREE
    monkeypatch.setattr("parity.cli.run.hold", with_a_loss)
    assert ended("run", "losses.mae", *FEW) == NOT_CHECKED


@pytest.mark.parametrize("outcome", [Outcome.UNDECIDED, Outcome.UNINFORMATIVE])
@pytest.mark.parametrize("torn", [False, True])
def test_a_contract_on_which_nothing_can_be_said_is_not_checked(
    outcome: Outcome, torn: bool, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if torn:
        request.getfixturevalue("torn_torch")

    def unjudged(run: ContractRun, *given: Any) -> Any:
        said = replace(run.verdict, outcome=outcome, reason="no bound", failures=(), sides=())
        return gather(replace(run, verdict=said) if run.verdict.contract == "losses.poisson_nll" else run, *given)

    monkeypatch.setattr("parity.runs.isolation.gather", unjudged)
    assert ended("run", "losses.mae", "losses.poisson_nll", *FEW) == NOT_CHECKED


def test_a_report_of_nothing_wrong_agrees() -> None:
    assert Report("", "", ()).weight is None


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("unjudged", [0, 2])
def test_explain(torn: bool, unjudged: int, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if torn:
        request.getfixturevalue("torn_torch")
    monkeypatch.setattr("parity.cli.explain.unjudged", lambda trees: unjudged)
    arguments = ["losses.mae", "--case", "odd/0", "--precision", "f64", "--mode", "eager"]
    code = explain_command.main(arguments, standalone_mode=False)
    assert code == (NOT_CHECKED if unjudged else DISAGREE if torn else AGREE)


def test_golden_replay(monkeypatch: pytest.MonkeyPatch, stacks: tuple[Framework, ...]) -> None:
    said = iter((Outcome.DISAGREE, Outcome.UNDECIDED))

    def replayed(*given: Any) -> Replay:
        found = replay(*given)
        return replace(found, verdict=replace(found.verdict, outcome=next(said, Outcome.AGREE)))

    monkeypatch.setattr("parity.cli.golden.reading.replay", replayed)
    monkeypatch.setattr("parity.cli.golden.reading.engaged_on_goldens", lambda *given: stacks)
    fixtures = str(ROOT / "fixtures" / "golden")
    names = ["losses.mae", "losses.poisson_nll"]
    assert replay_command.main([*names, "--fixtures", fixtures], standalone_mode=False) == NOT_CHECKED
    said = iter((Outcome.DISAGREE,))
    assert replay_command.main([*names, "--fixtures", fixtures], standalone_mode=False) == DISAGREE
    assert replay_command.main([*names, "--fixtures", fixtures], standalone_mode=False) == AGREE


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        (("passed", "noted"), AGREE),
        (("failed", "noted"), DISAGREE),
        (("not checked",), NOT_CHECKED),
        (("failed", "not checked"), NOT_CHECKED),
    ],
)
def test_preflight(outcomes: tuple[str, ...], code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    findings = [PreflightFinding("diffraction", PreflightOutcome(outcome), "") for outcome in outcomes]
    monkeypatch.setattr("parity.cli.preflight.data_findings", lambda path: findings)
    assert preflight_command.main(["--data", str(tmp_path)], standalone_mode=False) == code
