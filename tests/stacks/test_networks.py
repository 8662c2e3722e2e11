"""The autoencoder: what its blocks compute, how it is built from them, and what it refuses."""

import math

import numpy as np
import pytest

from parity.physics.kinds import KERNEL

REAL = [np.float32, np.float64]
SMALL = {"size": 16, "gridsize": 1, "filters_scale": 0.02}
DEEP = {"size": 64, "gridsize": 2, "filters_scale": 0.05}


@pytest.fixture
def networks(stack):
    return stack.functions("networks")


def whole(*shape: int, dtype: type = np.float64, seed: int = 0) -> np.ndarray:
    """Whole numbers from -4 to 4: sums of their products are exact in either precision."""
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(dtype)


def uniform(*shape: int, dtype: type = np.float64, seed: int = 0) -> np.ndarray:
    """Numbers in [0, 1)."""
    return np.random.default_rng(seed).random(shape).astype(dtype)


def correlated(features: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The equation of `convolve`, pixel by pixel."""
    count, _, rows, columns = features.shape
    result = np.tile(bias[:, None, None], (count, 1, rows, columns))
    for row in range(rows):
        for column in range(columns):
            for u in range(3):
                for v in range(3):
                    y, x = row + u - 1, column + v - 1
                    if 0 <= y < rows and 0 <= x < columns:
                        result[:, :, row, column] += features[:, :, y, x] @ kernel[:, :, u, v].T
    return result


def block(channels: int, first: int, second: int, dtype: type = np.float64) -> tuple[np.ndarray, ...]:
    shapes = (first, channels, 3, 3), (first,), (second, first, 3, 3), (second,)
    return tuple(whole(*shape, dtype=dtype, seed=seed) for seed, shape in enumerate(shapes))


def shapes_of(networks, config: dict[str, object]) -> dict[str, tuple[int, ...]]:
    """The shapes of a network's parameters, its kernels (O, F, 3, 3)."""
    shapes = networks.CNNConfig(**config).parameter_shapes()
    return {
        name: KERNEL.from_framework(networks.stack.name, np.empty(shape)).shape if len(shape) == 4 else shape
        for name, shape in shapes.items()
    }


def parameters(networks, config: dict[str, object], dtype: type = np.float64) -> dict[str, np.ndarray]:
    """Random parameters of a network, biases included."""
    return {
        name: (np.random.default_rng(seed).normal(size=shape) / math.sqrt(math.prod(shape[1:]))).astype(dtype)
        for seed, (name, shape) in enumerate(shapes_of(networks, config).items())
    }


def images(config: dict[str, object], groups: int = 2, dtype: type = np.float64) -> np.ndarray:
    return uniform(groups, config["gridsize"] ** 2, config["size"], config["size"], dtype=dtype)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (5, 7), (6, 3), (1, 4)])
def test_a_convolution_is_a_cross_correlation_with_zeros_around(networks, rows: int, columns: int, dtype: type) -> None:
    features, kernel = whole(2, 3, rows, columns, dtype=dtype), whole(4, 3, 3, 3, dtype=dtype, seed=1)
    bias = whole(4, dtype=dtype, seed=2)
    convolved = networks.convolve(features, kernel, bias)
    assert convolved.dtype == dtype
    assert np.array_equal(convolved, correlated(features, kernel, bias))


def test_a_point_is_spread_into_the_kernel_turned_by_half_a_turn(networks) -> None:
    point = np.zeros((1, 1, 5, 6), np.float32)
    point[0, 0, 2, 3] = 1
    kernel = np.arange(1, 10, dtype=np.float32).reshape(1, 1, 3, 3)
    spread = networks.convolve(point, kernel, np.zeros(1, np.float32))
    assert np.array_equal(spread[:, :, 1:4, 2:5], np.flip(kernel, (-2, -1)))
    assert np.count_nonzero(spread) == 9


def test_the_gradient_of_a_bias_does_not_drift(stack, networks) -> None:
    """The bound for sums of docs/numerics.md, (3 + 0.8 sqrt n) u; one by one it would be off by n u / 8."""
    features, kernel = np.zeros((4, 1, 128, 128), np.float32), np.ones((2, 1, 3, 3), np.float32)
    (slope,) = stack.gradients(lambda bias: 0.1 * networks.convolve(features, kernel, bias), np.zeros(2, np.float32))
    count = 4 * 128 * 128
    exact = count * float(np.float32(0.1))
    assert np.abs(slope.astype(float) - exact).max() <= (3 + 0.8 * math.sqrt(count)) * 2**-24 * exact


