"""The TensorFlow autoencoder as a Keras model, in files and in graphs."""

import math
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptycho import networks
from ptycho.autoencoder import Autoencoder
from ptycho.networks import CNNConfig

REAL = [tf.float32, tf.float64]
SMALL = CNNConfig(size=16, gridsize=1, filters_scale=0.02)
DEEP = CNNConfig(size=64, gridsize=2, filters_scale=0.05)


def uniform(*shape: int, dtype: tf.DType = tf.float64, seed: int = 0) -> tf.Tensor:
    """Numbers in [0, 1)."""
    return tf.constant(np.random.default_rng(seed).random(shape), dtype)


def parameters(config: CNNConfig, dtype: tf.DType = tf.float64) -> dict[str, tf.Tensor]:
    """Random parameters of a network, biases included."""
    drawn = {}
    for seed, (name, shape) in enumerate(config.parameter_shapes().items()):
        values = np.random.default_rng(seed).normal(size=shape) / math.sqrt(math.prod(shape[:-1]))
        drawn[name] = tf.constant(values, dtype)
    return drawn


def images(config: CNNConfig, groups: int = 2, dtype: tf.DType = tf.float64) -> tf.Tensor:
    return uniform(groups, config.size, config.size, config.gridsize**2, dtype=dtype)


def test_one_trace_with_open_dimensions_serves_all_sizes() -> None:
    config = CNNConfig(size=32, filters_scale=0.05)
    names, traces = list(config.parameter_shapes()), 0

    def objects(frames: tf.Tensor, weights: list[tf.Tensor]) -> tf.Tensor:
        nonlocal traces
        traces += 1
        return networks.autoencode(frames, **dict(zip(names, weights, strict=True)))

    ranks = [len(shape) for shape in config.parameter_shapes().values()]
    signature = [tf.TensorSpec([None] * 4, tf.float64), [tf.TensorSpec([None] * rank, tf.float64) for rank in ranks]]
    traced = tf.function(objects, input_signature=signature, autograph=False)
    for other in (config, CNNConfig(size=32, gridsize=2, filters_scale=0.01), CNNConfig(size=32, filters_scale=0.1)):
        frames, weights = images(other), parameters(other)
        expected = networks.autoencode(frames, **weights)
        # Sums may be taken in another order; a difference of mathematics is far larger than single precision.
        assert np.abs(traced(frames, list(weights.values())) - expected).max() <= np.finfo(np.float32).eps
    assert traces == 1
    frames, weights = images(config), parameters(config)
    weights["amplitude_decoder_0_second_bias"] = tf.zeros(1, tf.float64)
    with pytest.raises(tf.errors.InvalidArgumentError, match="amplitude_decoder_0_second_bias: expected shape"):
        traced(frames, list(weights.values()))
    with pytest.raises(tf.errors.InvalidArgumentError, match="images: expected sides divisible by 4"):
        traced(frames[:, :30], list(parameters(config).values()))


def test_open_channels_are_not_taken_for_a_grouped_convolution() -> None:
    """tf.nn.conv2d convolves 4 channels with a kernel of 2 in two groups, without a word."""
    signature = [tf.TensorSpec([None] * rank) for rank in (4, 4, 1)]
    traced = tf.function(networks.convolve, input_signature=signature, autograph=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="kernel: expected shape"):
        traced(tf.ones((1, 4, 4, 4)), tf.ones((3, 3, 2, 2)), tf.ones(2))
    with pytest.raises(tf.errors.InvalidArgumentError, match="bias: expected shape"):
        traced(tf.ones((1, 4, 4, 2)), tf.ones((3, 3, 2, 2)), tf.ones(1))


@pytest.mark.parametrize("dtype", REAL)
def test_the_model_is_the_function_of_its_parameters(dtype: tf.DType) -> None:
    network = Autoencoder(DEEP, seed=3, dtype=dtype.name)
    frames = images(DEEP, dtype=dtype)
    assert np.array_equal(network(frames), networks.autoencode(frames, **network.parameters_by_name()))


def test_the_model_names_its_variables_as_the_function_does() -> None:
    network = Autoencoder(DEEP)
    named = network.parameters_by_name()
    assert network.built
    assert {name: tuple(variable.shape) for name, variable in named.items()} == DEEP.parameter_shapes()
    assert list(named) == list(DEEP.parameter_shapes()) == [variable.name for variable in network.trainable_variables]
    assert all(variable.name == name for name, variable in named.items())


