"""The harness beside tests by hand: that these hold of correct stacks, and would not of wrong ones."""

import numpy as np
import pytest

from parity.contracts.contract import UsageError
from parity.proof.bench import versus_by_hand as beside
from parity.proof.bench.by_hand import ALONG_EVERY_AXIS, ALONG_ONE_DIRECTION, BY_HAND
from parity.proof.bench.tables.comparisons import beside_table
from parity.proof.bench.versus_by_hand import CONTRACTS, Beside, chosen_by_hand, time_beside
from parity.report.terminal import plain
from parity.stacks import load
from parity.stacks.base import FrameworkMissing

BY_NAME = {written.contract: written for written in BY_HAND}
RANDOM = np.random.default_rng(1)
OBSERVED = RANDOM.uniform(1, 9, (1, 1, 4, 4))
WAVES = RANDOM.standard_normal((1, 1, 1, 4, 4)) + 1j * RANDOM.standard_normal((1, 1, 1, 4, 4))
EXAMPLES = {name: (WAVES,) if "far" in name else (OBSERVED + 1.0, OBSERVED) for name in CONTRACTS}


def test_those_written_by_hand_are_those_that_can_be_asked_for():
    assert tuple(BY_NAME) == CONTRACTS == chosen_by_hand(())
    assert chosen_by_hand(("losses.mae",)) == ("losses.mae",)
    with pytest.raises(UsageError, match=r"^by hand: expected one of .*, got losses.total_variation$"):
        chosen_by_hand(("losses.total_variation",))


@pytest.mark.parametrize("name", CONTRACTS)
def test_correct_stacks_pass_by_hand(name):
    BY_NAME[name].values(*EXAMPLES[name])
    for check in (ALONG_ONE_DIRECTION, ALONG_EVERY_AXIS):
        BY_NAME[name].gradients(check, *EXAMPLES[name])


@pytest.mark.parametrize("package", ["ptycho", "ptycho_torch"])
def test_a_wrong_stack_fails_by_hand(package, monkeypatch):
    import importlib

    losses = importlib.import_module(f"{package}.losses")
    right = losses.mae
    monkeypatch.setattr(losses, "mae", lambda predicted, observed: right(predicted, observed) * 1.01)
    with pytest.raises(AssertionError):
        BY_NAME["losses.mae"].values(*EXAMPLES["losses.mae"])


def test_a_gradient_without_a_path_fails_by_hand(monkeypatch):
    from ptycho_torch import losses

    right = losses.mae
    monkeypatch.setattr(losses, "mae", lambda predicted, observed: right(predicted, observed.detach()))
    for check in (ALONG_ONE_DIRECTION, ALONG_EVERY_AXIS):
        with pytest.raises(Exception, match="mismatch"):
            BY_NAME["losses.mae"].gradients(check, *EXAMPLES["losses.mae"])


def test_each_part_is_timed():
    (found,) = time_beside(("losses.mae",), load(mode="eager"), examples=1, size=8)
    assert (found.contract, found.size) == ("losses.mae", 8)
    assert min(found.values, found.one_direction, found.every_axis, found.harness) > 0


def test_a_wrong_stack_is_not_timed(monkeypatch):
    from ptycho_torch import losses

    right = losses.mae
    monkeypatch.setattr(losses, "mae", lambda predicted, observed: right(predicted, observed) * 1.01)
    with pytest.raises(AssertionError):
        list(time_beside(("losses.mae",), load(mode="eager"), examples=1, size=8))


def test_one_framework_or_no_hypothesis_is_not_enough(monkeypatch):
    with pytest.raises(FrameworkMissing, match="both frameworks and Hypothesis"):
        list(time_beside(CONTRACTS, load(["torch"]), 1))
    monkeypatch.setattr(beside, "find_spec", lambda name: None)
    with pytest.raises(FrameworkMissing, match="both frameworks and Hypothesis"):
        list(time_beside(CONTRACTS, load(), 1))


def test_the_table_shows_each_number():
    row = Beside("losses.mae", 64, values=0.02, one_direction=0.04, every_axis=9.98, harness=0.01)
    text = plain(beside_table([row]))
    assert ["losses.mae", "64", "20", "40", "9,980", "10", "6.0", "1,000"] in [
        line.split() for line in text.splitlines()
    ]