@pytest.mark.parametrize("dtype", REAL)
def test_the_gradients_of_a_convolution_are_those_of_its_equation(stack, networks, dtype: type) -> None:
    features, kernel, bias = whole(2, 3, 5, 4, dtype=dtype), whole(2, 3, 3, 3, dtype=dtype), whole(2, dtype=dtype)
    weight = whole(2, 2, 5, 4, dtype=dtype, seed=1)
    slopes = stack.gradients(lambda *a: stack.tensor(weight) * networks.convolve(*a), features, kernel, bias)
    turned = np.flip(kernel, (-2, -1)).swapaxes(0, 1)
    assert np.array_equal(slopes[0], correlated(weight, turned, np.zeros(3, dtype)))
    padded = np.pad(features, ((0, 0), (0, 0), (1, 1), (1, 1)))
    for u, v in np.ndindex(3, 3):
        expected = np.einsum("bihw,bohw->oi", padded[:, :, u : u + 5, v : v + 4], weight)
        assert np.array_equal(slopes[1][:, :, u, v], expected)
    assert np.array_equal(slopes[2], weight.sum((0, 2, 3)))


@pytest.mark.parametrize("dtype", REAL)
def test_rectify_keeps_what_is_positive(stack, networks, dtype: type) -> None:
    features = np.array([-2.0, -0.0, 0.0, 0.5], dtype).reshape(1, 1, 2, 2)
    rectified = networks.rectify(features)
    assert rectified.dtype == dtype
    assert rectified.ravel().tolist() == [0, 0, 0, 0.5]
    assert np.ravel(stack.gradients(networks.rectify, features)).tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("dtype", REAL)
def test_max_pool_takes_the_largest_of_four_and_drops_an_odd_edge(networks, dtype: type) -> None:
    features = whole(2, 3, 5, 7, dtype=dtype)
    quarters = [features[:, :, y:4:2, x:6:2] for y in (0, 1) for x in (0, 1)]
    assert np.array_equal(networks.max_pool(features), np.max(quarters, axis=0))


def test_max_pool_takes_the_largest_of_negative_numbers_too(networks) -> None:
    assert networks.max_pool(-1 - uniform(1, 1, 2, 2)) < -1


@pytest.mark.parametrize("dtype", REAL)
def test_upsample_repeats_each_pixel_two_by_two(stack, networks, dtype: type) -> None:
    features = whole(2, 3, 3, 4, dtype=dtype)
    larger = networks.upsample(features)
    for y in (0, 1):
        for x in (0, 1):
            assert np.array_equal(larger[:, :, y::2, x::2], features)
    assert np.array_equal(networks.max_pool(larger), features)
    weight = whole(2, 3, 6, 8, dtype=dtype, seed=1)
    (slope,) = stack.gradients(lambda features: stack.tensor(weight) * networks.upsample(features), features)
    assert np.array_equal(slope, sum(weight[:, :, y::2, x::2] for y in (0, 1) for x in (0, 1)))


@pytest.mark.parametrize("dtype", REAL)
def test_the_heads_span_the_amplitudes_and_the_phases_of_an_object(networks, dtype: type) -> None:
    features, kernel = np.zeros((1, 1, 2, 2), dtype), np.zeros((3, 1, 3, 3), dtype)
    bias = np.array([-1000, 0, 1000], dtype)
    assert networks.amplitude_head(features, kernel, bias)[0, :, 0, 0].tolist() == [0, 0.5, 1]
    pi = dtype(math.pi)
    assert networks.phase_head(features, kernel, bias)[0, :, 0, 0].tolist() == [-pi, 0, pi]


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize(("composed", "last"), [("encoder_block", "max_pool"), ("decoder_block", "upsample")])
def test_a_block_is_two_rectified_convolutions_and_a_change_of_size(
    networks, composed: str, last: str, dtype: type
) -> None:
    features, layers = whole(2, 3, 4, 6, dtype=dtype), block(3, 5, 2, dtype)
    inner = np.maximum(correlated(features, *layers[:2]), 0)
    expected = getattr(networks, last)(np.maximum(correlated(inner, *layers[2:]), 0))
    assert np.array_equal(getattr(networks, composed)(features, *layers), expected)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("fields", [SMALL, DEEP], ids=["one level", "three levels"])
