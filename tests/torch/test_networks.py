"""The PyTorch autoencoder: what its blocks compute, how it is built from them, and what it refuses."""

import math
import re
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from ptycho_torch import networks, optics, patches
from ptycho_torch.autoencoder import Autoencoder
from ptycho_torch.networks import CNNConfig

REAL = [torch.float32, torch.float64]
SMALL = CNNConfig(size=16, gridsize=1, filters_scale=0.02)
DEEP = CNNConfig(size=64, gridsize=2, filters_scale=0.05)


def whole(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    """Whole numbers from -4 to 4: sums of their products are exact in either precision."""
    return torch.randint(-4, 5, shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def uniform(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    """Numbers in [0, 1)."""
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def correlated(features: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """The equation of `convolve`, pixel by pixel."""
    count, _, rows, columns = features.shape
    result = bias[:, None, None].repeat(count, 1, rows, columns)
    for row in range(rows):
        for column in range(columns):
            for u in range(3):
                for v in range(3):
                    y, x = row + u - 1, column + v - 1
                    if 0 <= y < rows and 0 <= x < columns:
                        result[:, :, row, column] += features[:, :, y, x] @ kernel[:, :, u, v].T
    return result


def block(channels: int, first: int, second: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, ...]:
    shapes = (first, channels, 3, 3), (first,), (second, first, 3, 3), (second,)
    return tuple(whole(*shape, dtype=dtype, seed=seed) for seed, shape in enumerate(shapes))


def parameters(config: CNNConfig, dtype: torch.dtype = torch.float64, seed: int = 0) -> dict[str, Tensor]:
    """Random parameters of a network, biases included."""
    drawn = {}
    for i, (name, shape) in enumerate(config.parameter_shapes().items()):
        generator = torch.Generator().manual_seed(1000 * seed + i)
        drawn[name] = torch.randn(shape, dtype=dtype, generator=generator) / math.sqrt(math.prod(shape[1:]))
    return drawn


def images(config: CNNConfig, groups: int = 2, dtype: torch.dtype = torch.float64) -> Tensor:
    return uniform(groups, config.gridsize**2, config.size, config.size, dtype=dtype)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (5, 7), (6, 3), (1, 4)])
def test_a_convolution_is_a_cross_correlation_with_zeros_around(rows: int, columns: int, dtype: torch.dtype) -> None:
    features, kernel = whole(2, 3, rows, columns, dtype=dtype), whole(4, 3, 3, 3, dtype=dtype, seed=1)
    bias = whole(4, dtype=dtype, seed=2)
    assert torch.equal(networks.convolve(features, kernel, bias), correlated(features, kernel, bias))


def test_a_point_is_spread_into_the_kernel_turned_by_half_a_turn() -> None:
    point = torch.zeros(1, 1, 5, 6)
    point[0, 0, 2, 3] = 1
    kernel = torch.arange(1.0, 10).reshape(1, 1, 3, 3)
    spread = networks.convolve(point, kernel, torch.zeros(1))
    assert torch.equal(spread[:, :, 1:4, 2:5], kernel.flip(-2, -1))
    assert torch.count_nonzero(spread) == 9


def test_the_gradient_of_a_bias_does_not_drift() -> None:
    """The bound for sums of docs/numerics.md, (3 + 0.8 sqrt n) u; one by one it would be off by n u / 8."""
    features, bias = torch.zeros(4, 1, 128, 128), torch.zeros(2, requires_grad=True)
    networks.convolve(features, torch.ones(2, 1, 3, 3), bias).backward(torch.full((4, 2, 128, 128), 0.1))
    count = 4 * 128 * 128
    exact = count * torch.tensor(0.1).double()
    bound = (3 + 0.8 * math.sqrt(count)) * 2**-24 * exact
    assert ((bias.grad.double() - exact).abs() <= bound).all()


@pytest.mark.parametrize("dtype", REAL)
def test_rectify_keeps_what_is_positive(dtype: torch.dtype) -> None:
    features = torch.tensor([-2.0, -0.0, 0.0, 0.5], dtype=dtype).reshape(1, 1, 2, 2).requires_grad_()
    rectified = networks.rectify(features)
    assert rectified.dtype == dtype
    assert rectified.flatten().tolist() == [0, 0, 0, 0.5]
    rectified.sum().backward()
    assert features.grad.flatten().tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("dtype", REAL)
def test_max_pool_takes_the_largest_of_four_and_drops_an_odd_edge(dtype: torch.dtype) -> None:
    features = whole(2, 3, 5, 7, dtype=dtype)
    pooled = networks.max_pool(features)
    quarters = [features[:, :, y:4:2, x:6:2] for y in (0, 1) for x in (0, 1)]
    assert torch.equal(pooled, torch.stack(quarters).amax(0))


def test_max_pool_takes_the_largest_of_negative_numbers_too() -> None:
    assert networks.max_pool(-1 - uniform(1, 1, 2, 2)).item() < -1


@pytest.mark.parametrize("dtype", REAL)
def test_upsample_repeats_each_pixel_two_by_two(dtype: torch.dtype) -> None:
    features = whole(2, 3, 3, 4, dtype=dtype).requires_grad_()
    larger = networks.upsample(features)
    for y in (0, 1):
        for x in (0, 1):
            assert torch.equal(larger[:, :, y::2, x::2], features)
    assert torch.equal(networks.max_pool(larger), features)
    cotangent = whole(2, 3, 6, 8, dtype=dtype, seed=1)
    (gradient,) = torch.autograd.grad(larger, features, cotangent)
    assert torch.equal(gradient, sum(cotangent[:, :, y::2, x::2] for y in (0, 1) for x in (0, 1)))


@pytest.mark.parametrize("dtype", REAL)
def test_the_heads_span_the_amplitudes_and_the_phases_of_an_object(dtype: torch.dtype) -> None:
    features, kernel = torch.zeros(1, 1, 2, 2, dtype=dtype), torch.zeros(3, 1, 3, 3, dtype=dtype)
    bias = torch.tensor([-1000, 0, 1000], dtype=dtype)
    assert networks.amplitude_head(features, kernel, bias)[0, :, 0, 0].tolist() == [0, 0.5, 1]
    pi = torch.tensor(math.pi, dtype=dtype).item()
    assert networks.phase_head(features, kernel, bias)[0, :, 0, 0].tolist() == [-pi, 0, pi]


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize(
    ("composed", "last"), [(networks.encoder_block, networks.max_pool), (networks.decoder_block, networks.upsample)]
)
def test_a_block_is_two_rectified_convolutions_and_a_change_of_size(
    composed: Callable[..., Tensor], last: Callable[[Tensor], Tensor], dtype: torch.dtype
) -> None:
    features, layers = whole(2, 3, 4, 6, dtype=dtype), block(3, 5, 2, dtype)
    inner = correlated(features, *layers[:2]).clamp(min=0)
    assert torch.equal(composed(features, *layers), last(correlated(inner, *layers[2:]).clamp(min=0)))


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("config", [SMALL, DEEP], ids=["one level", "three levels"])
def test_the_network_is_its_blocks_in_turn(config: CNNConfig, dtype: torch.dtype) -> None:
    weights, frames = parameters(config, dtype), images(config, dtype=dtype)
    rest = iter(weights.values())

    def take(count: int) -> list[Tensor]:
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
    expected = patches.pad(optics.combine_complex(*parts), config.size, config.size)
    assert torch.equal(networks.autoencode(frames, **weights), expected)


def test_the_object_is_zero_outside_the_central_half() -> None:
    objects = networks.autoencode(images(DEEP), **parameters(DEEP))
    assert objects.shape == (2, 4, 64, 64)
    assert objects.dtype == torch.complex128
    centre = objects[:, :, 16:48, 16:48]
    assert (centre != 0).all()
    assert torch.count_nonzero(objects) == centre.numel()


def test_the_order_of_the_parameters_does_not_matter() -> None:
    weights, frames = parameters(SMALL), images(SMALL)
    turned = dict(reversed(weights.items()))
    assert torch.equal(networks.autoencode(frames, **turned), networks.autoencode(frames, **weights))


def test_groups_do_not_mix() -> None:
    frames = images(SMALL, groups=3).requires_grad_()
    objects = networks.autoencode(frames, **parameters(SMALL))
    (gradient,) = torch.autograd.grad(objects[1].abs().sum(), frames)
    assert gradient[1].any()
    assert not gradient[[0, 2]].any()


def test_gradients_agree_with_differences() -> None:
    weights, frames = parameters(SMALL), images(SMALL, groups=1)
    direction = torch.view_as_real(torch.zeros(1, 1, 16, 16, dtype=torch.complex128))
    direction = torch.view_as_complex(torch.randn_like(direction))

    def projected(*tensors: Tensor) -> Tensor:
        objects = networks.autoencode(tensors[0], **dict(zip(weights, tensors[1:], strict=True)))
        return (objects * direction).real.sum()

    torch.autograd.gradcheck(projected, [tensor.requires_grad_() for tensor in (frames, *weights.values())])


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
    fields: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        CNNConfig(**fields)


@pytest.mark.parametrize("dtype", REAL)
def test_the_module_is_the_function_of_its_parameters(dtype: torch.dtype) -> None:
    network = Autoencoder(DEEP, seed=3).to(dtype)
    frames = images(DEEP, dtype=dtype)
    assert torch.equal(network(frames), networks.autoencode(frames, **network.parameters_by_name()))


def test_the_module_knows_its_parameters_by_both_names() -> None:
    network = Autoencoder(CNNConfig(size=32, filters_scale=0.05))
    assert list(network.state_dict())[:5] == [
        "encoder.0.first.weight",
        "encoder.0.first.bias",
        "encoder.0.second.weight",
        "encoder.0.second.bias",
        "encoder.1.first.weight",
    ]
    assert "amplitude_decoder.0.second.bias" in network.state_dict()
    assert "phase_head.weight" in network.state_dict()
    named = network.parameters_by_name()
    assert {name: tuple(p.shape) for name, p in named.items()} == network.config.parameter_shapes()
    assert list(named) == list(network.config.parameter_shapes())
    assert named["encoder_1_second_kernel"] is network.encoder[1].second.weight


def test_a_state_goes_from_one_module_to_another() -> None:
    source, target, frames = Autoencoder(DEEP, seed=1), Autoencoder(DEEP, seed=2), images(DEEP, dtype=torch.float32)
    assert not torch.equal(source(frames), target(frames))
    target.load_state_dict(source.state_dict())
    assert torch.equal(source(frames), target(frames))


def test_every_parameter_gets_a_gradient() -> None:
    network = Autoencoder(DEEP)
    network(images(DEEP, dtype=torch.float32)).imag.sum().backward()
    assert all(parameter.grad.any() for parameter in network.parameters())


def test_kernels_start_with_the_spread_of_glorot_and_biases_at_zero() -> None:
    for name, parameter in Autoencoder(CNNConfig(filters_scale=1.0)).parameters_by_name().items():
        values = parameter.detach().double()
        if name.endswith("_bias"):
            assert not values.any()
            continue
        limit = math.sqrt(6 / (9 * sum(parameter.shape[:2])))
        assert values.abs().max() <= limit * (1 + 2**-24)
        # The mean square of n uniform numbers has the relative standard deviation sqrt(4 / (5 n)).
        spread = values.square().mean() / (limit**2 / 3)
        assert abs(spread - 1) <= 5 * math.sqrt(0.8 / values.numel())


def test_a_seed_decides_the_kernels_and_nothing_else_does() -> None:
    state = torch.get_rng_state()
    first, again, other = (Autoencoder(SMALL, seed=seed).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first if name.endswith("weight"))
    assert torch.equal(torch.get_rng_state(), state)


def refused(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


FEATURES, KERNEL, BIAS = torch.ones(2, 3, 4, 6), torch.ones(5, 3, 3, 3), torch.ones(5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((FEATURES[0], KERNEL, BIAS), ValueError, "features: expected axes (B, F, H, W), got shape (3, 4, 6)"),
        ((FEATURES.int(), KERNEL, BIAS), TypeError, "features: expected float32 or float64, got int32"),
        ((FEATURES, KERNEL.double(), BIAS), TypeError,
         "kernel: expected the precision of features (float32), got float64"),
        ((FEATURES, KERNEL, BIAS.double()), TypeError,
         "bias: expected the precision of features (float32), got float64"),
        ((FEATURES, KERNEL + 0j, BIAS), TypeError, "kernel: expected float32 or float64, got complex64"),
        ((FEATURES, KERNEL.numpy(), BIAS), TypeError, "kernel: expected a torch.Tensor, got ndarray"),
        ((FEATURES, KERNEL[:, :1], BIAS), ValueError,
         "kernel: expected shape (O, 3, 3, 3) after the 3 channels of features, got shape (5, 1, 3, 3)"),
        ((FEATURES, torch.ones(5, 3, 5, 5), BIAS), ValueError,
         "kernel: expected shape (O, 3, 3, 3) after the 3 channels of features, got shape (5, 3, 5, 5)"),
        ((FEATURES, KERNEL[0], BIAS), ValueError,
         "kernel: expected shape (O, 3, 3, 3) after the 3 channels of features, got shape (3, 3, 3)"),
        ((FEATURES, KERNEL, BIAS[:1]), ValueError,
         "bias: expected shape (5,), a number for each filter of kernel, got shape (1,)"),
        ((FEATURES, KERNEL, torch.ones(())), ValueError,
         "bias: expected shape (5,), a number for each filter of kernel, got shape ()"),
    ],
)  # fmt: skip
def test_a_convolution_refuses_what_does_not_fit(
    arguments: tuple[Tensor, ...], error: type[Exception], message: str
) -> None:
    for function in (networks.convolve, networks.amplitude_head, networks.phase_head):
        refused(partial(function, *arguments), error, message)


def test_a_block_names_the_convolution_that_does_not_fit() -> None:
    second = torch.ones(2, 4, 3, 3)
    message = "second_kernel: expected shape (O, 5, 3, 3) after the 5 channels of first_kernel, got shape (2, 4, 3, 3)"
    for function in (networks.encoder_block, networks.decoder_block):
        refused(partial(function, FEATURES, KERNEL, BIAS, second, torch.ones(2)), ValueError, message)


def test_a_frame_too_small_to_pool_is_refused() -> None:
    message = "features: expected at least 2 rows and 2 columns, got (1, 6)"
    refused(lambda: networks.max_pool(FEATURES[:, :, :1]), ValueError, message)


@pytest.mark.parametrize("function", [networks.rectify, networks.max_pool, networks.upsample])
def test_what_is_no_features_is_refused(function: Callable[[Tensor], Tensor]) -> None:
    refused(partial(function, FEATURES[0]), ValueError, "features: expected axes (B, F, H, W), got shape (3, 4, 6)")
    refused(partial(function, FEATURES.int()), TypeError, "features: expected float32 or float64, got int32")


CHANGES: list[tuple[dict[str, Tensor | None], type[Exception], str]] = [
    ({"phase_head_bias": None}, TypeError,
     "phase_head_bias: expected a parameter of this name, as there are 2 encoder blocks, got none"),
    ({"phase_head_bias": None, "phase_head_bais": torch.ones(1)}, TypeError,
     "phase_head_bias: expected a parameter of this name, as there are 2 encoder blocks, "
     "got none, but phase_head_bais"),
    ({"probe": torch.ones(1)}, TypeError,
     "probe: expected no parameter of this name, as there are 2 encoder blocks, got one"),
    ({"amplitude_decoder_1_first_bias": torch.ones(1)}, TypeError,
     "amplitude_decoder_1_first_bias: expected no parameter of this name, as there are 2 encoder blocks, got one"),
    ({"encoder_3_first_bias": torch.ones(1)}, TypeError,
     "encoder_2_first_kernel: expected a parameter of this name, as there are 4 encoder blocks, got none"),
    ({"encoder_1_first_kernel": torch.ones(3, 1, 3, 3)}, ValueError,
     "encoder_1_first_kernel: expected shape (O, 2, 3, 3) after the 2 channels of encoder_0_second_kernel, "
     "got shape (3, 1, 3, 3)"),
    ({"encoder_0_first_bias": torch.ones(1)}, ValueError,
     "encoder_0_first_bias: expected shape (2,), a number for each filter of encoder_0_first_kernel, got shape (1,)"),
    ({"phase_decoder_0_first_kernel": torch.ones(2, 4, 3, 3)}, ValueError,
     "phase_decoder_0_first_kernel: expected shape (O, 3, 3, 3) after the 3 channels of encoder_1_second_kernel, "
     "got shape (2, 4, 3, 3)"),
    ({"phase_head_kernel": torch.ones(4, 2, 3, 3), "phase_head_bias": torch.ones(4)}, ValueError,
     "phase_head_kernel: expected as many filters as the channels of images, 1, got shape (4, 2, 3, 3)"),
    ({"amplitude_head_bias": torch.ones(1, dtype=torch.float64)}, TypeError,
     "amplitude_head_bias: expected the precision of images (float32), got float64"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "error", "message"), CHANGES)
def test_a_parameter_that_does_not_fit_is_refused_by_name(
    change: dict[str, Tensor | None], error: type[Exception], message: str
) -> None:
    config = CNNConfig(size=32, filters_scale=0.025)
    weights = {**parameters(config, torch.float32), **change}
    weights = {name: tensor for name, tensor in weights.items() if tensor is not None}
    frames = images(config, dtype=torch.float32)
    refused(lambda: networks.autoencode(frames, **weights), error, message)


def test_a_network_without_parameters_is_refused() -> None:
    message = "encoder_0_first_kernel: expected a parameter of this name, as there is 1 encoder block, got none"
    refused(lambda: networks.autoencode(torch.ones(1, 1, 16, 16)), TypeError, message)


@pytest.mark.parametrize(
    ("config", "sides", "divisor"), [(DEEP, (60, 64), 8), (DEEP, (64, 68), 8), (SMALL, (18, 16), 4)]
)
def test_a_frame_that_cannot_be_halved_is_refused(config: CNNConfig, sides: tuple[int, int], divisor: int) -> None:
    blocks = "are 3 encoder blocks" if config is DEEP else "is 1 encoder block"
    message = f"images: expected sides divisible by {divisor}, as there {blocks}, got {sides}"
    frames = uniform(1, config.gridsize**2, *sides)
    refused(lambda: networks.autoencode(frames, **parameters(config)), ValueError, message)


@pytest.mark.parametrize(
    ("frames", "error", "message"),
    [
        (torch.ones(1, 1, 32, 32), ValueError,
         "images: expected frames of (16, 16), the size of the network, got (32, 32)"),
        (torch.ones(1, 1, 16, 16, dtype=torch.float64), TypeError,
         "images: expected the precision of the parameters (float32), got float64"),
        (torch.ones(1, 4, 16, 16), ValueError,
         "encoder_0_first_kernel: expected shape (O, 4, 3, 3) after the 4 channels of images, got shape (3, 1, 3, 3)"),
        (torch.ones(1, 16, 16), ValueError, "images: expected axes (B, C, H, W), got shape (1, 16, 16)"),
        (torch.ones(1, 1, 16, 16, dtype=torch.uint8), TypeError,
         "images: expected an amplitude (float32 or float64), got uint8 "
         "(integers look like counts: take the square root)"),
    ],
)  # fmt: skip
def test_the_module_refuses_other_images(frames: Tensor, error: type[Exception], message: str) -> None:
    refused(lambda: Autoencoder(SMALL)(frames), error, message)
