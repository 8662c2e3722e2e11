"""Steps of an optimizer: parameters, their gradient, and the optimizer's memory of earlier steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.families.family import (
    Real,
    Shape,
    Spec,
    Stratum,
    between_orders,
    log_uniform,
    pass_over,
    pick,
)


@dataclass(frozen=True, slots=True)
class OptimizerSpec(Spec):
    """A step of so many parameters as fill the frame: its number, from 1, and the size of a gradient."""

    stratum: OptimizerStratum
    step: int
    gradient: float


@dataclass(frozen=True, slots=True)
class OptimizerStratum(Stratum):
    """A region of an optimizer's steps. `log10_forgetting` is of 1 − β; `unused` parameters have no gradient."""

    steps: tuple[int, ...] = (1, 2, 10, 1000)
    log10_gradient: tuple[float, float] = (-4.0, 0.0)
    log10_forgetting: tuple[float, float] = (-4.0, -0.3)
    unused: bool = False

    specification: ClassVar[type[OptimizerSpec]] = OptimizerSpec

    def draw(self, seed: int) -> OptimizerSpec:
        """The specification number `seed`."""
        random = self.stream(seed)
        pass_over(random, 2, 2, 3)
        random.random()
        pass_over(random, 2, 4, 4, 3)
        step, gradient = pick(random, self.steps), float(10 ** random.uniform(*self.log10_gradient))
        return OptimizerSpec(self, seed, self.frame(seed), step, gradient)


_VECTORS: tuple[Shape, ...] = ((4, 4), (8, 8), (16, 16), (32, 32))
STEPS = (
    OptimizerStratum("first", "no bias correction, or that of the step before", _VECTORS, steps=(1,)),
    OptimizerStratum("second", "a correction that forgets the step", _VECTORS, steps=(2,)),
    OptimizerStratum("late", "moments that should have settled", _VECTORS, steps=(1000,)),
    OptimizerStratum("small", "where ε is added", _VECTORS, log10_gradient=(-10.0, -7.0)),
    OptimizerStratum("large", "ε too large to be seen, squares", _VECTORS, log10_gradient=(3.0, 8.0)),
    OptimizerStratum("unused", "0/0 where a parameter has no gradient", _VECTORS, unused=True),
    OptimizerStratum(
        "slow", "β near 1, where 1 − β^t cancels", _VECTORS, steps=(1, 2, 1000), log10_forgetting=(-9.0, -5.0)
    ),
)


def parameters(spec: OptimizerSpec) -> Real:
    """What an optimizer moves, (D,): of order 1 and, so that a step is seen to all its digits, 0 in a quarter."""
    random = spec.generator("parameters")
    values = random.standard_normal(math.prod(spec.frame))
    return np.where(random.random(values.shape) < 1 / 4, 0.0, values)


def gradient(spec: OptimizerSpec) -> Real:
    """The gradient of a loss at the parameters, (D,)."""
    return _of_used(spec, "gradient", spec.gradient)


def velocity(spec: OptimizerSpec) -> Real:
    """The running sum of earlier gradients, (D,); 0 before the first step."""
    return _of_used(spec, "velocity", 3 * spec.gradient * (spec.step > 1))


def first_moment(spec: OptimizerSpec) -> Real:
    """The running mean of earlier gradients, (D,); 0 before the first step."""
    return _of_used(spec, "first moment", 0.3 * spec.gradient * (spec.step > 1))


def second_moment(spec: OptimizerSpec) -> Real:
    """The running mean of the squares of earlier gradients, (D,), as far as it has settled."""
    settled = 1 - float(beta2(spec)) ** (spec.step - 1)
    return _of_used(spec, "second moment", spec.gradient * math.sqrt(settled)) ** 2


def count(spec: OptimizerSpec) -> NDArray[np.int64]:
    """The number of the step, from 1, ()."""
    return np.array(spec.step)


def _kept(name: str) -> Callable[[OptimizerSpec], Real]:
    """A source of the share that stays of what is remembered, 1 less the share that is forgotten, ()."""

    def drawn(spec: OptimizerSpec) -> Real:
        low, high = spec.stratum.log10_forgetting
        return np.array(1 - log_uniform(spec, name, 10**low, 10**high))

    return drawn


momentum = _kept("momentum")
"""How much of the velocity stays, ()."""

beta1 = _kept("beta1")
"""How much of the first moment stays, ()."""

beta2 = _kept("beta2")
"""How much of the second moment stays, ()."""

learning_rate = between_orders("learning_rate", 1e-4, 1e-1)
"""The length of a step, ()."""

epsilon = between_orders("epsilon", 1e-9, 1e-6)
"""What is added to the root of the second moment, ()."""

weight_decay = between_orders("weight_decay", 1e-3, 1.0)
"""The share of a parameter that is lost in a step, in units of the learning rate, ()."""


def _of_used(spec: OptimizerSpec, name: str, size: float) -> Real:
    """Normal numbers of that size, (D,), but 0 for parameters that the loss does not depend on."""
    values = size * spec.generator(name).standard_normal(math.prod(spec.frame))
    used = spec.generator("used").random(values.shape) < 1 / 2
    return np.where(used, values, 0.0) if spec.stratum.unused else values
