"""How errors add up in a network: as independent ones, as copies, and where a sign or a maximum is undecided."""

import numpy as np
import pytest

from parity.contracts.cases.families.networks import network_shapes
from parity.physics.oracle import operations as ops
from parity.physics.oracle.bounded import Bounded
from parity.physics.oracle.networks import autoencode, encoder_block_vjp, max_pool_vjp
from parity.physics.precision import FLOAT32

TERMS = 10_000
U = FLOAT32.unit_roundoff


@pytest.mark.parametrize(("signs", "copies"), [([1.0, -1.0], TERMS**0.5), ([1.0], TERMS)])
def test_errors_of_a_sum_add_up_in_the_mean_square_and_those_of_copies_as_they_are(signs, copies):
    """Of TERMS errors of 10⁶, what they add to the error of an exact sum."""
    row, ones = np.resize(signs, (1, TERMS)), np.ones((TERMS, 1))
    exact, inexact = (ops.matmul(row, Bounded(ones, error * ones, FLOAT32)).error.item() for error in (0.0, 1e6))
    assert inexact - exact == pytest.approx(1e6 * copies, rel=1e-3)


def test_what_an_unknown_term_is_multiplied_with_decides_whether_the_sum_is_known():
    unknown = Bounded(np.ones((2, 1)), np.array([[np.inf], [0.0]]), FLOAT32)
    assert ops.matmul(np.array([[1.0, 1.0]]), unknown).error == np.inf
    assert ops.matmul(np.array([[0.0, 1.0]]), unknown).error == np.inf


def test_a_slope_is_exact_at_a_known_zero_and_open_at_one_that_rounding_made_with_all_that_may_fall_together():
    x = Bounded(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0]), FLOAT32)
    np.testing.assert_array_equal(ops.step(x).value, [0, 0, 1])
    np.testing.assert_array_equal(ops.step(x).error, [0, 3 / U, 0])
    np.testing.assert_array_equal(ops.step(Bounded(np.zeros(9), np.ones(9), FLOAT32)).error, 9 / U)


def test_a_filter_that_meets_nothing_has_its_bias_exactly():
    bias = Bounded.exact(np.array([0.1, 0.3]), FLOAT32)
    met = Bounded(np.array([0.0, 0.0]), np.array([0.0, 1.0]), FLOAT32)
    np.testing.assert_array_equal(ops.biased(met, bias).error, [0, 1.3])


def test_only_the_largest_of_a_window_counts_unless_another_is_as_large():
    features = np.array([[[[1.0, 2.0, 5.0, 5.0], [3.0, 4.0, 1.0, 0.0]]]])
    (gradient,) = max_pool_vjp(Bounded.exact(np.array([[[[7.0, 11.0]]]]), FLOAT32), Bounded.exact(features, FLOAT32))
    np.testing.assert_array_equal(gradient.value[0, 0], [[0, 0, 11, 0], [0, 7, 0, 0]])
    np.testing.assert_array_equal(gradient.error[0, 0] * U >= 11, [[False, False, True, True], [False] * 4])


def test_a_gradient_of_equal_pixels_is_open_but_for_that_of_the_bias_which_moves_them_all():
    flat = Bounded.exact(np.ones((1, 1, 8, 8)), FLOAT32)
    middle = np.zeros((1, 1, 3, 3))
    middle[..., 1, 1] = 1.0
    kernel, bias = Bounded.exact(middle, FLOAT32), Bounded.exact(np.array([0.5]), FLOAT32)
    cotangent = Bounded.exact(np.arange(1.0, 17.0).reshape(1, 1, 4, 4), FLOAT32)
    of_features, _, _, of_kernel, of_bias = encoder_block_vjp(cotangent, flat, kernel, bias, kernel, bias)
    assert (of_features.allowed >= np.abs(of_features.value)).all()
    assert (of_kernel.allowed > 1e-3 * np.abs(of_kernel.value)).all()
    assert of_bias.value == 136
    assert of_bias.allowed < 1e-5 * 136


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_the_names_of_the_parameters_say_how_deep_a_network_is(levels):
    random = np.random.default_rng(levels)
    parameters = {name: 0.1 * random.standard_normal(shape) for name, shape in network_shapes(levels, 4).items()}
    frame = (2, 4, 8 * 2**levels, 8 * 2**levels)
    patches = autoencode(np.abs(random.standard_normal(frame)), **parameters)
    assert patches.shape == frame
    quarter = frame[-1] // 4
    middle = (slice(None), slice(None), slice(quarter, -quarter), slice(quarter, -quarter))
    assert (patches[middle] != 0).all()
    patches[middle] = 0
    assert not patches.any()


def test_a_maximum_is_no_farther_off_than_the_worst_that_may_be_the_largest():
    x = Bounded(np.array([[0.0, -1.0], [1.0, 1.0]]), np.array([[0.0, 9.0], [1.0, 2.0]]), FLOAT32)
    np.testing.assert_array_equal(ops.largest(x).error, [0.0, 2.0])


def test_what_is_not_known_is_not_known_between_its_pixels_either():
    x = Bounded(np.ones((1, 2, 2)), np.array([[[0.0, np.inf], [0.0, 0.0]]]), FLOAT32)
    whole = Bounded.exact(np.zeros((1, 1, 1)), FLOAT32)
    assert ops.interpolate(x, whole, whole).error.item() == np.inf
