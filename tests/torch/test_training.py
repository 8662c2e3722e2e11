"""The PyTorch optimizers: known steps, what is refused, and torch's own optimizers against the equations."""

import dataclasses
import math

import pytest
import torch
from torch import Tensor

from ptycho import training as tensorflow_training
from ptycho_torch import training
from ptycho_torch.training import OptimizerConfig, make_optimizer

REAL = [torch.float32, torch.float64]
ADAM = {"learning_rate": 0.125, "beta1": 0.5, "beta2": 0.75, "epsilon": 1.0}


def vector(*values: float, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(values, dtype=dtype)


@pytest.mark.parametrize("dtype", REAL)
def test_a_step_of_sgd_by_hand(dtype: torch.dtype) -> None:
    parameters, velocity = training.sgd_step(
        vector(1.0, -2.0, dtype=dtype), vector(4.0, 0.0, dtype=dtype), vector(8.0, 16.0, dtype=dtype), 0.25, 0.5
    )
    assert (parameters.dtype, velocity.dtype) == (dtype, dtype)
    assert velocity.tolist() == [8.0, 8.0]
    assert parameters.tolist() == [-1.0, -4.0]


@pytest.mark.parametrize("dtype", REAL)
def test_a_first_step_of_adam_by_hand(dtype: torch.dtype) -> None:
    """The unbiased moments of a first gradient g are g and g^2: the step is lr g / (|g| + epsilon)."""
    zero = vector(0.0, dtype=dtype)
    parameters, first, second = training.adam_step(zero, zero + 3, zero, zero, 1, **ADAM)
    assert (parameters.dtype, first.item(), second.item()) == (dtype, 1.5, 2.25)
    assert parameters.item() == -0.125 * 3 / (3 + 1)


def test_weights_decay_before_the_step_which_does_not_see_it() -> None:
    state = vector(2.0), vector(3.0), vector(1.0), vector(4.0), 2
    decayed = (0.75 * state[0], *state[1:])
    assert training.adamw_step(*state, **ADAM, weight_decay=2.0) == training.adam_step(*decayed, **ADAM)
    assert training.adamw_step(*state, **ADAM, weight_decay=0.0) == training.adam_step(*state, **ADAM)


def test_epsilon_is_added_after_the_bias_is_corrected() -> None:
    """At a gradient of the size of epsilon a first step is half as long, whatever beta2."""
    for beta2 in (0.0, 0.9, 0.999):
        parameters, _, _ = training.adam_step(
            vector(0.0), vector(2.0**-30), vector(0.0), vector(0.0), 1, 1.0, 0.0, beta2, 2.0**-30
        )
        # The second moment, its correction, their ratio and its root are rounded, and 1 - beta2 keeps 53 - 10 bits.
        assert abs(parameters.item() + 0.5) <= 4 * torch.finfo(torch.float64).eps * 2**10


def test_a_parameter_without_gradient_stays() -> None:
    zero = vector(0.0, 0.0)
    parameters, first, second = training.adam_step(vector(1.0, -3.0), zero, zero, zero, 1, 0.1, 0.9, 0.999, 1e-8)
    assert parameters.tolist() == [1.0, -3.0]
    assert first.tolist() == second.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (OptimizerConfig("sgd", 0.01), torch.optim.SGD),
        (OptimizerConfig("sgd", 0.01, momentum=0.9), torch.optim.SGD),
        (OptimizerConfig(), torch.optim.Adam),
        (OptimizerConfig("adamw", weight_decay=0.1), torch.optim.AdamW),
    ],
)
def test_ten_steps_of_the_optimizer_are_ten_steps_of_the_function(
    config: OptimizerConfig, kind: type[torch.optim.Optimizer]
) -> None:
    random = torch.Generator().manual_seed(0)
    start = torch.randn(50, dtype=torch.float64, generator=random)
    gradients = torch.randn(10, 50, dtype=torch.float64, generator=random)
    parameter = start.clone().requires_grad_()
    optimizer = make_optimizer(config, [parameter])
    assert type(optimizer) is kind
    state = [start] + [torch.zeros_like(start)] * (1 if config.name == "sgd" else 2)
    for count, gradient in enumerate(gradients, 1):
        parameter.grad = gradient
        optimizer.step()
        if config.name == "sgd":
            state = list(training.sgd_step(state[0], gradient, state[1], config.learning_rate, config.momentum))
        else:
            numbers = [config.learning_rate, config.beta1, config.beta2, config.epsilon]
            step = training.adam_step if config.name == "adam" else training.adamw_step
            numbers += [config.weight_decay] if config.name == "adamw" else []
            state = list(step(state[0], gradient, *state[1:], count, *numbers))
    # Ten steps, each a rounding of the parameter and some of its far smaller update.
    allowed = 10 * 2 * torch.finfo(torch.float64).eps * start.abs().max()
    assert (parameter.detach() - state[0]).abs().max() <= allowed


