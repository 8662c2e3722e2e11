"""Laws of simulated exposures: energy, photon statistics, one scale for X and Y_I, and every refusal.

Statements about random counts are inequalities that a random seed breaks with a probability of at most
`RARELY`; the seeds are fixed, so a test that passes once passes always.
"""

import math
import subprocess
import sys
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptycho_exposures import diffsim
from ptycho_exposures.diffsim import (
    MAX_MEAN_COUNT,
    Exposures,
    check_scaled_alike,
    count_photons,
    diffract,
    illuminate_and_diffract,
    observe_amplitude,
    scale_nphotons,
)

RARELY = 1e-9
SIZES = [(8, 8), (7, 7), (6, 9), (5, 12)]


def rounding(dtype: Any, height: int, width: int) -> float:
    """Relative error of energies behind a DFT: its log₂(H·W) stages, with four roundings for the rest."""
    return float(np.finfo(dtype).eps) * (4 + 4 * math.log2(height * width))


def random_waves(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.complex128]:
    rng = np.random.default_rng(seed)
    waves: NDArray[np.complex128] = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    return waves


def random_object(
    height: int = 6, width: int = 9, dtype: Any = np.float64, groups: int = 3
) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(4)
    shape = (groups, height, width, 2)
    return rng.uniform(0.2, 1, shape).astype(dtype), rng.uniform(-9, 9, shape).astype(dtype)


def expose(*, modes: int = 2, dtype: Any = np.float64, **options: Any) -> Exposures:
    """Exposures of 6 × 9 pixels, whose probe is far from unit energy."""
    return illuminate_and_diffract(*random_object(dtype=dtype), 5 * random_waves((6, 9, modes)), **options)


