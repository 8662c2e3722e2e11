"""Probes: simulated illuminations, their incoherent modes and their normalisation, in TensorFlow.

All are drawn on the half-pixel-centred grid x_j = j - (N - 1) / 2, which has no preferred pixel for
even N. How a probe meets the object is `ptycho.optics`.
"""

import tensorflow as tf

from ptycho import checks

_SEED_POWERS = ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2))  # of x and of y


def disk(size: int | tf.Tensor, radius: checks.Scalar) -> tf.Tensor:
    """A pinhole: 1 where r < radius, 0 elsewhere.

    Args:
        size: N, pixels a side.
        radius: pixels. A Python number gives single precision, a scalar tensor its own.

    Returns:
        (N, N, 1), complex, square-root photons.

    Raises:
        TypeError: the size is not whole, or the radius is not in a working precision.
        ValueError: the size is not positive, or the radius is not a scalar.
    """
    checks.require_size("size", size)
    (radius,) = checks.as_scalars({"radius": radius})
    return _as_probe(tf.cast(tf.sqrt(_squared_radius(size, size, radius)) < radius, radius.dtype))


def gaussian(size: int | tf.Tensor, width: checks.Scalar) -> tf.Tensor:
    """A Gaussian beam at its waist: exp(-r^2 / (2 width^2)).

    Args:
        size: N, pixels a side.
        width: standard deviation of the amplitude, pixels. A Python number gives single precision, a
            scalar tensor its own.

    Returns:
        (N, N, 1), complex, square-root photons.

    Raises:
        TypeError: the size is not whole, or the width is not in a working precision.
        ValueError: the size is not positive, or the width is not a scalar.
    """
    checks.require_size("size", size)
    (width,) = checks.as_scalars({"width": width})
    return _as_probe(tf.exp(-_squared_radius(size, size, width) / (2 * tf.square(width))))


def zone_plate(
    size: int | tf.Tensor, outer_radius: checks.Scalar, stop_radius: checks.Scalar, defocus: checks.Scalar
) -> tf.Tensor:
    """The field near the focus of a zone plate with a central stop.

    The pupil is 1 for stop_radius <= r < outer_radius and carries the phase defocus * (r /
    outer_radius)^2 (Goodman, Introduction to Fourier Optics, on aberrations); the field is
    fftshift(DFT2(ifftshift(pupil))) / N, which keeps the pupil's energy.

    Args:
        size: N, pixels a side.
        outer_radius: of the pupil, pixels of the pupil plane.
        stop_radius: of the central stop, pixels of the pupil plane.
        defocus: phase at the rim, radians. Where the three are Python numbers the precision is single,
            otherwise that of the scalar tensors among them.

    Returns:
        (N, N, 1), complex, square-root photons.

    Raises:
        TypeError: the size is not whole, or another argument is not in the working precision.
        ValueError: the size is not positive, or another argument is not a scalar.
    """
    checks.require_size("size", size)
    outer_radius, stop_radius, defocus = checks.as_scalars(
        {"outer_radius": outer_radius, "stop_radius": stop_radius, "defocus": defocus}
    )
    radius = tf.sqrt(_squared_radius(size, size, outer_radius))
    aperture = tf.cast((radius >= stop_radius) & (radius < outer_radius), radius.dtype)
    phase = defocus * tf.square(radius / outer_radius)
    pupil = tf.complex(aperture * tf.cos(phase), aperture * tf.sin(phase))
    spectrum = tf.signal.fftshift(tf.signal.fft2d(tf.signal.ifftshift(pupil)))
    return spectrum[:, :, None] / tf.cast(size, pupil.dtype)


