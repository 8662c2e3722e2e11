"""Laws of the PyTorch losses: values that are known, limits, gradients and what `full` means."""

import math

import pytest
import torch
from torch import Tensor

from ptycho_torch import losses

REAL = [torch.float32, torch.float64]


def uniform(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    """Numbers in [1/2, 3/2)."""
    return 0.5 + torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def field(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.complex128, generator=torch.Generator().manual_seed(seed))


def rounding(tensor: Tensor, operations: int) -> float:
    """What `operations` roundings, each of a number as large as the largest of `tensor`, may add up to."""
    return operations * torch.finfo(tensor.dtype).eps * tensor.abs().max().item()


def pixel(value: float, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.full((1, 1, 1, 1), value, dtype=dtype)


def gradients(function, *arguments: Tensor) -> tuple[Tensor, ...]:
    leaves = tuple(argument.clone().requires_grad_() for argument in arguments)
    return torch.autograd.grad(function(*leaves).sum(), leaves)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize(
    ("predicted", "observed", "nll", "slopes"),
    [
        (0.0, 0.0, 0.0, (0.0, 0.0)),
        (2.0, 0.0, 4.0, (4.0, 0.0)),
        (0.0, 2.0, math.inf, (-math.inf, math.inf)),
    ],
)
def test_zeros_are_defined(
    predicted: float, observed: float, nll: float, slopes: tuple[float, float], dtype: torch.dtype
) -> None:
    arguments = pixel(predicted, dtype), pixel(observed, dtype)
    assert losses.poisson_nll(*arguments).item() == nll
    assert losses.poisson_nll(*arguments, full=False).item() == nll
    assert tuple(slope.item() for slope in gradients(losses.poisson_nll, *arguments)) == slopes


@pytest.mark.parametrize("count", [1e-3, 0.3, 1.0, 3.7, 15.99, 16.0, 16.01, 40.0, 1e3])
@pytest.mark.parametrize("ratio", [0.3, 0.8, 0.904, 0.905, 0.999, 1.0, 1.001, 1.105, 1.106, 1.3, 4.0])
def test_the_textbook_formula_is_met_where_it_is_accurate(count: float, ratio: float) -> None:
    """On both sides of both series' limits, to the rounding of the largest term."""
    observed = pixel(math.sqrt(count))
    predicted = ratio * observed
    rate, k = predicted.item() ** 2, observed.item() ** 2
    expected = rate - k * math.log(rate) + math.lgamma(k + 1)
    largest = torch.tensor([rate, k * math.log(rate), math.lgamma(k + 1), k + 1], dtype=torch.float64)
    nll = losses.poisson_nll(predicted, observed).item()
    assert abs(nll - expected) <= rounding(largest, 16)


@pytest.mark.parametrize("photons", [1.0, 1e4, 1e8, 1e12])
@pytest.mark.parametrize("excess", [0.0, 1e-6, 1e-3, 0.2, 1.0])
def test_single_precision_holds_on_bright_patterns(photons: float, excess: float) -> None:
    observed = uniform(2, 1, 4, 4, dtype=torch.float32) * math.sqrt(photons / 16)
    predicted = observed * (1 + excess)
    single, double = (losses.poisson_nll(predicted.to(dtype), observed.to(dtype), full=False) for dtype in REAL)
    # The terms of a pixel are as large as its deviance over v^2, and the series starts at v = 0.1.
    assert (single - double).abs().max() <= rounding(double.float(), 2 * 100 + 16)
    constants = [losses.poisson_nll(observed.to(dtype), observed.to(dtype)) for dtype in REAL]
    magnitude = 1 + observed.square().clamp(1, 16).max() + constants[1].float()
    assert (constants[0] - constants[1]).abs().max() <= rounding(magnitude, 16 * 16)


@pytest.mark.parametrize("dtype", REAL)
def test_the_likelihood_is_greatest_where_the_prediction_is_the_observation(dtype: torch.dtype) -> None:
    observed = 3 * uniform(2, 1, 4, 5, dtype=dtype)
    slope, _ = gradients(losses.poisson_nll, observed, observed)
    assert torch.equal(slope, torch.zeros_like(slope))
    best = losses.poisson_nll(observed, observed, full=False)
    assert torch.equal(best, torch.zeros_like(best))
    for factor in (0.5, 0.99, 1.01, 2.0):
        assert (losses.poisson_nll(factor * observed, observed) > losses.poisson_nll(observed, observed)).all()


def test_the_slope_is_that_of_the_poisson_distribution() -> None:
    predicted, observed = uniform(1, 2, 3, 4), uniform(1, 2, 3, 4, seed=1)
    slope, _ = gradients(losses.poisson_nll, predicted, observed)
    expected = 2 * predicted * (1 - observed.square() / predicted.square())
    assert (slope - expected).abs().max() <= rounding(2 * observed.square() / predicted, 8)


def test_full_adds_the_likelihood_at_the_observation() -> None:
    predicted, observed = uniform(2, 1, 4, 5), 4 * uniform(2, 1, 4, 5, seed=1)
    full, deviance = (
        losses.poisson_nll(predicted, observed),
        losses.poisson_nll(predicted, observed, full=False),
    )
    constant = losses.poisson_nll(observed, observed)
    assert (full - deviance - constant).abs().max() <= rounding(full, predicted.numel())
    with_constant, without = (
        gradients(lambda p, full=full: losses.poisson_nll(p, observed, full=full), predicted) for full in (True, False)
    )
    assert torch.equal(*with_constant, *without)


@pytest.mark.parametrize("full", [True, False])
def test_first_and_second_derivatives_agree_with_differences(full: bool) -> None:
    observed = torch.tensor([0.5, 1.0, 3.0, 5.0, 9.0, 1.0], dtype=torch.float64).reshape(1, 1, 2, 3)
    ratio = torch.tensor([0.5, 0.97, 1.02, 1.0, 1.4, 2.0], dtype=torch.float64).reshape(1, 1, 2, 3)
    arguments = (observed * ratio).requires_grad_(), observed.requires_grad_()
    torch.autograd.gradcheck(lambda p, o: losses.poisson_nll(p, o, full), arguments)
    torch.autograd.gradgradcheck(lambda p, o: losses.poisson_nll(p, o, full), arguments)


def test_second_derivative_of_an_empty_pixel_is_that_of_the_rate() -> None:
    predicted = pixel(0.0).requires_grad_()
    (slope,) = torch.autograd.grad(losses.poisson_nll(predicted, pixel(0.0)).sum(), predicted, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), predicted)
    assert curvature.item() == 2


def test_groups_do_not_mix() -> None:
    predicted, observed, patches = uniform(3, 2, 4, 5), uniform(3, 2, 4, 5, seed=1), field(3, 2, 4, 5)
    assert torch.equal(losses.poisson_nll(predicted, observed)[1:2], losses.poisson_nll(predicted[1:2], observed[1:2]))
    assert torch.equal(losses.total_variation(patches)[1:2], losses.total_variation(patches[1:2]))


def test_mae_is_homogeneous_and_zero_at_agreement() -> None:
    predicted, observed = uniform(2, 3, 4, 5), uniform(2, 3, 4, 5, seed=1)
    assert losses.mae(4 * predicted, 4 * observed) == 4 * losses.mae(predicted, observed)
    assert losses.mae(observed, observed) == 0
    assert losses.mae(pixel(5.0), pixel(3.0)) == 2


def test_total_variation_sums_squares_over_both_axes() -> None:
    y, x = torch.meshgrid(torch.arange(4.0), torch.arange(5.0), indexing="ij")
    ramp = torch.complex(3 * y, 2 * x)[None, None]
    assert losses.total_variation(ramp).tolist() == [3 * 5 * 9 + 4 * 4 * 4]
    assert losses.total_variation(ramp[:, :, :1, :1]).tolist() == [0]


def test_complex_mae_compares_phases_the_short_way_round() -> None:
    here, there = (torch.polar(pixel(2.0), pixel(phase)) for phase in (3.0, -3.0))
    expected = torch.tensor(2 * math.pi - 6, dtype=torch.float64)
    assert abs(losses.complex_mae(here, there) - expected) <= rounding(pixel(2 * math.pi), 4)
    assert losses.complex_mae(here, here) == 0
    assert losses.complex_mae(2 * here, here) == 2


@pytest.mark.parametrize("real", [0.0, -0.0])
@pytest.mark.parametrize("imaginary", [0.0, -0.0])
def test_the_phase_of_zero_is_zero_and_has_no_gradient(real: float, imaginary: float) -> None:
    zero, one = torch.complex(pixel(real), pixel(imaginary)), torch.complex(pixel(1.0), pixel(0.0))
    assert losses.complex_mae(zero, one) == 1
    for gradient in gradients(losses.complex_mae, zero, zero):
        assert gradient == 0
    assert gradients(losses.complex_mae, zero, one)[0] == 0


def test_the_object_counts_inside_the_central_weight_alone() -> None:
    patches, target = field(2, 1, 8, 6), field(2, 1, 8, 6, seed=1)
    other = -patches
    other[:, :, 2:6, 1:4] = patches[:, :, 2:6, 1:4]
    loss = losses.realspace_loss(patches, target, 0.5, 2.0)
    assert losses.realspace_loss(other, target, 0.5, 2.0) == loss
    slope, _ = gradients(lambda o, t: losses.realspace_loss(o, t, 0.5, 2.0), patches, target)
    outside = torch.ones(8, 6, dtype=torch.bool)
    outside[2:6, 1:4] = False
    assert (slope[:, :, outside] == 0).all()


def test_the_training_loss_is_the_weighted_sum_of_its_parts() -> None:
    predicted, observed = uniform(2, 3, 4, 5), uniform(2, 3, 4, 5, seed=1)
    patches, target = field(2, 3, 4, 5), field(2, 3, 4, 5, seed=1)
    weights = (2.0, 3.0, 5.0, 0.25, 0.5)
    parts = torch.stack(
        [
            2 * losses.poisson_nll(predicted, observed).mean() / (3 * 4 * 5),
            3 * losses.mae(predicted, observed),
            5 * losses.realspace_loss(patches, target, 0.25, 0.5),
        ]
    )
    loss = losses.training_loss(predicted, observed, patches, target, *weights)
    assert abs(loss - parts.sum()) <= rounding(parts, 8)
    tensors = (torch.tensor(weight, dtype=torch.float64) for weight in weights)
    assert losses.training_loss(predicted, observed, patches, target, *tensors) == loss


def test_the_gradient_of_the_training_loss_is_zero_on_dark_data() -> None:
    dark = torch.zeros(1, 1, 4, 5)
    empty = torch.complex(dark, dark)
    weights = (1.0,) * 5
    for gradient in gradients(lambda *a: losses.training_loss(*a, *weights), dark, dark, empty, empty):
        assert torch.equal(gradient, torch.zeros_like(gradient))


def test_an_infinite_likelihood_of_weight_0_adds_nothing() -> None:
    """So that a training on absolute errors can go on from where no light is predicted."""
    dark, observed = torch.zeros(1, 1, 4, 5, dtype=torch.float64), uniform(1, 1, 4, 5)
    empty, weights = torch.complex(dark, dark), (0.0, 1.0, 0.0, 0.0, 0.0)

    def loss(*amplitudes):
        return losses.training_loss(*amplitudes, empty, empty, *weights)

    assert loss(dark, observed) == losses.mae(dark, observed)
    for gradient, expected in zip(gradients(loss, dark, observed), gradients(losses.mae, dark, observed), strict=True):
        assert torch.equal(gradient, expected)
