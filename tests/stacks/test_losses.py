"""Laws of the losses: values that are known, limits, gradients and what `full` means."""

import math

import numpy as np
import pytest

REAL = [np.float32, np.float64]


@pytest.fixture
def losses(stack):
    return stack.functions("losses")


def uniform(*shape: int, dtype: type = np.float64, seed: int = 0) -> np.ndarray:
    """Numbers in [1/2, 3/2)."""
    return np.random.default_rng(seed).uniform(0.5, 1.5, shape).astype(dtype)


def field(*shape: int, seed: int = 0) -> np.ndarray:
    real, imaginary = np.random.default_rng(seed).normal(size=(2, *shape))
    return real + 1j * imaginary


def pixel(value: complex, dtype: type = np.float64) -> np.ndarray:
    return np.full((1, 1, 1, 1), value, dtype)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize(
    ("predicted", "observed", "nll", "slopes"),
    [
        (0.0, 0.0, 0.0, [0.0, 0.0]),
        (2.0, 0.0, 4.0, [4.0, 0.0]),
        (0.0, 2.0, math.inf, [-math.inf, math.inf]),
    ],
)
def test_zeros_are_defined(
    stack, losses, predicted: float, observed: float, nll: float, slopes: list[float], dtype: type
) -> None:
    arguments = pixel(predicted, dtype), pixel(observed, dtype)
    assert losses.poisson_nll(*arguments) == nll
    assert losses.poisson_nll(*arguments, full=False) == nll
    assert np.ravel(stack.gradients(losses.poisson_nll, *arguments)).tolist() == slopes


@pytest.mark.parametrize("count", [1e-3, 0.3, 1.0, 3.7, 15.99, 16.0, 16.01, 40.0, 1e3])
@pytest.mark.parametrize("ratio", [0.3, 0.8, 0.904, 0.905, 0.999, 1.0, 1.001, 1.105, 1.106, 1.3, 4.0])
def test_the_textbook_formula_is_met_where_it_is_accurate(losses, rounding, count: float, ratio: float) -> None:
    """On both sides of both series' limits, to the rounding of the largest term."""
    observed = pixel(math.sqrt(count))
    predicted = ratio * observed
    rate, k = predicted.item() ** 2, observed.item() ** 2
    expected = rate - k * math.log(rate) + math.lgamma(k + 1)
    largest = np.array([rate, k * math.log(rate), math.lgamma(k + 1), k + 1])
    assert abs(losses.poisson_nll(predicted, observed) - expected) <= rounding(largest, 16)


@pytest.mark.parametrize("photons", [1.0, 1e4, 1e8, 1e12])
@pytest.mark.parametrize("excess", [0.0, 1e-6, 1e-3, 0.2, 1.0])
def test_single_precision_holds_on_bright_patterns(losses, rounding, photons: float, excess: float) -> None:
    observed = uniform(2, 1, 4, 4, dtype=np.float32) * math.sqrt(photons / 16)
    predicted = observed * (1 + excess)
    single, double = (losses.poisson_nll(predicted.astype(d), observed.astype(d), full=False) for d in REAL)
    # The terms of a pixel are as large as its deviance over v^2, and the series starts at v = 0.1.
    assert np.abs(single - double).max() <= rounding(double.astype(np.float32), 2 * 100 + 16)
    constants = [losses.poisson_nll(observed.astype(d), observed.astype(d)) for d in REAL]
    magnitude = 1 + np.clip(observed**2, 1, 16).max() + constants[1].astype(np.float32)
    assert np.abs(constants[0] - constants[1]).max() <= rounding(magnitude, 16 * 16)


@pytest.mark.parametrize("dtype", REAL)
def test_the_likelihood_is_greatest_where_the_prediction_is_the_observation(stack, losses, dtype: type) -> None:
    observed = 3 * uniform(2, 1, 4, 5, dtype=dtype)
    slope, _ = stack.gradients(losses.poisson_nll, observed, observed)
    assert not np.any(slope)
    assert not np.any(losses.poisson_nll(observed, observed, full=False))
    for factor in (0.5, 0.99, 1.01, 2.0):
        worse, best = losses.poisson_nll(factor * observed, observed), losses.poisson_nll(observed, observed)
        assert np.all(worse > best)


def test_the_slope_is_that_of_the_poisson_distribution(stack, losses, rounding) -> None:
    predicted, observed = uniform(1, 2, 3, 4), uniform(1, 2, 3, 4, seed=1)
    slope, _ = stack.gradients(losses.poisson_nll, predicted, observed)
    expected = 2 * predicted * (1 - observed**2 / predicted**2)
    assert np.abs(slope - expected).max() <= rounding(2 * observed**2 / predicted, 8)


def test_full_adds_the_likelihood_at_the_observation(stack, losses, rounding) -> None:
    predicted, observed = uniform(2, 1, 4, 5), 4 * uniform(2, 1, 4, 5, seed=1)
    full, deviance = (losses.poisson_nll(predicted, observed, full=full) for full in (True, False))
    constant = losses.poisson_nll(observed, observed)
    assert np.abs(full - deviance - constant).max() <= rounding(full, predicted.size)
    with_constant, without = (
        stack.gradients(lambda p, full=full: losses.poisson_nll(p, observed, full=full), predicted)
        for full in (True, False)
    )
    assert np.array_equal(with_constant, without)


