"""The samplers are Poisson's, wrong ones are found, and right ones are left in peace as often as is claimed."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from parity.contracts.declared.sampling import SAMPLERS
from parity.judging.samplers import (
    FALSE_ALARM,
    LEVELS,
    Sampler,
    _p_of_mean,
    _p_of_shape,
    _p_of_variance,
    drawn_at,
    judge_samplers,
    simulation_sampler,
    stack_samplers,
    visible_mean,
    visible_variance,
)
from parity.physics.precision import FLOAT32
from parity.report.samplers import sampler_table
from parity.report.terminal import plain
from parity.stacks import load

Drawn = NDArray[np.float64]


def sampler(draw: Callable[[np.random.Generator, float, int], Any], **options: Any) -> Sampler:
    return Sampler(
        "made up", "test", lambda mean, draws, seed: np.asarray(draw(np.random.default_rng(seed), mean, draws), float),
        **options,
    )  # fmt: skip


RIGHT = sampler(lambda random, mean, draws: random.poisson(mean, draws))


@pytest.mark.parity
def test_every_sampler_counts_photons():
    samplers = (*stack_samplers(load()), simulation_sampler())
    judgement = judge_samplers(samplers)
    assert judgement.failures == ()
    assert judgement.agrees
    assert len(samplers) == 2 * len(SAMPLERS) * 2 + 1
    assert judgement.threshold == FALSE_ALARM / (3 * len(samplers) * len(LEVELS))
    assert min(p for one in judgement.judged for p in one.p.values()) > judgement.threshold


def normal(random: np.random.Generator, mean: float, draws: int) -> Drawn:
    return np.maximum(0, np.round(mean + math.sqrt(mean) * random.standard_normal(draws)))


WRONG = {
    "the normal approximation": (normal, {0.01, 0.1, 1.0, 10.0}),
    "half a photon added": (lambda random, mean, draws: random.poisson(mean + 0.5, draws), {0.01, 0.1, 1, 10, 100}),
    "twice the variance": (lambda random, mean, draws: random.negative_binomial(mean, 0.5, draws), set(LEVELS)),
    "clamped at 16 bits": (
        lambda random, mean, draws: np.minimum(random.poisson(mean, draws), 2**16 - 1),
        {1e5, 1e6, 1e7, 1e8},
    ),
    "an amplitude where the intensity is meant": (
        lambda random, mean, draws: random.poisson(math.sqrt(mean), draws),
        set(LEVELS) - {1.0},
    ),
    "an intensity where the amplitude is meant": (
        lambda random, mean, draws: random.poisson(mean**2, draws),
        set(LEVELS) - {1.0},
    ),
    "one count for all pixels": (lambda random, mean, draws: np.full(draws, float(random.poisson(mean))), set(LEVELS)),
    "no noise": (lambda random, mean, draws: np.full(draws, np.round(mean)), set(LEVELS)),
}


@pytest.mark.parametrize(("draw", "levels"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_distribution_is_found_where_it_differs(draw, levels):
    judgement = judge_samplers([sampler(draw)])
    found = {one.level for one in judgement.judged if judgement.convicts(one)}
    assert not judgement.agrees
    assert found == levels


@pytest.mark.parametrize(
    ("draw", "options", "fault"),
    [
        (lambda random, mean, draws: random.normal(mean, 0.1, draws), {}, "gave values that are no whole counts"),
        (lambda random, mean, draws: -random.poisson(mean, draws), {}, "gave values that are negative or not finite"),
        (lambda random, mean, draws: np.full(draws, np.nan), {}, "gave values that are negative or not finite"),
        (lambda random, mean, draws: random.poisson(mean, draws) * 0.7, {"amplitude": True}, "gave no roots of counts"),
    ],
)
def test_what_is_no_count_is_a_fault(draw, options, fault):
    judgement = judge_samplers([sampler(draw, **options)], levels=[10.0])
    assert judgement.failures == (f"made up: at a mean of 10 photons: {fault}",)


def test_the_root_of_a_count_is_recognised_in_single_precision():
    def draw(random: np.random.Generator, mean: float, draws: int) -> Drawn:
        return np.sqrt(random.poisson(mean, draws)).astype(np.float32)

    assert judge_samplers([sampler(draw, amplitude=True, precision=FLOAT32)]).agrees


def test_a_stack_that_raises_or_returns_another_precision_is_at_fault(stacks, monkeypatch):
    monkeypatch.setattr("ptycho_torch.sampling.sample_counts", lambda intensity, seed: 1 / 0)
    monkeypatch.setattr("ptycho_torch.sampling.sample_amplitude", lambda intensity, seed: intensity.to(torch.float32))
    here = [one for one in stack_samplers(stacks) if one.source == "torch"]
    faults = [one.fault for one in judge_samplers(here, levels=[1.0], draws=10).judged]
    raised, wrong_precision = "raised ZeroDivisionError: division by zero", "returned float32 of shape (1, 1, 1, 10)"
    assert faults == [raised, raised, "", f"{wrong_precision}, expected 10 of float64"]


P_VALUES = {"mean": _p_of_mean, "variance": _p_of_variance, "shape": _p_of_shape}
REPETITIONS = 2000


@pytest.mark.parametrize("test", P_VALUES)
@pytest.mark.parametrize("mean", [0.01, 1.0, 30.0, 1e4])
def test_right_samplers_are_convicted_no_more_often_than_is_claimed(test, mean):
    """At a p-value that can be counted: its binomial frequency lies within 6 standard deviations."""
    random, p = np.random.default_rng(0), 0.05
    convicted = sum(
        P_VALUES[test](random.poisson(mean, 1000).astype(float), mean) <= p for _ in range(REPETITIONS)
    )  # fmt: skip
    assert convicted <= REPETITIONS * p + 6 * math.sqrt(REPETITIONS * p * (1 - p))


@pytest.mark.parametrize("level", [0.01, 1.0, 1e4, 1e8])
def test_a_deviation_of_the_visible_size_is_seen(level):
    """Its mean alone, then its variance alone, by a mixture of two Poisson laws."""
    draws, (threshold,) = drawn_at(level), {judge_samplers([RIGHT]).threshold}
    off = 1 + visible_mean(level, draws, threshold)
    brighter = sampler(lambda random, mean, draws: random.poisson(mean * off, draws))
    assert not judge_samplers([brighter], levels=[level]).agrees
    excess = 1.25 * visible_variance(level, draws, threshold) / level
    if excess < 1:
        gain = math.sqrt(excess)
        mixed = sampler(
            lambda random, mean, draws: random.poisson(mean * (1 + gain * random.choice((-1, 1), draws)), draws)
        )
        assert not judge_samplers([mixed], levels=[level]).agrees


def test_the_same_seeds_judge_alike():
    one, other = (judge_samplers([RIGHT], levels=[1.0, 10.0], draws=1000) for _ in range(2))
    assert [judged.p for judged in one.judged] == [judged.p for judged in other.judged]


def test_nothing_judged_is_no_agreement():
    assert not judge_samplers([]).agrees


def test_the_table_names_what_fails():
    wrong = sampler(WRONG["twice the variance"][0])
    shown = plain(sampler_table(judge_samplers([wrong], levels=[100.0])))
    assert "made up: at a mean of 100 photons the variance of 60,000 counts is not Poisson's: p = " in shown
    assert "1 of 1 samplers are not Poisson's: made up" in shown


def test_the_table_says_what_a_pass_is_worth():
    shown = plain(sampler_table(judge_samplers([RIGHT], levels=[1.0, 100.0])))
    assert "1 sampler is Poisson's: 6 tests, which together raise a false alarm with a probability of 1e-09" in shown
    assert "60,000" in shown
