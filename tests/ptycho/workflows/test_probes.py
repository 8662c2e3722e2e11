"""The probes of the workflows: those of the TensorFlow stack, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import minimize

from ptycho import probe as stack
from ptycho.workflows.probes import SIMULATED, make_probe, prepare_probe, read_probe
from ptycho_exposures.npz import DataError
from ptycho_exposures.objects import lines, scan_patches


def lopsided(size: int, modes: int = 2) -> np.ndarray:
    rng = np.random.default_rng(size)
    return rng.normal(size=(modes, size, size)) + 1j * rng.normal(size=(modes, size, size))


@pytest.mark.parametrize(("name", "expected"), [("gaussian", stack.gaussian), ("disk", stack.disk)])
@pytest.mark.parametrize("N", [16, 64])
def test_a_simulated_probe_is_that_of_the_stack(name: str, expected, N: int) -> None:
    extent = N / 8 if name == "gaussian" else N / 4
    amplitude = np.abs(expected(N, tf.constant(extent, tf.float64))[..., 0])
    np.testing.assert_allclose(np.abs(make_probe(name, N)[0]), amplitude, rtol=0, atol=4 * np.finfo(float).eps)


@pytest.mark.parametrize("name", SIMULATED)
def test_it_has_a_curved_wavefront(name: str) -> None:
    phase = np.unwrap(np.angle(make_probe(name, 64)[0, 32, 32:47]))
    assert phase[-1] - phase[0] == pytest.approx(np.pi / 64 * (14.5**2 - 0.5**2))


@pytest.mark.parametrize("name", SIMULATED)
@pytest.mark.parametrize("N", [64, 128])
def test_it_casts_a_shadow_as_large_as_the_object(name: str, N: int) -> None:
    """Light that a hole lets through lands on the detector as far from its middle as the hole is from the object's."""
    y, x = np.indices((N, N)) - (N - 1) / 2
    lit = make_probe(name, N)[0] * np.exp(-((y + N / 16) ** 2 + (x - N / 8) ** 2) / (2 * (N / 32) ** 2))
    behind, detected = np.abs(lit) ** 2, np.abs(np.fft.fftshift(np.fft.fft2(lit))) ** 2
    rows, columns = np.indices((N, N)) - N // 2
    hole = [np.average(axis, weights=behind) for axis in (y, x)]
    spot = [np.average(axis, weights=detected) for axis in (rows, columns)]
    np.testing.assert_allclose(spot, hole, atol=0.1)


def phase_error_of_a_fit(probe: np.ndarray, patches: np.ndarray) -> float:
    """Least squares, from a grey object, of the object's pixels to the amplitudes of single patterns: how wrong its
    phase is, radians, in the light and up to one phase a pattern; the median over the patterns."""

    def far_field(patch: np.ndarray) -> np.ndarray:
        return np.fft.fft2(probe * patch, norm="ortho")

    def misfit(parts: np.ndarray, observed: np.ndarray) -> tuple[float, np.ndarray]:
        field = far_field(parts.view(complex).reshape(probe.shape))
        excess = field - observed * np.exp(1j * np.angle(field))
        slope = probe.conj() * np.fft.ifft2(excess, norm="ortho")
        return 0.5 * float(np.sum(np.abs(excess) ** 2)), slope.ravel().view(float)

    light, errors = np.abs(probe) ** 2, []
    for patch in patches:
        start = np.full(patch.size, 0.4 + 0j).view(float)
        options = {"maxiter": 200}
        fit = minimize(misfit, start, np.abs(far_field(patch)), jac=True, method="L-BFGS-B", options=options)
        wrong = fit.x.view(complex).reshape(patch.shape) * patch.conj()
        wrong *= np.exp(-1j * np.angle(np.sum(light * wrong)))
        errors.append(np.average(np.abs(np.angle(wrong)), weights=light))
    return float(np.median(errors))


