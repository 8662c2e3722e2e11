"""The probes of the workflows: those of the TensorFlow stack, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from ptycho import probe as stack
from ptycho.npz import DataError
from ptycho.workflows.probes import SIMULATED, make_probe, prepare_probe, read_probe


def lopsided(size: int, modes: int = 2) -> np.ndarray:
    rng = np.random.default_rng(size)
    return rng.normal(size=(modes, size, size)) + 1j * rng.normal(size=(modes, size, size))


@pytest.mark.parametrize(("name", "expected"), [("gaussian", stack.gaussian), ("disk", stack.disk)])
@pytest.mark.parametrize("N", [16, 64])
def test_a_simulated_probe_is_that_of_the_stack(name: str, expected, N: int) -> None:
    extent = N / 8 if name == "gaussian" else N / 4
    amplitude = np.abs(expected(N, tf.constant(extent, tf.float64))[..., 0])
    np.testing.assert_allclose(np.abs(make_probe(name, N)[0]), amplitude, rtol=0, atol=4 * np.finfo(float).eps)


def test_a_gaussian_has_a_curved_wavefront() -> None:
    phase = np.unwrap(np.angle(make_probe("gaussian", 64)[0, 32, 32:48]))
    assert phase[-1] - phase[0] == pytest.approx(np.pi * 1.5 / 64 * (15.5**2 - 0.5**2))


@pytest.mark.parametrize("N", [64, 128])
def test_a_gaussian_casts_a_shadow_half_as_large_again(N: int) -> None:
    """Light that a hole lets through at (y, x) lands 3/2 as far from the middle of the detector."""
    y, x = np.indices((N, N)) - (N - 1) / 2
    hole_y, hole_x = -N / 16, N / 8
    hole = np.exp(-((y - hole_y) ** 2 + (x - hole_x) ** 2) / (2 * (N / 24) ** 2))
    field = np.fft.fftshift(np.fft.fft2(make_probe("gaussian", N)[0] * hole))
    intensity = np.abs(field) ** 2 / np.sum(np.abs(field) ** 2)
    rows, columns = np.indices((N, N)) - N // 2
    centre = np.sum(rows * intensity), np.sum(columns * intensity)
    pulled = 1 / (1 + (N / 24) ** 2 / (N / 8) ** 2)  # the probe is brighter towards its middle
    np.testing.assert_allclose(centre, (1.5 * pulled * hole_y, 1.5 * pulled * hole_x), atol=0.1)


@pytest.mark.parametrize("name", SIMULATED)
@pytest.mark.parametrize("N", [64, 128])
def test_most_of_the_light_is_where_the_networks_reconstruct(name: str, N: int) -> None:
    intensity = np.abs(make_probe(name, N)[0]) ** 2
    assert intensity[N // 4 : -N // 4, N // 4 : -N // 4].sum() > 0.95 * intensity.sum()


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"probe: expected gaussian or disk, or an \.npz file .* got 'airy'"):
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