def test_the_network_is_its_blocks_in_turn(stack, networks, fields: dict[str, object], dtype: type) -> None:
    config = networks.CNNConfig(**fields)
    weights, frames = parameters(networks, fields, dtype), images(fields, dtype=dtype)
    rest = iter(weights.values())

    def take(count: int) -> list[np.ndarray]:
        return [next(rest) for _ in range(count)]

    encoded = frames
    for _ in range(config.levels):
        encoded = networks.encoder_block(encoded, *take(4))
    assert encoded.shape == (2, config.filters[-1], 8, 8)
    parts = []
    for head in (networks.amplitude_head, networks.phase_head):
        features = encoded
        for _ in range(config.levels - 1):
            features = networks.decoder_block(features, *take(4))
        parts.append(head(features, *take(2)))
    assert next(rest, None) is None
    combined = stack.functions("optics").combine_complex(*parts)
    expected = stack.functions("patches").pad(combined, config.size, config.size)
    assert np.array_equal(networks.autoencode(frames, **weights), expected)


def test_the_object_is_zero_outside_the_central_half(networks) -> None:
    objects = networks.autoencode(images(DEEP), **parameters(networks, DEEP))
    assert objects.shape == (2, 4, 64, 64)
    assert objects.dtype == np.complex128
    centre = objects[:, :, 16:48, 16:48]
    assert np.all(centre)
    assert np.count_nonzero(objects) == centre.size


def test_the_order_of_the_parameters_does_not_matter(networks) -> None:
    weights, frames = parameters(networks, SMALL), images(SMALL)
    turned = dict(reversed(weights.items()))
    assert np.array_equal(networks.autoencode(frames, **turned), networks.autoencode(frames, **weights))


def test_groups_do_not_mix(stack, networks) -> None:
    weights = parameters(networks, SMALL)
    (slope,) = stack.gradients(
        lambda frames: stack.space.abs(networks.autoencode(frames, **weights)[1]), images(SMALL, groups=3)
    )
    assert np.any(slope[1])
    assert not np.any(slope[[0, 2]])


@pytest.mark.parametrize("name", ["encoder_block", "decoder_block", "amplitude_head", "phase_head"])
def test_a_replaced_function_takes_effect(stack, networks, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original, calls = getattr(stack.module("networks"), name), []
    replacement = lambda *arguments: calls.append(name) or original(*arguments)  # noqa: E731
    monkeypatch.setattr(stack.module("networks"), name, replacement)
    networks.autoencode(images(DEEP), **parameters(networks, DEEP))
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
    networks, size: int, scale: float, filters: tuple[int, ...]
) -> None:
    config = networks.CNNConfig(size=size, filters_scale=scale)
    assert config.filters == filters
    assert config.levels == len(filters)


def test_the_defaults_are_a_single_patch_of_64_pixels_and_twice_the_filters(stack, networks) -> None:
    assert networks.CNNConfig() == networks.CNNConfig(size=64, gridsize=1, filters_scale=2.0)
    small = networks.CNNConfig(**SMALL)
    assert stack.module("autoencoder").Autoencoder(small).config == small


def test_the_shapes_of_the_parameters_follow_the_network(networks) -> None:
    shapes = shapes_of(networks, {"size": 32, "gridsize": 2, "filters_scale": 0.05})
    assert list(shapes.items()) == [
        ("encoder_0_first_kernel", (3, 4, 3, 3)), ("encoder_0_first_bias", (3,)),
        ("encoder_0_second_kernel", (3, 3, 3, 3)), ("encoder_0_second_bias", (3,)),
        ("encoder_1_first_kernel", (6, 3, 3, 3)), ("encoder_1_first_bias", (6,)),
        ("encoder_1_second_kernel", (6, 6, 3, 3)), ("encoder_1_second_bias", (6,)),
        ("amplitude_decoder_0_first_kernel", (3, 6, 3, 3)), ("amplitude_decoder_0_first_bias", (3,)),
        ("amplitude_decoder_0_second_kernel", (3, 3, 3, 3)), ("amplitude_decoder_0_second_bias", (3,)),
        ("amplitude_head_kernel", (4, 3, 3, 3)), ("amplitude_head_bias", (4,)),
        ("phase_decoder_0_first_kernel", (3, 6, 3, 3)), ("phase_decoder_0_first_bias", (3,)),
        ("phase_decoder_0_second_kernel", (3, 3, 3, 3)), ("phase_decoder_0_second_bias", (3,)),
        ("phase_head_kernel", (4, 3, 3, 3)), ("phase_head_bias", (4,)),
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
    stack, networks, fields: dict[str, object], error: type[Exception], message: str
) -> None:
    with stack.refusal(error, message):
        networks.CNNConfig(**fields)


