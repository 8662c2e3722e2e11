"""Binds contracts of ptycho-parity to `ptycho` of PtychoPINN.

It names patches as the contracts do for TensorFlow, (B, H, W, C), and knows a probe of one mode. Its functions read
sizes and weights from one dictionary for the whole process, which each binding fills before it calls them.
"""

import math

import numpy as np
import tensorflow as tf
from parity_binding import Outside, binds

from ptycho import custom_layers, diffsim, loader, model, params, raw_data, tf_helper
from ptycho import probe as probes

if not hasattr(tf.keras.metrics, "mean_absolute_error"):  # Keras 3 has it among the losses alone
    tf.keras.metrics.mean_absolute_error = tf.keras.losses.MAE


@binds("losses.poisson_nll")
def poisson_nll(predicted, observed, full):
    if not full:
        raise Outside("a term of the observation alone is left out, not the one of the contract")
    return tf.reduce_sum(model.negloglik(tf.square(observed), tf.square(predicted)), axis=(1, 2, 3))


@binds("losses.mae")
def mae(predicted, observed):
    return tf.reduce_mean(tf_helper.complex_mae(observed, predicted))  # of real images, the plain one


@binds("losses.total_variation")
def total_variation(patches):
    return tf.stack([tf_helper.total_variation(group[None]) for group in patches])


@binds("losses.complex_mae")
def complex_mae(patches, target):
    return tf.reduce_mean(tf_helper.complex_mae(target, patches))


@binds("losses.realspace_loss")
def realspace_loss(patches, target, tv_weight, realspace_mae_weight):
    weights = {"tv_weight": tv_weight, "realspace_mae_weight": realspace_mae_weight}
    _configure(N=_side(patches), realspace_weight=1.0, **weights)
    return tf.reduce_mean(tf_helper.realspace_loss(target, patches))


@binds("losses.training_loss")
def training_loss(
    predicted, observed, patches, target, nll_weight, mae_weight, realspace_weight, tv_weight, realspace_mae_weight
):
    nll = tf.reduce_mean(model.negloglik(tf.square(observed), tf.square(predicted)))
    real = realspace_loss(patches, target, tv_weight, realspace_mae_weight)
    return nll_weight * nll + mae_weight * mae(predicted, observed) + realspace_weight * real


@binds("optics.combine_complex")
def combine_complex(amplitude, phase):
    return tf_helper.combine_complex(amplitude, phase)


@binds("optics.combine_complex", name="custom_layers.CombineComplexLayer")
def combine_complex_in_model(amplitude, phase):
    return custom_layers.CombineComplexLayer()([amplitude, phase])


@binds("optics.illuminate")
def illuminate(patches, probe):
    return _illumination(_side(patches), probe)([patches])[0][..., None]


@binds("optics.far_field_amplitude")
def far_field_amplitude(exit_waves):
    size, count = _side(exit_waves[..., 0]), exit_waves.shape[3]
    flat = tf_helper._channel_to_flat(_of_one_mode(exit_waves)[..., 0])
    amplitude = custom_layers.PadAndDiffractLayer(h=size, w=size).call(flat)[1]
    return _grouped(amplitude, count)


@binds("patches.central_weight")
def central_weight(patches):
    return tf_helper.mk_centermask(tf.math.real(patches), _side(patches), 1)[0, :, :, 0]


@binds("patches.pad")
def pad(patches, rows, columns):
    _require_square(rows, columns)
    return tf_helper.pad_patches(patches, rows, _side(patches))


@binds("patches.trim")
def trim(patches, rows, columns):
    _side(patches)
    _require_square(rows, columns)
    return tf_helper.trim_reconstruction(patches, rows)


@binds("patches.translate")
def translate(patches, positions):
    flat, offsets = tf_helper._channel_to_flat(patches), tf_helper.flatten_offsets(positions)
    return _grouped(tf_helper.Translation()([flat, offsets]), patches.shape[-1])


@binds("patches.extract_patches")
def extract_patches(canvas, positions, rows, columns):
    _side(canvas)
    _require_square(rows, columns)
    layer = custom_layers.ExtractPatchesPositionLayer(N=rows, gridsize=_gridsize(positions))
    return _grouped(layer.call([canvas, positions]), positions.shape[-1])


@binds("patches.reassemble_patches", unasked=("weight",))
def reassemble_patches(patches, positions, weight, rows, columns):
    size, gridsize = _side(patches), _gridsize(patches)
    _require_merge(patches, weight, rows, columns)
    layer = custom_layers.ReassemblePatchesLayer(padded_size=rows, N=size, gridsize=gridsize)
    return layer.call([patches, positions])


