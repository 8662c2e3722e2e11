"""Holding a contract with what a caller hands in: stacks, expectations, and whether failures are explained."""

import ast
from dataclasses import replace

import pytest

from parity._ground.repository import ROOT
from parity.contracts.cases.case import Case
from parity.contracts.cases.profiles import PROFILES
from parity.contracts.contract import Inputs
from parity.contracts.declared import REGISTRY
from parity.judging.run import Attempt, Holder, Plan, run
from parity.judging.truth import Clock, Truth
from parity.judging.verdict import Verdict
from parity.physics.precision import FLOAT32, FLOAT64, Precision
from parity.stacks.base import Framework
from parity.testing.holding import Given, Harness

MAE = REGISTRY["losses.mae"]
STRATA = replace(PROFILES["ci"], examples=0)
Stacks = tuple[Framework, ...]


class Memory:
    """Asks the oracle once of each case in each precision."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self._known: dict[tuple[str, str], Truth] = {}

    def expect(self, case: Case, inputs: Inputs, precision: Precision, clock: Clock) -> Truth:
        place = case.name, precision.name
        if place not in self._known:
            self.asked.append(place)
            self._known[place] = Truth.of(case, inputs, precision, clock)
        return self._known[place]


def test_the_oracle_is_asked_once_by_whoever_remembers_and_the_measurements_are_the_same(stacks: Stacks) -> None:
    memory = Memory()
    plan = Plan((MAE,), examples=1)
    (fresh,) = run(plan, stacks)
    for _ in range(2):
        attempt = Attempt(MAE, Holder(stacks, expect=memory.expect))
        facts_at = {stratum.name for stratum in MAE.strata}
        for case in plan.cases(MAE):
            attempt.holds(case, with_facts=case.seed == 0 and case.stratum.name in facts_at)
        assert attempt.end().measurements == fresh.measurements
    assert memory.asked == [(case.name, p.name) for case in plan.cases(MAE) for p in (FLOAT32, FLOAT64)]


@pytest.mark.parametrize("explains", [False, True])
def test_a_failure_is_explained_if_the_caller_wants_it(
    explains: bool, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ptycho_torch import losses

    right = losses.mae
    monkeypatch.setattr(losses, "mae", lambda predicted, observed: 2 * right(predicted, observed))
    verdicts: list[Verdict] = []
    with pytest.raises(pytest.fail.Exception) as failed:
        Harness(Given(Holder(stacks), explains), STRATA, verdicts).hold(MAE)
    assert str(failed.value).startswith("losses.mae: torch disagrees with the oracle (tensorflow agrees), case ")
    assert ("  cause: torch: " in str(failed.value)) is explains
    assert [verdict.sides for verdict in verdicts] == [("torch",)]


def test_the_product_patches_nothing_of_itself() -> None:
    for path in (ROOT / "parity").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.split(".")[0] == "unittest" for name in named), path
