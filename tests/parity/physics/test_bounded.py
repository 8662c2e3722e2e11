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
    assert Bounded.exact(np.ones(1), FLOAT64).coerce(plain).error == 0


A, B, Z, W = uncertain(8.0, 1.0), uncertain(-2.0, 3.0), exact(3 + 4j), exact(1j)
UNKNOWN, ZERO = uncertain(5.0, np.inf), exact(0.0)


@pytest.mark.parametrize(
    ("result", "error"),
    [
        # Roundings add up.
        (A + B, 1 + 3 + 6),
        (A - B, 1 + 3 + 10),
        (A * B, 8 * 3 + 2 * 1 + 1 * 3 * U + 16),
        (A / B, (1 + 4 * 3) / (2 - 3 * U) + 4),
        # π is rounded once and the product once more.
        (np.pi * exact(3.0), pytest.approx(2 * 3 * np.pi, rel=FLOAT64.unit_roundoff * 4)),
        # Complex products and quotients round more.
        (Z * W, 5 * COMPLEX_PRODUCT),
        (Z * exact(2.0), 10),
        (Z / W, 5 * 4),
        (Z / exact(2.0), 2.5),
        # An exact zero hides what is not known; one that may be none hides nothing.
        (UNKNOWN * ZERO, 0),
        (ZERO * UNKNOWN, 0),
        (UNKNOWN * exact(1e-30), np.inf),
        (UNKNOWN * uncertain(0.0, 1.0), np.inf),
        # Division by what is lost in its own rounding is unbounded.
        (exact(1.0) / uncertain(1.0, 1 / U), np.inf),
        (exact(1.0) / uncertain(1.0, 2 / U), np.inf),
        (exact(1.0) / uncertain(1.0, np.inf), np.inf),
        # A result below the normal numbers loses up to the smallest of them.
        (exact(TINY) * exact(0.5), pytest.approx(TINY / U)),
        (exact(TINY) / exact(2.0), pytest.approx(TINY / U)),
        (exact(TINY) * exact(2.0), 2 * TINY),
        (exact(TINY) * ZERO, 0),
    ],
)
def test_what_an_operation_adds_to_the_errors_of_its_operands(result, error):
    assert result.error == error


def test_negation_rounds_nothing():
    negated = -uncertain(3.0, 7.0)
    assert (negated.value, negated.error) == (-3.0, 7.0)


def test_division_by_what_is_just_not_lost_is_bounded_by_the_nearest_divisor():
    """A divisor known to half of itself: the quotient may be twice as large."""
    quotient = exact(1.0) / uncertain(1.0, 0.5 / U)
    assert quotient.value + U * quotient.error >= 2


def test_division_by_an_exact_zero_is_infinite_and_its_error_is_a_number():
    quotient = exact(1.0) / ZERO
    assert quotient.value == np.inf
    assert not np.isnan(quotient.error)


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
