"""How training moves parameters: one step of SGD, Adam and AdamW, and the Keras optimizers that take it, in TensorFlow.

Frameworks differ in where epsilon is added, in what they default to and in whether weight decay is a part
of the gradient. Here no hyperparameter is a framework's default; epsilon is added to the root of the
second moment after its bias is corrected, as in Algorithm 1 of Kingma & Ba (2015), where Keras adds its own
before; and weight decay is decoupled. What is minimised is `ptycho.losses`.

Hyperparameters are plain numbers: what is formed of them alone is formed in double precision and rounded
once, to that of the parameters, since 1 - beta^t keeps few digits in single precision.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Final

import keras  # type: ignore[import-untyped]
import numpy as np
import tensorflow as tf

from ptycho import checks
from ptycho_exposures.checks import refusal

NAMES: Final = ("sgd", "adam", "adamw")


@dataclass(frozen=True)
class OptimizerConfig:
    """An optimizer and its hyperparameters, the same in both stacks; beta1, beta2 and epsilon as Kingma & Ba's.

    Attributes:
        name: "sgd", "adam" or "adamw".
        learning_rate: positive.
        momentum: of SGD alone, 0 <= momentum < 1.
        beta1: of Adam and AdamW, 0 <= beta1 < 1.
        beta2: of Adam and AdamW, 0 <= beta2 < 1.
        epsilon: of Adam and AdamW, positive: a parameter without gradient would otherwise become 0 / 0.
        weight_decay: of AdamW alone, not negative.

    Raises:
        TypeError: a hyperparameter is not a number.
        ValueError: the name is unknown, a hyperparameter is outside its range, or one is given to an
            optimizer that would ignore it.
    """

    name: str = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(refusal("name", " or ".join(NAMES), repr(self.name)))
        _as_numbers({name: getattr(self, name) for name in _RANGES})
        for name, owner in (("momentum", "sgd"), ("weight_decay", "adamw")):
            if getattr(self, name) != 0 and self.name != owner:
                expected = f"0 for {self.name}, which has none"
                raise ValueError(refusal(name, expected, str(getattr(self, name))))


def make_optimizer(config: OptimizerConfig) -> keras.optimizers.Optimizer:
    """A Keras optimizer whose steps are `sgd_step`, `adam_step` or `adamw_step`.

    Keras keeps the learning rate in `keras.config.floatx()`, whatever the precision of the variables: who
    trains in double precision sets that to "float64" first.
    """
    if config.name == "sgd":
        return SGD(config.learning_rate, momentum=config.momentum, nesterov=False)
    common = {
        "learning_rate": config.learning_rate,
        "beta_1": config.beta1,
        "beta_2": config.beta2,
        "epsilon": config.epsilon,
        "amsgrad": False,
    }
    return Adam(**common) if config.name == "adam" else AdamW(**common, weight_decay=config.weight_decay)


def sgd_step(
    parameters: tf.Tensor,
    gradient: tf.Tensor,
    velocity: tf.Tensor,
    learning_rate: checks.Scalar,
    momentum: checks.Scalar,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Gradient descent with momentum: v <- momentum v + g, theta <- theta - learning_rate v.

    The velocity is in units of the gradient (Sutskever et al., 2013, have the learning rate in it): the two
    forms differ once the learning rate changes.

    Args:
        parameters: (D,), real.
        gradient: (D,), real, of the loss with respect to the parameters.
        velocity: (D,), real; 0 before the first step.
        learning_rate: a positive number, or a scalar of float64, as are all hyperparameters.
        momentum: 0 <= momentum < 1.

    Returns:
        The new parameters and the new velocity, (D,) each.

    Raises:
        TypeError: an array is not real floating point, the precisions differ, or a hyperparameter is not a
            number.
        ValueError: an array has another rank or size, or a hyperparameter is outside its range.
    """
    _require_alike(parameters, {"gradient": gradient, "velocity": velocity})
    rate, kept = _as_numbers({"learning_rate": learning_rate, "momentum": momentum})
    velocity = tf.cast(kept, parameters.dtype) * velocity + gradient
    return parameters - tf.cast(rate, parameters.dtype) * velocity, velocity


