"""Fifty steps of training in both stacks, from the same weights and through the same batches.

Two runs that differ by one rounding drift apart, each as right as the other. How far two stacks may drift is therefore
not for anyone to choose: it is how far one stack drifts from itself when its first weights are moved by one unit in the
last place. A step is made of contracts, evaluated through the adapters: the gradient of `forward.reconstruction_loss`,
then an optimizer's step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.case import Case
from parity.contracts.contract import Inputs
from parity.contracts.declared import REGISTRY
from parity.physics.kinds import BIAS, KERNEL
from parity.physics.precision import Precision
from parity.stacks.base import Framework

LOSS = "forward.reconstruction_loss@32"

OPTIMIZERS: Mapping[str, Mapping[str, float]] = {
    "sgd": {"learning_rate": 1e-3, "momentum": 0.9},
    "adam": {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    "adamw": {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01},
}
"""Their hyperparameters, all of them explicit: the frameworks' defaults differ."""

STEPS, BATCHES, MEMBERS = 50, 4, 5
"""Steps of a trajectory, batches that it goes round, and trajectories of a stack that start one ulp apart."""

Vector = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """Weights (steps + 1, D), as one vector a step, and the loss before each step, (steps,)."""

    weights: Vector
    losses: Vector


@dataclass(frozen=True, slots=True, eq=False)
class Drift:
    """How far two stacks drift apart, and how far each drifts from itself, in one precision.

    `apart` is the distance of their weights, ‖θ_a − θ_b‖₂, after each step, (steps + 1,); `spread` by stack the largest
    distance of two of its trajectories that started within one ulp of each other.
    """

    precision: Precision
    optimizer: str
    trajectories: Mapping[str, Trajectory]
    apart: NDArray[np.float64]
    spread: Mapping[str, NDArray[np.float64]]

    @property
    def allowed(self) -> NDArray[np.float64]:
        """The larger spread of the two, after each step."""
        return np.max(list(self.spread.values()), axis=0)

    @property
    def ratio(self) -> float:
        """The largest distance in units of what is allowed, after the first step and later."""
        return float(np.max(self.apart[1:] / self.allowed[1:]))

    @property
    def agrees(self) -> bool:
        return self.ratio <= 1


def drift(
    frameworks: Sequence[Framework],
    precision: Precision,
    optimizer: str = "adam",
    steps: int = STEPS,
    members: int = MEMBERS,
    advance: Callable[[], None] = lambda: None,
) -> Drift:
    """Train both stacks, and each from weights one ulp away, and compare; `advance` is told of every step.

    Raises ValueError unless there are two frameworks, two members, and an optimizer of that name; StackError as
    `Framework.evaluate` does.
    """
    if len(frameworks) != 2:
        raise ValueError(f"frameworks: expected two, got {len(frameworks)}")
    if members < 2:
        raise ValueError(f"members: expected at least two, got {members}")
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer: expected one of {', '.join(OPTIMIZERS)}, got {optimizer!r}")
    batches = [case.inputs() for case in _cases()]
    first = _flat(batches[0], precision)
    starts = [first, *(_one_ulp_away(first, seed) for seed in range(1, members))]
    trajectories: dict[str, Trajectory] = {}
    spread: dict[str, NDArray[np.float64]] = {}
    for framework in frameworks:
        stack = _Stack(framework, precision, optimizer, batches, advance)
        runs = [stack.train(start, steps) for start in starts]
        trajectories[framework.name] = runs[0]
        pairs = combinations((run.weights for run in runs), 2)
        spread[framework.name] = np.max([_distance(one, other) for one, other in pairs], axis=0)
    one, other = (trajectories[framework.name].weights for framework in frameworks)
    return Drift(precision, optimizer, trajectories, _distance(one, other), spread)


def _cases() -> list[Case]:
    contract = REGISTRY[LOSS]
    return [Case(contract, contract.stratum("many"), seed) for seed in range(BATCHES)]


@cache
def _names() -> tuple[str, ...]:
    """The arguments of the loss that are parameters of the network, in their order."""
    return tuple(a.name for a in REGISTRY[LOSS].arguments if a.kind in (KERNEL, BIAS))


def _flat(inputs: Inputs, precision: Precision) -> Vector:
    return np.concatenate([inputs[name].ravel() for name in _names()]).astype(precision.real)


def _shaped(weights: Vector, like: Inputs) -> dict[str, NDArray[Any]]:
    """A vector of weights as the parameters by name."""
    ends = np.cumsum([like[name].size for name in _names()])
    pieces = np.split(weights, ends[:-1])
    return {name: piece.reshape(like[name].shape) for name, piece in zip(_names(), pieces, strict=True)}


def _one_ulp_away(weights: Vector, seed: int) -> Vector:
    """Every weight moved to its next neighbour above or below."""
    sides = np.random.default_rng(seed).choice((-np.inf, np.inf), weights.shape).astype(weights.dtype)
    return np.nextafter(weights, sides)


def _distance(one: Vector, other: Vector) -> NDArray[np.float64]:
    return np.linalg.norm(one.astype(np.float64) - other.astype(np.float64), axis=1)


class _Stack:
    """One stack with the weights that it is training."""

    def __init__(
        self,
        framework: Framework,
        precision: Precision,
        optimizer: str,
        batches: Sequence[Inputs],
        advance: Callable[[], None],
    ) -> None:
        self._framework, self._precision, self._batches, self._advance = framework, precision, batches, advance
        self._loss = replace(REGISTRY[LOSS], eager=False)  # fifty steps are worth a trace
        self._step = REGISTRY[f"training.{optimizer}_step"]
        self._hyperparameters = {name: np.array(value) for name, value in OPTIMIZERS[optimizer].items()}

    def train(self, start: Vector, steps: int) -> Trajectory:
        weights, losses = [start], []
        state = self._fresh(start)
        for number in range(steps):
            loss, gradient = self._gradient(weights[-1], self._batches[number % len(self._batches)])
            state = self._stepped(state, gradient, number + 1)
            losses.append(loss)
            weights.append(state[self._step.results[0].name])
            self._advance()
        return Trajectory(np.stack(weights), np.array(losses))

    def _gradient(self, weights: Vector, batch: Inputs) -> tuple[float, Vector]:
        inputs = {**batch, **_shaped(weights, batch)}
        one = {self._loss.results[0].name: np.array(1.0)}
        found = self._framework.evaluate(self._loss, inputs, self._precision, one)
        gradient = np.concatenate([found.gradients[name].ravel() for name in _names()])
        return float(found.values[self._loss.results[0].name]), gradient

    def _fresh(self, weights: Vector) -> dict[str, NDArray[Any]]:
        """The weights, and the memory of an optimizer before its first step."""
        return {r.name: weights if r is self._step.results[0] else np.zeros_like(weights) for r in self._step.results}

    def _stepped(self, state: Mapping[str, NDArray[Any]], gradient: Vector, number: int) -> dict[str, NDArray[Any]]:
        given = {**state, "gradient": gradient, "count": np.array(number), **self._hyperparameters}
        inputs = {a.name: given[a.name] for a in self._step.arguments}
        return dict(self._framework.evaluate(self._step, inputs, self._precision).values)