@binds("patches.reassemble_patches", name="tf_helper.mk_reassemble_position_real", unasked=("weight",))
def reassemble_patches_at_once(patches, positions, weight, rows, columns):
    _require_merge(patches, weight, rows, columns)
    _configure(N=_side(patches), gridsize=_gridsize(patches))
    merge = tf_helper.mk_reassemble_position_real(positions, padded_size=rows)
    return tf_helper.reassemble_patches(patches, merge)


@binds("patches.relative_positions", unasked=("positions",))
def relative_positions(positions):
    return raw_data.get_relative_coords(positions.numpy())[1]


@binds("patches.padded_size")
def padded_size(size, gridsize, offset, jitter):
    _configure(N=size, gridsize=gridsize, offset=offset, max_position_jitter=jitter)
    return tf.constant(params.get_padded_size())


@binds("patches.channel_to_flat")
def channel_to_flat(patches):
    return tf_helper._channel_to_flat(patches)


@binds("patches.flat_to_channel")
def flat_to_channel(flat, gridsize):
    return custom_layers.FlatToChannelLayer(N=_side(flat), gridsize=gridsize).call(flat)


@binds("patches.channel_to_grid")
def channel_to_grid(patches, gridsize):
    flat = tf_helper._channel_to_flat(patches)
    return tf_helper._togrid(flat, gridsize, _side(patches))[..., 0]


@binds("patches.grid_to_channel")
def grid_to_channel(grid):
    _configure(gridsize=int(grid.shape[1]))
    return tf_helper._grid_to_channel(grid[..., None])


@binds("scaling.count_photons")
def count_photons(amplitude):
    return diffsim.count_photons(amplitude)


@binds("scaling.scale_nphotons")
def scale_nphotons(amplitude, nphotons):
    _configure(nphotons=nphotons)
    return diffsim.scale_nphotons(amplitude)


@binds("scaling.normalize_amplitude", unasked=("amplitude",))
def normalize_amplitude(amplitude):
    return raw_data.normalize_data({"diffraction": amplitude.numpy()}, _side(amplitude))


@binds("scaling.normalize_amplitude", name="loader.normalize_data", unasked=("amplitude",))
def normalize_amplitude_in_loader(amplitude):
    return loader.normalize_data({"diffraction": amplitude.numpy()}, _side(amplitude))


@binds("scaling.apply_intensity_scale")
def apply_intensity_scale(amplitude, log_scale):
    return _scaled(model.IntensityScaler_inv, amplitude, log_scale)


@binds("scaling.remove_intensity_scale")
def remove_intensity_scale(amplitude, log_scale):
    return _scaled(model.IntensityScaler, amplitude, log_scale)


@binds("probe.mask")
def mask(probe):
    return tf.math.real(probes.get_probe_mask(_probe_side(probe))[..., 0])


@binds("probe.normalize", unasked=("probe",))
def normalize(probe, probe_scale):
    _configure(N=_probe_side(probe), probe_scale=float(probe_scale))
    probes.set_probe(_of_one_mode(probe))
    return params.get("probe")


@binds("networks.encoder_block")
def encoder_block(features, first_kernel, first_bias, second_kernel, second_bias):
    return _block(model.Conv_Pool_block, features, first_kernel, first_bias, second_kernel, second_bias)


@binds("networks.decoder_block")
def decoder_block(features, first_kernel, first_bias, second_kernel, second_bias):
    return _block(model.Conv_Up_block, features, first_kernel, first_bias, second_kernel, second_bias)


@binds("networks.amplitude_head")
def amplitude_head(features, kernel, bias):
    return _head(custom_layers.ActivationLayer("sigmoid"), features, kernel, bias)


@binds("networks.phase_head")
def phase_head(features, kernel, bias):
    return _head(custom_layers.ActivationLayer("tanh", scale=math.pi), features, kernel, bias)


