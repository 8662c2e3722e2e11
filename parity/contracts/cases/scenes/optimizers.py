"""What an optimizer is given: parameters, their gradient, and its memory of earlier steps."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.scenes.base import Drawn, Real


class Optimizers(Drawn):
    """The state of an optimizer and its hyperparameters."""

    @cached_property
    def parameters(self) -> Real:
        """What an optimizer moves, (D,): of order 1 and, so that a step is seen to all its digits, 0 in a quarter."""
        random = self.spec.generator("parameters")
        values = random.standard_normal(math.prod(self.shape))
        return np.where(random.random(values.shape) < 1 / 4, 0.0, values)

    @cached_property
    def gradient(self) -> Real:
        """The gradient of a loss at the parameters, (D,)."""
        return self._of_used("gradient", self.spec.gradient)

    @cached_property
    def velocity(self) -> Real:
        """The running sum of earlier gradients, (D,); 0 before the first step."""
        return self._of_used("velocity", 3 * self.spec.gradient * (self.spec.step > 1))

    @cached_property
    def first_moment(self) -> Real:
        """The running mean of earlier gradients, (D,); 0 before the first step."""
        return self._of_used("first moment", 0.3 * self.spec.gradient * (self.spec.step > 1))

    @cached_property
    def second_moment(self) -> Real:
        """The running mean of the squares of earlier gradients, (D,), as far as it has settled."""
        settled = 1 - float(self.beta2) ** (self.spec.step - 1)
        return self._of_used("second moment", self.spec.gradient * math.sqrt(settled)) ** 2

    @property
    def count(self) -> NDArray[np.int64]:
        """The number of the step, from 1, ()."""
        return np.array(self.spec.step)

    @cached_property
    def learning_rate(self) -> Real:
        """The length of a step, ()."""
        return self._scalar("learning_rate", 1e-4, 1e-1, logarithmic=True)

    @cached_property
    def momentum(self) -> Real:
        """How much of the velocity stays, ()."""
        return self._kept("momentum")

    @cached_property
    def beta1(self) -> Real:
        """How much of the first moment stays, ()."""
        return self._kept("beta1")

    @cached_property
    def beta2(self) -> Real:
        """How much of the second moment stays, ()."""
        return self._kept("beta2")

    @cached_property
    def epsilon(self) -> Real:
        """What is added to the root of the second moment, ()."""
        return self._scalar("epsilon", 1e-9, 1e-6, logarithmic=True)

    @cached_property
    def weight_decay(self) -> Real:
        """The share of a parameter that is lost in a step, in units of the learning rate, ()."""
        return self._scalar("weight_decay", 1e-3, 1.0, logarithmic=True)

    def _of_used(self, name: str, size: float) -> Real:
        """Normal numbers of that size, (D,); a dark scene has parameters that the loss does not depend on."""
        values = size * self.spec.generator(name).standard_normal(math.prod(self.shape))
        used = self.spec.generator("used").random(values.shape) < 1 / 2
        return np.where(used, values, 0.0) if self.spec.dark else values

    def _kept(self, name: str) -> Real:
        low, high = self.spec.log10_forgetting
        return np.array(1 - self._scalar(name, 10**low, 10**high, logarithmic=True))
