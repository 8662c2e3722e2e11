"""The tests by hand, which the harness is timed beside: they hold of correct stacks, and would not of wrong ones."""

import importlib.util
import sys

import numpy as np
import pytest

from parity._ground.repository import ROOT
from parity.stacks import load

_SPEC = importlib.util.spec_from_file_location("by_hand", ROOT / "benchmarks" / "by_hand.py")
by_hand = sys.modules[_SPEC.name] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(by_hand)

BY_NAME = {written.contract: written for written in by_hand.BY_HAND}
RANDOM = np.random.default_rng(1)
OBSERVED = RANDOM.uniform(1, 9, (1, 1, 4, 4))
WAVES = RANDOM.standard_normal((1, 1, 1, 4, 4)) + 1j * RANDOM.standard_normal((1, 1, 1, 4, 4))
EXAMPLES = {name: (WAVES,) if "far" in name else (OBSERVED + 1.0, OBSERVED) for name in BY_NAME}


@pytest.mark.parametrize("name", BY_NAME)
def test_correct_stacks_pass_by_hand(name):
    BY_NAME[name].values(*EXAMPLES[name])
    for check in (by_hand.ALONG_ONE_DIRECTION, by_hand.ALONG_EVERY_AXIS):
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
    for check in (by_hand.ALONG_ONE_DIRECTION, by_hand.ALONG_EVERY_AXIS):
        with pytest.raises(Exception, match="mismatch"):
            BY_NAME["losses.mae"].gradients(check, *EXAMPLES["losses.mae"])


def test_each_part_is_timed():
    (found,) = by_hand.time_beside(("losses.mae",), load(mode="eager"), examples=1, size=8)
    assert (found.contract, found.size) == ("losses.mae", 8)
    assert min(found.values, found.one_direction, found.every_axis, found.harness) > 0


def test_a_wrong_stack_is_not_timed(monkeypatch):
    from ptycho_torch import losses

    right = losses.mae
    monkeypatch.setattr(losses, "mae", lambda predicted, observed: right(predicted, observed) * 1.01)
    with pytest.raises(AssertionError):
        list(by_hand.time_beside(("losses.mae",), load(mode="eager"), examples=1, size=8))


def test_the_table_has_a_row_for_each_contract_asked(monkeypatch, capsys):
    row = by_hand.Beside("losses.mae", 64, values=0.02, one_direction=0.04, every_axis=9.98, harness=0.01)
    monkeypatch.setattr(by_hand, "time_beside", lambda names, frameworks: [row] if names == ["losses.mae"] else [])
    by_hand.main(["losses.mae"])
    assert capsys.readouterr().out.splitlines()[1].split("\t") == [
        *("losses.mae", "64", "20", "40", "9.98e+03", "10", "6.0", "1000")
    ]
