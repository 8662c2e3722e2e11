"""The metrics: what they say of the truth, of noise, and of what ptychography leaves open."""

import math

import numpy as np
import pytest

from ptycho_torch.metrics import aligned, compare, constant, ring_correlation

RANDOM = np.random.default_rng(0)
TRUTH = (0.5 + RANDOM.random((48, 40)) / 2) * np.exp(1j * RANDOM.random((48, 40)))


def test_the_truth_is_perfect_up_to_a_phase() -> None:
    metrics = compare(aligned(TRUTH * np.exp(2j), TRUTH), TRUTH)
    for image in (metrics.amplitude, metrics.phase):
        assert image.mae == pytest.approx(0, abs=1e-14)
        assert image.psnr > 250
        assert image.ssim == pytest.approx(1)
        assert image.frc50 == 1
    assert compare(TRUTH, TRUTH).amplitude.psnr == math.inf


def test_a_factor_is_fitted_only_where_the_scale_is_not_known() -> None:
    found = 2 * TRUTH * np.exp(2j)
    np.testing.assert_allclose(aligned(found, TRUTH, scale_known=False), TRUTH)
    assert compare(aligned(found, TRUTH), TRUTH).amplitude.mae == pytest.approx(np.abs(TRUTH).mean())


def test_phases_are_compared_the_short_way_round() -> None:
    truth = np.abs(TRUTH) * np.exp(1j * np.where(RANDOM.random(TRUTH.shape) < 0.5, 3.1, 0))
    assert compare(truth * np.exp(0.1j), truth).phase.mae == pytest.approx(0.1)


@pytest.mark.parametrize("span", [1.0, 5.0, 9.0])
@pytest.mark.parametrize("origin", [0.0, 2.5])
def test_the_constant_is_the_best_one(span: float, origin: float) -> None:
    """However far phases reach around the circle, and wherever they begin."""
    truth = np.abs(TRUTH) * np.exp(1j * (origin + span * np.angle(TRUTH)))
    found = constant(truth)
    assert len(np.unique(found)) == 1
    best = compare(found, truth)
    for factor in (0.99, 1.01):
        assert compare(found * factor, truth).amplitude.mae > best.amplitude.mae
    for turned in np.linspace(0.01, 2 * math.pi - 0.01, 50):
        assert compare(found * np.exp(1j * turned), truth).phase.mae > best.phase.mae
    assert best.amplitude.frc50 == best.phase.frc50 == 0


def test_a_phase_that_all_pixels_share_decides_nothing() -> None:
    """Nor where the truth's own phases pass through that of -1."""
    found = TRUTH * np.exp(0.1j * RANDOM.standard_normal(TRUTH.shape))
    one, other = (compare(found * turn, TRUTH * turn).phase for turn in (1, -1))
    assert (one.mae, one.psnr, one.ssim) == pytest.approx((other.mae, other.psnr, other.ssim))
    assert one.frc50 == other.frc50


def test_rings_end_where_the_images_stop_agreeing() -> None:
    spectrum = np.fft.fft2(RANDOM.standard_normal((64, 64)))
    radius = np.hypot(*np.meshgrid(*[np.fft.fftfreq(64) * 2] * 2, indexing="ij"))
    noise = np.fft.fft2(RANDOM.standard_normal((64, 64)))
    found, truth = (np.fft.ifft2(one).real for one in (np.where(radius < 0.5, spectrum, noise), spectrum))
    rings = ring_correlation(found, truth)
    assert rings["correlation"][rings["frequency"] < 0.45].min() > 0.8
    assert np.abs(rings["correlation"][rings["frequency"] > 0.6]).max() < 0.5


def test_rounding_of_a_constant_correlates_with_nothing() -> None:
    truth = np.random.default_rng(1).random((48, 40))
    rounded = (truth + (0.1 - truth)).astype(np.float64)
    assert not ring_correlation(rounded, truth)["correlation"].any()
    assert np.ptp(rounded) > 0


def test_darkness_cannot_be_aligned() -> None:
    with pytest.raises(ValueError, match="found: expected a finite object that is not 0 all over"):
        aligned(np.zeros_like(TRUTH), TRUTH)


@pytest.mark.parametrize("measure", [aligned, compare, ring_correlation])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(measure, value: float) -> None:
    lost = TRUTH.copy()
    lost[3, 4] = value
    for arguments, name in (((lost, TRUTH), "found"), ((TRUTH, lost), "truth")):
        with pytest.raises(ValueError, match=rf"^{name}: expected finite values, got .* at \(3, 4\)$"):
            measure(*arguments)


def test_shapes_that_cannot_be_compared_are_refused() -> None:
    for compared in (aligned, compare):
        with pytest.raises(ValueError, match="found: expected the shape of truth"):
            compared(TRUTH.T, TRUTH)
    with pytest.raises(ValueError, match="at least 16 pixels a side"):
        compare(TRUTH[:15], TRUTH[:15])