def adam_step(
    parameters: tf.Tensor,
    gradient: tf.Tensor,
    first_moment: tf.Tensor,
    second_moment: tf.Tensor,
    count: int | tf.Tensor,
    learning_rate: checks.Scalar,
    beta1: checks.Scalar,
    beta2: checks.Scalar,
    epsilon: checks.Scalar,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Adam: theta <- theta - learning_rate m' / (sqrt(v') + epsilon), m' and v' the unbiased moments.

    m <- beta1 m + (1 - beta1) g and v <- beta2 v + (1 - beta2) g^2, m' = m / (1 - beta1^count) and v' = v /
    (1 - beta2^count) (Kingma & Ba, "Adam: a method for stochastic optimization", 2015, Algorithm 1).

    Args:
        parameters: (D,), real.
        gradient: (D,), real, of the loss with respect to the parameters.
        first_moment: (D,), real; 0 before the first step.
        second_moment: (D,), real, not negative; 0 before the first step.
        count: the number of the step, from 1.
        learning_rate: a positive number, or a scalar of float64, as are all hyperparameters.
        beta1: 0 <= beta1 < 1.
        beta2: 0 <= beta2 < 1.
        epsilon: positive.

    Returns:
        The new parameters, first moment and second moment, (D,) each.

    Raises:
        TypeError: an array is not real floating point, the precisions differ, or a number is none.
        ValueError: an array has another rank or size, or a number is outside its range.
    """
    _require_alike(parameters, {"gradient": gradient, "first_moment": first_moment, "second_moment": second_moment})
    checks.require_size("count", count)
    numbers = {"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon}
    return _adam(parameters, gradient, first_moment, second_moment, count, *_as_numbers(numbers))


def adamw_step(
    parameters: tf.Tensor,
    gradient: tf.Tensor,
    first_moment: tf.Tensor,
    second_moment: tf.Tensor,
    count: int | tf.Tensor,
    learning_rate: checks.Scalar,
    beta1: checks.Scalar,
    beta2: checks.Scalar,
    epsilon: checks.Scalar,
    weight_decay: checks.Scalar,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """AdamW: theta <- (1 - learning_rate weight_decay) theta, then `adam_step`, which does not see the decay.

    Loshchilov & Hutter, "Decoupled weight decay regularization" (2019), Algorithm 2, with their schedule
    multiplier times alpha as the learning rate.

    Args:
        parameters: (D,), real.
        gradient: (D,), real, of the loss with respect to the parameters.
        first_moment: (D,), real; 0 before the first step.
        second_moment: (D,), real, not negative; 0 before the first step.
        count: the number of the step, from 1.
        learning_rate: a positive number, or a scalar of float64, as are all hyperparameters.
        beta1: 0 <= beta1 < 1.
        beta2: 0 <= beta2 < 1.
        epsilon: positive.
        weight_decay: not below 0.

    Returns:
        The new parameters, first moment and second moment, (D,) each.

    Raises:
        TypeError: an array is not real floating point, the precisions differ, or a number is none.
        ValueError: an array has another rank or size, or a number is outside its range.
    """
    checks.require_real("parameters", parameters)
    rate, decay = _as_numbers({"learning_rate": learning_rate, "weight_decay": weight_decay})
    kept = tf.cast(1 - rate * decay, parameters.dtype)
    return adam_step(
        kept * parameters, gradient, first_moment, second_moment, count, learning_rate, beta1, beta2, epsilon
    )


@keras.saving.register_keras_serializable("ptycho")
class SGD(keras.optimizers.SGD):  # type: ignore[misc]
    """`keras.optimizers.SGD` that takes `sgd_step`s: its buffer is the velocity, whatever becomes of the rate."""

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Move one variable and, where there is momentum, its velocity."""
        step = tf.cast(gradient, variable.dtype)
        if self.momentum:
            velocity = self.momentums[self._get_variable_index(variable)]
            step += tf.constant(self.momentum, variable.dtype) * velocity
            self.assign(velocity, step)
        self.assign(variable, variable - tf.cast(learning_rate, variable.dtype) * step)


