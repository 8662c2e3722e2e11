"""The losses of `ptycho_torch.model` take amplitudes on both sides, and square both or neither."""

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, Poisson

from ptycho_torch.losses import mae, poisson_nll
from ptycho_torch.model import MAELoss, PoissonIntensityLayer, PoissonLoss

SHAPE = (3, 2, 5, 4)


@pytest.fixture(params=[torch.float32, torch.float64], ids=["float32", "float64"])
def amplitudes(request: pytest.FixtureRequest) -> tuple[Tensor, Tensor]:
    """Predicted and observed amplitudes, all between 2 and 5, so that squares are far from roots."""
    generator = torch.Generator().manual_seed(0)
    predicted, observed = (2 + 3 * torch.rand(SHAPE, dtype=request.param, generator=generator) for _ in range(2))
    return predicted, observed


def log_probability(predicted: Tensor, observed: Tensor) -> Tensor:
    """ln P(observed^2) under a rate of predicted^2, by torch; counts between whole numbers are allowed."""
    return Independent(Poisson(predicted.square(), validate_args=False), 3).log_prob(observed.square())


def rounding_of_log_probability(predicted: Tensor, observed: Tensor) -> Tensor:
    """How far two evaluations of the log-probability may be apart, for each group.

    Each is a sum over n pixels of three terms. A term is made of at most four rounded operations, lgamma
    being good to a few units itself, and a sum of 3 n terms adds at most 3 n roundings of its partial sums:
    together 2 (4 + 3 n) unit roundoffs, which are eps / 2 each, of the sum of magnitudes.
    """
    rate, counts = predicted.square(), observed.square()
    magnitudes = rate + (counts * rate.log()).abs() + torch.lgamma(counts + 1).abs()
    operations = 4 + 3 * predicted[0].numel()
    return operations * torch.finfo(predicted.dtype).eps * magnitudes.sum((1, 2, 3))


def test_the_layer_is_minus_the_log_probability_of_the_counts(amplitudes: tuple[Tensor, Tensor]) -> None:
    predicted, observed = amplitudes
    loss = PoissonIntensityLayer(predicted)(observed)
    allowed = rounding_of_log_probability(predicted, observed)
    assert loss.shape == SHAPE[:1]
    assert ((loss + log_probability(predicted, observed)).abs() <= allowed).all()


@pytest.mark.parametrize(
    ("of_predicted", "of_observed"),
    [(torch.square, torch.sqrt), (torch.sqrt, torch.square), (torch.sqrt,) * 2],
)
def test_the_log_probability_tells_an_amplitude_from_an_intensity(
    amplitudes: tuple[Tensor, Tensor], of_predicted, of_observed
) -> None:
    """The test above fails a layer that squares one side only, neither, or one side twice."""
    predicted, observed = amplitudes
    mistaken = PoissonIntensityLayer(of_predicted(predicted))(of_observed(observed))
    one_side = PoissonIntensityLayer(predicted)(of_observed(observed))
    for loss in (mistaken, one_side):
        gap = (loss + log_probability(predicted, observed)).abs()
        assert (gap > 100 * rounding_of_log_probability(predicted, observed)).all()


def test_the_loss_and_the_layer_are_the_function(amplitudes: tuple[Tensor, Tensor]) -> None:
    predicted, observed = amplitudes
    expected = poisson_nll(predicted, observed)
    assert torch.equal(PoissonLoss()(predicted, observed), expected)
    assert torch.equal(PoissonIntensityLayer(predicted)(observed), expected)


def test_mae_loss_is_the_unreduced_distance_of_the_amplitudes(amplitudes: tuple[Tensor, Tensor]) -> None:
    predicted, observed = amplitudes
    loss = MAELoss()(predicted, observed)
    assert torch.equal(loss, torch.nn.L1Loss(reduction="none")(predicted, observed))
    assert torch.equal(loss.mean(), mae(predicted, observed))


def test_gradients_reach_the_prediction_through_the_layer(amplitudes: tuple[Tensor, Tensor]) -> None:
    predicted, observed = amplitudes
    predicted = predicted.clone().requires_grad_()
    PoissonIntensityLayer(predicted)(observed).sum().backward()
    assert torch.equal(predicted.grad > 0, predicted > observed)


def test_the_modules_check_their_arguments(amplitudes: tuple[Tensor, Tensor]) -> None:
    predicted, observed = amplitudes
    for loss in (
        PoissonIntensityLayer(predicted),
        lambda o: PoissonLoss()(predicted, o),
        lambda o: MAELoss()(predicted, o),
    ):
        with pytest.raises(ValueError, match="observed: expected a finite, non-negative amplitude"):
            loss(-observed)
