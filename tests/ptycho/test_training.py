"""The TensorFlow optimizers with Keras around them: graphs, schedules, stored models."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptycho import training
from ptycho.training import OptimizerConfig, make_optimizer

ADAM = {"learning_rate": 0.125, "beta1": 0.5, "beta2": 0.75, "epsilon": 1.0}
CONFIGS = [
    OptimizerConfig("sgd", 0.01),
    OptimizerConfig("sgd", 0.01, momentum=0.9),
    OptimizerConfig(),
    OptimizerConfig("adamw", weight_decay=0.1),
]


def vector(*values: float, dtype: tf.DType = tf.float64) -> tf.Tensor:
    return tf.constant(values, dtype)


def draws(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def stepped(config: OptimizerConfig, start: tf.Tensor, gradients: np.ndarray, rates: list[float]) -> tf.Tensor:
    """The parameters after steps of the functions, each with its learning rate."""
    state = [start] + [tf.zeros_like(start)] * (1 if config.name == "sgd" else 2)
    for count, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), 1):
        gradient = tf.constant(gradient, start.dtype)
        if config.name == "sgd":
            state = list(training.sgd_step(state[0], gradient, state[1], rate, config.momentum))
        else:
            numbers = [rate, config.beta1, config.beta2, config.epsilon]
            step = training.adam_step if config.name == "adam" else training.adamw_step
            numbers += [config.weight_decay] if config.name == "adamw" else []
            state = list(step(state[0], gradient, *state[1:], count, *numbers))
    return state[0]


def distance(one: tf.Tensor, other: tf.Tensor) -> float:
    return float(np.abs(np.asarray(one) - np.asarray(other)).max())


def allowed(start: tf.Tensor, steps: int) -> float:
    """In each step a rounding of the parameter and some of its far smaller update, on both sides."""
    return steps * 2 * np.finfo(start.dtype.as_numpy_dtype).eps * float(np.abs(start).max())


@pytest.mark.parametrize("in_graph", [False, True])
@pytest.mark.parametrize("config", CONFIGS)
def test_steps_of_the_optimizer_are_steps_of_the_function(config: OptimizerConfig, in_graph: bool) -> None:
    """In the graph that `fit` trains with, too, and over every variable of a model."""
    gradients = draws(10, 2, 25, seed=1).astype(np.float32)
    starts = [tf.constant(draws(25, seed=seed), tf.float32) for seed in (2, 3)]
    variables = [tf.Variable(start) for start in starts]
    optimizer = make_optimizer(config)
    optimizer.build(variables)

    def apply(of_one: tf.Tensor, of_other: tf.Tensor) -> None:
        optimizer.apply([of_one, of_other], variables)

    step = tf.function(apply, autograph=False) if in_graph else apply
    for pair in gradients:
        step(*map(tf.constant, pair))
    for place, (start, variable) in enumerate(zip(starts, variables, strict=True)):
        expected = stepped(config, start, gradients[:, place], [config.learning_rate] * 10)
        assert distance(variable, expected) <= allowed(start, 10)


@pytest.mark.parametrize("config", CONFIGS)
def test_a_learning_rate_that_changes_is_followed_at_once(config: OptimizerConfig) -> None:
    """Keras's own momentum would go on at the rate that was."""
    start, gradients, rates = vector(*draws(20), dtype=tf.float32), draws(4, 20, seed=1), [0.1, 0.1, 0.001, 0.001]
    variable, optimizer = tf.Variable(start), make_optimizer(config)
    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.learning_rate = rate
        optimizer.apply([tf.constant(gradient, tf.float32)], [variable])
    assert distance(variable, stepped(config, start, gradients, rates)) <= allowed(start, 4)


@pytest.mark.parametrize("config", CONFIGS)
def test_double_precision_is_kept_where_keras_is_told_of_it(config: OptimizerConfig) -> None:
    start, gradients = vector(*draws(20)), draws(3, 20, seed=1)
    usual = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        variable, optimizer = tf.Variable(start), make_optimizer(config)
        for gradient in gradients:
            optimizer.apply([tf.constant(gradient)], [variable])
    finally:
        keras.config.set_floatx(usual)
    assert distance(variable, stepped(config, start, gradients, [config.learning_rate] * 3)) <= allowed(start, 3)


@pytest.mark.parametrize("config", CONFIGS)
def test_an_optimizer_that_was_stored_is_the_same_optimizer(config: OptimizerConfig) -> None:
    optimizer = make_optimizer(config)
    found = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(found) is type(optimizer)
    assert found.get_config() == optimizer.get_config()


def test_a_gradient_as_small_as_epsilon_is_a_step_half_as_long() -> None:
    """Keras adds epsilon before the bias is corrected: 0.03 of the step would be left."""
    epsilon = 2.0**-30
    variable = tf.Variable(tf.zeros(1))
    optimizer = make_optimizer(OptimizerConfig(learning_rate=1.0, epsilon=epsilon))
    optimizer.apply([tf.constant([epsilon])], [variable])
    # Fewer than 16 roundings; the numbers 1 - beta are formed in double precision and cancel nothing.
    assert abs(variable.numpy()[0] + 0.5) <= 16 * np.finfo(np.float32).eps


ARGUMENTS = {name: vector(1.0) for name in ("parameters", "gradient", "first_moment", "second_moment")}


def test_a_graph_asserts_what_only_it_can_know() -> None:
    step = tf.function(lambda beta2: training.adam_step(**ARGUMENTS, count=1, **{**ADAM, "beta2": beta2}))
    assert step(vector(0.75)[0])[0] == training.adam_step(**ARGUMENTS, count=1, **ADAM)[0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="beta2: expected at least 0 and less than 1"):
        step(vector(1.0)[0])
