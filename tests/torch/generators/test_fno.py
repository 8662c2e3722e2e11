"""Fourier layers and the generators made of them: what they compute, what they keep, and what they refuse."""

import copy
import pickle
import re
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from ptycho_torch import networks
from ptycho_torch.generators import fno
from ptycho_torch.generators.fno import (
    HAS_NEURALOPERATOR,
    CascadedFNOGenerator,
    FNOConfig,
    PtychoBlock,
    SpatialLifter,
    _FallbackSpectralConv2d,
)
from ptycho_torch.generators.hybrid import HybridConfig, HybridGenerator
from tests.skips import NEURALOPERATOR

CASCADE = FNOConfig(size=16, gridsize=2, width=4, modes=6, blocks=2, refinements=1)
HYBRID = HybridConfig(size=16, gridsize=2, width=4, modes=6, levels=2)
GENERATORS = [partial(CascadedFNOGenerator, CASCADE), partial(HybridGenerator, HYBRID)]


@pytest.fixture
def fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where neuraloperator is not installed."""
    monkeypatch.setattr(fno, "HAS_NEURALOPERATOR", False)


def uniform(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0))


def test_a_lifter_is_two_convolutions_with_gelu_between() -> None:
    lifter = SpatialLifter(2, 5, 3)
    images = uniform(2, 2, 8, 9)
    expected = lifter.second(nn.functional.gelu(lifter.first(images)))
    torch.testing.assert_close(lifter(images), expected, rtol=0, atol=0)
    assert lifter.first.weight.shape == (3, 2, 3, 3)
    assert lifter.second.weight.shape == (5, 3, 3, 3)


def test_a_block_adds_gelu_of_both_paths_to_what_it_is_given() -> None:
    block = PtychoBlock(3, 4)
    features = uniform(2, 3, 8, 10)
    spectral = networks.spectral_convolve(features, block.spectral.weights)
    expected = features + nn.functional.gelu(spectral + block.local_conv(features))
    torch.testing.assert_close(block(features), expected)


def test_the_fallback_keeps_as_many_frequencies_as_neuraloperator() -> None:
    layer = _FallbackSpectralConv2d(2, 3, 5)
    assert layer.weights.shape == (2, 3, 5, 3)
    assert layer.weights.dtype == torch.complex64


def test_weights_of_the_fallback_neither_damp_nor_raise() -> None:
    weights = _FallbackSpectralConv2d(8, 8, 16).weights
    ten_deviations = 10 / weights.numel() ** 0.5  # of the mean of squares that deviate by as much as they are
    assert weights.abs().square().mean().item() == pytest.approx(1 / 8, rel=ten_deviations)


@pytest.mark.usefixtures("fallback")
@pytest.mark.parametrize("convert", [nn.Module.double, lambda block: block.to(torch.float64)])
def test_double_precision_keeps_both_parts_of_the_spectral_weights(convert) -> None:
    block = PtychoBlock(2, 4)
    weights = block.spectral.weights.detach().clone()
    convert(block)
    assert block.spectral.weights.dtype == torch.complex128
    torch.testing.assert_close(block.spectral.weights.detach(), weights.to(torch.complex128), rtol=0, atol=0)
    assert block(uniform(1, 2, 8, 8, dtype=torch.float64)).dtype == torch.float64


COMPUTED_BY = [
    pytest.param(
        True,
        marks=pytest.mark.skipif(not HAS_NEURALOPERATOR, reason=NEURALOPERATOR.reason),
        id="neuraloperator",
    ),
    pytest.param(False, id="fallback"),
]


@pytest.mark.parametrize("neuraloperator", COMPUTED_BY)
def test_the_spectral_weights_are_a_parameter_called_weights(neuraloperator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fno, "HAS_NEURALOPERATOR", neuraloperator)
    block = PtychoBlock(2, 4)
    names = ["spectral.weights", "local_conv.weight", "local_conv.bias"]
    assert [name for name, _ in block.named_parameters()] == list(block.state_dict()) == names
    assert isinstance(block.spectral.weights, nn.Parameter)
    assert block.spectral.weights.shape == (2, 2, 4, 3)
    assert block.spectral.weights.dtype == torch.complex64


@pytest.mark.parametrize("neuraloperator", COMPUTED_BY)
@pytest.mark.parametrize("remade", [copy.deepcopy, lambda block: pickle.loads(pickle.dumps(block))])
def test_a_block_computes_with_the_weights_that_it_shows(
    remade, neuraloperator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fno, "HAS_NEURALOPERATOR", neuraloperator)
    block = remade(PtychoBlock(2, 4))
    features = uniform(1, 2, 8, 8)
    with torch.no_grad():
        block.spectral.weights.zero_()
    torch.testing.assert_close(block.spectral(features), torch.zeros_like(features), rtol=0, atol=0)
    block.spectral(features).sum().backward()
    assert block.spectral.weights.grad.abs().sum() > 0


@pytest.mark.parametrize("neuraloperator", COMPUTED_BY)
@pytest.mark.parametrize("stored", ["spectral.weights", "spectral.weight.tensor"])
def test_a_block_loads_what_either_computation_has_stored(
    stored, neuraloperator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """neuraloperator's own layer has its weights under the second name."""
    monkeypatch.setattr(fno, "HAS_NEURALOPERATOR", neuraloperator)
    saved, other = PtychoBlock(2, 4), PtychoBlock(2, 4)
    state = saved.state_dict()
    state[stored] = state.pop("spectral.weights")
    other.load_state_dict(state)
    torch.testing.assert_close(other.spectral.weights, saved.spectral.weights, rtol=0, atol=0)