def test_what_a_framework_would_choose_is_chosen_here() -> None:
    (group,) = make_optimizer(OptimizerConfig("adamw"), [vector(0.0)]).param_groups
    chosen = {name: group[name] for name in ("lr", "betas", "eps", "weight_decay", "amsgrad", "foreach", "fused")}
    assert chosen == {
        "lr": 1e-3,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "weight_decay": 0.0,
        "amsgrad": False,
        "foreach": False,
        "fused": False,
    }


def test_both_stacks_have_the_same_configuration() -> None:
    here, there = (
        [(field.name, field.type, field.default) for field in dataclasses.fields(config)]
        for config in (OptimizerConfig, tensorflow_training.OptimizerConfig)
    )
    assert here == there


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "rmsprop"}, "name: expected sgd or adam or adamw, got 'rmsprop'"),
        ({"learning_rate": 0.0}, "learning_rate: expected a finite, positive number, got 0.0"),
        ({"learning_rate": math.nan}, "learning_rate: expected a finite, positive number, got nan"),
        ({"beta1": 1.0}, "beta1: expected at least 0 and less than 1, got 1.0"),
        ({"beta2": -0.1}, "beta2: expected at least 0 and less than 1, got -0.1"),
        ({"epsilon": 0.0}, "epsilon: expected a finite, positive number, got 0.0"),
        ({"weight_decay": 0.01}, "weight_decay: expected 0 for adam, which has none, got 0.01"),
        ({"name": "adamw", "weight_decay": -1}, "weight_decay: expected a finite number of at least 0, got -1"),
        ({"name": "adamw", "momentum": 0.9}, "momentum: expected 0 for adamw, which has none, got 0.9"),
    ],
)
def test_a_configuration_that_makes_no_sense(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the message is compared whole
        OptimizerConfig(**given)
    assert str(caught.value) == message


def test_a_hyperparameter_that_is_no_number() -> None:
    with pytest.raises(TypeError, match=r"^beta1: expected a number, got '0\.9'$"):
        OptimizerConfig(beta1="0.9")


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"gradient": vector(1.0, 2.0)}, ValueError, r"gradient: expected \(D\) = \(1\) as in parameters, got \(2\)"),
        ({"gradient": vector(1.0, dtype=torch.float32)}, TypeError, "gradient: expected the precision of parameters"),
        ({"parameters": torch.ones(1, 1)}, ValueError, r"parameters: expected axes \(D\), got shape \(1, 1\)"),
        ({"count": 0}, ValueError, "count: expected a positive number, got 0"),
        ({"count": 1.0}, TypeError, "count: expected a whole number, got 1.0"),
        ({"beta2": 1.0}, ValueError, "beta2: expected at least 0 and less than 1, got 1.0"),
        ({"epsilon": vector(1.0)[0]}, TypeError, "epsilon: expected a number, got tensor"),
    ],
)
def test_arguments_that_make_no_step(changed: dict[str, object], error: type[Exception], message: str) -> None:
    names = ("parameters", "gradient", "first_moment", "second_moment")
    arguments = {name: vector(1.0) for name in names} | {"count": 1, **ADAM}
    with pytest.raises(error, match=f"^{message}"):
        training.adam_step(**{**arguments, **changed})
