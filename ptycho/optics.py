"""From the object to the detector: exit waves and their far field, in TensorFlow.

A patch O (complex, dimensionless) lit by the mode p (complex, square-root photons) leaves as the exit
wave p O; the detector records the square root of the modes' summed far-field intensities. Where patches
lie on the object is `ptycho.patches`; how many photons there are is `ptycho.scaling`.
"""

import tensorflow as tf

from ptycho import checks


def combine_complex(amplitude: tf.Tensor, phase: tf.Tensor) -> tf.Tensor:
    """The object a exp(i phi) from its amplitude and its phase.

    Args:
        amplitude: (B, H, W, C), real, dimensionless.
        phase: (B, H, W, C), real, radians, any range.

    Returns:
        (B, H, W, C), complex of the same precision.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank, or the shapes differ.
    """
    checks.require_amplitude("amplitude", amplitude)
    checks.require_real("phase", phase)
    checks.require_agreement("phase", phase, "amplitude", amplitude)
    return tf.complex(amplitude * tf.cos(phase), amplitude * tf.sin(phase))


def illuminate(patches: tf.Tensor, probe: tf.Tensor) -> tf.Tensor:
    """The exit waves psi_p = p_p O of the thin-object approximation, one for each mode of the probe.

    Args:
        patches: (B, H, W, C), complex, dimensionless.
        probe: (H, W, P), complex, square-root photons. It is never broadcast: a batch axis in the place
            of the mode axis would multiply the intensity without an error.

    Returns:
        (B, H, W, C, P), complex, square-root photons.

    Raises:
        TypeError: an argument is not complex, or the precisions differ.
        ValueError: an argument has another rank, or H and W differ.
    """
    checks.require_complex("patches", patches)
    checks.require_complex("probe", probe)
    checks.require_agreement("probe", probe, "patches", patches)
    return patches[..., None] * probe[:, :, None]


def far_field_amplitude(exit_waves: tf.Tensor) -> tf.Tensor:
    """The amplitude sqrt(sum_p |DFT2 psi_p|^2 / (H W)) on a far detector, its zero frequency in the middle.

    The DFT is the forward one and the modes are mutually incoherent (Thibault and Menzel, Nature 494,
    68, 2013). Energy is conserved: the intensities sum to those of the exit waves. The gradient is 0
    where the intensity is 0.

    Args:
        exit_waves: (B, H, W, C, P), complex, square-root photons.

    Returns:
        (B, H, W, C), real, square-root photons; the zero frequency is at row H//2 and column W//2.

    Raises:
        TypeError: the exit waves are not complex.
        ValueError: the exit waves have another rank.
    """
    checks.require_complex("exit_waves", exit_waves)
    # tf.signal.fft2d transforms the two innermost axes.
    spectrum = tf.signal.fft2d(tf.transpose(exit_waves, (0, 3, 4, 1, 2)))
    intensity = tf.reduce_sum(_squared_modulus(spectrum), axis=2)
    intensity /= tf.cast(tf.reduce_prod(tf.shape(intensity)[-2:]), intensity.dtype)
    return tf.transpose(_sqrt(tf.signal.fftshift(intensity, axes=(-2, -1))), (0, 2, 3, 1))


def _squared_modulus(field: tf.Tensor) -> tf.Tensor:
    return tf.square(tf.math.real(field)) + tf.square(tf.math.imag(field))


def _sqrt(intensity: tf.Tensor) -> tf.Tensor:
    """The square root with gradient 0, not NaN, at 0: the inner `where` keeps infinity out of the product."""
    dark, zero, one = intensity == 0, tf.zeros_like(intensity), tf.ones_like(intensity)
    return tf.where(dark, zero, tf.sqrt(tf.where(dark, one, intensity)))
