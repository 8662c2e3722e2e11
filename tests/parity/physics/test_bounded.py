"""The arithmetic of `Bounded`: what its operators add to an error, and what they leave alone."""

from __future__ import annotations

import operator

import numpy as np
import pytest

from parity.physics.oracle.bounded import COMPLEX_PRODUCT, Bounded
from parity.physics.precision import FLOAT32, FLOAT64

U, TINY = FLOAT32.unit_roundoff, FLOAT32.smallest_normal

OPERATORS = (operator.add, operator.sub, operator.mul, operator.truediv)
every_operator = pytest.mark.parametrize("apply", OPERATORS, ids=lambda apply: apply.__name__)


def exact(*values: complex) -> Bounded:
    return Bounded.exact(np.array(values), FLOAT32)


def uncertain(value: complex, error: float) -> Bounded:
    """One value with an error, in units of u."""
    return Bounded(np.array([value]), np.array([error]), FLOAT32)


@pytest.mark.parametrize("plain", [0, 0.5, -3.0, 2**24, 1.5j, np.array([1.0, 0.25]), np.float32(0.1)])
def test_a_plain_operand_that_the_precision_holds_is_exact(plain):
    assert not exact(1.0, 1.0).coerce(plain).error.any()


@pytest.mark.parametrize("plain", [np.pi, 0.1, 1 / 17, 0.1 + 0.1j])
def test_a_plain_operand_that_it_does_not_hold_is_rounded(plain):
    assert exact(1.0).coerce(plain).error == np.abs([plain])
    assert np.abs(np.complex64(plain) - plain) <= U * np.abs(plain)


def test_double_precision_holds_every_plain_operand():
    assert Bounded.exact(np.ones(1), FLOAT64).coerce(np.pi).error == 0


def test_the_rounding_of_a_constant_scales_with_its_factor():
    """π is rounded once and the product once more."""
    assert (np.pi * exact(3.0)).error == pytest.approx(2 * 3 * np.pi, rel=FLOAT64.unit_roundoff * 4)


def test_roundings_add_up():
    a, b = uncertain(8.0, 1.0), uncertain(-2.0, 3.0)
    assert (a + b).error == 1 + 3 + 6
    assert (a - b).error == 1 + 3 + 10
    assert (a * b).error == 8 * 3 + 2 * 1 + 1 * 3 * U + 16
    assert (a / b).error == (1 + 4 * 3) / (2 - 3 * U) + 4


def test_complex_products_and_quotients_round_more():
    z, w = exact(3 + 4j), exact(1j)
    assert (z * w).error == 5 * COMPLEX_PRODUCT
    assert (z * exact(2.0)).error == 10
    assert (z / w).error == 5 * 4
    assert (z / exact(2.0)).error == 2.5


def test_negation_rounds_nothing():
    negated = -uncertain(3.0, 7.0)
    assert (negated.value, negated.error) == (-3.0, 7.0)


def test_an_exact_zero_hides_what_is_not_known():
    unknown = uncertain(5.0, np.inf)
    assert (unknown * exact(0.0)).error == 0
    assert (exact(0.0) * unknown).error == 0
    assert (unknown * exact(1e-30)).error == np.inf


def test_a_zero_that_may_be_none_hides_nothing():
    assert (uncertain(5.0, np.inf) * uncertain(0.0, 1.0)).error == np.inf


@pytest.mark.parametrize("error", [1 / U, 2 / U, np.inf])
def test_division_by_what_is_lost_in_its_own_rounding_is_unbounded(error):
    assert (exact(1.0) / uncertain(1.0, error)).error == np.inf


def test_division_by_what_is_just_not_lost_is_bounded_by_the_nearest_divisor():
    """A divisor known to half of itself: the quotient may be twice as large."""
    quotient = exact(1.0) / uncertain(1.0, 0.5 / U)
    assert quotient.value + U * quotient.error >= 2


def test_division_by_an_exact_zero_is_infinite_and_its_error_is_a_number():
    quotient = exact(1.0) / exact(0.0)
    assert quotient.value == np.inf
    assert not np.isnan(quotient.error)


def test_a_result_below_the_normal_numbers_loses_up_to_the_smallest_of_them():
    assert (exact(TINY) * exact(0.5)).error == pytest.approx(TINY / U)
    assert (exact(TINY) / exact(2.0)).error == pytest.approx(TINY / U)
    assert (exact(TINY) * exact(2.0)).error == 2 * TINY
    assert (exact(TINY) * exact(0.0)).error == 0


def test_two_errors_are_allowed_and_the_smallest_normal_number():
    assert uncertain(1.0, 3.0).allowed == 2 * U * 3 + TINY
    assert exact(1.0).allowed == TINY


@pytest.mark.parametrize(
    "key", [0, -1, slice(1, None), (slice(None), None, 2), (..., 1), np.array([1, 0]), np.eye(2, 3) > 0], ids=str
)
def test_an_index_takes_values_and_errors_alike(key):
    values = np.arange(6.0).reshape(2, 3)
    taken = Bounded(values, 10 * values, FLOAT32)[key]
    np.testing.assert_array_equal(taken.value, values[key])
    np.testing.assert_array_equal(taken.error, 10 * values[key])


@every_operator
@pytest.mark.parametrize("plain", [2.0, np.float64(2.0), np.array([2.0, 0.1])], ids=["float", "scalar", "array"])
def test_a_plain_left_operand_is_as_good_as_a_bounded_one(apply, plain):
    right = Bounded(np.array([3.0, 4.0]), np.array([1.0, 2.0]), FLOAT32)
    mixed, bounded = apply(plain, right), apply(right.coerce(plain), right)
    assert isinstance(mixed, Bounded)
    np.testing.assert_array_equal(mixed.value, bounded.value)
    np.testing.assert_array_equal(mixed.error, bounded.error)


@every_operator
@pytest.mark.parametrize("shapes", [((3, 1), (4,)), ((), (2, 3)), ((2, 1, 3), (4, 1))], ids=str)
def test_values_and_errors_broadcast_together(apply, shapes):
    left, right = (Bounded(np.full(shape, 3.0), np.ones(shape), FLOAT32) for shape in shapes)
    result, expected = apply(left, right), apply(uncertain(3.0, 1.0), uncertain(3.0, 1.0))
    assert result.shape == result.error.shape == np.broadcast_shapes(*shapes)
    assert result.ndim == len(result.shape)
    np.testing.assert_array_equal(result.value, np.full(result.shape, expected.value))
    np.testing.assert_array_equal(result.error, np.full(result.shape, expected.error))


@every_operator
def test_values_are_those_of_plain_arrays(apply):
    random = np.random.default_rng(0)
    a, b = random.standard_normal((2, 5)), random.standard_normal((2, 5)) * 1j
    np.testing.assert_array_equal(apply(Bounded.exact(a, FLOAT32), Bounded.exact(b, FLOAT32)).value, apply(a, b))


@pytest.mark.parametrize("precision", [FLOAT32, FLOAT64], ids=lambda precision: precision.name)
def test_the_precision_stays_and_values_are_wide(precision):
    narrow = Bounded.exact(np.ones(2, np.complex64), precision)
    assert narrow.value.dtype == np.complex128
    assert (1 - narrow * 2.0).precision is precision
