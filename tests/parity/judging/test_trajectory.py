"""Training in both stacks: as near to each other as either is to itself, and what a mistake does to that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ptycho.training
import ptycho_torch.forward
from parity.judging.trajectory import OPTIMIZERS, STEPS, Separation, separation
from parity.physics.precision import FLOAT32, FLOAT64
from parity.report.terminal import plain
from parity.report.trajectory import draw_separations, separation_table
from parity.stacks import load
from parity.stacks.base import Framework


@pytest.fixture(scope="module")
def frameworks() -> tuple[Framework, ...]:
    """Traced, as they are trained."""
    return load()


@pytest.mark.parametrize("precision", [FLOAT32, FLOAT64], ids=lambda precision: precision.real)
def test_fifty_steps_stay_within_what_one_ulp_does(frameworks, precision, tmp_path):
    found = separation(frameworks, precision, "adam", members=3)
    assert found.agrees, found.ratio
    assert found.apart.shape == (STEPS + 1,)
    assert found.apart[0] == 0
    assert found.apart[-1] > 0
    assert all(trajectory.losses[-1] < trajectory.losses[0] / 2 for trajectory in found.trajectories.values())
    assert "agree" in plain(separation_table([found]))
    assert all(path.stat().st_size > 1000 for path in draw_separations(tmp_path, [found]))


@pytest.mark.parametrize("optimizer", sorted(set(OPTIMIZERS) - {"adam"}))
def test_the_other_optimizers(frameworks, optimizer):
    assert separation(frameworks, FLOAT32, optimizer, steps=8, members=2).agrees


def stray(frameworks: tuple[Framework, ...], optimizer: str) -> Separation:
    return separation(frameworks, FLOAT32, optimizer, steps=8, members=2)


def test_a_momentum_that_is_forgotten(frameworks, monkeypatch):
    step: Callable[..., Any] = ptycho.training.sgd_step
    monkeypatch.setattr(
        ptycho.training, "sgd_step", lambda **given: step(**{**given, "momentum": 0 * given["momentum"]})
    )
    found = stray(frameworks, "sgd")
    assert not found.agrees
    assert found.apart[1] <= found.allowed[1]  # in the first step there is none yet


def test_a_gradient_that_is_one_in_a_thousand_too_large(frameworks, monkeypatch):
    objective: Callable[..., Any] = ptycho_torch.forward.training_objective

    def larger(*given: Any) -> Any:
        value = objective(*given)
        return value + 1e-3 * (value - value.detach())

    monkeypatch.setattr(ptycho_torch.forward, "training_objective", larger)
    assert not stray(frameworks, "sgd").agrees


def test_what_cannot_be_compared(frameworks):
    with pytest.raises(ValueError, match="frameworks: expected two, got 1"):
        separation(frameworks[:1], FLOAT32)
    with pytest.raises(ValueError, match="members: expected at least two, got 1"):
        separation(frameworks, FLOAT32, members=1)
    with pytest.raises(ValueError, match="optimizer: expected one of sgd, adam, adamw, got 'lbfgs'"):
        separation(frameworks, FLOAT32, "lbfgs")


def test_a_start_one_ulp_away_is_the_next_number():
    from parity.judging.trajectory import _one_ulp_away

    weights = np.array([1.0, -2.0, 0.1], np.float32)
    moved = _one_ulp_away(weights, 1)
    assert ((moved == np.nextafter(weights, np.float32(-9))) | (moved == np.nextafter(weights, np.float32(9)))).all()
    assert moved.dtype == np.float32
