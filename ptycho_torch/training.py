"""How training moves parameters: one step of SGD, Adam and AdamW, and torch's optimizers, which take it, in PyTorch.

Frameworks differ in where epsilon is added, in what they default to and in whether weight decay is a part
of the gradient. Here no hyperparameter is a framework's default; epsilon is added to the root of the
second moment after its bias is corrected, as in Algorithm 1 of Kingma & Ba (2015), where Keras adds its own
before; and weight decay is decoupled. What is minimised is `ptycho_torch.losses`.

Hyperparameters are plain numbers: what is formed of them alone is formed in double precision and rounded
once, to that of the parameters, since 1 - beta^t keeps few digits in single precision.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Final

import torch
from torch import Tensor

from ptycho_exposures.checks import refusal
from ptycho_torch import checks

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
        _require_numbers({name: getattr(self, name) for name in _RANGES})
        for name, owner in (("momentum", "sgd"), ("weight_decay", "adamw")):
            if getattr(self, name) != 0 and self.name != owner:
                expected = f"0 for {self.name}, which has none"
                raise ValueError(refusal(name, expected, str(getattr(self, name))))


def make_optimizer(config: OptimizerConfig, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
    """torch's own optimizer over the parameters, whose steps are `sgd_step`, `adam_step` or `adamw_step`.

    One parameter is moved after the other, in the order of operations of the equations: not `foreach`, not
    `fused`.
    """
    if config.name == "sgd":
        return torch.optim.SGD(
            parameters,
            lr=config.learning_rate,
            momentum=config.momentum,
            dampening=0,
            weight_decay=0,
            nesterov=False,
            foreach=False,
            fused=False,
        )
    kind = torch.optim.Adam if config.name == "adam" else torch.optim.AdamW
    return kind(
        parameters,
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        eps=config.epsilon,
        weight_decay=config.weight_decay,
        amsgrad=False,
        foreach=False,
        fused=False,
    )


def sgd_step(
    parameters: Tensor,
    gradient: Tensor,
    velocity: Tensor,
    learning_rate: float,
    momentum: float,
) -> tuple[Tensor, Tensor]:
    """Gradient descent with momentum: v <- momentum v + g, theta <- theta - learning_rate v.

    The velocity is in units of the gradient (Sutskever et al., 2013, have the learning rate in it): the two
    forms differ once the learning rate changes.

    Args:
        parameters: (D,), real.
        gradient: (D,), real, of the loss with respect to the parameters.
        velocity: (D,), real; 0 before the first step.
        learning_rate: a positive number.
        momentum: 0 <= momentum < 1.

    Returns:
        The new parameters and the new velocity, (D,) each.

    Raises:
        TypeError: an array is not real floating point, the precisions differ, or a hyperparameter is not a
            number.
        ValueError: an array has another rank or size, or a hyperparameter is outside its range.
    """
    _require_alike(parameters, {"gradient": gradient, "velocity": velocity})
    _require_numbers({"learning_rate": learning_rate, "momentum": momentum})
    velocity = momentum * velocity + gradient
    return parameters - learning_rate * velocity, velocity


def adam_step(
    parameters: Tensor,
    gradient: Tensor,
    first_moment: Tensor,
    second_moment: Tensor,
    count: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Adam: theta <- theta - learning_rate m' / (sqrt(v') + epsilon), m' and v' the unbiased moments.

    m <- beta1 m + (1 - beta1) g and v <- beta2 v + (1 - beta2) g^2, m' = m / (1 - beta1^count) and v' = v /
    (1 - beta2^count) (Kingma & Ba, "Adam: a method for stochastic optimization", 2015, Algorithm 1).

    Args:
        parameters: (D,), real.
        gradient: (D,), real, of the loss with respect to the parameters.
        first_moment: (D,), real; 0 before the first step.
        second_moment: (D,), real, not negative; 0 before the first step.
        count: the number of the step, from 1.
        learning_rate: a positive number.
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
    _require_numbers({"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon})
    first_moment = beta1 * first_moment + (1 - beta1) * gradient
    second_moment = beta2 * second_moment + (1 - beta2) * gradient.square()
    mean = first_moment / (1 - beta1**count)
    size = torch.sqrt(second_moment / (1 - beta2**count))
    return parameters - learning_rate * mean / (size + epsilon), first_moment, second_moment


def adamw_step(
    parameters: Tensor,
    gradient: Tensor,
    first_moment: Tensor,
    second_moment: Tensor,
    count: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """AdamW: theta <- (1 - learning_rate weight_decay) theta, then `adam_step`, which does not see the decay.

    Loshchilov & Hutter, "Decoupled weight decay regularization" (2019), Algorithm 2, with their schedule
    multiplier times alpha as the learning rate.

    Args:
        parameters: (D,), real.
        gradient: (D,), real, of the loss with respect to the parameters.
        first_moment: (D,), real; 0 before the first step.
        second_moment: (D,), real, not negative; 0 before the first step.
        count: the number of the step, from 1.
        learning_rate: a positive number.
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
    _require_numbers({"learning_rate": learning_rate, "weight_decay": weight_decay})
    kept = 1 - learning_rate * weight_decay
    return adam_step(
        kept * parameters, gradient, first_moment, second_moment, count, learning_rate, beta1, beta2, epsilon
    )


def _require_alike(parameters: Tensor, others: Mapping[str, Tensor]) -> None:
    checks.require_real("parameters", parameters)
    for name, tensor in others.items():
        checks.require_real(name, tensor)
        checks.require_agreement(name, tensor, "parameters", parameters)


def _require_numbers(named: Mapping[str, object]) -> None:
    for name, value in named.items():
        if not isinstance(value, Real):
            raise TypeError(refusal(name, "a number", repr(value)))
        least, limit, expected = _RANGES[name]
        if not least <= float(value) < limit:
            raise ValueError(refusal(name, expected, str(value)))


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
