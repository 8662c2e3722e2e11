"""Laws of the TensorFlow losses: values that are known, limits, gradients and what `full` means."""

import math

import numpy as np
import pytest
import tensorflow as tf

from ptycho import losses

REAL = [tf.float32, tf.float64]


def uniform(*shape: int, dtype: tf.DType = tf.float64, seed: int = 0) -> tf.Tensor:
    """Numbers in [1/2, 3/2)."""
    return tf.constant(np.random.default_rng(seed).uniform(0.5, 1.5, shape), dtype)


def field(*shape: int, seed: int = 0) -> tf.Tensor:
    real, imaginary = np.random.default_rng(seed).normal(size=(2, *shape))
    return tf.complex(real, imaginary)


def rounding(tensor: tf.Tensor, operations: int) -> float:
    """What `operations` roundings, each of a number as large as the largest of `tensor`, may add up to."""
    values = np.asarray(tensor)
    return operations * np.finfo(values.dtype).eps * np.abs(values).max()


def pixel(value: float, dtype: tf.DType = tf.float64) -> tf.Tensor:
    return tf.fill((1, 1, 1, 1), tf.constant(value, dtype))


def gradients(function, *arguments: tf.Tensor) -> list[tf.Tensor]:
    leaves = [tf.identity(argument) for argument in arguments]  # one tensor may be given twice
    with tf.GradientTape() as tape:
        tape.watch(leaves)
        result = function(*leaves)
    return tape.gradient(result, leaves)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize(
    ("predicted", "observed", "nll", "slopes"),
    [
        (0.0, 0.0, 0.0, [0.0, 0.0]),
        (2.0, 0.0, 4.0, [4.0, 0.0]),
        (0.0, 2.0, math.inf, [-math.inf, math.inf]),
    ],
)
def test_zeros_are_defined(predicted: float, observed: float, nll: float, slopes: list[float], dtype: tf.DType) -> None:
    arguments = pixel(predicted, dtype), pixel(observed, dtype)
    assert losses.poisson_nll(*arguments) == nll
    assert losses.poisson_nll(*arguments, full=False) == nll
    assert [float(slope) for slope in np.ravel(gradients(losses.poisson_nll, *arguments))] == slopes


@pytest.mark.parametrize("count", [1e-3, 0.3, 1.0, 3.7, 15.99, 16.0, 16.01, 40.0, 1e3])
@pytest.mark.parametrize("ratio", [0.3, 0.8, 0.904, 0.905, 0.999, 1.0, 1.001, 1.105, 1.106, 1.3, 4.0])
def test_the_textbook_formula_is_met_where_it_is_accurate(count: float, ratio: float) -> None:
    """On both sides of both series' limits, to the rounding of the largest term."""
    observed = pixel(math.sqrt(count))
    predicted = ratio * observed
    rate, k = (float(np.ravel(amplitude)[0]) ** 2 for amplitude in (predicted, observed))
    expected = rate - k * math.log(rate) + math.lgamma(k + 1)
    largest = np.array([rate, k * math.log(rate), math.lgamma(k + 1), k + 1])
    assert abs(losses.poisson_nll(predicted, observed) - expected) <= rounding(largest, 16)


@pytest.mark.parametrize("photons", [1.0, 1e4, 1e8, 1e12])
@pytest.mark.parametrize("excess", [0.0, 1e-6, 1e-3, 0.2, 1.0])
def test_single_precision_holds_on_bright_patterns(photons: float, excess: float) -> None:
    observed = uniform(2, 4, 4, 1, dtype=tf.float32) * math.sqrt(photons / 16)
    predicted = observed * (1 + excess)
    single, double = (
        losses.poisson_nll(tf.cast(predicted, dtype), tf.cast(observed, dtype), full=False).numpy() for dtype in REAL
    )
    # The terms of a pixel are as large as its deviance over v^2, and the series starts at v = 0.1.
    assert np.abs(single - double).max() <= rounding(double.astype(np.float32), 2 * 100 + 16)
    constants = [losses.poisson_nll(tf.cast(observed, dtype), tf.cast(observed, dtype)).numpy() for dtype in REAL]
    magnitude = 1 + np.clip(observed**2, 1, 16).max() + constants[1].astype(np.float32)
    assert np.abs(constants[0] - constants[1]).max() <= rounding(magnitude, 16 * 16)


