"""Binds contracts of ptycho-parity to `ptycho`: every patch a frame of its own, intensities from and for detectors."""

import tensorflow as tf
from parity_binding import binds

from ptycho import objectives, physics, probes, scan


@binds("losses.mae", intensity=("predicted", "observed"))
def mae(predicted, observed):
    return objectives.amplitude_error(observed, predicted)


@binds("losses.total_variation")
def total_variation(patches):
    groups, *_, channels = patches.shape
    return tf.reduce_sum(tf.reshape(objectives.roughness(_frames(patches)), (groups, channels)), axis=1)


@binds("optics.combine_complex")
def combine_complex(amplitude, phase):
    return physics.complex_object(amplitude, phase)


@binds("optics.illuminate")
def illuminate(patches, probe):
    waves = physics.waves_behind(_frames(patches), _modes(probe))
    return tf.transpose(_groups(waves, patches.shape[-1]), (0, 3, 4, 1, 2))


@binds("optics.far_field_amplitude", intensity=("amplitude",))
def far_field_amplitude(exit_waves):
    by_channel = tf.transpose(exit_waves, (0, 3, 4, 1, 2))
    return _patches(physics.diffract(tf.reshape(by_channel, (-1, *by_channel.shape[2:]))), exit_waves.shape[3])


@binds("patches.probe_weight")
def probe_weight(probe):
    return physics.probe_intensity(_modes(probe))


@binds("patches.pad")
def pad(patches, rows, columns):
    return _patches(scan.embed(_frames(patches), rows, columns), patches.shape[-1])


@binds("patches.trim")
def trim(patches, rows, columns):
    return _patches(scan.middle(_frames(patches), rows, columns), patches.shape[-1])


@binds("patches.translate")
def translate(patches, positions):
    shifts = tf.reshape(tf.transpose(positions, (0, 3, 1, 2)), (-1, 2))
    return _patches(scan.shifted(_frames(patches), shifts), patches.shape[-1])


@binds("patches.relative_positions")
def relative_positions(positions):
    members = tf.transpose(positions[:, 0], (0, 2, 1))
    return tf.transpose(-scan.from_centre(members), (0, 2, 1))[:, None]


@binds("patches.padded_size")
def padded_size(size, gridsize, offset, jitter):
    return tf.constant(scan.canvas_pixels(size, gridsize, offset, jitter))


@binds("probe.gaussian")
def gaussian(size, width):
    return tf.transpose(probes.gaussian_beam(size, width), (1, 2, 0))


@binds("probe.mask")
def mask(probe):
    return probes.support(probe.shape[0], tf.math.real(probe).dtype)


@binds("probe.normalize")
def normalize(probe, probe_scale):
    return tf.transpose(probes.normalised(_modes(probe), probe_scale), (1, 2, 0))


@binds("scaling.count_photons", intensity=("amplitude",))
def count_photons(amplitude):
    photons = physics.photons_per_frame(_frames(_real(amplitude)))
    return tf.reshape(photons, (-1, amplitude.shape[-1]))


@binds("scaling.normalize_amplitude")
def normalize_amplitude(amplitude):
    return physics.to_network(_real(amplitude))


@binds("scaling.apply_intensity_scale")
def apply_intensity_scale(amplitude, log_scale):
    return physics.to_photons(amplitude, log_scale)


def _frames(patches):
    """Frames (B·C, H, W) of patches (B, H, W, C)."""
    by_channel = tf.transpose(patches, (0, 3, 1, 2))
    return tf.reshape(by_channel, (-1, *by_channel.shape[2:]))


def _groups(frames, channels):
    """Frames (B·C, …) as (B, C, …)."""
    return tf.reshape(frames, (-1, channels, *frames.shape[1:]))


def _patches(frames, channels):
    """The inverse of `_frames`."""
    return tf.transpose(_groups(frames, channels), (0, 2, 3, 1))


def _modes(probe):
    return tf.transpose(probe, (2, 0, 1))


def _real(reading):
    return tf.cast(reading, tf.float64) if reading.dtype.is_integer else reading