def test_a_single_pattern_tells_the_object_behind_the_disk() -> None:
    """Patterns behind a disk in focus, or behind a Gaussian, are as well explained by quite different objects."""
    N = 64
    amplitude, phase = lines((128, 128), 3)
    corners = np.array([[0, 0], [30, 40], [60, 10], [64, 64], [20, 60], [40, 0], [0, 35], [64, 30]])
    patches = scan_patches(amplitude * np.exp(1j * phase), corners[:, None, :, None], (N, N))[..., 0]
    disk, gaussian = (make_probe(name, N)[0] for name in ("disk", "gaussian"))
    found, *others = (phase_error_of_a_fit(probe, patches) for probe in (disk, np.abs(disk), gaussian))
    assert found < min(others) / 2


@pytest.mark.parametrize("name", SIMULATED)
@pytest.mark.parametrize("N", [64, 128])
def test_most_of_the_light_is_where_the_networks_reconstruct(name: str, N: int) -> None:
    intensity = np.abs(make_probe(name, N)[0]) ** 2
    assert intensity[N // 4 : -N // 4, N // 4 : -N // 4].sum() > 0.95 * intensity.sum()


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"probe: expected disk or gaussian, or an \.npz file .* got 'airy'"):
        make_probe("airy", 64)


def test_it_is_normalised_as_the_stack_does() -> None:
    probe = lopsided(16)
    expected = np.moveaxis(stack.normalize(tf.constant(np.moveaxis(probe, 0, -1)), 1.0).numpy(), -1, 0)
    prepared = prepare_probe(probe, 16)
    assert prepared.dtype == np.complex64
    np.testing.assert_allclose(prepared, expected, rtol=4 * np.finfo(np.float32).eps)


def test_how_bright_a_file_is_does_not_matter() -> None:
    probe = lopsided(16)
    assert np.array_equal(prepare_probe(1024 * probe, 16), prepare_probe(probe, 16))


def test_a_smaller_one_gets_a_border_of_zeros() -> None:
    prepared = prepare_probe(lopsided(8), 12)
    assert prepared.shape == (2, 12, 12)
    assert np.all(prepared[:, 2:-2, 2:-2] != 0)
    assert np.count_nonzero(prepared) == 2 * 8 * 8


@pytest.mark.parametrize("size", [13, 11])
def test_one_that_does_not_fit_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"probe: expected at most 12 pixels a side, .* got {size}"):
        prepare_probe(lopsided(size), 12)


def test_one_that_is_dark_in_the_middle_is_refused() -> None:
    probe = lopsided(16)
    probe[:, 4:12, 4:12] = 0
    with pytest.raises(ValueError, match="probe: expected some light nearer than 4 pixels to the middle, got none"):
        prepare_probe(probe, 16)


@pytest.mark.parametrize("modes", [1, 2])
def test_one_is_read_from_a_file(tmp_path: Path, modes: int) -> None:
    probe = lopsided(8, modes)
    np.savez(tmp_path / "p.npz", probeGuess=probe[0] if modes == 1 else probe, other=np.array([None]))
    assert np.array_equal(read_probe(tmp_path / "p.npz"), probe)


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (np.ones((8, 8)), "probeGuess: expected a complex probe, got float64"),
        (np.ones((8, 6), complex), r"probeGuess: expected shape \(P, n, n\) or \(n, n\), got \(1, 8, 6\)"),
        (np.full((8, 8), np.nan + 0j), r"probeGuess: expected finite values, got .* at \(0, 0\)"),
        (np.zeros((8, 8), complex), "probeGuess: expected some light, got only zeros"),
        (np.array([[None]]), "probeGuess: expected a complex probe, got an object array, which is never unpickled"),
    ],
)
def test_a_file_without_a_usable_one_is_refused(tmp_path: Path, probe: np.ndarray, message: str) -> None:
    np.savez(tmp_path / "p.npz", probeGuess=probe)
    with pytest.raises(DataError, match=message):
        read_probe(tmp_path / "p.npz")


def test_a_file_without_one_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", probe=np.ones((8, 8), complex))
    with pytest.raises(DataError, match=r"p\.npz: probeGuess: expected to find this key, got only probe$"):
        read_probe(tmp_path / "p.npz")
