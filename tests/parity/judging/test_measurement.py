"""One array against the oracle's: ratios, places, faults, and how small a defect would show."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from parity.judging.measurement import (
    INFORMATIVE,
    PAIR,
    Gain,
    Label,
    Measurement,
    measure,
    measure_pair,
    missing_gradient,
)
from parity.judging.quantity import result_of
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT32, FLOAT64

LABEL = Label("optics.illuminate", "even/0", "f64", result_of("exit_waves"))
U = FLOAT64.unit_roundoff


def bounded(value: ArrayLike, error: ArrayLike) -> Bounded:
    """A value of the oracle, with an error in units of u."""
    values = np.asarray(value)
    return Bounded(values, np.broadcast_to(np.asarray(error, float), values.shape), FLOAT64)


def measured(got: NDArray[Any], oracle: Bounded) -> Measurement:
    return measure(LABEL, "torch", got, oracle)


def test_the_worst_element_is_found_in_units_of_its_own_bound():
    oracle = bounded([[1.0, 2.0], [4.0, 8.0]], [[1, 1], [1, 100]])
    found = measured(oracle.value + 2 * U * np.array([[0, 3], [2, 30]]), oracle)
    assert found.ratio == pytest.approx(4.0)  # 2 + 6u is rounded to 2 + 8u
    assert found.index == (0, 1)
    assert (found.got, found.expected) == ("2", "2")
    assert (found.error, found.allowed) == pytest.approx((8 * U, 2 * U))
    assert found.gap == pytest.approx(64 * U / 8)
    assert (found.elements, found.undecided) == (4, 0)
    assert not found.agrees


def test_a_scalar_has_no_place():
    found = measured(np.array(2.0), bounded(1.0, 1))
    assert (found.index, found.error) == ((), 1.0)


def test_complex_errors_are_moduli():
    found = measured(np.array([3 + 4j]), bounded([0j], 1))
    assert (found.error, found.got, found.expected) == (5.0, "3+4j", "0+0j")


@pytest.mark.parametrize(
    ("got", "fault"),
    [
        (np.zeros((3, 2)), "returned shape (3, 2), expected (2, 3)"),
        (np.zeros((2, 3), np.float32), "returned float32, expected float64"),
        (np.zeros((2, 3), complex), "returned complex128, expected float64"),
        (np.array([[0, 0, 0], [0, np.nan, 0]]), "returned NaN at (1, 1), oracle 7"),
    ],
)
def test_what_cannot_be_compared_is_a_fault(got, fault):
    found = measured(got, bounded(np.array([[0, 0, 0], [0, 7.0, 0]]), 1))
    assert found.fault == fault
    assert not found.agrees


@pytest.mark.parametrize(
    ("got", "expected", "error", "ratio"),
    [
        (1 + 2 * U, 1.0, 1, 1.0),  # an error of the bound
        (0.0, np.nan, 1, np.inf),
        (np.inf, np.inf, 0, 0.0),
        (np.inf, 1.0, 1, np.inf),
        (1.0, np.inf, 1, np.inf),
        (-np.inf, np.inf, 1, np.inf),
    ],
)
def test_the_ratio_of_numbers_and_of_what_is_none(got, expected, error, ratio):
    found = measured(np.array([got]), bounded([expected], error))
    assert (found.ratio, found.agrees) == (ratio, ratio <= 1)


def test_an_exact_zero_is_expected_exactly_but_for_flushed_subnormals():
    oracle = bounded([0.0, 1.0], [0.0, 1.0])
    assert measured(np.array([FLOAT64.smallest_normal / 2, 1.0]), oracle).agrees
    assert not measured(np.array([1e-300, 1.0]), oracle).agrees


def test_an_element_without_a_bound_is_counted_not_judged():
    found = measured(np.array([1.0, 99.0]), bounded([1.0, 2.0], [1.0, np.inf]))
    assert (found.agrees, found.elements, found.undecided) == (True, 2, 1)


def test_an_empty_array_agrees():
    found = measured(np.zeros((0, 3)), bounded(np.zeros((0, 3)), 1))
    assert (found.agrees, found.elements) == (True, 0)


def test_a_pair_may_lie_on_opposite_sides_of_the_oracle():
    oracle = bounded([1.0], 1)
    one, other = np.array([1 + 2 * U]), np.array([1 - 2 * U])
    pair = measure_pair(LABEL, one, other, oracle)
    assert (pair.stack, pair.ratio) == (PAIR, pytest.approx(1.0))
    assert measured(other, oracle).ratio == pytest.approx(1.0)


@pytest.mark.parametrize(("truth", "gap"), [([0.0, 4.0], U / 2), ([0.0, 0.0], 2 * U)])
def test_the_gap_of_a_pair_is_relative_to_the_truth_and_not_to_the_rounding_of_a_stack(truth, gap):
    oracle = bounded(truth, [2, 0])
    assert measure_pair(LABEL, oracle.value, oracle.value + np.array([2 * U, 0]), oracle).gap == pytest.approx(gap)


@pytest.mark.parametrize(
    ("oracle", "epsilon"),
    [
        (bounded([1.0, 4.0], [1, 2]), 1 * U),
        (bounded([0.0, 2.0], [0, 4]), 4 * U),
        (bounded([0.0, 2.0], [1, np.inf]), np.inf),
        (bounded([0.0, 0.0], [0, 0]), 0.0),
        (bounded([0.0, 0.0], [1, 1]), np.inf),
    ],
    ids=["least of all", "a zero has no relative error", "no bound", "exact zeros", "zeros with an error"],
)
def test_epsilon_is_the_smallest_relative_defect_that_an_element_shows(oracle, epsilon):
    found = measured(oracle.value, oracle)
    assert found.epsilon == pytest.approx(epsilon)
    assert found.informative == (epsilon <= INFORMATIVE)


def test_a_missing_gradient_is_a_gradient_of_zero():
    assert missing_gradient(LABEL, "torch", bounded([0.0, 0.0], 1)).agrees
    assert not missing_gradient(LABEL, "torch", bounded([0.0, 1.0], 1)).agrees


def test_the_gain_weighs_each_element_by_what_is_known_of_it():
    oracle = Bounded(np.array([1.0, 2.0, 5.0]), np.array([1.0, 2.0, np.inf]), FLOAT32)
    got = np.array([1.5, 2.0, 9.0], np.float32)
    found = measure(LABEL, "torch", got, oracle, witness=got)
    assert found.gain == found.witness == Gain(moment=0.5, weight=2.0)


def test_without_a_witness_nothing_is_known_of_correct_gains():
    assert measured(np.array([1.0]), bounded([1.0], 1)).witness == Gain()