@pytest.mark.parametrize("dtype", REAL)
def test_the_likelihood_is_greatest_where_the_prediction_is_the_observation(dtype: tf.DType) -> None:
    observed = 3 * uniform(2, 4, 5, 1, dtype=dtype)
    slope, _ = gradients(losses.poisson_nll, observed, observed)
    assert not np.any(slope)
    assert not np.any(losses.poisson_nll(observed, observed, full=False))
    for factor in (0.5, 0.99, 1.01, 2.0):
        worse, best = losses.poisson_nll(factor * observed, observed), losses.poisson_nll(observed, observed)
        assert np.all(worse > best)


def test_the_slope_is_that_of_the_poisson_distribution() -> None:
    predicted, observed = uniform(1, 3, 4, 2), uniform(1, 3, 4, 2, seed=1)
    slope, _ = gradients(losses.poisson_nll, predicted, observed)
    expected = 2 * predicted * (1 - observed**2 / predicted**2)
    assert np.abs(slope - expected).max() <= rounding(2 * observed**2 / predicted, 8)


def test_full_adds_the_likelihood_at_the_observation() -> None:
    predicted, observed = uniform(2, 4, 5, 1), 4 * uniform(2, 4, 5, 1, seed=1)
    full, deviance = (losses.poisson_nll(predicted, observed, full=full) for full in (True, False))
    constant = losses.poisson_nll(observed, observed)
    assert np.abs(full - deviance - constant).max() <= rounding(full, predicted.numpy().size)
    (with_constant,), (without,) = (
        gradients(lambda p, full=full: losses.poisson_nll(p, observed, full=full), predicted) for full in (True, False)
    )
    assert np.array_equal(with_constant, without)


@pytest.mark.parametrize("full", [True, False])
def test_derivatives_agree_with_differences(full: bool) -> None:
    observed = np.array([0.5, 1.0, 3.0, 5.0, 9.0, 1.0]).reshape(1, 2, 3, 1)
    ratio = np.array([0.5, 0.97, 1.02, 1.0, 1.4, 2.0]).reshape(1, 2, 3, 1)
    exact, differences = tf.test.compute_gradient(
        lambda p, o: losses.poisson_nll(p, o, full), [tf.constant(observed * ratio), tf.constant(observed)]
    )
    # compute_gradient takes central differences with a step of 2^-10: their error is the step squared times a
    # sixth of the third derivative, which is below 4 k / lambda^(3/2) + 4 / A here.
    step, third = 2.0**-10, 4 * (observed**2 / (observed * ratio) ** 3 + 1 / observed).max()
    assert max(np.abs(a - b).max() for a, b in zip(exact, differences, strict=True)) <= step**2 * third


def test_second_derivative_is_that_of_the_rate() -> None:
    """1 + k / lambda twice, and 2 where the pixel is empty."""
    predicted, observed = tf.reshape([0.0, 1.0, 2.0], (1, 3, 1, 1)), tf.reshape([0.0, 0.0, 3.0], (1, 3, 1, 1))
    (curvature,) = gradients(lambda p: gradients(lambda p: losses.poisson_nll(p, observed), p)[0], predicted)
    assert np.ravel(curvature).tolist() == [2.0, 2.0, 2 * (1 + 9 / 4)]


def test_groups_do_not_mix() -> None:
    predicted, observed, patches = uniform(3, 4, 5, 2), uniform(3, 4, 5, 2, seed=1), field(3, 4, 5, 2)
    alone = losses.poisson_nll(predicted[1:2], observed[1:2])
    assert losses.poisson_nll(predicted, observed)[1] == alone
    assert losses.total_variation(patches)[1] == losses.total_variation(patches[1:2])


def test_mae_is_homogeneous_and_zero_at_agreement() -> None:
    predicted, observed = uniform(2, 4, 5, 3), uniform(2, 4, 5, 3, seed=1)
    assert losses.mae(4 * predicted, 4 * observed) == 4 * losses.mae(predicted, observed)
    assert losses.mae(observed, observed) == 0
    assert losses.mae(pixel(5.0), pixel(3.0)) == 2


