"""Laws of the TensorFlow probes."""

import math

import numpy as np
import pytest
import tensorflow as tf

from ptycho import probe

REAL = [tf.float32, tf.float64]
SIZES = [8, 9]


def rounding(tensor: tf.Tensor, operations: int) -> float:
    """What `operations` roundings, each of a number as large as the largest of `tensor`, may add up to."""
    values = np.asarray(tensor)
    return operations * np.finfo(values.dtype).eps * np.abs(values).max()


def precision(probe: tf.Tensor) -> tf.DType:
    return probe.dtype.real_dtype


def lopsided(size: int, dtype: tf.DType = tf.float64) -> tf.Tensor:
    """A probe without symmetry: a Gaussian with a random field on top."""
    made = probe.gaussian(size, tf.constant(size / 4, dtype))
    real, imaginary = np.random.default_rng(0).normal(size=(2, size, size, 1))
    return made * tf.cast(1 + tf.complex(real, imaginary) / 4, made.dtype)


def test_a_disk_holds_the_pixels_nearer_than_its_radius() -> None:
    small = [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    assert np.array_equal(probe.disk(4, 1.5)[..., 0], small)
    assert np.array_equal(probe.disk(3, 1.0)[..., 0], [[0, 0, 0], [0, 1, 0], [0, 0, 0]])


def test_a_gaussian_falls_to_exp_minus_half_at_its_width() -> None:
    centre = np.real(probe.gaussian(9, tf.constant(2.0, tf.float64))[4, :, 0])
    assert centre[4] == 1
    assert np.abs(centre[[2, 6]] - math.exp(-0.5)).max() <= rounding(centre, 1)


@pytest.mark.parametrize("size", SIZES)
def test_generated_probes_are_centred(size: int) -> None:
    for made in (probe.disk(size, 2.7), probe.gaussian(size, 2.0)):
        assert np.array_equal(made, np.flip(made, 0))
        assert np.array_equal(made, np.flip(made, 1))


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("size", SIZES)
def test_a_zone_plate_keeps_the_energy_of_its_pupil(size: int, dtype: tf.DType) -> None:
    outer, stop, defocus = (tf.constant(value, dtype) for value in (3.5, 1.2, 5.0))
    pupil = probe.disk(size, outer) - probe.disk(size, stop)
    energy = tf.reduce_sum(tf.abs(probe.zone_plate(size, outer, stop, defocus)) ** 2)
    assert abs(energy - tf.reduce_sum(tf.math.real(pupil))) <= rounding(energy, size * size)


def test_a_zone_plate_in_focus_peaks_in_the_middle() -> None:
    focus = np.abs(probe.zone_plate(9, 3.5, 1.2, 0.0)[..., 0])
    assert divmod(int(focus.argmax()), 9) == (4, 4)
    assert np.abs(probe.zone_plate(9, 3.5, 1.2, 5.0)[4, 4, 0]) < focus[4, 4]


@pytest.mark.parametrize(
    "make",
    [
        lambda scalar: probe.disk(6, scalar),
        lambda scalar: probe.gaussian(6, scalar),
        lambda scalar: probe.zone_plate(6, scalar, 1.0, 0.5),
        lambda scalar: probe.zone_plate(6, 2.0, scalar, 0.5),
        lambda scalar: probe.zone_plate(6, 2.0, 1.0, scalar),
    ],
)
def test_precision_follows_the_scalars(make) -> None:
    assert precision(make(2.0)) == tf.float32
    for dtype in REAL:
        assert precision(make(tf.constant(2.0, dtype))) == dtype


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("size", SIZES)
def test_modes_are_orthogonal_and_share_the_energy(size: int, dtype: tf.DType) -> None:
    single, powers = lopsided(size, dtype), tf.constant([4.0, 2.0, 1.0, 0.5, 0.25, 0.25], dtype)
    modes = probe.orthogonal_modes(single, powers).numpy()
    gram = np.einsum("hwi,hwj->ij", modes.conj(), modes)
    expected = np.diag(tf.reduce_sum(tf.abs(single) ** 2) * powers / tf.reduce_sum(powers))
    # The modified Gram-Schmidt process loses orthogonality in proportion to the condition of the seeds
    # (Bjorck, BIT 7, 1967).
    seeds = probe._seeds(single[..., 0])
    condition = np.linalg.cond(np.stack([seed.numpy().ravel() for seed in seeds]))
    assert np.abs(gram - expected).max() <= rounding(expected, size * size) * condition


def test_fewer_modes_are_the_first_of_more() -> None:
    single, powers = lopsided(8), tf.ones(6, tf.float64)
    more, fewer = probe.orthogonal_modes(single, powers), probe.orthogonal_modes(single, powers[:2])
    assert np.abs(more[..., :2] * math.sqrt(3) - fewer).max() <= rounding(fewer, 4)


def test_the_second_mode_varies_along_the_columns_of_an_even_probe() -> None:
    signs = np.sign(np.real(probe.orthogonal_modes(probe.gaussian(8, 2.0), tf.ones(3))))
    expected = np.broadcast_to(np.sign(np.arange(8) - 3.5), (8, 8))
    assert np.array_equal(signs[..., 1], expected)
    assert np.array_equal(signs[..., 2], expected.T)


def test_the_mask_is_a_disk_of_a_quarter_of_the_side() -> None:
    disk = np.real(probe.disk(8, 2.0)[..., 0])
    assert np.array_equal(probe.mask(probe.disk(8, 3.0)), disk)
    oblong = probe.mask(tf.ones((8, 10, 1), tf.complex128))
    assert oblong.dtype == tf.float64
    assert np.array_equal(oblong[:, 1:-1], disk)


@pytest.mark.parametrize("modes", [1, 3])
def test_a_normalised_probe_has_the_mean_asked_for(modes: int) -> None:
    several = probe.orthogonal_modes(lopsided(8), tf.ones(modes, tf.float64))
    normalized = probe.normalize(several, 4.0)
    mean = np.abs(probe.mask(normalized).numpy()[:, :, None] * normalized).mean()
    assert abs(mean - 1 / 4) <= rounding(mean, several.numpy().size)
    ratio = normalized / several
    assert np.abs(ratio - ratio[0, 0, 0]).max() <= rounding(ratio, 8)
