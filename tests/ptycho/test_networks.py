"""The TensorFlow autoencoder: what its blocks compute, how it is built from them, files, and what it refuses."""

import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptycho import networks, optics, patches
from ptycho.autoencoder import Autoencoder
from ptycho.networks import CNNConfig

REAL = [tf.float32, tf.float64]
SMALL = CNNConfig(size=16, gridsize=1, filters_scale=0.02)
DEEP = CNNConfig(size=64, gridsize=2, filters_scale=0.05)


def whole(*shape: int, dtype: tf.DType = tf.float64, seed: int = 0) -> tf.Tensor:
    """Whole numbers from -4 to 4: sums of their products are exact in either precision."""
    return tf.constant(np.random.default_rng(seed).integers(-4, 5, shape), dtype)


def uniform(*shape: int, dtype: tf.DType = tf.float64, seed: int = 0) -> tf.Tensor:
    """Numbers in [0, 1)."""
    return tf.constant(np.random.default_rng(seed).random(shape), dtype)


def correlated(features: Any, kernel: Any, bias: Any) -> np.ndarray:
    """The equation of `convolve`, pixel by pixel."""
    features, kernel, bias = (np.asarray(array) for array in (features, kernel, bias))
    count, rows, columns, _ = features.shape
    result = np.tile(bias, (count, rows, columns, 1))
    for row in range(rows):
        for column in range(columns):
            for u in range(3):
                for v in range(3):
                    y, x = row + u - 1, column + v - 1
                    if 0 <= y < rows and 0 <= x < columns:
                        result[:, row, column] += features[:, y, x] @ kernel[u, v]
    return result


def block(channels: int, first: int, second: int, dtype: tf.DType = tf.float64) -> tuple[tf.Tensor, ...]:
    shapes = (3, 3, channels, first), (first,), (3, 3, first, second), (second,)
    return tuple(whole(*shape, dtype=dtype, seed=seed) for seed, shape in enumerate(shapes))


def parameters(config: CNNConfig, dtype: tf.DType = tf.float64) -> dict[str, tf.Tensor]:
    """Random parameters of a network, biases included."""
    drawn = {}
    for seed, (name, shape) in enumerate(config.parameter_shapes().items()):
        values = np.random.default_rng(seed).normal(size=shape) / math.sqrt(math.prod(shape[:-1]))
        drawn[name] = tf.constant(values, dtype)
    return drawn


def images(config: CNNConfig, groups: int = 2, dtype: tf.DType = tf.float64) -> tf.Tensor:
    return uniform(groups, config.size, config.size, config.gridsize**2, dtype=dtype)


def gradient(function: Callable[..., tf.Tensor], *arguments: tf.Tensor) -> list[np.ndarray]:
    """The gradient of the sum of what the function returns with respect to each argument."""
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        total = tf.reduce_sum(function(*arguments))
    return [np.asarray(slope) for slope in tape.gradient(total, arguments)]


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (5, 7), (6, 3), (1, 4)])
def test_a_convolution_is_a_cross_correlation_with_zeros_around(rows: int, columns: int, dtype: tf.DType) -> None:
    features, kernel = whole(2, rows, columns, 3, dtype=dtype), whole(3, 3, 3, 4, dtype=dtype, seed=1)
    bias = whole(4, dtype=dtype, seed=2)
    convolved = networks.convolve(features, kernel, bias)
    assert convolved.dtype == dtype
    assert np.array_equal(convolved, correlated(features, kernel, bias))


def test_a_point_is_spread_into_the_kernel_turned_by_half_a_turn() -> None:
    point = np.zeros((1, 5, 6, 1), np.float32)
    point[0, 2, 3, 0] = 1
    kernel = np.arange(1, 10, dtype=np.float32).reshape(3, 3, 1, 1)
    spread = networks.convolve(tf.constant(point), tf.constant(kernel), tf.zeros(1))[0, :, :, 0]
    assert np.array_equal(spread[1:4, 2:5], kernel[::-1, ::-1, 0, 0])
    assert np.count_nonzero(spread) == 9