def test_total_variation_sums_squares_over_both_axes() -> None:
    y, x = tf.meshgrid(tf.range(4.0), tf.range(5.0), indexing="ij")
    ramp = tf.complex(3 * y, 2 * x)[None, :, :, None]
    assert losses.total_variation(ramp) == 3 * 5 * 9 + 4 * 4 * 4
    assert losses.total_variation(ramp[:, :1, :1]) == 0


def test_complex_mae_compares_phases_the_short_way_round() -> None:
    here, there = (pixel(2 * np.exp(1j * phase), tf.complex128) for phase in (3.0, -3.0))
    assert abs(losses.complex_mae(here, there) - (2 * math.pi - 6)) <= rounding(pixel(2 * math.pi), 4)
    assert losses.complex_mae(here, here) == 0
    assert losses.complex_mae(2 * here, here) == 2


@pytest.mark.parametrize("real", [0.0, -0.0])
@pytest.mark.parametrize("imaginary", [0.0, -0.0])
def test_the_phase_of_zero_is_zero_and_has_no_gradient(real: float, imaginary: float) -> None:
    zero, one = tf.complex(pixel(real), pixel(imaginary)), tf.complex(pixel(1.0), pixel(0.0))
    assert losses.complex_mae(zero, one) == 1
    for gradient in gradients(losses.complex_mae, zero, zero):
        assert gradient == 0
    assert gradients(losses.complex_mae, zero, one)[0] == 0


def test_the_object_counts_inside_the_central_weight_alone() -> None:
    patches, target = field(2, 8, 6, 1), field(2, 8, 6, 1, seed=1)
    other = -patches.numpy()
    other[:, 2:6, 1:4] = patches[:, 2:6, 1:4]
    loss = losses.realspace_loss(patches, target, 0.5, 2.0)
    assert losses.realspace_loss(tf.constant(other), target, 0.5, 2.0) == loss
    slope, _ = gradients(lambda o, t: losses.realspace_loss(o, t, 0.5, 2.0), patches, target)
    outside = np.ones((8, 6), bool)
    outside[2:6, 1:4] = False
    assert not np.any(slope.numpy()[:, outside])


def test_the_training_loss_is_the_weighted_sum_of_its_parts() -> None:
    predicted, observed = uniform(2, 4, 5, 3), uniform(2, 4, 5, 3, seed=1)
    patches, target = field(2, 4, 5, 3), field(2, 4, 5, 3, seed=1)
    weights = (2.0, 3.0, 5.0, 0.25, 0.5)
    parts = tf.stack(
        [
            2 * tf.reduce_mean(losses.poisson_nll(predicted, observed)) / (3 * 4 * 5),
            3 * losses.mae(predicted, observed),
            5 * losses.realspace_loss(patches, target, 0.25, 0.5),
        ]
    )
    loss = losses.training_loss(predicted, observed, patches, target, *weights)
    assert abs(loss - tf.reduce_sum(parts)) <= rounding(parts, 8)
    tensors = (tf.constant(weight, tf.float64) for weight in weights)
    assert losses.training_loss(predicted, observed, patches, target, *tensors) == loss


def test_the_gradient_of_the_training_loss_is_zero_on_dark_data() -> None:
    dark = tf.zeros((1, 4, 5, 1))
    empty, weights = tf.complex(dark, dark), (1.0,) * 5
    for gradient in gradients(lambda *a: losses.training_loss(*a, *weights), dark, dark, empty, empty):
        assert np.array_equal(gradient, np.zeros_like(gradient))


def test_an_infinite_likelihood_of_weight_0_adds_nothing() -> None:
    """So that a training on absolute errors can go on from where no light is predicted."""
    dark, observed = tf.zeros((1, 4, 5, 1), tf.float64), uniform(1, 4, 5, 1)
    empty, weights = tf.complex(dark, dark), (0.0, 1.0, 0.0, 0.0, 0.0)

    def loss(*amplitudes):
        return losses.training_loss(*amplitudes, empty, empty, *weights)

    assert loss(dark, observed) == losses.mae(dark, observed)
    for gradient, expected in zip(gradients(loss, dark, observed), gradients(losses.mae, dark, observed), strict=True):
        assert np.array_equal(gradient, expected)
