"""Laws of the probes."""

import math

import numpy as np
import pytest

REAL = [np.float32, np.float64]
SIZES = [8, 9]


@pytest.fixture
def probe(stack):
    return stack.functions("probe")


def lopsided(probe, size: int, dtype: type = np.float64) -> np.ndarray:
    """A probe without symmetry: a Gaussian with a random field on top."""
    made = probe.gaussian(size, np.array(size / 4, dtype))
    real, imaginary = np.random.default_rng(0).normal(size=(2, 1, size, size))
    return made * (1 + (real + 1j * imaginary) / 4).astype(made.dtype)


def test_a_disk_holds_the_pixels_nearer_than_its_radius(probe) -> None:
    small = [[[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]]
    assert np.array_equal(probe.disk(4, 1.5), small)
    assert np.array_equal(probe.disk(3, 1.0), [[[0, 0, 0], [0, 1, 0], [0, 0, 0]]])


def test_a_gaussian_falls_to_exp_minus_half_at_its_width(probe, rounding) -> None:
    centre = probe.gaussian(9, np.array(2.0)).real[0, 4]
    assert centre[4] == 1
    assert np.abs(centre[[2, 6]] - math.exp(-0.5)).max() <= rounding(centre, 1)


@pytest.mark.parametrize("size", SIZES)
def test_generated_probes_are_centred(probe, size: int) -> None:
    for made in (probe.disk(size, 2.7), probe.gaussian(size, 2.0)):
        assert np.array_equal(made, np.flip(made, -1))
        assert np.array_equal(made, np.flip(made, -2))


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("size", SIZES)
def test_a_zone_plate_keeps_the_energy_of_its_pupil(probe, rounding, size: int, dtype: type) -> None:
    outer, stop, defocus = (np.array(value, dtype) for value in (3.5, 1.2, 5.0))
    pupil = probe.disk(size, outer) - probe.disk(size, stop)
    energy = (np.abs(probe.zone_plate(size, outer, stop, defocus)) ** 2).sum()
    assert abs(energy - pupil.real.sum()) <= rounding(energy, size * size)


def test_a_zone_plate_in_focus_peaks_in_the_middle(probe) -> None:
    focus = np.abs(probe.zone_plate(9, 3.5, 1.2, 0.0)[0])
    assert divmod(int(focus.argmax()), 9) == (4, 4)
    assert np.abs(probe.zone_plate(9, 3.5, 1.2, 5.0)[0, 4, 4]) < focus[4, 4]


@pytest.mark.parametrize(
    "make",
    [
        lambda probe, scalar: probe.disk(6, scalar),
        lambda probe, scalar: probe.gaussian(6, scalar),
        lambda probe, scalar: probe.zone_plate(6, scalar, 1.0, 0.5),
        lambda probe, scalar: probe.zone_plate(6, 2.0, scalar, 0.5),
        lambda probe, scalar: probe.zone_plate(6, 2.0, 1.0, scalar),
    ],
)
def test_precision_follows_the_scalars(probe, make) -> None:
    assert make(probe, 2.0).dtype == np.complex64
    for dtype in REAL:
        assert make(probe, np.array(2.0, dtype)).dtype == np.result_type(dtype, np.complex64)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("size", SIZES)
def test_modes_are_orthogonal_and_share_the_energy(stack, probe, rounding, size: int, dtype: type) -> None:
    single, powers = lopsided(probe, size, dtype), np.array([4.0, 2.0, 1.0, 0.5, 0.25, 0.25], dtype)
    modes = probe.orthogonal_modes(single, powers)
    gram = np.einsum("ihw,jhw->ij", modes.conj(), modes)
    expected = np.diag((np.abs(single) ** 2).sum() * powers / powers.sum())
    # The modified Gram-Schmidt process loses orthogonality in proportion to the condition of the seeds
    # (Bjorck, BIT 7, 1967).
    seeds = probe._seeds(stack.tensor(single[0]))
    condition = np.linalg.cond(np.stack([stack.array(seed).ravel() for seed in seeds]))
    assert np.abs(gram - expected).max() <= rounding(expected, size * size) * condition


def test_fewer_modes_are_the_first_of_more(probe, rounding) -> None:
    single, powers = lopsided(probe, 8), np.ones(6)
    more, fewer = probe.orthogonal_modes(single, powers), probe.orthogonal_modes(single, powers[:2])
    assert np.abs(more[:2] * math.sqrt(3) - fewer).max() <= rounding(fewer, 4)


def test_the_second_mode_varies_along_the_columns_of_an_even_probe(probe) -> None:
    signs = np.sign(probe.orthogonal_modes(probe.gaussian(8, 2.0), np.ones(3, np.float32)).real)
    expected = np.broadcast_to(np.sign(np.arange(8) - 3.5), (8, 8))
    assert np.array_equal(signs[1], expected)
    assert np.array_equal(signs[2], expected.T)


def test_the_mask_is_a_disk_of_a_quarter_of_the_side(probe) -> None:
    disk = probe.disk(8, 2.0)[0].real
    assert np.array_equal(probe.mask(probe.disk(8, 3.0)), disk)
    oblong = probe.mask(np.ones((1, 8, 10), complex))
    assert oblong.dtype == np.float64
    assert np.array_equal(oblong[:, 1:-1], disk)


@pytest.mark.parametrize("modes", [1, 3])
def test_a_normalised_probe_has_the_mean_asked_for(probe, rounding, modes: int) -> None:
    several = probe.orthogonal_modes(lopsided(probe, 8), np.ones(modes))
    normalized = probe.normalize(several, 4.0)
    mean = np.abs(probe.mask(normalized) * normalized).mean()
    assert abs(mean - 1 / 4) <= rounding(mean, several.size)
    ratio = normalized / several
    assert np.abs(ratio - ratio[0, 0, 0]).max() <= rounding(ratio, 8)
