"""The TensorFlow stack from patches to the detector, in a graph that is traced once."""

import math

import numpy as np
import pytest
import tensorflow as tf

from ptycho import forward

LOSS_WEIGHTS = (1.0, 0.5, 2.0, 0.25, 0.125)


def real(low: float, high: float, *shape: int, dtype: tf.DType = tf.float64, seed: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).uniform(low, high, shape), dtype)


def field(*shape: int, dtype: tf.DType = tf.float64, seed: int) -> tf.Tensor:
    return tf.complex(*(real(-1, 1, *shape, dtype=dtype, seed=seed + part) for part in (100, 200)))


def model(dtype: tf.DType = tf.float64, size: tuple[int, int, int, int] = (2, 6, 5, 4)) -> tuple[tf.Tensor, ...]:
    """Patches, positions, probe and logarithm of the scale."""
    groups, height, width, count = size
    return (
        field(*size, dtype=dtype, seed=0),
        real(-2, 2, groups, 1, 2, count, dtype=dtype, seed=1),
        field(height, width, 3, dtype=dtype, seed=2),
        tf.constant(0.75, dtype),
    )


def rounding(tensor: tf.Tensor, operations: int) -> float:
    """What `operations` roundings, each of a number as large as the largest of `tensor`, may add up to."""
    values = np.asarray(tensor)
    return operations * np.finfo(values.dtype).eps * np.abs(values).max()


@pytest.mark.parametrize("weighting", ["probe", "none"])
def test_one_trace_serves_all_sizes_values_and_gradients(weighting: str) -> None:
    traces = []
    sizes = [(2, 6, 5, 4), (3, 4, 7, 1), (1, 8, 8, 9)]

    def step(*arguments: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        *tensors, rows, columns = arguments
        with tf.GradientTape() as tape:
            tape.watch(tensors[:4])
            loss = forward.training_objective(*tensors, *LOSS_WEIGHTS, rows, columns, weighting)
        return loss, tape.gradient(loss, tensors[:4], unconnected_gradients="zero")

    def arguments_of(size: tuple[int, int, int, int]) -> list[tf.Tensor]:
        sides = (tf.constant(side + 4) for side in size[1:3])
        return [*model(size=size), real(0, 2, *size, seed=4), field(*size, seed=5), *sides]

    signature = [tf.TensorSpec([None] * a.shape.rank, a.dtype) for a in arguments_of(sizes[0])]

    @tf.function(input_signature=signature, autograph=False)
    def traced(*arguments: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        traces.append(weighting)
        return step(*arguments)

    for size in sizes:
        arguments = arguments_of(size)
        for got, wanted in zip(tf.nest.flatten(traced(*arguments)), tf.nest.flatten(step(*arguments)), strict=True):
            assert got.shape == wanted.shape
            # The graph may add in another order; the loss is a sum over all pixels of what a transform mixes.
            assert np.abs(got - wanted).max() <= rounding(wanted, math.prod(size) ** 2)
    assert len(traces) == 1