@pytest.mark.parametrize("make", GENERATORS)
def test_a_generator_makes_patches_of_its_two_heads(make) -> None:
    patches = make()(uniform(2, 4, 16, 16))
    assert patches.shape == (2, 4, 16, 16)
    assert patches.dtype == torch.complex64
    assert (patches.abs() < 1).all()
    assert (patches.abs() > 0).all()


@pytest.mark.parametrize("make", GENERATORS)
def test_a_seed_is_a_network_and_leaves_no_trace(make) -> None:
    state = torch.random.get_rng_state()
    one, same, other = (make(seed=seed).state_dict() for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one if not name.endswith("bias"))


@pytest.mark.parametrize("make", GENERATORS)
def test_every_weight_has_a_gradient(make) -> None:
    generator = make()
    generator(uniform(1, 4, 16, 16)).abs().square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in generator.parameters())


@pytest.mark.parametrize("make", GENERATORS)
@pytest.mark.parametrize(
    ("images", "error", "words"),
    [
        (torch.ones(1, 4, 16, 16, dtype=torch.int32), TypeError, "images: expected an amplitude"),
        (torch.ones(1, 4, 16, 16, dtype=torch.float64), TypeError, "images: expected the precision of the parameters"),
        (torch.ones(1, 1, 16, 16), ValueError, "images: expected shape (B, 4, 16, 16), got shape (1, 1, 16, 16)"),
        (torch.ones(1, 4, 16, 8), ValueError, "images: expected shape (B, 4, 16, 16), got shape (1, 4, 16, 8)"),
    ],
)
def test_a_generator_refuses_what_it_was_not_made_for(make, images: Tensor, error, words: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(words)}"):
        make()(images)


def test_a_hybrid_keeps_no_more_frequencies_than_a_halved_frame_has() -> None:
    blocks = HybridGenerator(HYBRID).blocks
    assert [tuple(block.spectral.weights.shape) for block in blocks] == [(4, 4, 6, 4), (8, 8, 6, 4), (16, 16, 4, 3)]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (partial(FNOConfig, size=15), "size: expected a multiple of 2, got 15"),
        (partial(FNOConfig, size=8, modes=12), "modes: expected at most the size, 8, got 12"),
        (partial(FNOConfig, blocks=0), "blocks: expected a positive number, got 0"),
        (partial(HybridConfig, size=20), "size: expected a multiple of 8, got 20"),
        (partial(HybridConfig, levels=0), "levels: expected a positive number, got 0"),
        (partial(PtychoBlock, 0, 4), "channels: expected a positive number, got 0"),
    ],
)
def test_a_configuration_refuses_what_cannot_be(make, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        make()


@pytest.mark.skipif(not HAS_NEURALOPERATOR, reason=NEURALOPERATOR.reason)
class TestNeuraloperator:
    """What is particular where neuraloperator is installed."""

    def test_it_is_used(self) -> None:
        assert isinstance(PtychoBlock(2, 4).spectral, fno.SpectralConv)

    @pytest.mark.parametrize("make", GENERATORS)
    def test_one_seed_is_one_network_without_it_too(self, make, monkeypatch: pytest.MonkeyPatch) -> None:
        images = uniform(2, 4, 16, 16)
        with_it = make(seed=5)
        monkeypatch.setattr(fno, "HAS_NEURALOPERATOR", False)
        without = make(seed=5)
        torch.testing.assert_close(without(images), with_it(images))

    def test_its_checkpoints_are_the_fallbacks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with_it = CascadedFNOGenerator(CASCADE, seed=1)
        monkeypatch.setattr(fno, "HAS_NEURALOPERATOR", False)
        without = CascadedFNOGenerator(CASCADE, seed=2)
        without.load_state_dict(with_it.state_dict())
        back = without.state_dict()
        monkeypatch.undo()
        again = CascadedFNOGenerator(CASCADE, seed=3)
        again.load_state_dict(back)
        for one, other in zip(with_it.parameters(), again.parameters(), strict=True):
            assert torch.equal(one, other)

    @pytest.mark.parametrize(
        ("features", "error", "words"),
        [
            (uniform(1, 2, 9, 8), ValueError, "features: expected an even number of rows"),
            (uniform(1, 2, 8, 8, dtype=torch.float64), TypeError, "features: expected float32, in which alone"),
            (uniform(1, 2, 8, 2), ValueError, "features: expected frames of at least (4, 4)"),
        ],
    )
    def test_what_it_computes_wrongly_is_refused(self, features: Tensor, error, words: str) -> None:
        with pytest.raises(error, match=f"^{re.escape(words)}"):
            PtychoBlock(2, 4).double()(features) if features.dtype == torch.float64 else PtychoBlock(2, 4)(features)
