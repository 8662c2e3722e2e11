"""From an object and a probe to the intensity on the detector, and the units in between."""

import tensorflow as tf

_FRAME = (-2, -1)


def complex_object(modulus: tf.Tensor, phase: tf.Tensor) -> tf.Tensor:
    """The object of that modulus and phase."""
    return tf.complex(modulus * tf.cos(phase), modulus * tf.sin(phase))


def waves_behind(frames: tf.Tensor, modes: tf.Tensor) -> tf.Tensor:
    """The waves (frame, mode, row, column) behind an object under a probe of modes."""
    return frames[:, None] * modes


def diffract(waves: tf.Tensor) -> tf.Tensor:
    """The intensity (frame, row, column) in the far field, as many photons as in the waves; modes add up."""
    intensity = tf.reduce_sum(_power(tf.signal.fft2d(waves)), axis=1)
    pixels = tf.cast(tf.reduce_prod(tf.shape(waves)[-2:]), tf.float32)
    return tf.signal.fftshift(intensity * tf.cast(1 / pixels, intensity.dtype), axes=_FRAME)


def probe_intensity(modes: tf.Tensor) -> tf.Tensor:
    """How much light falls on a pixel, (row, column)."""
    return tf.reduce_sum(_power(modes), axis=0)


def photons_per_frame(intensity: tf.Tensor) -> tf.Tensor:
    """The photons (frame,) that a detector counted in each frame."""
    return tf.reduce_sum(intensity, axis=_FRAME)


def to_network(amplitude: tf.Tensor) -> tf.Tensor:
    """Amplitudes scaled alike, so that the root mean square of all is 1/2."""
    return amplitude * (0.5 / tf.sqrt(tf.reduce_mean(tf.square(amplitude))))


def to_photons(amplitude: tf.Tensor, log_scale: tf.Tensor) -> tf.Tensor:
    """What a network predicts, as amplitudes in photons."""
    return amplitude * tf.exp(log_scale)


def _power(field: tf.Tensor) -> tf.Tensor:
    return tf.square(tf.math.real(field)) + tf.square(tf.math.imag(field))
