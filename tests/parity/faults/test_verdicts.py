"""What is said of defects that one stack and one example do not show."""

from contextlib import ExitStack

import pytest

from parity.contracts.declared import REGISTRY
from parity.faults import CATALOGUE
from parity.faults.injection import injected
from parity.judging.run import Plan, run
from parity.judging.verdict import Outcome, Verdict
from parity.physics.precision import FLOAT32, FLOAT64, Precision
from parity.stacks.base import Framework

CONTRACT = "optics.far_field_amplitude"
BOTH = ("tensorflow", "torch")


def verdict_with(defect: str, made_in: tuple[str, ...], stacks: tuple[Framework, ...], precision: Precision) -> Verdict:
    contract = REGISTRY[CATALOGUE[defect].target]
    with ExitStack() as made:
        for stack in made_in:
            made.enter_context(injected(CATALOGUE[defect], stack))
        return next(run(Plan((contract,), 20, (precision,)), stacks)).verdict


def test_a_mistake_made_in_both_stacks_is_seen_and_called_alike(stacks: tuple[Framework, ...]) -> None:
    verdict = verdict_with(f"{CONTRACT}/no-fftshift", BOTH, stacks, FLOAT64)
    assert verdict.outcome is Outcome.DISAGREE
    assert set(verdict.sides) == set(BOTH)
    assert verdict.alike


@pytest.mark.parametrize("stack", BOTH)
def test_a_common_gain_too_small_for_one_example_is_found_in_float32_by_pooling(
    stack: str, stacks: tuple[Framework, ...]
) -> None:
    verdict = verdict_with(f"{CONTRACT}/gain-1e-6", (stack,), stacks, FLOAT32)
    assert verdict.outcome is Outcome.DISAGREE
    assert verdict.sides == (stack,)
    assert verdict.failures == ()
    assert "has a common gain error between" in verdict.reason