FEATURES, KERNELS, BIAS = (np.ones(shape, np.float32) for shape in ((2, 3, 4, 6), (5, 3, 3, 3), 5))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((FEATURES[0], KERNELS, BIAS), ValueError, "features: expected axes (B, F, H, W), got shape (3, 4, 6)"),
        ((FEATURES.astype(np.int32), KERNELS, BIAS), TypeError, "features: expected float32 or float64, got int32"),
        ((FEATURES, KERNELS.astype(np.float64), BIAS), TypeError,
         "kernel: expected the precision of features (float32), got float64"),
        ((FEATURES, KERNELS, BIAS.astype(np.float64)), TypeError,
         "bias: expected the precision of features (float32), got float64"),
        ((FEATURES, KERNELS.astype(np.complex64), BIAS), TypeError,
         "kernel: expected float32 or float64, got complex64"),
        ((FEATURES, KERNELS[:, :1], BIAS), ValueError,
         "kernel: expected shape (O, 3, 3, 3) after the 3 channels of features, got shape (5, 1, 3, 3)"),
        ((FEATURES, np.ones((5, 3, 5, 5), np.float32), BIAS), ValueError,
         "kernel: expected shape (O, 3, 3, 3) after the 3 channels of features, got shape (5, 3, 5, 5)"),
        ((FEATURES, KERNELS[0], BIAS), ValueError,
         "kernel: expected shape (O, 3, 3, 3) after the 3 channels of features, got shape (3, 3, 3)"),
        ((FEATURES, KERNELS, BIAS[:1]), ValueError,
         "bias: expected shape (5,), a number for each filter of kernel, got shape (1,)"),
        ((FEATURES, KERNELS, np.ones((), np.float32)), ValueError,
         "bias: expected shape (5,), a number for each filter of kernel, got shape ()"),
    ],
)  # fmt: skip
def test_a_convolution_refuses_what_does_not_fit(
    stack, arguments: tuple[np.ndarray, ...], error: type[Exception], message: str
) -> None:
    for function in ("convolve", "amplitude_head", "phase_head"):
        stack.refuses((f"networks.{function}", arguments, message), error)


def test_an_array_is_no_kernel(stack) -> None:
    features, bias = stack.given(FEATURES), stack.tensor(BIAS)
    for function in ("convolve", "amplitude_head", "phase_head"):
        with stack.refusal(TypeError, "kernel: expected a tensor, got ndarray"):
            getattr(stack.module("networks"), function)(features, KERNELS, bias)


def test_a_block_names_the_convolution_that_does_not_fit(stack) -> None:
    arguments = FEATURES, KERNELS, BIAS, np.ones((2, 4, 3, 3), np.float32), np.ones(2, np.float32)
    message = "second_kernel: expected shape (O, 5, 3, 3) after the 5 channels of first_kernel, got shape (2, 4, 3, 3)"
    for function in ("encoder_block", "decoder_block"):
        stack.refuses((f"networks.{function}", arguments, message), ValueError)


def test_a_frame_too_small_to_pool_is_refused(stack) -> None:
    message = "features: expected at least 2 rows and 2 columns, got (1, 6)"
    stack.refuses(("networks.max_pool", (FEATURES[:, :, :1],), message), ValueError)


@pytest.mark.parametrize("name", ["rectify", "max_pool", "upsample"])
def test_what_is_no_features_is_refused(stack, name: str) -> None:
    address, message = f"networks.{name}", "features: expected axes (B, F, H, W), got shape (3, 4, 6)"
    stack.refuses((address, (FEATURES[0],), message), ValueError)
    integers = (FEATURES.astype(np.int32),)
    stack.refuses((address, integers, "features: expected float32 or float64, got int32"), TypeError)


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


CHANGES = [
    ({"phase_head_bias": None}, TypeError,
     "phase_head_bias: expected a parameter of this name, as there are 2 encoder blocks, got none"),
    ({"phase_head_bias": None, "phase_head_bais": ones(1)}, TypeError,
     "phase_head_bias: expected a parameter of this name, as there are 2 encoder blocks, "
     "got none, but phase_head_bais"),
    ({"probe": ones(1)}, TypeError,
     "probe: expected no parameter of this name, as there are 2 encoder blocks, got one"),
    ({"amplitude_decoder_1_first_bias": ones(1)}, TypeError,
     "amplitude_decoder_1_first_bias: expected no parameter of this name, as there are 2 encoder blocks, got one"),
    ({"encoder_3_first_bias": ones(1)}, TypeError,
     "encoder_2_first_kernel: expected a parameter of this name, as there are 4 encoder blocks, got none"),
    ({"encoder_1_first_kernel": ones(3, 1, 3, 3)}, ValueError,
     "encoder_1_first_kernel: expected shape (O, 2, 3, 3) after the 2 channels of encoder_0_second_kernel, "
     "got shape (3, 1, 3, 3)"),
    ({"encoder_0_first_bias": ones(1)}, ValueError,
     "encoder_0_first_bias: expected shape (2,), a number for each filter of encoder_0_first_kernel, got shape (1,)"),
    ({"phase_decoder_0_first_kernel": ones(2, 4, 3, 3)}, ValueError,
     "phase_decoder_0_first_kernel: expected shape (O, 3, 3, 3) after the 3 channels of encoder_1_second_kernel, "
     "got shape (2, 4, 3, 3)"),
    ({"phase_head_kernel": ones(4, 2, 3, 3), "phase_head_bias": ones(4)}, ValueError,
     "phase_head_kernel: expected as many filters as the channels of images, 1, got shape (4, 2, 3, 3)"),
    ({"amplitude_head_bias": np.ones(1)}, TypeError,
     "amplitude_head_bias: expected the precision of images (float32), got float64"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "error", "message"), CHANGES)
