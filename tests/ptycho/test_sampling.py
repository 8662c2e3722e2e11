"""The TensorFlow photon counts: the global generator, gradients and graphs."""

import math

import numpy as np
import pytest
import tensorflow as tf

from ptycho import sampling

SAMPLERS = [sampling.sample_counts, sampling.sample_amplitude]


def intensity(value: float = 50.0, dtype: tf.DType = tf.float64) -> tf.Tensor:
    return tf.fill((2, 16, 15, 3), tf.constant(value, dtype))


@pytest.mark.parametrize("sample", SAMPLERS)
def test_the_global_generator_is_neither_read_nor_advanced(sample) -> None:
    found = []
    for global_seed in (0, 1):
        tf.random.set_seed(global_seed)
        generator = tf.random.get_global_generator()
        generator.reset_from_seed(global_seed)
        before = generator.state.numpy()
        found.append(sample(intensity(), 3))
        assert np.array_equal(generator.state, before)
    assert np.array_equal(*found)


def test_counts_have_no_gradient() -> None:
    light = intensity()
    with tf.GradientTape() as tape:
        tape.watch(light)
        counts = sampling.sample_counts(light, 3)
    assert tape.gradient(counts, light) is None


def test_a_graph_is_traced_once_for_every_size_and_seed_and_counts_the_same_photons() -> None:
    traces = []

    def sample(light: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        traces.append(light.shape)
        return sampling.sample_counts(light, seed)

    signature = [tf.TensorSpec([None] * 4, tf.float64), tf.TensorSpec([], tf.int32)]
    graph = tf.function(sample, input_signature=signature, autograph=False)
    for seed, light in enumerate((intensity(), intensity(3.0)[:1, :4])):
        assert np.array_equal(graph(light, seed), sampling.sample_counts(light, seed))
    assert len(traces) == 1


def spoilt(value: float) -> tf.Tensor:
    array = intensity().numpy()
    array[1, 2, 3, 2] = value
    return tf.constant(array)


INVALID = [(-1.0, "-1"), (math.nan, "nan"), (math.inf, "inf"), (2e12, "2e+12")]
EXPECTED = "intensity: expected a non-negative intensity of at most 1e+12 photons"


@pytest.mark.parametrize(("value", "_"), INVALID)
def test_a_graph_refuses_it_when_it_runs_and_does_not_wait_for_photons_from_nowhere(value: float, _: str) -> None:
    graph = tf.function(sampling.sample_counts, autograph=False)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        graph(spoilt(value), 3)
    assert EXPECTED in str(caught.value)