def test_groups_do_not_mix(losses) -> None:
    predicted, observed, patches = uniform(3, 2, 4, 5), uniform(3, 2, 4, 5, seed=1), field(3, 2, 4, 5)
    alone = losses.poisson_nll(predicted[1:2], observed[1:2])
    assert losses.poisson_nll(predicted, observed)[1] == alone
    assert losses.total_variation(patches)[1] == losses.total_variation(patches[1:2])


def test_mae_is_homogeneous_and_zero_at_agreement(losses) -> None:
    predicted, observed = uniform(2, 3, 4, 5), uniform(2, 3, 4, 5, seed=1)
    assert losses.mae(4 * predicted, 4 * observed) == 4 * losses.mae(predicted, observed)
    assert losses.mae(observed, observed) == 0
    assert losses.mae(pixel(5.0), pixel(3.0)) == 2


def test_total_variation_sums_squares_over_both_axes(losses) -> None:
    y, x = np.mgrid[:4, :5]
    ramp = (3 * y + 2j * x).astype(np.complex64)[None, None]
    assert losses.total_variation(ramp).tolist() == [3 * 5 * 9 + 4 * 4 * 4]
    assert losses.total_variation(ramp[:, :, :1, :1]).tolist() == [0]


def test_complex_mae_compares_phases_the_short_way_round(losses, rounding) -> None:
    here, there = (pixel(2 * np.exp(1j * phase), np.complex128) for phase in (3.0, -3.0))
    assert abs(losses.complex_mae(here, there) - (2 * math.pi - 6)) <= rounding(pixel(2 * math.pi), 4)
    assert losses.complex_mae(here, here) == 0
    assert losses.complex_mae(2 * here, here) == 2


@pytest.mark.parametrize("real", [0.0, -0.0])
@pytest.mark.parametrize("imaginary", [0.0, -0.0])
def test_the_phase_of_zero_is_zero_and_has_no_gradient(stack, losses, real: float, imaginary: float) -> None:
    zero, one = pixel(complex(real, imaginary), np.complex128), pixel(1.0, np.complex128)
    assert losses.complex_mae(zero, one) == 1
    for gradient in stack.gradients(losses.complex_mae, zero, zero):
        assert gradient == 0
    assert stack.gradients(losses.complex_mae, zero, one)[0] == 0


def test_the_object_counts_inside_the_central_weight_alone(stack, losses) -> None:
    patches, target = field(2, 1, 8, 6), field(2, 1, 8, 6, seed=1)
    other = -patches
    other[:, :, 2:6, 1:4] = patches[:, :, 2:6, 1:4]
    loss = losses.realspace_loss(patches, target, 0.5, 2.0)
    assert losses.realspace_loss(other, target, 0.5, 2.0) == loss
    slope, _ = stack.gradients(lambda o, t: losses.realspace_loss(o, t, 0.5, 2.0), patches, target)
    outside = np.ones((8, 6), bool)
    outside[2:6, 1:4] = False
    assert not np.any(slope[:, :, outside])


def test_the_training_loss_is_the_weighted_sum_of_its_parts(losses, rounding) -> None:
    predicted, observed = uniform(2, 3, 4, 5), uniform(2, 3, 4, 5, seed=1)
    patches, target = field(2, 3, 4, 5), field(2, 3, 4, 5, seed=1)
    weights = (2.0, 3.0, 5.0, 0.25, 0.5)
    parts = np.array(
        [
            2 * losses.poisson_nll(predicted, observed).mean() / (3 * 4 * 5),
            3 * losses.mae(predicted, observed),
            5 * losses.realspace_loss(patches, target, 0.25, 0.5),
        ]
    )
    loss = losses.training_loss(predicted, observed, patches, target, *weights)
    assert abs(loss - parts.sum()) <= rounding(parts, 8)
    assert losses.training_loss(predicted, observed, patches, target, *map(np.array, weights)) == loss


def test_the_gradient_of_the_training_loss_is_zero_on_dark_data(stack, losses) -> None:
    dark, empty = np.zeros((1, 1, 4, 5), np.float32), np.zeros((1, 1, 4, 5), np.complex64)
    weights = (1.0,) * 5
    for gradient in stack.gradients(lambda *a: losses.training_loss(*a, *weights), dark, dark, empty, empty):
        assert np.array_equal(gradient, np.zeros_like(gradient))


def test_an_infinite_likelihood_of_weight_0_adds_nothing(stack, losses) -> None:
    """So that a training on absolute errors can go on from where no light is predicted."""
    dark, observed = np.zeros((1, 1, 4, 5)), uniform(1, 1, 4, 5)
    empty, weights = np.zeros((1, 1, 4, 5), complex), (0.0, 1.0, 0.0, 0.0, 0.0)

    def loss(*amplitudes):
        return losses.training_loss(*amplitudes, empty, empty, *weights)

    assert loss(dark, observed) == losses.mae(dark, observed)
    both = (stack.gradients(function, dark, observed) for function in (loss, losses.mae))
    for gradient, expected in zip(*both, strict=True):
        assert np.array_equal(gradient, expected)
