"""Mistakes in a step of an optimizer: corrections, ε, what decays and what is squared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Inputs
from parity.faults.oracle_side.base import Formula, Mistake, of_argument, of_arguments, of_formula
from parity.physics.oracle import training as oracle

Real = NDArray[np.float64]


def _sgd(
    parameters: Real,
    gradient: Real,
    velocity: Real,
    learning_rate: float,
    momentum: float,
    damped: bool = False,
    nesterov: bool = False,
    sign: float = -1,
) -> tuple[Real, Real]:
    velocity = momentum * velocity + ((1 - momentum) * gradient if damped else gradient)
    return parameters + sign * learning_rate * (gradient + momentum * velocity if nesterov else velocity), velocity


def _rate_in_velocity(
    parameters: Real, gradient: Real, velocity: Real, learning_rate: float, momentum: float
) -> tuple[Real, Real]:
    """As Keras keeps it: the velocity is a step, not a gradient."""
    velocity = momentum * velocity - learning_rate * gradient
    return parameters + velocity, velocity


def _plain_step(m: Real, v: Real, first: float, second: float, epsilon: float) -> Real:
    """m̂ / (√v̂ + ε) of moments and their bias corrections."""
    return (m / first) / (np.sqrt(v / second) + epsilon)


def _adam(step: Formula) -> Formula:
    """Adam, or AdamW where weights decay, with another `step` than `_plain_step`, in units of the learning rate."""

    def adam(
        parameters: Real,
        gradient: Real,
        first_moment: Real,
        second_moment: Real,
        count: int,
        learning_rate: float,
        beta1: float,
        beta2: float,
        epsilon: float,
        weight_decay: float = 0.0,
    ) -> tuple[Real, Real, Real]:
        m, v = oracle.adam_step(
            parameters, gradient, first_moment, second_moment, count, learning_rate, beta1, beta2, epsilon
        )[1:]
        corrections = (-math.expm1(count * math.log(beta)) if beta else 1.0 for beta in (beta1, beta2))
        kept = parameters * (1 - learning_rate * weight_decay)
        return kept - learning_rate * step(m, v, *corrections, epsilon), m, v

    return adam


def _exchanged(beta1: float, beta2: float, **others: Any) -> dict[str, Any]:
    return {"beta1": beta2, "beta2": beta1}


def _is_late(inputs: Inputs) -> bool:
    return bool(inputs["count"] > 1)


def _remembers(inputs: Inputs) -> bool:
    return bool(np.any(inputs["velocity"]))


_STEP = (
    of_formula("the bias corrections are missing", _adam(lambda m, v, c1, c2, e: _plain_step(m, v, 1.0, 1.0, e))),
    of_formula(
        "the bias correction of the first moment is missing",
        _adam(lambda m, v, c1, c2, e: _plain_step(m, v, 1.0, c2, e)),
    ),
    of_formula(
        "the bias correction of the second moment is missing",
        _adam(lambda m, v, c1, c2, e: _plain_step(m, v, c1, 1.0, e)),
    ),
    of_formula("ε is under the root", _adam(lambda m, v, c1, c2, e: (m / c1) / np.sqrt(v / c2 + e))),
    of_formula(
        "ε is added before the bias correction",
        _adam(lambda m, v, c1, c2, e: m / (np.sqrt(v) + e) * (np.sqrt(c2) / c1)),
    ),
    of_argument("ε = 1e-7 stands for the ε that is given", "epsilon", lambda e: 0 * e + 1e-7),
    of_argument("ε = 1e-8 stands for the ε that is given", "epsilon", lambda e: 0 * e + 1e-8),
    of_formula("the root of the second moment is missing", _adam(lambda m, v, c1, c2, e: (m / c1) / (v / c2 + e))),
    of_argument("the count is one ahead", "count", lambda t: t + 1),
    of_argument("the count is one behind", "count", lambda t: t - 1, _is_late),
    of_arguments("β₁ and β₂ are exchanged", _exchanged),
    of_argument("the gradient has the opposite sign", "gradient", np.negative),
    of_argument("the gradient is forgotten", "gradient", np.zeros_like),
)


def _decay_in_gradient(parameters: Real, gradient: Real, weight_decay: float, **others: Any) -> dict[str, Any]:
    return {"gradient": gradient + weight_decay * parameters, "weight_decay": 0.0}


def _decay_without_rate(learning_rate: float, weight_decay: float, **others: Any) -> dict[str, Any]:
    return {"weight_decay": weight_decay / learning_rate}


def _decay_afterwards(parameters: Real, learning_rate: float, weight_decay: float, **others: Any) -> Any:
    moved, m, v = oracle.adam_step(parameters, learning_rate=learning_rate, **others)
    return moved * (1 - learning_rate * weight_decay), m, v


MISTAKES: Mapping[str, tuple[Mistake, ...]] = {
    "training.sgd_step": (
        of_formula("the gradient is dampened by 1 − momentum", lambda **state: _sgd(**state, damped=True)),
        of_formula("the step looks ahead (Nesterov)", lambda **state: _sgd(**state, nesterov=True)),
        of_formula("the step goes uphill", lambda **state: _sgd(**state, sign=1)),
        of_formula("the learning rate is within the velocity", _rate_in_velocity),
        of_argument("the velocity is forgotten", "velocity", np.zeros_like, _remembers),
    ),
    "training.adam_step": _STEP,
    "training.adamw_step": (
        *_STEP,
        of_arguments("the decay is added to the gradient", _decay_in_gradient),
        of_arguments("the decay is not multiplied by the learning rate", _decay_without_rate),
        of_formula("the weights decay after the step", _decay_afterwards),
        of_argument("the weights do not decay", "weight_decay", np.zeros_like),
    ),
}
