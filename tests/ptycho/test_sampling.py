"""The TensorFlow photon counts: seeds, precision, limits; `parity/judging/test_samplers.py` has their distribution."""

import math

import numpy as np
import pytest
import tensorflow as tf

from ptycho import sampling

REAL = [tf.float32, tf.float64]
SAMPLERS = [sampling.sample_counts, sampling.sample_amplitude]


def intensity(value: float = 50.0, dtype: tf.DType = tf.float64) -> tf.Tensor:
    return tf.fill((2, 16, 15, 3), tf.constant(value, dtype))


def spread(seed: int) -> np.ndarray:
    return (sampling.sample_counts(intensity(), seed).numpy() - 50) / math.sqrt(50)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("sample", SAMPLERS)
def test_a_seed_decides_everything(sample, dtype: tf.DType) -> None:
    first, again, other = (sample(intensity(dtype=dtype), seed) for seed in (3, 3, 4))
    assert (first.shape, first.dtype) == (intensity().shape, dtype)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("sample", SAMPLERS)
def test_the_global_generator_is_neither_read_nor_advanced(sample) -> None:
    found = []
    for global_seed in (0, 1):
        tf.random.set_seed(global_seed)
        generator = tf.random.get_global_generator()
        generator.reset_from_seed(global_seed)
        before = generator.state.numpy()
        found.append(sample(intensity(), 3))
        assert np.array_equal(generator.state, before)
    assert np.array_equal(*found)


def test_pixels_groups_and_patches_have_photons_of_their_own() -> None:
    """A correlation of n pairs is 1/√n, give or take; 8 of these come once in 10^15."""
    one = spread(3)
    for axis in range(one.ndim):
        assert abs(np.mean(one * np.roll(one, 1, axis))) <= 8 / math.sqrt(one.size)


def test_neighbouring_seeds_have_nothing_in_common() -> None:
    one, other = spread(3), spread(4)
    assert abs(np.mean(one * other)) <= 8 / math.sqrt(one.size)


@pytest.mark.parametrize("dtype", REAL)
def test_amplitudes_are_the_roots_of_the_counts(dtype: tf.DType) -> None:
    counts, amplitude = (sample(intensity(dtype=dtype), 3) for sample in SAMPLERS)
    assert np.array_equal(counts, np.round(counts))
    assert np.array_equal(amplitude, tf.cast(np.sqrt(counts.numpy().astype(np.float64)), dtype))


def test_both_precisions_count_the_same_photons() -> None:
    """Also where single precision cannot hold each count: it is the count, rounded."""
    single, double = (sampling.sample_counts(intensity(2.0**30, dtype), 3) for dtype in REAL)
    assert np.array_equal(single, tf.cast(double, tf.float32))
    assert np.any(double.numpy() % 2 == 1)


@pytest.mark.parametrize("dark", [0.0, 1e-30])
def test_where_no_light_is_there_is_no_photon(dark: float) -> None:
    assert not np.any(sampling.sample_counts(intensity(dark), 3))


def test_counts_have_no_gradient() -> None:
    light = intensity()
    with tf.GradientTape() as tape:
        tape.watch(light)
        counts = sampling.sample_counts(light, 3)
    assert tape.gradient(counts, light) is None


def test_a_graph_is_traced_once_for_every_size_and_seed_and_counts_the_same_photons() -> None:
    traces = []

    def sample(light: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        traces.append(light.shape)
        return sampling.sample_counts(light, seed)

    signature = [tf.TensorSpec([None] * 4, tf.float64), tf.TensorSpec([], tf.int32)]
    graph = tf.function(sample, input_signature=signature, autograph=False)
    for seed, light in enumerate((intensity(), intensity(3.0)[:1, :4])):
        assert np.array_equal(graph(light, seed), sampling.sample_counts(light, seed))
    assert len(traces) == 1


def spoilt(value: float) -> tf.Tensor:
    array = intensity().numpy()
    array[1, 2, 3, 2] = value
    return tf.constant(array)


INVALID = [(-1.0, "-1"), (math.nan, "nan"), (math.inf, "inf"), (2e12, "2e+12")]
EXPECTED = "intensity: expected a non-negative intensity of at most 1e+12 photons"


@pytest.mark.parametrize("sample", SAMPLERS)
@pytest.mark.parametrize(("value", "shown"), INVALID)
def test_an_intensity_that_cannot_be_counted(sample, value: float, shown: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the message is compared whole
        sample(spoilt(value), 3)
    assert str(caught.value) == f"{EXPECTED}, got {shown} at (1, 2, 3, 2)"


@pytest.mark.parametrize(("value", "_"), INVALID)
def test_a_graph_refuses_it_when_it_runs_and_does_not_wait_for_photons_from_nowhere(value: float, _: str) -> None:
    graph = tf.function(sampling.sample_counts, autograph=False)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        graph(spoilt(value), 3)
    assert EXPECTED in str(caught.value)


@pytest.mark.parametrize(
    ("given", "seed", "error", "message"),
    [
        (tf.cast(intensity(), tf.int32), 3, TypeError, "intensity: expected float32 or float64, got int32"),
        (intensity()[0], 3, ValueError, r"intensity: expected axes \(B, H, W, C\), got shape \(16, 15, 3\)"),
        (intensity(), 1.0, TypeError, "seed: expected a whole number, got 1.0"),
        (intensity(), -1, ValueError, "seed: expected a number of at least 0, got -1"),
    ],
)
def test_what_is_no_intensity_and_no_seed(given: tf.Tensor, seed: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}$"):
        sampling.sample_counts(given, seed)