def orthogonal_modes(probe: tf.Tensor, powers: tf.Tensor) -> tf.Tensor:
    """Mutually orthogonal modes from one, as a partially coherent beam has them.

    The seeds p (x / N)^a (y / N)^b, for (a, b) = (0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2) and x
    along the columns, are made orthogonal in this order by the modified Gram-Schmidt process, with <u,
    v> = sum conj(u) v. Mode k gets the share powers[k] / sum(powers) of the energy of the probe.

    Args:
        probe: (N, N, 1), complex, square-root photons; lit on enough pixels for the seeds to be
            independent.
        powers: (P,), real, 1 to 6 relative powers.

    Returns:
        (N, N, P), complex, square-root photons.

    Raises:
        TypeError: the probe is not complex, the powers are not real, or the precisions differ.
        ValueError: an argument has another rank, or the number of modes is refused.
    """
    checks.require_complex("probe", probe)
    checks.require_real("powers", powers)
    checks.require_same_precision("powers", powers, "probe", probe)
    checks.require_mode_count("probe", probe, most=1)
    checks.require_mode_count("powers", powers, most=len(_SEED_POWERS))
    energies = _energy(probe) * powers / tf.reduce_sum(powers)
    seeds = _seeds(probe[:, :, 0])[: powers.shape[0]]  # all of them where the number of modes is open
    modes = _orthonormalise(seeds)[:, :, : tf.size(powers)]
    return modes * tf.cast(tf.sqrt(energies), modes.dtype)


def mask(probe: tf.Tensor) -> tf.Tensor:
    """The hard disk on which a probe's amplitude is averaged: 1 where r < N / 4, 0 elsewhere.

    Args:
        probe: (N, N, P), complex; only its shape and precision are used. Of an oblong one N is the
            shorter side.

    Returns:
        (N, N), real, in the precision of the probe.

    Raises:
        TypeError: the probe is not complex.
        ValueError: the probe has another rank.
    """
    checks.require_complex("probe", probe)
    height, width = tf.shape(probe)[0], tf.shape(probe)[1]
    radius = tf.sqrt(_squared_radius(height, width, tf.math.real(probe)))
    return tf.cast(radius < tf.cast(tf.minimum(height, width), radius.dtype) / 4, radius.dtype)


def normalize(probe: tf.Tensor, probe_scale: checks.Scalar) -> tf.Tensor:
    """The probe p / (probe_scale * mean |mask p|), the mean being over all pixels and modes.

    One factor serves all modes, so that their relative powers remain.

    Args:
        probe: (N, N, P), complex, square-root photons.
        probe_scale: a number, or a scalar of the probe's precision.

    Returns:
        (N, N, P), complex, dimensionless.

    Raises:
        TypeError: the probe is not complex, or the precisions differ.
        ValueError: the probe has another rank, `probe_scale` is not a scalar, or either is not finite.
    """
    checks.require_complex("probe", probe)
    (probe_scale,) = checks.as_scalars({"probe_scale": probe_scale}, like=probe)
    masked = _as_probe(mask(probe)) * probe
    modulus = tf.reduce_mean(tf.abs(masked))
    checks.require_finite("probe", modulus, "a finite mean modulus")
    divisor = probe_scale * modulus
    return probe / tf.complex(divisor, tf.zeros_like(divisor))


def _coordinates(size: int | tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.range(size), like.dtype) - (tf.cast(size, like.dtype) - 1) / 2


def _squared_radius(height: int | tf.Tensor, width: int | tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    return tf.square(_coordinates(height, like))[:, None] + tf.square(_coordinates(width, like))


def _as_probe(amplitude: tf.Tensor) -> tf.Tensor:
    return tf.complex(amplitude, tf.zeros_like(amplitude))[:, :, None]


def _seeds(mode: tf.Tensor) -> list[tf.Tensor]:
    height, width = tf.shape(mode)[0], tf.shape(mode)[1]
    like = tf.math.real(mode)
    y = (_coordinates(height, like) / tf.cast(height, like.dtype))[:, None]
    x = _coordinates(width, like) / tf.cast(width, like.dtype)
    return [mode * tf.cast(x**a * y**b, mode.dtype) for a, b in _SEED_POWERS]


def _orthonormalise(seeds: list[tf.Tensor]) -> tf.Tensor:
    """The modified Gram-Schmidt process: each seed loses its part along one finished mode after another."""
    modes: list[tf.Tensor] = []
    for remainder in seeds:
        for mode in modes:
            remainder -= tf.reduce_sum(tf.math.conj(mode) * remainder) * mode
        modes.append(remainder / tf.cast(tf.sqrt(_energy(remainder)), remainder.dtype))
    return tf.stack(modes, axis=-1)


def _energy(field: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(tf.math.real(field)) + tf.square(tf.math.imag(field)))