def test_imports_no_framework_and_nothing_slow() -> None:
    program = (
        "import sys, ptycho_exposures.diffsim, ptycho_exposures.objects;"
        "sys.exit(sorted({'tensorflow', 'torch', 'scipy', 'skimage'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


class TestDiffract:
    @pytest.mark.parametrize(("height", "width"), SIZES)
    def test_is_the_centred_dft_by_its_definition(self, height: int, width: int) -> None:
        wave = random_waves((height, width))
        rows = np.exp(-2j * np.pi * np.outer(np.arange(height) - height // 2, np.arange(height)) / height)
        columns = np.exp(-2j * np.pi * np.outer(np.arange(width), np.arange(width) - width // 2) / width)
        expected = np.abs(rows @ wave @ columns) / math.sqrt(height * width)
        far_field = diffract(wave[np.newaxis, :, :, np.newaxis, np.newaxis])[0, :, :, 0]
        energy = np.linalg.norm(wave)
        np.testing.assert_allclose(far_field, expected, rtol=0, atol=energy * (height + width) * np.finfo(float).eps)

    @pytest.mark.parametrize(("height", "width"), SIZES)
    @pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
    def test_conserves_energy_in_every_pattern(self, height: int, width: int, dtype: Any) -> None:
        waves = random_waves((2, height, width, 3, 4)).astype(dtype)
        far_field = diffract(waves)
        assert far_field.dtype == waves.real.dtype
        np.testing.assert_allclose(
            count_photons(far_field),
            np.square(np.abs(waves), dtype=np.float64).sum(axis=(1, 2, 4)),
            rtol=rounding(far_field.dtype, height, width),
        )

    def test_modes_add_incoherently(self) -> None:
        waves = random_waves((2, 6, 9, 3, 4))
        each = np.stack([diffract(waves[..., [mode]]) for mode in range(4)])
        np.testing.assert_allclose(diffract(waves), np.linalg.norm(each, axis=0), rtol=rounding(float, 6, 9))

    def test_refuses_real_waves(self) -> None:
        with pytest.raises(TypeError, match=r"^exit_waves: expected a complex array, got float64$"):
            diffract(np.ones((1, 4, 4, 1, 1)))  # type: ignore[arg-type]

    def test_refuses_waves_without_a_mode_axis(self) -> None:
        with pytest.raises(ValueError, match=r"^exit_waves: expected shape \(B, H, W, C, P\), got \(1, 4, 4, 1\)$"):
            diffract(random_waves((1, 4, 4, 1)))


class TestCountPhotons:
    def test_sums_each_pattern_alone(self) -> None:
        amplitude = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
        expected = [[sum(amplitude[b, :, :, c].ravel() ** 2) for c in range(5)] for b in range(2)]
        np.testing.assert_array_equal(count_photons(amplitude), expected)

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64])
    def test_widens_integers_before_squaring(self, dtype: Any) -> None:
        brightest = min(np.iinfo(dtype).max, 2**24)
        photons = count_photons(np.full((1, 4, 4, 1), brightest, dtype))
        assert photons.dtype == np.float64
        assert photons.item() == 16 * int(brightest) ** 2

    @pytest.mark.parametrize("photons", [1.0, 1e6, 1e12])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_the_scale_gives_the_mean_pattern_its_photons(self, photons: float, dtype: Any) -> None:
        amplitude = random_object(dtype=dtype)[0]
        scaled = scale_nphotons(amplitude, photons) * amplitude.astype(np.float64)
        assert count_photons(scaled).mean() == pytest.approx(photons, rel=rounding(float, 6, 9))

    def test_refuses_complex_amplitudes(self) -> None:
        with pytest.raises(
            TypeError, match=r"^amplitude: expected an integer or floating-point amplitude, got complex128$"
        ):
            count_photons(random_waves((1, 4, 4, 1)))

    def test_refuses_a_single_pattern_without_its_axes(self) -> None:
        with pytest.raises(ValueError, match=r"^amplitude: expected shape \(B, H, W, C\), got \(4, 4\)$"):
            count_photons(np.ones((4, 4)))

    def test_refuses_negative_integers(self) -> None:
        with pytest.raises(ValueError, match=r"a non-negative amplitude, got -1 at \(0, 0, 0, 0\)$"):
            count_photons(np.full((1, 4, 4, 1), -1))

    def test_darkness_has_no_scale(self) -> None:
        with pytest.raises(ValueError, match=r"^amplitude: expected some light, got only zeros, shape \(2, 4, 4, 1\)$"):
            scale_nphotons(np.zeros((2, 4, 4, 1)), 1e3)

    @pytest.mark.parametrize("photons", [0.0, -1.0, math.inf, math.nan])
    def test_refuses_an_impossible_budget(self, photons: float) -> None:
        with pytest.raises(ValueError, match=rf"^nphotons: expected a positive finite number, got {photons}$"):
            scale_nphotons(np.ones((1, 4, 4, 1)), photons)


class TestObserveAmplitude:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_a_seed_fixes_the_counts(self, dtype: Any) -> None:
        amplitude = np.full((2, 8, 8, 1), 3, dtype)
        observed = observe_amplitude(amplitude, 5)
        assert observed.dtype == dtype
        assert observed.tobytes() == observe_amplitude(amplitude, 5).tobytes()
        assert observed.tobytes() != observe_amplitude(amplitude, 6).tobytes()

    def test_a_generator_moves_on(self) -> None:
        amplitude, rng = np.full((8, 8), 3.0), np.random.default_rng(5)
        first, second = observe_amplitude(amplitude, rng), observe_amplitude(amplitude, rng)
        assert first.tobytes() == observe_amplitude(amplitude, 5).tobytes()
        assert first.tobytes() != second.tobytes()

    @pytest.mark.parametrize("mean", [0.3, 4.3, 300.0])
    def test_counts_follow_the_poisson_distribution(self, mean: float) -> None:
        """Dvoretzky, Kiefer and Wolfowitz: P(sup|Fₙ − F| > d) ≤ 2·exp(−2nd²), for every distribution F."""
        draws = 100_000
        counts = np.rint(observe_amplitude(np.full(draws, math.sqrt(mean)), 7) ** 2)
        values = np.arange(counts.max() + 1)
        probabilities = np.exp([k * math.log(mean) - mean - math.lgamma(k + 1) for k in values])
        empirical = np.searchsorted(np.sort(counts), values, side="right") / draws
        allowed = math.sqrt(math.log(2 / RARELY) / (2 * draws))
        assert np.abs(empirical - probabilities.cumsum()).max() <= allowed

    def test_squares_are_whole_photons(self) -> None:
        squares = observe_amplitude(np.linspace(0, 100, 1000), 8) ** 2
        np.testing.assert_allclose(squares, np.rint(squares), rtol=2 * np.finfo(float).eps)

    def test_no_light_no_counts(self) -> None:
        assert not observe_amplitude(np.zeros((8, 8)), 9).any()

    def test_the_brightest_pixel_that_can_be_counted(self) -> None:
        """P(|N − μ| ≥ t) is below 2·exp(−t²/4μ) for t < μ."""
        brightest = np.array([np.nextafter(math.sqrt(MAX_MEAN_COUNT), 0)])
        deviation = abs(observe_amplitude(brightest, 10)[0] ** 2 - MAX_MEAN_COUNT)
        assert deviation <= math.sqrt(4 * MAX_MEAN_COUNT * math.log(2 / RARELY))

    def test_refuses_what_cannot_be_counted(self) -> None:
        amplitude = np.array([1.0, 3.1e6])
        with pytest.raises(
            ValueError,
            match=r"^amplitude: expected at most 1e\+12 photons a pixel, which can be drawn as they are distributed, "
            r"so amplitudes up to 1e\+06, got 3100000.0 at \(1,\)$",
        ):
            observe_amplitude(amplitude, 0)

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (-0.5, "a non-negative amplitude, got -0.5"),
            (math.nan, "finite values, got nan"),
            (math.inf, "finite values, got inf"),
        ],
    )
    def test_refuses_what_is_no_amplitude(self, value: float, message: str) -> None:
        with pytest.raises(ValueError, match=rf"^amplitude: expected {message} at \(0, 1\)$"):
            observe_amplitude(np.array([[1, value]]), 0)

    def test_refuses_counts(self) -> None:
        with pytest.raises(
            TypeError,
            match=r"^amplitude: expected float32 or float64, got uint16; "
            r"integers look like counts: give their square root$",
        ):
            observe_amplitude(np.ones((4, 4), np.uint16), 0)


class TestIlluminateAndDiffract:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("modes", [1, 3])
    def test_shapes_and_precision_are_the_object_s(self, dtype: Any, modes: int) -> None:
        exposures = expose(modes=modes, dtype=dtype)
        assert {array.shape for array in exposures[:3]} == {(3, 6, 9, 2)}
        assert {array.dtype for array in exposures[:3]} == {np.dtype(dtype)}

    def test_a_seed_fixes_the_exposures(self) -> None:
        assert expose(seed=1).X.tobytes() == expose(seed=1).X.tobytes()
        assert expose(seed=1).X.tobytes() != expose(seed=2).X.tobytes()

    @pytest.mark.parametrize("scale", [None, 0.01, 1.0, 37.0])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_without_noise_x_and_y_i_have_equal_energy(
        self, monkeypatch: pytest.MonkeyPatch, scale: float | None, dtype: Any
    ) -> None:
        monkeypatch.setattr(diffsim, "observe_amplitude", lambda amplitude, seed: amplitude)
        exposures = expose(dtype=dtype, intensity_scale=scale)
        np.testing.assert_allclose(count_photons(exposures.X), count_photons(exposures.Y_I), rtol=rounding(dtype, 6, 9))

    def test_y_i_is_the_modulus_behind_the_object_and_the_phase_is_untouched(self) -> None:
        amplitude, phase = random_object()
        probe = random_waves((6, 9, 2))
        exposures = illuminate_and_diffract(amplitude, phase, probe)
        behind = amplitude * np.linalg.norm(probe, axis=-1)[..., np.newaxis]
        np.testing.assert_allclose(exposures.Y_I, behind, rtol=rounding(float, 6, 9))
        assert exposures.Y_phi is phase

    @pytest.mark.parametrize("photons", [1.0, 1e3, 1e9, 1e12])
    def test_the_scale_brings_x_to_the_photon_budget(self, photons: float) -> None:
        exposures = expose(nphotons=photons)
        budget = photons * exposures.X.shape[0] * exposures.X.shape[-1]
        counted = float(count_photons(exposures.X * exposures.intensity_scale).sum())
        # Bernstein's inequality for a Poisson variable, as in check_scaled_alike.
        log_odds = math.log(2 / RARELY)
        fluctuation = log_odds / 3 + math.sqrt(log_odds**2 / 9 + 2 * log_odds * budget)
        assert abs(counted - budget) <= fluctuation + rounding(float, 6, 9) * budget

    def test_a_given_scale_is_kept_and_decides_alone(self) -> None:
        given = expose(intensity_scale=3.0, nphotons=1e3)
        assert given.intensity_scale == 3
        assert given.X.tobytes() == expose(intensity_scale=3.0, nphotons=1e9).X.tobytes()

    @pytest.mark.parametrize("name", ["Y_I", "Y_phi"])
    def test_refuses_integers(self, name: str) -> None:
        arrays: dict[str, Any] = dict(zip(("Y_I", "Y_phi"), random_object(), strict=True))
        arrays[name] = arrays[name].astype(int)
        with pytest.raises(TypeError, match=rf"^{name}: expected float32 or float64, got int64; "):
            illuminate_and_diffract(**arrays, probe=random_waves((6, 9, 1)))

    @pytest.mark.parametrize("name", ["Y_I", "Y_phi", "probe"])
    def test_refuses_what_is_not_a_number(self, name: str) -> None:
        amplitude, phase = random_object()
        arrays: dict[str, Any] = {"Y_I": amplitude, "Y_phi": phase, "probe": random_waves((6, 9, 1))}
        arrays[name].flat[0] = math.nan
        with pytest.raises(ValueError, match=rf"^{name}: expected finite values, got .*nan.* at \(0, 0, 0"):
            illuminate_and_diffract(**arrays)

    def test_refuses_a_negative_amplitude(self) -> None:
        amplitude, phase = random_object()
        with pytest.raises(ValueError, match=r"^Y_I: expected a non-negative amplitude, got -"):
            illuminate_and_diffract(-amplitude, phase, random_waves((6, 9, 1)))

    def test_refuses_an_object_without_groups(self) -> None:
        amplitude, phase = random_object()
        with pytest.raises(ValueError, match=r"^Y_I: expected shape \(B, H, W, C\), got \(6, 9, 2\)$"):
            illuminate_and_diffract(amplitude[0], phase[0], random_waves((6, 9, 1)))

    def test_refuses_a_phase_of_another_shape(self) -> None:
        amplitude, phase = random_object()
        with pytest.raises(ValueError, match=r"^Y_phi: expected the shape of Y_I, \(3, 6, 9, 2\), got \(2, 6, 9, 2\)$"):
            illuminate_and_diffract(amplitude, phase[:2], random_waves((6, 9, 1)))

    @pytest.mark.parametrize("shape", [(6, 9), (9, 6, 1), (1, 6, 9, 1)])
    def test_refuses_a_probe_without_modes_or_of_another_size(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match=r"^probe: expected shape \(H, W, P\) = \(6, 9, P\), got \("):
            illuminate_and_diffract(*random_object(), random_waves(shape))

    def test_refuses_a_real_probe(self) -> None:
        with pytest.raises(TypeError, match=r"^probe: expected a complex array, got float64$"):
            illuminate_and_diffract(*random_object(), np.ones((6, 9, 1)))  # type: ignore[arg-type]

    @pytest.mark.parametrize("scale", [0.0, -2.0, math.nan])
    def test_refuses_an_impossible_scale(self, scale: float) -> None:
        with pytest.raises(ValueError, match=r"^intensity_scale: expected a positive finite number, got "):
            expose(intensity_scale=scale)


class TestCheckScaledAlike:
    @pytest.mark.parametrize(
        ("photons", "dtype", "seed"),
        [*product([0.1, 10.0, 1e6, 1e12], [np.float32, np.float64], range(5))],
    )
    def test_accepts_what_was_simulated(self, photons: float, dtype: Any, seed: int) -> None:
        exposures = expose(nphotons=photons, dtype=dtype, seed=seed)
        check_scaled_alike(exposures.X, exposures.Y_I, exposures.intensity_scale)

    @pytest.mark.parametrize("photons", [1e3, 1e9])
    def test_refuses_one_array_left_unscaled(self, photons: float) -> None:
        X, Y_I, _, scale = expose(nphotons=photons)
        for x, y in ((scale * X, Y_I), (X, scale * Y_I), (X / scale, Y_I)):
            with pytest.raises(ValueError, match=r"X and Y_I were not divided by the same intensity_scale$"):
                check_scaled_alike(x, y, scale)

    def test_refuses_the_object_s_amplitude_in_the_place_of_the_illuminated_one(self) -> None:
        X, _, _, scale = expose()
        with pytest.raises(ValueError, match=r"^X: expected .* ± .* photons, as in Y_I, got "):
            check_scaled_alike(X, random_object()[0], scale)

    @pytest.mark.parametrize("photons", [1e4, 1e8, 1e12])
    @pytest.mark.parametrize("sign", [-1, 1])
    def test_sees_a_gain_of_a_few_fluctuations(self, photons: float, sign: int) -> None:
        """Twenty standard deviations: about three times what is allowed."""
        X, Y_I, _, scale = expose(nphotons=photons)
        gain = 1 + sign * 20 / math.sqrt(float(count_photons(scale * Y_I).sum()))
        with pytest.raises(ValueError, match="not divided by the same"):
            check_scaled_alike(math.sqrt(gain) * X, Y_I, scale)

    def test_refuses_different_shapes(self) -> None:
        X, Y_I, _, scale = expose()
        with pytest.raises(ValueError, match=r"^X: expected the shape of Y_I, \(3, 6, 9, 2\), got \(2, 6, 9, 2\)$"):
            check_scaled_alike(X[:2], Y_I, scale)
