"""Counting photons: Poisson counts of an intensity, drawn from a seed, in TensorFlow.

Seeded and stateless: no global generator is read or advanced. The counts are those of double precision,
rounded once to the precision of the intensity: above 2^24 photons single precision does not hold every
count. The seeds of the two stacks have nothing to do with each other.
"""

from typing import Final

import tensorflow as tf

from ptycho import checks
from ptycho_exposures.checks import refusal

MOST_PHOTONS: Final = 1e12
"""Photons a pixel up to which a sampler decides by ln k!, some 3e13 there and known to 1/100. At 1e16 it is known to
100, and the variance of what is drawn, measured in PyTorch and NumPy, is 1.4 times what it should be."""


def sample_counts(intensity: tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
    """Photon counts k of each pixel, drawn from a Poisson distribution of mean `intensity`.

    Without gradient: the counts do not depend on the intensity smoothly.

    Args:
        intensity: (B, H, W, C), real, photons a pixel, at most `MOST_PHOTONS`.
        seed: a whole number that is not negative; the same seed gives the same counts.

    Returns:
        (B, H, W, C), whole numbers of photons, in the precision of the intensity.

    Raises:
        TypeError: the intensity is not real floating point, or the seed is not a whole number.
        ValueError: the intensity has another rank, or it or the seed is outside its range.
    """
    return tf.cast(_draw(intensity, seed), intensity.dtype)


def sample_amplitude(intensity: tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
    """The amplitude sqrt(k) that a detector observes, k as drawn by `sample_counts` with the same seed.

    Args:
        intensity: (B, H, W, C), real, photons a pixel, at most `MOST_PHOTONS`: no amplitude.
        seed: a whole number that is not negative; the same seed gives the same counts.

    Returns:
        (B, H, W, C), square-root photons, in the precision of the intensity.

    Raises:
        TypeError: the intensity is not real floating point, or the seed is not a whole number.
        ValueError: the intensity has another rank, or it or the seed is outside its range.
    """
    return tf.cast(tf.sqrt(_draw(intensity, seed)), intensity.dtype)


def _draw(intensity: tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
    """The counts in double precision."""
    checks.require_real("intensity", intensity)
    checks.require_size("seed", seed, least=0)
    valid = (intensity >= 0) & (intensity <= MOST_PHOTONS)
    _require_all(valid, intensity)
    # TensorFlow's sampler never returns from a NaN, and in a graph nothing makes it wait for the assertion.
    mean = tf.where(valid, tf.cast(tf.stop_gradient(intensity), tf.float64), 0)
    key = tf.stack([tf.cast(seed, tf.int64), 0])
    return tf.random.stateless_poisson(tf.shape(mean), key, mean, dtype=tf.float64)


def _require_all(valid: tf.Tensor, intensity: tf.Tensor) -> None:
    expected = f"a non-negative intensity of at most {MOST_PHOTONS:g} photons"
    if not tf.executing_eagerly():
        message = refusal("intensity", expected, "a pixel that is negative, NaN or brighter")
        checks.assert_in_graph(tf.reduce_all(valid), message)
    elif not tf.reduce_all(valid):
        place = tuple(tf.where(~valid)[0].numpy().tolist())
        raise ValueError(refusal("intensity", expected, f"{intensity[place].numpy():.9g} at {place}"))
