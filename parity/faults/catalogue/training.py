"""Faults of an optimizer's step: corrections, ε, what decays, and what an optimizer is made with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from parity.contracts.changes import Arguments, Change, given, giving, raw, returning, then
from parity.contracts.fault import Fault
from parity.contracts.namespace import Namespace, Tensor
from parity.faults.catalogue.wiring import exchanged, within
from parity.faults.generated import Generated

_LATER = "a later step than the first"
_SMALL = "gradients not much larger than ε"
_FLOAT64 = "a float64 run"
_FRAMEWORK = "a framework's own optimizer"


def _like(xp: Namespace, number: Any, x: Tensor) -> Any:
    """A hyperparameter in the precision of x: a number in one stack, a scalar of float64 in the other."""
    return xp.cast_like(number, x) if xp.is_tensor(number) else number


def _in_float32(xp: Namespace, number: Any) -> Any:
    return xp.through(number, "float32") if xp.is_tensor(number) else float(np.float32(number))


def _share_in_float32(xp: Namespace, number: Any) -> Any:
    """The same, kept below 1."""
    single = _in_float32(xp, number)
    return xp.minimum(single, 1 - 2**-24) if xp.is_tensor(single) else min(single, 1 - 2**-24)


def _the_step_before(xp: Namespace, count: Any) -> Any:
    return xp.maximum(count - 1, 1) if xp.is_tensor(count) else max(count - 1, 1)


def _plain(xp: Namespace, m: Tensor, v: Tensor, first: Any, second: Any, epsilon: Any) -> Tensor:
    return (m / first) / (xp.sqrt(v / second) + epsilon)


def _stepped(
    xp: Namespace, a: Arguments, first: Tensor, second: Tensor, step: Callable[..., Tensor] = _plain
) -> tuple[Tensor, ...]:
    """A step of Adam from new moments; `step` is in units of the learning rate."""
    t = xp.cast(a.count, "float64") if xp.is_tensor(a.count) else a.count
    corrections = (_like(xp, 1 - beta**t, first) for beta in (a.beta1, a.beta2))
    moved = step(xp, first, second, *corrections, _like(xp, a.epsilon, first))
    return a.parameters - _like(xp, a.learning_rate, first) * moved, first, second


def _moved(step: Callable[..., Tensor]) -> Change:
    """Adam with another step: of the moments, what corrects their bias, and ε."""
    return returning(lambda xp, stepped, a: _stepped(xp, a, stepped[1], stepped[2], step))


def _nesterov(xp: Namespace, stepped: tuple[Tensor, ...], a: Arguments) -> tuple[Tensor, ...]:
    velocity = stepped[1]
    ahead = a.gradient + _like(xp, a.momentum, velocity) * velocity
    return a.parameters - _like(xp, a.learning_rate, velocity) * ahead, velocity


def _rate_in_velocity(xp: Namespace, stepped: tuple[Tensor, ...], a: Arguments) -> tuple[Tensor, ...]:
    kept = _like(xp, a.momentum, a.velocity) * a.velocity
    velocity = kept - _like(xp, a.learning_rate, a.gradient) * a.gradient
    return a.parameters + velocity, velocity


def _amsgrad(xp: Namespace, stepped: tuple[Tensor, ...], a: Arguments) -> tuple[Tensor, ...]:
    return _stepped(xp, a, stepped[1], xp.maximum(stepped[2], a.second_moment))


def _modulus_in_second_moment(xp: Namespace, stepped: tuple[Tensor, ...], a: Arguments) -> tuple[Tensor, ...]:
    beta2 = _like(xp, a.beta2, a.gradient)
    return _stepped(xp, a, stepped[1], beta2 * a.second_moment + (1 - beta2) * xp.abs(a.gradient))


def _decayed_afterwards(xp: Namespace, stepped: tuple[Tensor, ...], a: Arguments) -> tuple[Tensor, ...]:
    kept = _like(xp, 1 - a.learning_rate * a.weight_decay, a.parameters)
    return stepped[0] * kept, *stepped[1:]


def _decay_in_gradient(xp: Namespace, a: Arguments) -> dict[str, Any]:
    decay = _like(xp, a.weight_decay, a.parameters)
    return {"gradient": a.gradient + decay * a.parameters, "weight_decay": 0.0}


def _made_with(**options: Callable[[Any], Any]) -> Change:
    """The optimizer is made of another configuration than was asked for."""

    def change(xp: Namespace, make: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(make)
        def made(config: Any, *parameters: Any) -> Any:
            return make(replace(config, **{name: option(config) for name, option in options.items()}), *parameters)

        return made

    return raw(change)


def _made_and_set(**options: Any) -> Change:
    """torch's optimizer with other options than a configuration has."""

    def change(xp: Namespace, make: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(make)
        def made(config: Any, parameters: Any) -> Any:
            optimizer = make(config, parameters)
            for group in optimizer.param_groups:
                group.update(options)
            return optimizer

        return made

    return raw(change)


_AS_KERAS = ("ε is added before the bias correction", "an intermediate is float32")
_KERAS_S_OWN = raw(lambda xp, optimizer: optimizer.__bases__[0])
"""The optimizer of the same name without the stack's step."""

SGD: tuple[Fault | Generated, ...] = (
    Fault(
        "training.sgd_step",
        "damped",
        "the gradient is dampened by 1 − momentum",
        giving(lambda xp, a: {"gradient": _like(xp, 1 - a.momentum, a.gradient) * a.gradient}),
    ),
    Fault("training.sgd_step", "nesterov", "the step looks ahead (Nesterov)", returning(_nesterov)),
    Fault(
        "training.sgd_step",
        "uphill",
        "the step goes uphill",
        returning(lambda xp, r, a: (a.parameters + _like(xp, a.learning_rate, r[1]) * r[1], r[1])),
    ),
    Fault(
        "training.sgd_step",
        "rate-in-velocity",
        "the learning rate is within the velocity",
        returning(_rate_in_velocity),
    ),
    Fault(
        "training.sgd_step",
        "velocity-forgotten",
        "the velocity is forgotten",
        given(velocity=lambda xp, v: xp.zeros_like(v)),
        shows=_LATER,
    ),
    Fault(
        "training.sgd_step",
        "momentum-in-float32",
        "momentum is rounded to float32",
        given(momentum=_share_in_float32),
        shows=_FLOAT64,
        diagnosis=("an intermediate is float32",),
    ),
    Generated("training.sgd_step", "velocity-bfloat16", called="velocity-in-bfloat16", shows=_LATER),
    Fault(
        "training.sgd_step",
        "keras-s-own",
        "an intermediate is float32",
        _KERAS_S_OWN,
        at="training.SGD",
        stacks=("tensorflow",),
        shows=f"{_FRAMEWORK}, which rounds its momentum, in float64",
    ),
    Fault(
        "training.sgd_step",
        "optimizer-nesterov",
        "the step looks ahead (Nesterov)",
        _made_and_set(nesterov=True),
        at="training.make_optimizer",
        stacks=("torch",),
    ),
    Fault(
        "training.sgd_step",
        "optimizer-dampened",
        "gradient enters times a constant factor",
        _made_and_set(dampening=0.1),
        at="training.make_optimizer",
        stacks=("torch",),
    ),
)
"""Of a step of SGD."""

_STEP = (
    Fault(
        "training.adam_step",
        "no-bias-correction",
        "the bias corrections are missing",
        _moved(lambda xp, m, v, c1, c2, e: m / (xp.sqrt(v) + e)),
    ),
    Fault(
        "training.adam_step",
        "first-correction-missing",
        "the bias correction of the first moment is missing",
        _moved(lambda xp, m, v, c1, c2, e: m / (xp.sqrt(v / c2) + e)),
    ),
    Fault(
        "training.adam_step",
        "second-correction-missing",
        "the bias correction of the second moment is missing",
        _moved(lambda xp, m, v, c1, c2, e: (m / c1) / (xp.sqrt(v) + e)),
    ),
    Fault(
        "training.adam_step",
        "epsilon-under-root",
        "ε is under the root",
        _moved(lambda xp, m, v, c1, c2, e: (m / c1) / xp.sqrt(v / c2 + e)),
    ),
    Fault(
        "training.adam_step",
        "epsilon-before-correction",
        "ε is added before the bias correction",
        _moved(lambda xp, m, v, c1, c2, e: (m / c1) * c2**0.5 / (xp.sqrt(v) + e)),
        shows=_SMALL,
    ),
    Fault(
        "training.adam_step",
        "epsilon-of-keras",
        "ε = 1e-7 stands for the ε that is given",
        given(epsilon=lambda xp, epsilon: 1e-7),
        shows=_SMALL,
    ),
    Fault(
        "training.adam_step",
        "epsilon-of-torch",
        "ε = 1e-8 stands for the ε that is given",
        given(epsilon=lambda xp, epsilon: 1e-8),
        shows=_SMALL,
    ),
    Fault(
        "training.adam_step",
        "root-missing",
        "the root of the second moment is missing",
        _moved(lambda xp, m, v, c1, c2, e: (m / c1) / (v / c2 + e)),
    ),
    Fault("training.adam_step", "count-ahead", "the count is one ahead", given(count=lambda xp, count: count + 1)),
    Fault("training.adam_step", "count-behind", "the count is one behind", given(count=_the_step_before), shows=_LATER),
    Fault("training.adam_step", "betas-exchanged", "β₁ and β₂ are exchanged", exchanged("beta1", "beta2")),
    Fault(
        "training.adam_step", "gradient-negated", "the gradient has the opposite sign", given(gradient=lambda xp, g: -g)
    ),
    Fault(
        "training.adam_step",
        "gradient-forgotten",
        "the gradient is forgotten",
        given(gradient=lambda xp, g: xp.zeros_like(g)),
    ),
)
"""Of a step of Adam, whatever decays besides."""

ADAM = (
    *_STEP,
    Fault(
        "training.adam_step",
        "keras-s-own",
        "ε is added before the bias correction, and numbers are rounded to float32",
        _KERAS_S_OWN,
        at="training.Adam",
        stacks=("tensorflow",),
        shows=_FRAMEWORK,
        diagnosis=_AS_KERAS,
    ),
    Fault(
        "training.adam_step",
        "optimizer-with-its-own-epsilon",
        "ε = 1e-8 stands for the ε that is given",
        _made_with(epsilon=lambda config: 1e-8),
        at="training.make_optimizer",
        shows=f"{_FRAMEWORK}, and {_SMALL}",
    ),
    Fault(
        "training.adam_step",
        "optimizer-with-betas-exchanged",
        "β₁ and β₂ are exchanged",
        _made_with(beta1=lambda config: config.beta2, beta2=lambda config: config.beta1),
        at="training.make_optimizer",
    ),
    Fault(
        "training.adam_step",
        "count-stays",
        "the count stays at 1",
        given(count=lambda xp, count: 0 * count + 1),
        shows=_LATER,
        diagnosis=(),
    ),
    Fault(
        "training.adam_step",
        "beta2-in-float32",
        "β₂ is rounded to float32",
        given(beta2=_share_in_float32),
        shows=f"β₂ near 1, or {_FLOAT64}",
        diagnosis=("an intermediate is float32",),
    ),
    Fault(
        "training.adam_step",
        "modulus-in-second-moment",
        "the gradient enters the second moment unsquared",
        returning(_modulus_in_second_moment),
        diagnosis=(),
    ),
    Fault(
        "training.adam_step",
        "gradient-clipped",
        "the gradient is limited to ±1",
        given(gradient=lambda xp, g: xp.minimum(xp.maximum(g, -1.0), 1.0)),
        shows="large gradients",
        diagnosis=(),
    ),
    Fault(
        "training.adam_step",
        "largest-second-moment",
        "the second moment never falls (AMSGrad)",
        returning(_amsgrad),
        shows=_LATER,
        diagnosis=(),
    ),
)
"""Of a step of Adam."""

ADAMW = (
    *within("training.adamw_step", _STEP),
    Fault("training.adamw_step", "decay-in-gradient", "the decay is added to the gradient", giving(_decay_in_gradient)),
    Fault(
        "training.adamw_step",
        "coupled-optimizer",
        "the decay is added to the gradient",
        _made_and_set(decoupled_weight_decay=False),
        at="training.make_optimizer",
        stacks=("torch",),
    ),
    Fault(
        "training.adamw_step",
        "decay-without-rate",
        "the decay is not multiplied by the learning rate",
        giving(lambda xp, a: {"weight_decay": a.weight_decay / a.learning_rate}),
    ),
    Fault(
        "training.adamw_step",
        "decay-after-step",
        "the weights decay after the step",
        then(given(weight_decay=lambda xp, decay: 0 * decay), returning(_decayed_afterwards)),
    ),
    Fault(
        "training.adamw_step", "no-decay", "the weights do not decay", given(weight_decay=lambda xp, decay: 0 * decay)
    ),
    Fault(
        "training.adamw_step",
        "decay-squared",
        "the weights decay by the square of the learning rate",
        giving(lambda xp, a: {"weight_decay": a.weight_decay * a.learning_rate}),
        diagnosis=(),
    ),
    Fault(
        "training.adamw_step",
        "keras-s-own",
        "ε is added before the bias correction, and numbers are rounded to float32",
        _KERAS_S_OWN,
        at="training.AdamW",
        stacks=("tensorflow",),
        shows=_FRAMEWORK,
        diagnosis=_AS_KERAS,
    ),
)
"""Of a step of AdamW."""

FAULTS: tuple[Fault | Generated, ...] = (*SGD, *ADAM, *ADAMW)