def test_the_gradient_of_a_bias_does_not_drift() -> None:
    """The bound for sums of docs/numerics.md, (3 + 0.8 sqrt n) u; one by one it would be off by n u / 8."""
    features, kernel = tf.zeros((4, 128, 128, 1)), tf.ones((3, 3, 1, 2))
    (slope,) = gradient(lambda bias: tf.constant(0.1) * networks.convolve(features, kernel, bias), tf.zeros(2))
    count = 4 * 128 * 128
    exact = count * float(np.float32(0.1))
    assert np.abs(slope.astype(float) - exact).max() <= (3 + 0.8 * math.sqrt(count)) * 2**-24 * exact


@pytest.mark.parametrize("dtype", REAL)
def test_the_gradients_of_a_convolution_are_those_of_its_equation(dtype: tf.DType) -> None:
    features, kernel, bias = whole(2, 5, 4, 3, dtype=dtype), whole(3, 3, 3, 2, dtype=dtype), whole(2, dtype=dtype)
    weight = np.asarray(whole(2, 5, 4, 2, dtype=dtype, seed=1))
    slopes = gradient(lambda *arguments: weight * networks.convolve(*arguments), features, kernel, bias)
    turned = np.asarray(kernel)[::-1, ::-1].transpose(0, 1, 3, 2)
    assert np.array_equal(slopes[0], correlated(weight, turned, np.zeros(3, turned.dtype)))
    padded = np.pad(features, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = [[padded[:, u : u + 5, v : v + 4] for v in range(3)] for u in range(3)]
    expected = [[np.einsum("bhwi,bhwo->io", window, weight) for window in row] for row in windows]
    assert np.array_equal(slopes[1], expected)
    assert np.array_equal(slopes[2], weight.sum((0, 1, 2)))


@pytest.mark.parametrize("dtype", REAL)
def test_rectify_keeps_what_is_positive(dtype: tf.DType) -> None:
    features = tf.reshape(tf.constant([-2.0, -0.0, 0.0, 0.5], dtype), (1, 2, 2, 1))
    rectified = networks.rectify(features)
    assert rectified.dtype == dtype
    assert np.array_equal(np.ravel(rectified), [0, 0, 0, 0.5])
    assert np.array_equal(np.ravel(gradient(networks.rectify, features)), [0, 0, 0, 1])


@pytest.mark.parametrize("dtype", REAL)
def test_max_pool_takes_the_largest_of_four_and_drops_an_odd_edge(dtype: tf.DType) -> None:
    features = whole(2, 5, 7, 3, dtype=dtype)
    quarters = [features[:, y:4:2, x:6:2] for y in (0, 1) for x in (0, 1)]
    assert np.array_equal(networks.max_pool(features), np.max(quarters, axis=0))


def test_max_pool_takes_the_largest_of_negative_numbers_too() -> None:
    assert networks.max_pool(-1 - uniform(1, 2, 2, 1)) < -1


@pytest.mark.parametrize("dtype", REAL)
def test_upsample_repeats_each_pixel_two_by_two(dtype: tf.DType) -> None:
    features = whole(2, 3, 4, 3, dtype=dtype)
    larger = networks.upsample(features)
    for y in (0, 1):
        for x in (0, 1):
            assert np.array_equal(larger[:, y::2, x::2], features)
    assert np.array_equal(networks.max_pool(larger), features)
    weight = whole(2, 6, 8, 3, dtype=dtype, seed=1)
    (slope,) = gradient(lambda features: weight * networks.upsample(features), features)
    assert np.array_equal(slope, sum(weight[:, y::2, x::2] for y in (0, 1) for x in (0, 1)))


@pytest.mark.parametrize("dtype", REAL)
def test_the_heads_span_the_amplitudes_and_the_phases_of_an_object(dtype: tf.DType) -> None:
    features, kernel = tf.zeros((1, 2, 2, 1), dtype), tf.zeros((3, 3, 1, 3), dtype)
    bias = tf.constant([-1000, 0, 1000], dtype)
    assert np.array_equal(networks.amplitude_head(features, kernel, bias)[0, 0, 0], [0, 0.5, 1])
    pi = dtype.as_numpy_dtype(math.pi)
    assert np.array_equal(networks.phase_head(features, kernel, bias)[0, 0, 0], [-pi, 0, pi])


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize(
    ("composed", "last"), [(networks.encoder_block, networks.max_pool), (networks.decoder_block, networks.upsample)]
)
def test_a_block_is_two_rectified_convolutions_and_a_change_of_size(
    composed: Callable[..., tf.Tensor], last: Callable[[tf.Tensor], tf.Tensor], dtype: tf.DType
) -> None:
    features, layers = whole(2, 4, 6, 3, dtype=dtype), block(3, 5, 2, dtype)
    inner = np.maximum(correlated(features, *layers[:2]), 0)
    expected = last(tf.constant(np.maximum(correlated(inner, *layers[2:]), 0)))
    assert np.array_equal(composed(features, *layers), expected)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("config", [SMALL, DEEP], ids=["one level", "three levels"])
def test_the_network_is_its_blocks_in_turn(config: CNNConfig, dtype: tf.DType) -> None:
    weights, frames = parameters(config, dtype), images(config, dtype=dtype)
    rest = iter(weights.values())

    def take(count: int) -> list[tf.Tensor]:
        return [next(rest) for _ in range(count)]

    encoded = frames
    for _ in range(config.levels):
        encoded = networks.encoder_block(encoded, *take(4))
    assert encoded.shape == (2, 8, 8, config.filters[-1])
    parts = []
    for head in (networks.amplitude_head, networks.phase_head):
        features = encoded
        for _ in range(config.levels - 1):
            features = networks.decoder_block(features, *take(4))
        parts.append(head(features, *take(2)))
    assert next(rest, None) is None
    expected = patches.pad(optics.combine_complex(*parts), config.size, config.size)
    assert np.array_equal(networks.autoencode(frames, **weights), expected)


def test_the_object_is_zero_outside_the_central_half() -> None:
    objects = networks.autoencode(images(DEEP), **parameters(DEEP)).numpy()
    assert objects.shape == (2, 64, 64, 4)
    assert objects.dtype == np.complex128
    centre = objects[:, 16:48, 16:48]
    assert np.all(centre)
    assert np.count_nonzero(objects) == centre.size


def test_the_order_of_the_parameters_does_not_matter() -> None:
    weights, frames = parameters(SMALL), images(SMALL)
    turned = dict(reversed(weights.items()))
    assert np.array_equal(networks.autoencode(frames, **turned), networks.autoencode(frames, **weights))


def test_groups_do_not_mix() -> None:
    weights = parameters(SMALL)
    (slope,) = gradient(lambda frames: tf.abs(networks.autoencode(frames, **weights)[1]), images(SMALL, groups=3))
    assert np.any(slope[1])
    assert not np.any(slope[[0, 2]])


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


@pytest.mark.parametrize("name", ["encoder_block", "decoder_block", "amplitude_head", "phase_head"])
def test_a_replaced_function_takes_effect(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original, calls = getattr(networks, name), []
    monkeypatch.setattr(networks, name, lambda *arguments: calls.append(name) or original(*arguments))
    networks.autoencode(images(DEEP), **parameters(DEEP))
    assert len(calls) == {"encoder_block": 3, "decoder_block": 4}.get(name, 1)


@pytest.mark.parametrize(
    ("size", "scale", "filters"),
    [
        (64, 1.0, (32, 64, 128)),
        (64, 2.0, (64, 128, 256)),
        (128, 1.0, (16, 32, 64, 128)),
        (256, 1.0, (8, 16, 32, 64, 128)),
        (16, 1.0, (128,)),
        (256, 0.1, (1, 2, 3, 6, 13)),
        (64, 0.001, (1, 1, 1)),
    ],
)
def test_filters_double_from_a_number_that_keeps_the_deepest_level_alike(
    size: int, scale: float, filters: tuple[int, ...]
) -> None:
    config = CNNConfig(size=size, filters_scale=scale)
    assert config.filters == filters
    assert config.levels == len(filters)


def test_the_defaults_are_a_single_patch_of_64_pixels_and_twice_the_filters() -> None:
    assert CNNConfig() == CNNConfig(size=64, gridsize=1, filters_scale=2.0)
    assert Autoencoder(SMALL).config == SMALL


def test_the_shapes_of_the_parameters_follow_the_network() -> None:
    shapes = CNNConfig(size=32, gridsize=2, filters_scale=0.05).parameter_shapes()
    assert list(shapes.items()) == [
        ("encoder_0_first_kernel", (3, 3, 4, 3)), ("encoder_0_first_bias", (3,)),
        ("encoder_0_second_kernel", (3, 3, 3, 3)), ("encoder_0_second_bias", (3,)),
        ("encoder_1_first_kernel", (3, 3, 3, 6)), ("encoder_1_first_bias", (6,)),
        ("encoder_1_second_kernel", (3, 3, 6, 6)), ("encoder_1_second_bias", (6,)),
        ("amplitude_decoder_0_first_kernel", (3, 3, 6, 3)), ("amplitude_decoder_0_first_bias", (3,)),
        ("amplitude_decoder_0_second_kernel", (3, 3, 3, 3)), ("amplitude_decoder_0_second_bias", (3,)),
        ("amplitude_head_kernel", (3, 3, 3, 4)), ("amplitude_head_bias", (4,)),
        ("phase_decoder_0_first_kernel", (3, 3, 6, 3)), ("phase_decoder_0_first_bias", (3,)),
        ("phase_decoder_0_second_kernel", (3, 3, 3, 3)), ("phase_decoder_0_second_bias", (3,)),
        ("phase_head_kernel", (3, 3, 3, 4)), ("phase_head_bias", (4,)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"size": 48}, ValueError, "size: expected a power of two from 16 on, got 48"),
        ({"size": 8}, ValueError, "size: expected a power of two from 16 on, got 8"),
        ({"size": 64.0}, TypeError, "size: expected a whole number, got 64.0"),
        ({"gridsize": 0}, ValueError, "gridsize: expected a positive number, got 0"),
        ({"filters_scale": 0}, ValueError, "filters_scale: expected a positive, finite number, got 0"),
        ({"filters_scale": math.nan}, ValueError, "filters_scale: expected a positive, finite number, got nan"),
        ({"filters_scale": math.inf}, ValueError, "filters_scale: expected a positive, finite number, got inf"),
        ({"filters_scale": "2"}, TypeError, "filters_scale: expected a number, got '2'"),
    ],
)
def test_a_configuration_that_gives_no_network_is_refused(
    fields: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        CNNConfig(**fields)


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


def test_kernels_start_with_the_spread_of_glorot_and_biases_at_zero() -> None:
    for name, variable in Autoencoder(CNNConfig(filters_scale=1.0)).parameters_by_name().items():
        values = variable.numpy().astype(float)
        if name.endswith("_bias"):
            assert not np.any(values)
            continue
        limit = math.sqrt(6 / (9 * sum(variable.shape[2:])))
        assert np.abs(values).max() <= limit * (1 + 2**-24)
        # The mean square of n uniform numbers has the relative standard deviation sqrt(4 / (5 n)).
        spread = np.mean(values**2) / (limit**2 / 3)
        assert abs(spread - 1) <= 5 * math.sqrt(0.8 / values.size)


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


def refused(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert message == str(caught.value)


FEATURES, KERNEL, BIAS = tf.ones((2, 4, 6, 3)), tf.ones((3, 3, 3, 5)), tf.ones(5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((FEATURES[0], KERNEL, BIAS), ValueError, "features: expected axes (B, H, W, F), got shape (4, 6, 3)"),
        ((tf.cast(FEATURES, tf.int32), KERNEL, BIAS), TypeError,
         "features: expected float32 or float64, got int32"),
        ((FEATURES, tf.cast(KERNEL, tf.float64), BIAS), TypeError,
         "kernel: expected the precision of features (float32), got float64"),
        ((FEATURES, KERNEL, tf.cast(BIAS, tf.float64)), TypeError,
         "bias: expected the precision of features (float32), got float64"),
        ((FEATURES, tf.cast(KERNEL, tf.complex64), BIAS), TypeError,
         "kernel: expected float32 or float64, got complex64"),
        ((FEATURES, KERNEL.numpy(), BIAS), TypeError, "kernel: expected a tf.Tensor, got ndarray"),
        ((FEATURES, KERNEL[:, :, :1], BIAS), ValueError,
         "kernel: expected shape (3, 3, 3, O) after the 3 channels of features, got shape (3, 3, 1, 5)"),
        ((FEATURES, tf.ones((5, 5, 3, 5)), BIAS), ValueError,
         "kernel: expected shape (3, 3, 3, O) after the 3 channels of features, got shape (5, 5, 3, 5)"),
        ((FEATURES, KERNEL[0], BIAS), ValueError,
         "kernel: expected shape (3, 3, 3, O) after the 3 channels of features, got shape (3, 3, 5)"),
        ((FEATURES, KERNEL, BIAS[:1]), ValueError,
         "bias: expected shape (5,), a number for each filter of kernel, got shape (1,)"),
        ((FEATURES, KERNEL, tf.ones(())), ValueError,
         "bias: expected shape (5,), a number for each filter of kernel, got shape ()"),
    ],
)  # fmt: skip
def test_a_convolution_refuses_what_does_not_fit(
    arguments: tuple[tf.Tensor, ...], error: type[Exception], message: str
) -> None:
    for function in (networks.convolve, networks.amplitude_head, networks.phase_head):
        refused(partial(function, *arguments), error, message)


def test_a_block_names_the_convolution_that_does_not_fit() -> None:
    second = tf.ones((3, 3, 4, 2))
    message = "second_kernel: expected shape (3, 3, 5, O) after the 5 channels of first_kernel, got shape (3, 3, 4, 2)"
    for function in (networks.encoder_block, networks.decoder_block):
        refused(partial(function, FEATURES, KERNEL, BIAS, second, tf.ones(2)), ValueError, message)


def test_a_frame_too_small_to_pool_is_refused() -> None:
    message = "features: expected at least 2 rows and 2 columns, got (1, 6)"
    refused(lambda: networks.max_pool(FEATURES[:, :1]), ValueError, message)
    traced = tf.function(networks.max_pool, input_signature=[tf.TensorSpec([None] * 4)], autograph=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="features: expected at least 2 rows and 2 columns"):
        traced(FEATURES[:, :1])


@pytest.mark.parametrize("function", [networks.rectify, networks.max_pool, networks.upsample])
def test_what_is_no_features_is_refused(function: Callable[[tf.Tensor], tf.Tensor]) -> None:
    refused(partial(function, FEATURES[0]), ValueError, "features: expected axes (B, H, W, F), got shape (4, 6, 3)")
    whole_numbers = tf.cast(FEATURES, tf.int32)
    refused(partial(function, whole_numbers), TypeError, "features: expected float32 or float64, got int32")


CHANGES: list[tuple[dict[str, tf.Tensor | None], type[Exception], str]] = [
    ({"phase_head_bias": None}, TypeError,
     "phase_head_bias: expected a parameter of this name, as there are 2 encoder blocks, got none"),
    ({"phase_head_bias": None, "phase_head_bais": tf.ones(1)}, TypeError,
     "phase_head_bias: expected a parameter of this name, as there are 2 encoder blocks, "
     "got none, but phase_head_bais"),
    ({"probe": tf.ones(1)}, TypeError,
     "probe: expected no parameter of this name, as there are 2 encoder blocks, got one"),
    ({"amplitude_decoder_1_first_bias": tf.ones(1)}, TypeError,
     "amplitude_decoder_1_first_bias: expected no parameter of this name, as there are 2 encoder blocks, got one"),
    ({"encoder_3_first_bias": tf.ones(1)}, TypeError,
     "encoder_2_first_kernel: expected a parameter of this name, as there are 4 encoder blocks, got none"),
    ({"encoder_1_first_kernel": tf.ones((3, 3, 1, 3))}, ValueError,
     "encoder_1_first_kernel: expected shape (3, 3, 2, O) after the 2 channels of encoder_0_second_kernel, "
     "got shape (3, 3, 1, 3)"),
    ({"encoder_0_first_bias": tf.ones(1)}, ValueError,
     "encoder_0_first_bias: expected shape (2,), a number for each filter of encoder_0_first_kernel, got shape (1,)"),
    ({"phase_decoder_0_first_kernel": tf.ones((3, 3, 4, 2))}, ValueError,
     "phase_decoder_0_first_kernel: expected shape (3, 3, 3, O) after the 3 channels of encoder_1_second_kernel, "
     "got shape (3, 3, 4, 2)"),
    ({"phase_head_kernel": tf.ones((3, 3, 2, 4)), "phase_head_bias": tf.ones(4)}, ValueError,
     "phase_head_kernel: expected as many filters as the channels of images, 1, got shape (3, 3, 2, 4)"),
    ({"amplitude_head_bias": tf.ones(1, tf.float64)}, TypeError,
     "amplitude_head_bias: expected the precision of images (float32), got float64"),
    ({"amplitude_head_bias": np.ones(1)}, TypeError, "amplitude_head_bias: expected a tf.Tensor, got ndarray"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "error", "message"), CHANGES)
def test_a_parameter_that_does_not_fit_is_refused_by_name(
    change: dict[str, tf.Tensor | None], error: type[Exception], message: str
) -> None:
    config = CNNConfig(size=32, filters_scale=0.025)
    weights = {**parameters(config, tf.float32), **change}
    weights = {name: tensor for name, tensor in weights.items() if tensor is not None}
    frames = images(config, dtype=tf.float32)
    refused(lambda: networks.autoencode(frames, **weights), error, message)


def test_a_network_without_parameters_is_refused() -> None:
    message = "encoder_0_first_kernel: expected a parameter of this name, as there is 1 encoder block, got none"
    refused(lambda: networks.autoencode(tf.ones((1, 16, 16, 1))), TypeError, message)


@pytest.mark.parametrize(
    ("config", "sides", "divisor"), [(DEEP, (60, 64), 8), (DEEP, (64, 68), 8), (SMALL, (18, 16), 4)]
)
def test_a_frame_that_cannot_be_halved_is_refused(config: CNNConfig, sides: tuple[int, int], divisor: int) -> None:
    blocks = "are 3 encoder blocks" if config is DEEP else "is 1 encoder block"
    message = f"images: expected sides divisible by {divisor}, as there {blocks}, got {sides}"
    frames = uniform(1, *sides, config.gridsize**2)
    refused(lambda: networks.autoencode(frames, **parameters(config)), ValueError, message)


@pytest.mark.parametrize(
    ("frames", "error", "message"),
    [
        (tf.ones((1, 32, 32, 1)), ValueError,
         "images: expected frames of (16, 16), the size of the network, got (32, 32)"),
        (tf.ones((1, 16, 16, 1), tf.float64), TypeError,
         "images: expected the precision of the parameters (float32), got float64"),
        (tf.ones((1, 16, 16, 4)), ValueError,
         "encoder_0_first_kernel: expected shape (3, 3, 4, O) after the 4 channels of images, got shape (3, 3, 1, 3)"),
        (tf.ones((1, 16, 16)), ValueError, "images: expected axes (B, H, W, C), got shape (1, 16, 16)"),
        (tf.ones((1, 16, 16, 1), tf.uint8), TypeError,
         "images: expected an amplitude (float32 or float64), got uint8 "
         "(integers look like counts: take the square root)"),
    ],
)  # fmt: skip
def test_the_model_refuses_other_images(frames: tf.Tensor, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        Autoencoder(SMALL)(frames)


@pytest.mark.parametrize("dtype", ["float16", "mixed_float16", "mixed_bfloat16"])
def test_the_model_refuses_another_precision(dtype: str) -> None:
    refused(lambda: Autoencoder(SMALL, dtype=dtype), TypeError, f"dtype: expected float32 or float64, got {dtype}")
