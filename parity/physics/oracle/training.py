"""One step of an optimizer: what it makes of parameters, a gradient and its own state.

Hyperparameters are plain numbers. What is formed of them alone (1 − β, 1 − β^t, 1 − lr·wd) is formed in double
precision, whatever that of the parameters, and rounded to it once.
"""

from __future__ import annotations

import math
from typing import Any

from parity.physics.oracle.bounded import Array, Bounded
from parity.physics.oracle.operations import sqrt, square
from parity.physics.precision import FLOAT64


def sgd_step(
    parameters: Array, gradient: Array, velocity: Array, learning_rate: float, momentum: float
) -> tuple[Any, Any]:
    """v ← momentum·v + g, θ ← θ − learning_rate·v; all (D,)."""
    velocity = velocity * momentum + gradient
    return parameters - velocity * learning_rate, velocity


def adam_step(
    parameters: Array,
    gradient: Array,
    first_moment: Array,
    second_moment: Array,
    count: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> tuple[Any, Any, Any]:
    """m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², θ ← θ − learning_rate·m̂ / (√v̂ + ε); all (D,).

    m̂ = m / (1 − β₁^t) and v̂ = v / (1 − β₂^t): Kingma & Ba, Adam (2015), Algorithm 1.
    """
    first_moment = first_moment * beta1 + gradient * _complement(beta1, 1, gradient)
    second_moment = second_moment * beta2 + square(gradient) * _complement(beta2, 1, gradient)
    mean = first_moment / _complement(beta1, count, gradient)
    size = sqrt(second_moment / _complement(beta2, count, gradient))
    return parameters - mean / (size + epsilon) * learning_rate, first_moment, second_moment


def adamw_step(
    parameters: Array,
    gradient: Array,
    first_moment: Array,
    second_moment: Array,
    count: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
) -> tuple[Any, Any, Any]:
    """θ ← (1 − learning_rate·weight_decay)·θ, then `adam_step`: Loshchilov & Hutter (2019), Algorithm 2."""
    lost = learning_rate * weight_decay
    kept = _once_rounded(1 - lost, lost + abs(1 - lost), parameters)
    return adam_step(
        parameters * kept, gradient, first_moment, second_moment, count, learning_rate, beta1, beta2, epsilon
    )


def _complement(beta: float, count: int, like: Array) -> Any:
    """1 − β^count. In double precision β^count errs by a rounding of its own, of which the difference may keep little
    else; here it is formed without that cancellation."""
    value = -math.expm1(count * math.log(beta)) if beta else 1.0
    return _once_rounded(value, 2 * beta**count + value, like)


def _once_rounded(value: float, error: float, like: Array) -> Any:
    """A number formed in double precision, there in error by `error` roundings, and rounded to the precision of `like`.

    Up to a rounding of its own: `error` is in units of double's u, that of the value itself among them.
    """
    if not isinstance(like, Bounded):
        return like.dtype.type(value)  # type: ignore[attr-defined]
    shrunk = FLOAT64.unit_roundoff / like.precision.unit_roundoff
    return like.derive(value, error * shrunk + abs(value))