def test_every_parameter_gets_a_gradient() -> None:
    network, frames = Autoencoder(DEEP), images(DEEP, dtype=tf.float32)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.math.imag(network(frames)))
    assert all(np.any(slope) for slope in tape.gradient(total, network.trainable_variables))


def test_a_seed_decides_the_kernels_and_nothing_else_does() -> None:
    first, again, other = (Autoencoder(SMALL, seed=seed).parameters_by_name() for seed in (5, 5, 6))
    double = Autoencoder(SMALL, seed=5, dtype="float64").parameters_by_name()
    for name, variable in first.items():
        assert np.array_equal(variable, again[name])
        assert np.array_equal(variable, double[name])
        assert np.array_equal(variable, other[name]) == name.endswith("_bias")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_model_comes_back_from_a_file_as_it_was(dtype: str, tmp_path: Path) -> None:
    network, frames = Autoencoder(DEEP, seed=4, dtype=dtype, name="object"), images(DEEP, dtype=tf.as_dtype(dtype))
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    assert (again.config, again.seed, again.name, again.dtype) == (DEEP, 4, "object", dtype)
    assert np.array_equal(again(frames), network(frames))
    network.save_weights(tmp_path / "network.weights.h5")
    other = Autoencoder(DEEP, seed=5, dtype=dtype)
    other.load_weights(tmp_path / "network.weights.h5")
    assert np.array_equal(other(frames), network(frames))


@pytest.mark.parametrize(
    ("config", "dtype", "message"),
    [
        (SMALL, "float64", "amplitude_head_bias: expected float64 of shape (1,), got float32 of shape (1,)"),
        (CNNConfig(16, 1, 0.03), "float32",
         "amplitude_head_kernel: expected float32 of shape (3, 3, 4, 1), got float32 of shape (3, 3, 3, 1)"),
        (CNNConfig(32, 1, 0.02), "float32",
         "amplitude_decoder_0_first_bias: expected float32 of shape (1,), got none in the file"),
    ],
)  # fmt: skip
def test_weights_of_another_network_are_refused_and_none_is_taken(
    config: CNNConfig, dtype: str, message: str, tmp_path: Path
) -> None:
    Autoencoder(SMALL).save_weights(tmp_path / "network.weights.h5")
    network = Autoencoder(config, seed=1, dtype=dtype)
    before = [variable.numpy() for variable in network.weights]
    with pytest.raises(ValueError, match=re.escape(message)):
        network.load_weights(tmp_path / "network.weights.h5")
    assert all(np.array_equal(*pair) for pair in zip(before, network.weights, strict=True))


def test_a_model_learns_inside_another() -> None:
    network, frames = Autoencoder(SMALL), images(SMALL, dtype=tf.float32)
    shape = (16, 16, 1)
    model = keras.Sequential([keras.Input(shape), network, keras.layers.Lambda(tf.abs, output_shape=shape)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    target = tf.image.pad_to_bounding_box(tf.fill((2, 8, 8, 1), 0.9), 4, 4, 16, 16)
    losses = model.fit(frames, target, epochs=3, verbose=0).history["loss"]
    assert losses[2] < losses[1] < losses[0]


def test_compiled_by_xla_the_network_is_the_same() -> None:
    network, frames = Autoencoder(SMALL, dtype="float64"), images(SMALL)
    compiled = tf.function(network, jit_compile=True, autograph=False)
    assert np.abs(compiled(frames) - network(frames)).max() <= np.finfo(np.float32).eps


def test_a_graph_refuses_a_frame_too_small_to_pool() -> None:
    traced = tf.function(networks.max_pool, input_signature=[tf.TensorSpec([None] * 4)], autograph=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="features: expected at least 2 rows and 2 columns"):
        traced(tf.ones((2, 1, 6, 3)))


def test_an_array_is_no_parameter() -> None:
    weights = {**parameters(SMALL, tf.float32), "amplitude_head_bias": np.ones(1)}
    with pytest.raises(TypeError, match=r"^amplitude_head_bias: expected a tf\.Tensor, got ndarray$"):
        networks.autoencode(images(SMALL, dtype=tf.float32), **weights)


@pytest.mark.parametrize("dtype", ["float16", "mixed_float16", "mixed_bfloat16"])
def test_the_model_refuses_another_precision(dtype: str) -> None:
    with pytest.raises(TypeError, match=f"^dtype: expected float32 or float64, got {dtype}$"):
        Autoencoder(SMALL, dtype=dtype)