@binds("networks.autoencode@64")
@binds("networks.autoencode@128")
@binds("networks.autoencode@256")
def autoencode(images, **parameters):
    of = {part: [x for name, x in parameters.items() if name.startswith(part)] for part in _PARTS}
    size, gridsize = 2 ** (3 + len(of["encoder"]) // 4), _gridsize(images)  # four parameters a level
    if _side(images) != size:
        raise Outside(f"this network is for frames of {size} pixels a side")
    _configure(N=size, gridsize=gridsize)
    encoded = _run(model.create_encoder, (1,), images, of["encoder"])
    amplitude = _run(model.create_decoder_amp, (1, gridsize, True), encoded, of["amplitude"])
    phase = _run(model.create_decoder_phase, (1, gridsize, True), encoded, of["phase"])
    return custom_layers.CombineComplexLayer()([amplitude, phase])


_PARTS = ("encoder", "amplitude", "phase")


@binds("forward.predict_amplitude")
def predict_amplitude(patches, positions, probe, log_scale, rows, columns, weighting):
    if weighting != "central":
        raise Outside("patches are merged, by their centre")
    size, gridsize = _side(patches), _gridsize(patches)
    _require_square(rows, columns)
    canvas = custom_layers.ReassemblePatchesLayer(padded_size=rows, N=size, gridsize=gridsize).call(
        [patches, positions]
    )
    views = custom_layers.ExtractPatchesPositionLayer(N=size, gridsize=gridsize).call([canvas, positions])
    waves = _illumination(size, probe)([views])[0]
    amplitude = custom_layers.PadAndDiffractLayer(h=size, w=size).call(waves)[1]
    grouped = custom_layers.FlatToChannelLayer(N=size, gridsize=gridsize).call(amplitude)
    return _scaled(model.IntensityScaler_inv, grouped, log_scale)


def _configure(**settings):
    """Fill the dictionary of the process with what it holds at first, and with these settings."""
    params.cfg.clear()
    params.cfg.update(params.DEFAULT_CFG)
    params.cfg.update(settings)


def _side(frames):
    """The side of frames (…, N, N, C)."""
    _require_square(*frames.shape[-3:-1])
    return frames.shape[-2]


def _probe_side(probe):
    _require_square(*probe.shape[:2])
    return probe.shape[0]


def _require_square(rows, columns):
    if rows != columns:
        raise Outside("frames and canvases are square")


def _of_one_mode(modes):
    """What has modes on its last axis, if it has a single one."""
    if modes.shape[-1] != 1:
        raise Outside("a probe has one mode")
    return modes


def _gridsize(patches):
    """Patches a side of a group, whose number stands on the last axis."""
    gridsize = math.isqrt(patches.shape[-1])
    if gridsize**2 != patches.shape[-1]:
        raise Outside("a group has as many rows of patches as columns")
    return gridsize


def _require_merge(patches, weight, rows, columns):
    _require_square(rows, columns)
    size = _side(patches)
    middle = (np.arange(size) >= size // 4) & (np.arange(size) < size // 4 + size // 2)
    if not np.array_equal(weight, np.outer(middle, middle)):
        raise Outside("a merge weighs by the centre")


def _grouped(flat, count):
    """Frames (B·C, H, W, 1) as (B, H, W, C)."""
    return tf.transpose(tf.reshape(flat, (-1, count, *flat.shape[1:3])), (0, 2, 3, 1))


def _illumination(size, probe):
    _configure(N=size, **{"probe.mask": False})
    layer = model.ProbeIllumination(initial_probe=_of_one_mode(probe), N=size)
    layer.w = probe[None]  # in its own precision, and with its gradient
    return layer


def _scaled(scaler, amplitude, log_scale):
    _configure(intensity_scale=1.0)
    layer = scaler()
    layer.w = log_scale
    return layer([amplitude])


def _run(layers, settings, features, parameters):
    """What the layers that `layers` makes one after another make of features (B, H, W, F), with these parameters.

    The layers may be wider than their parameters: all beyond them is 0.
    """
    given = tf.keras.Input(features.shape[1:])
    network = tf.keras.Model(given, layers(given, *settings))
    weights = [_filled(x, variable.shape) for x, variable in zip(parameters, network.trainable_variables, strict=True)]
    return network.stateless_call(weights, network.non_trainable_variables, features)[0]


def _filled(parameter, shape):
    return tf.pad(parameter, [(0, more - size) for size, more in zip(parameter.shape, shape, strict=True)])


def _block(layers, features, first_kernel, first_bias, second_kernel, second_bias):
    """A block, both of whose convolutions make equally many channels."""
    filters = second_kernel.shape[-1]
    widest = max(first_kernel.shape[-1], filters)
    return _run(layers, (widest,), features, [first_kernel, first_bias, second_kernel, second_bias])[..., :filters]


def _head(activation, features, kernel, bias):
    """A head of frames without a border: the last four of its channels are for the border alone, and are 0 here."""
    _configure(N=64, **{"probe.big": False})
    convolution = tf.keras.layers.Conv2D(kernel.shape[-1], (3, 3), padding="same")
    widened = tf.pad(features, [(0, 0), (0, 0), (0, 0), (0, 4)])
    return _run(model.create_decoder_last, (1, convolution, None, activation), widened, [kernel, bias])[
        :, 16:-16, 16:-16
    ]
