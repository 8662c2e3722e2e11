"""The optimizers' steps by hand, their configurations, and what is refused."""

import dataclasses
import math

import numpy as np
import pytest

REAL = [np.float32, np.float64]
ADAM = {"learning_rate": 0.125, "beta1": 0.5, "beta2": 0.75, "epsilon": 1.0}


@pytest.fixture
def training(stack):
    return stack.functions("training")


def vector(*values: float, dtype: type = np.float64) -> np.ndarray:
    return np.array(values, dtype)


@pytest.mark.parametrize("dtype", REAL)
def test_a_step_of_sgd_by_hand(training, dtype: type) -> None:
    parameters, velocity = training.sgd_step(
        vector(1.0, -2.0, dtype=dtype), vector(4.0, 0.0, dtype=dtype), vector(8.0, 16.0, dtype=dtype), 0.25, 0.5
    )
    assert (parameters.dtype, velocity.dtype) == (dtype, dtype)
    assert velocity.tolist() == [8.0, 8.0]
    assert parameters.tolist() == [-1.0, -4.0]


@pytest.mark.parametrize("dtype", REAL)
def test_a_first_step_of_adam_by_hand(training, dtype: type) -> None:
    """The unbiased moments of a first gradient g are g and g^2: the step is lr g / (|g| + epsilon)."""
    zero = vector(0.0, dtype=dtype)
    parameters, first, second = training.adam_step(zero, zero + 3, zero, zero, 1, **ADAM)
    assert (parameters.dtype, first.item(), second.item()) == (dtype, 1.5, 2.25)
    assert parameters.item() == -0.125 * 3 / (3 + 1)


def test_weights_decay_before_the_step_which_does_not_see_it(training) -> None:
    state = vector(2.0), vector(3.0), vector(1.0), vector(4.0), 2
    decayed = (0.75 * state[0], *state[1:])
    assert training.adamw_step(*state, **ADAM, weight_decay=2.0) == training.adam_step(*decayed, **ADAM)
    assert training.adamw_step(*state, **ADAM, weight_decay=0.0) == training.adam_step(*state, **ADAM)


def test_epsilon_is_added_after_the_bias_is_corrected(training) -> None:
    """At a gradient of the size of epsilon a first step is half as long, whatever beta2."""
    for beta2 in (0.0, 0.9, 0.999):
        parameters, _, _ = training.adam_step(
            vector(0.0), vector(2.0**-30), vector(0.0), vector(0.0), 1, 1.0, 0.0, beta2, 2.0**-30
        )
        # The second moment, its correction, their ratio and its root are rounded, and 1 - beta2 keeps 53 - 10 bits.
        assert abs(parameters.item() + 0.5) <= 4 * np.finfo(float).eps * 2**10


def test_a_parameter_without_gradient_stays(training) -> None:
    zero = vector(0.0, 0.0)
    parameters, first, second = training.adam_step(vector(1.0, -3.0), zero, zero, zero, 1, 0.1, 0.9, 0.999, 1e-8)
    assert parameters.tolist() == [1.0, -3.0]
    assert first.tolist() == second.tolist() == [0.0, 0.0]


def test_both_stacks_have_the_same_configuration() -> None:
    from ptycho.training import OptimizerConfig as Keras
    from ptycho_torch.training import OptimizerConfig as Torch

    here, there = ([(f.name, f.type, f.default) for f in dataclasses.fields(config)] for config in (Torch, Keras))
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
def test_a_configuration_that_makes_no_sense(stack, training, given: dict[str, object], message: str) -> None:
    with stack.refusal(ValueError, message):
        training.OptimizerConfig(**given)


def test_a_hyperparameter_that_is_no_number(stack, training) -> None:
    with stack.refusal(TypeError, "beta1: expected a number, got '0.9'"):
        training.OptimizerConfig(beta1="0.9")


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"gradient": vector(1.0, 2.0)}, ValueError, "gradient: expected (D) = (1) as in parameters, got (2)"),
        ({"gradient": vector(1.0, dtype=np.float32)}, TypeError, "gradient: expected the precision of parameters"),
        ({"parameters": np.ones((1, 1))}, ValueError, "parameters: expected axes (D), got shape (1, 1)"),
        ({"count": 0}, ValueError, "count: expected a positive number, got 0"),
        ({"count": 1.0}, TypeError, "count: expected a whole number, got 1.0"),
        ({"beta2": 1.0}, ValueError, "beta2: expected at least 0 and less than 1, got 1.0"),
    ],
)
def test_arguments_that_make_no_step(
    stack, training, changed: dict[str, object], error: type[Exception], message: str
) -> None:
    names = ("parameters", "gradient", "first_moment", "second_moment")
    arguments = {name: vector(1.0) for name in names} | {"count": 1, **ADAM}
    with stack.refusal(error, message, whole=False):
        training.adam_step(**{**arguments, **changed})


def test_a_tensor_that_is_no_hyperparameter(stack, training) -> None:
    one, expected = vector(1.0), "epsilon: expected a number"
    other = " or a scalar of float64, got float32" if stack.name == "tensorflow" else ", got tensor"
    with pytest.raises(TypeError, match=f"^{expected}{other}"):
        training.adam_step(one, one, one, one, count=1, **{**ADAM, "epsilon": np.array(1, np.float32)})
