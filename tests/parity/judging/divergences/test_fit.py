"""One number from many elements, within the error that it is given."""

import numpy as np
import pytest

from parity.judging.divergences.fit import fitted, noise_of
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT32, FLOAT64


def test_the_number_is_found_within_its_error():
    random = np.random.default_rng(1)
    value, noise = random.uniform(1, 5, 100), 10.0 ** random.uniform(-3, 3, 100)
    u = FLOAT32.unit_roundoff
    for sign in (1, -1, random.choice((-1, 1), 100)):  # roundings that all have one sign do not cancel
        fit = fitted(value, 3 * value + sign * 2 * u * noise, noise)
        assert fit is not None
        assert abs(fit.number - 3) <= fit.rounding(FLOAT32) + 1e-14
        assert fit.rounding(FLOAT32) <= 4 * u * noise.min()
        assert fit.elements == 100


def test_a_phase_is_found_too():
    field = np.exp(1j * np.arange(5.0))
    fit = fitted(field, field * np.exp(0.3j), np.ones(5))
    assert fit is not None
    assert np.angle(fit.number) == pytest.approx(0.3)


def test_what_is_not_finite_tells_nothing():
    assert fitted(np.zeros(3), np.ones(3), np.ones(3)) is None
    assert fitted(np.ones(2), np.array([np.nan, np.inf]), np.ones(2)) is None
    fit = fitted(np.ones(3), np.array([np.nan, 2.0, 2.0]), np.array([1.0, 1.0, np.inf]))
    assert fit is not None
    assert (fit.number, fit.elements) == (2, 1)


def test_exact_elements_do_not_overflow():
    exact = noise_of(Bounded.exact(np.ones(3), FLOAT64))
    fit = fitted(np.ones(3), np.full(3, 2.0), exact)
    assert fit is not None
    assert fit.number == 2