@keras.saving.register_keras_serializable("ptycho")
class Adam(keras.optimizers.Adam):  # type: ignore[misc]
    """`keras.optimizers.Adam` that takes `adam_step`s: epsilon is added after the bias is corrected."""

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Move one variable and its moments."""
        _step_in_place(self, gradient, variable, learning_rate)


@keras.saving.register_keras_serializable("ptycho")
class AdamW(keras.optimizers.AdamW):  # type: ignore[misc]
    """`keras.optimizers.AdamW` that takes `adamw_step`s; Keras lets the parameters decay before `update_step`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Of a Python float Keras makes float32, also where the variables are float64.
        self.weight_decay: np.float64 = np.float64(self.weight_decay)

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Move one variable and its moments."""
        _step_in_place(self, gradient, variable, learning_rate)


def _step_in_place(
    optimizer: keras.optimizers.Adam, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
) -> None:
    place = optimizer._get_variable_index(variable)
    targets = variable, optimizer._momentums[place], optimizer._velocities[place]
    parameters, gradient, *moments = (tf.cast(x, variable.dtype) for x in (variable, gradient, *targets[1:]))
    first_moment, second_moment = moments
    beta1, beta2, epsilon = (
        tf.constant(x, tf.float64) for x in (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon)
    )
    count = optimizer.iterations + 1
    stepped = _adam(parameters, gradient, first_moment, second_moment, count, learning_rate, beta1, beta2, epsilon)
    for target, value in zip(targets, stepped, strict=True):
        optimizer.assign(target, value)


def _adam(
    parameters: tf.Tensor,
    gradient: tf.Tensor,
    first_moment: tf.Tensor,
    second_moment: tf.Tensor,
    count: int | tf.Tensor,
    learning_rate: tf.Tensor,
    beta1: tf.Tensor,
    beta2: tf.Tensor,
    epsilon: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """`adam_step` of numbers in double precision."""
    dtype = parameters.dtype
    t = tf.cast(count, tf.float64)
    first_moment = tf.cast(beta1, dtype) * first_moment + tf.cast(1 - beta1, dtype) * gradient
    second_moment = tf.cast(beta2, dtype) * second_moment + tf.cast(1 - beta2, dtype) * tf.square(gradient)
    mean = first_moment / tf.cast(1 - beta1**t, dtype)
    size = tf.sqrt(second_moment / tf.cast(1 - beta2**t, dtype))
    step = tf.cast(learning_rate, dtype) * mean / (size + tf.cast(epsilon, dtype))
    return parameters - step, first_moment, second_moment


def _require_alike(parameters: tf.Tensor, others: Mapping[str, tf.Tensor]) -> None:
    checks.require_real("parameters", parameters)
    for name, tensor in others.items():
        checks.require_real(name, tensor)
        checks.require_agreement(name, tensor, "parameters", parameters)


def _as_numbers(named: Mapping[str, Any]) -> list[tf.Tensor]:
    """The named hyperparameters as float64 scalars, in the order given."""
    for name, value in named.items():
        if tf.is_tensor(value):
            if value.dtype != tf.float64 or value.shape.rank != 0:
                expected, got = "a number or a scalar of float64", f"{value.dtype.name}, shape {value.shape}"
                raise TypeError(refusal(name, expected, got))
        elif not isinstance(value, Real):
            raise TypeError(refusal(name, "a number", repr(value)))
        least, limit, expected = _RANGES[name]
        checks.require_that((value >= least) & (value < limit), name, expected, value)
    return [tf.convert_to_tensor(value, tf.float64) for value in named.values()]


_POSITIVE = (math.ulp(0.0), math.inf, "a finite, positive number")
_SHARE = (0.0, 1.0, "at least 0 and less than 1")
_RANGES: Mapping[str, tuple[float, float, str]] = {
    "learning_rate": _POSITIVE,
    "momentum": _SHARE,
    "beta1": _SHARE,
    "beta2": _SHARE,
    "epsilon": _POSITIVE,
    "weight_decay": (0.0, math.inf, "a finite number of at least 0"),
}
"""Of a hyperparameter: the least, the first that is too much, and both in words."""
