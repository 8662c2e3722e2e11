"""The TensorFlow stack from patches to the detector, in a graph that is traced once."""

import numpy as np
import pytest
import tensorflow as tf

from ptycho import forward

LOSS_WEIGHTS = (1.0, 0.5, 2.0, 0.25, 0.125)


def real(low: float, high: float, *shape: int, seed: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).uniform(low, high, shape))


def field(*shape: int, seed: int) -> tf.Tensor:
    return tf.complex(*(real(-1, 1, *shape, seed=seed + part) for part in (100, 200)))


def model(size: tuple[int, int, int, int]) -> tuple[tf.Tensor, ...]:
    """Patches, positions, probe and logarithm of the scale."""
    groups, height, width, count = size
    return (
        field(*size, seed=0),
        real(-2, 2, groups, 1, 2, count, seed=1),
        field(height, width, 3, seed=2),
        tf.constant(0.75, tf.float64),
    )


@pytest.mark.parametrize("weighting", ["probe", "none"])
def test_one_trace_serves_all_sizes_values_and_gradients(one_trace_serves, weighting: str) -> None:
    def step(*arguments: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        *tensors, rows, columns = arguments
        with tf.GradientTape() as tape:
            tape.watch(tensors[:4])
            loss = forward.training_objective(*tensors, *LOSS_WEIGHTS, rows, columns, weighting)
        return loss, tape.gradient(loss, tensors[:4], unconnected_gradients="zero")

    def arguments_of(size: tuple[int, int, int, int]) -> list[tf.Tensor]:
        sides = (tf.constant(side + 4) for side in size[1:3])
        return [*model(size), real(0, 2, *size, seed=4), field(*size, seed=5), *sides]

    sizes = [arguments_of(size) for size in ((2, 6, 5, 4), (3, 4, 7, 1), (1, 8, 8, 9))]
    # The graph may add in another order; the loss is a sum over all pixels of what a transform mixes.
    one_trace_serves(step, sizes, lambda arguments: arguments[0].numpy().size ** 2)
