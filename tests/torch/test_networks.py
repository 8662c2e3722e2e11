"""The PyTorch autoencoder as a module, and its gradients against differences."""

import math

import pytest
import torch
from torch import Tensor

from ptycho_torch import networks
from ptycho_torch.autoencoder import Autoencoder
from ptycho_torch.networks import CNNConfig

REAL = [torch.float32, torch.float64]
SMALL = CNNConfig(size=16, gridsize=1, filters_scale=0.02)
DEEP = CNNConfig(size=64, gridsize=2, filters_scale=0.05)


def uniform(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    """Numbers in [0, 1)."""
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def parameters(config: CNNConfig, dtype: torch.dtype = torch.float64, seed: int = 0) -> dict[str, Tensor]:
    """Random parameters of a network, biases included."""
    drawn = {}
    for i, (name, shape) in enumerate(config.parameter_shapes().items()):
        generator = torch.Generator().manual_seed(1000 * seed + i)
        drawn[name] = torch.randn(shape, dtype=dtype, generator=generator) / math.sqrt(math.prod(shape[1:]))
    return drawn


def images(config: CNNConfig, groups: int = 2, dtype: torch.dtype = torch.float64) -> Tensor:
    return uniform(groups, config.gridsize**2, config.size, config.size, dtype=dtype)


def test_gradients_agree_with_differences() -> None:
    weights, frames = parameters(SMALL), images(SMALL, groups=1)
    direction = torch.view_as_real(torch.zeros(1, 1, 16, 16, dtype=torch.complex128))
    direction = torch.view_as_complex(torch.randn_like(direction))

    def projected(*tensors: Tensor) -> Tensor:
        objects = networks.autoencode(tensors[0], **dict(zip(weights, tensors[1:], strict=True)))
        return (objects * direction).real.sum()

    torch.autograd.gradcheck(projected, [tensor.requires_grad_() for tensor in (frames, *weights.values())])


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


def test_a_seed_decides_the_kernels_and_nothing_else_does() -> None:
    state = torch.get_rng_state()
    first, again, other = (Autoencoder(SMALL, seed=seed).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first if name.endswith("weight"))
    assert torch.equal(torch.get_rng_state(), state)