def test_a_parameter_that_does_not_fit_is_refused_by_name(
    stack, networks, change: dict[str, np.ndarray | None], error: type[Exception], message: str
) -> None:
    config = {"size": 32, "gridsize": 1, "filters_scale": 0.025}
    weights = {**parameters(networks, config, np.float32), **change}
    weights = {name: array for name, array in weights.items() if array is not None}
    with stack.refusal(error, message):
        networks.autoencode(images(config, dtype=np.float32), **weights)


def test_a_network_without_parameters_is_refused(stack) -> None:
    message = "encoder_0_first_kernel: expected a parameter of this name, as there is 1 encoder block, got none"
    stack.refuses(("networks.autoencode", (ones(1, 1, 16, 16),), message), TypeError)


@pytest.mark.parametrize(
    ("config", "sides", "divisor"), [(DEEP, (60, 64), 8), (DEEP, (64, 68), 8), (SMALL, (18, 16), 4)]
)
def test_a_frame_that_cannot_be_halved_is_refused(
    stack, networks, config: dict[str, object], sides: tuple[int, int], divisor: int
) -> None:
    blocks = "are 3 encoder blocks" if config is DEEP else "is 1 encoder block"
    message = f"images: expected sides divisible by {divisor}, as there {blocks}, got {sides}"
    with stack.refusal(ValueError, message):
        networks.autoencode(uniform(1, config["gridsize"] ** 2, *sides), **parameters(networks, config))


@pytest.mark.parametrize(
    ("frames", "error", "message"),
    [
        (ones(1, 1, 32, 32), ValueError,
         "images: expected frames of (16, 16), the size of the network, got (32, 32)"),
        (np.ones((1, 1, 16, 16)), TypeError,
         "images: expected the precision of the parameters (float32), got float64"),
        (ones(1, 4, 16, 16), ValueError,
         "encoder_0_first_kernel: expected shape (O, 4, 3, 3) after the 4 channels of images, got shape (3, 1, 3, 3)"),
        (ones(1, 16, 16), ValueError, "images: expected axes (B, C, H, W), got shape (1, 16, 16)"),
        (np.ones((1, 1, 16, 16), np.uint8), TypeError,
         "images: expected an amplitude (float32 or float64), got uint8 "
         "(integers look like counts: take the square root)"),
    ],
)  # fmt: skip
def test_the_model_refuses_other_images(
    stack, networks, frames: np.ndarray, error: type[Exception], message: str
) -> None:
    network = stack.module("autoencoder").Autoencoder(networks.CNNConfig(**SMALL))
    with pytest.raises(error) as caught:
        network(stack.given(frames))
    said, expected = str(caught.value), stack.worded(message)
    assert said == expected if stack.name == "torch" else expected in said  # Keras adds the arguments of the call


def test_kernels_start_with_the_spread_of_glorot_and_biases_at_zero(stack, networks) -> None:
    network = stack.module("autoencoder").Autoencoder(networks.CNNConfig(filters_scale=1.0))
    for name, parameter in network.parameters_by_name().items():
        values = stack.array(parameter).astype(float)
        if name.endswith("_bias"):
            assert not np.any(values)
            continue
        limit = math.sqrt(6 / (9 * sum(KERNEL.from_framework(stack.name, values).shape[:2])))
        assert np.abs(values).max() <= limit * (1 + 2**-24)
        # The mean square of n uniform numbers has the relative standard deviation sqrt(4 / (5 n)).
        spread = np.mean(values**2) / (limit**2 / 3)
        assert abs(spread - 1) <= 5 * math.sqrt(0.8 / values.size)
