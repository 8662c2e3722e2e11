"""Contracts of `training`: one step of an optimizer, as a function and as users' optimizers take it."""

from __future__ import annotations

import importlib
from typing import Any

from parity.contracts.cases.families import optimizers
from parity.contracts.cases.families.optimizers import STEPS
from parity.contracts.contract import Argument, Contract, Entry, Fact, Law, Result, Trial
from parity.physics.kinds import COUNT, HYPERPARAMETER, MOMENT, PARAMETERS, SECOND_MOMENT

_MOVED = (
    Argument("parameters", PARAMETERS, optimizers.parameters),
    Argument("gradient", MOMENT, optimizers.gradient),
)
_LEARNING_RATE = Argument("learning_rate", HYPERPARAMETER, optimizers.learning_rate)
_ADAM = (
    *_MOVED,
    Argument("first_moment", MOMENT, optimizers.first_moment),
    Argument("second_moment", SECOND_MOMENT, optimizers.second_moment),
    Argument("count", COUNT, optimizers.count),
    _LEARNING_RATE,
    Argument("beta1", HYPERPARAMETER, optimizers.beta1),
    Argument("beta2", HYPERPARAMETER, optimizers.beta2),
    Argument("epsilon", HYPERPARAMETER, optimizers.epsilon),
)
_ADAM_RESULTS = (
    Result("parameters", PARAMETERS),
    Result("first_moment", MOMENT),
    Result("second_moment", SECOND_MOMENT),
)


def _torch_optimizer(make_optimizer: Any, parameters: Any, gradient: Any, **config: Any) -> tuple[Any, Any]:
    """A parameter with its gradient, and the optimizer that moves it."""
    parameter = parameters.clone().requires_grad_(True)
    parameter.grad = gradient
    return parameter, make_optimizer(_stack_of(make_optimizer).OptimizerConfig(**config), [parameter])


def _torch_sgd(make_optimizer: Any, parameters: Any, gradient: Any, velocity: Any, **config: Any) -> tuple[Any, ...]:
    parameter, optimizer = _torch_optimizer(make_optimizer, parameters, gradient, name="sgd", **config)
    state = optimizer.state[parameter]
    state["momentum_buffer"] = velocity.clone()
    optimizer.step()
    return parameter, state["momentum_buffer"]


def _torch_adam(
    make_optimizer: Any,
    parameters: Any,
    gradient: Any,
    first_moment: Any,
    second_moment: Any,
    count: int,
    **config: Any,
) -> tuple[Any, ...]:
    config = {"name": "adam", **config}
    parameter, optimizer = _torch_optimizer(make_optimizer, parameters, gradient, **config)
    state = optimizer.state[parameter]
    state["step"] = parameters.new_tensor(count - 1)
    state["exp_avg"], state["exp_avg_sq"] = first_moment.clone(), second_moment.clone()
    optimizer.step()
    return parameter, state["exp_avg"], state["exp_avg_sq"]


def _torch_adamw(make_optimizer: Any, **arguments: Any) -> tuple[Any, ...]:
    return _torch_adam(make_optimizer, name="adamw", **arguments)


def _keras_step(make_optimizer: Any, parameters: Any, gradient: Any, state: Any, count: int, **config: Any) -> Any:
    """A variable and the optimizer's state beside it after a step.

    Keras keeps a learning rate in its default precision, which who trains in double precision sets to that.
    """
    stack = _stack_of(make_optimizer)
    usual = stack.keras.config.floatx()
    stack.keras.config.set_floatx(parameters.dtype.name)
    try:
        variable = stack.tf.Variable(parameters)
        config = {name: value if name == "name" else float(value) for name, value in config.items()}
        optimizer = make_optimizer(stack.OptimizerConfig(**config))
        optimizer.build([variable])
        iterations, _, *slots = optimizer.variables
        iterations.assign(int(count) - 1)
        for slot, value in zip(slots, state, strict=True):
            slot.assign(value)
        optimizer.apply([gradient], [variable])
        return variable, *(slot.value for slot in slots)
    finally:
        stack.keras.config.set_floatx(usual)


def _keras_sgd(make_optimizer: Any, velocity: Any, **arguments: Any) -> Any:
    return _keras_step(make_optimizer, state=[velocity], count=1, name="sgd", **arguments)


def _keras_adam(make_optimizer: Any, first_moment: Any, second_moment: Any, **arguments: Any) -> Any:
    return _keras_step(make_optimizer, state=[first_moment, second_moment], **{"name": "adam", **arguments})


def _keras_adamw(make_optimizer: Any, **arguments: Any) -> Any:
    return _keras_adam(make_optimizer, name="adamw", **arguments)


def _stack_of(make_optimizer: Any) -> Any:
    """The stack's own module, through which a declaration gets at a framework that it does not import."""
    return importlib.import_module(make_optimizer.__module__)


def _entries(in_torch: Any, in_keras: Any) -> tuple[Entry, ...]:
    path = "training.make_optimizer"
    return Entry("torch", path, in_torch), Entry("tensorflow", path, in_keras, eager=True)


def _no_gradient_no_step(trial: Trial) -> Law:
    nothing = {
        name: 0.0 * trial.inputs[name]
        for name in ("gradient", "velocity", "first_moment", "second_moment")
        if name in trial.inputs
    }
    return Law(trial.value(**nothing), trial.exact(trial.inputs["parameters"]))


_AT_REST = Fact(
    "no gradient and no memory of one: no step", _no_gradient_no_step, broken_by="result-parameters-gain-1e-3"
)

CONTRACTS = (
    Contract(
        name="training.sgd_step",
        equation="v ← momentum·v + g, θ ← θ − learning_rate·v",
        arguments=(
            *_MOVED,
            Argument("velocity", MOMENT, optimizers.velocity),
            _LEARNING_RATE,
            Argument("momentum", HYPERPARAMETER, optimizers.momentum),
        ),
        results=(Result("parameters", PARAMETERS), Result("velocity", MOMENT)),
        strata=STEPS,
        facts=(_AT_REST,),
        entries=_entries(_torch_sgd, _keras_sgd),
    ),
    Contract(
        name="training.adam_step",
        equation="m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ − lr·(m / (1−β₁^t)) / (√(v / (1−β₂^t)) + ε)",
        arguments=_ADAM,
        results=_ADAM_RESULTS,
        strata=STEPS,
        facts=(_AT_REST,),
        entries=_entries(_torch_adam, _keras_adam),
    ),
    Contract(
        name="training.adamw_step",
        equation="θ ← (1 − lr·weight_decay)·θ, then adam_step",
        arguments=(*_ADAM, Argument("weight_decay", HYPERPARAMETER, optimizers.weight_decay)),
        results=_ADAM_RESULTS,
        strata=STEPS,
        entries=_entries(_torch_adamw, _keras_adamw),
    ),
)
