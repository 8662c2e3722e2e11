"""Binds contracts of ptycho-parity to `ptycho_torch` of PtychoPINN.

It names patches as the contracts do, (B, C, H, W). Positions have an axis more, (B, C, 1, 2), and so have probes:
(B, C, P, H, W), with 1 for what all share. Sizes stand in its configurations. A module that older commits have not is
imported where it is called, so that the others can be held there.
"""

import torch
from parity_binding import Outside, binds
from torch.func import functional_call

from ptycho_torch import helper, model, patch_generator
from ptycho_torch.config_params import DataConfig, ModelConfig


@binds("losses.poisson_nll")
def poisson_nll(predicted, observed, full):
    _require_constant(full)
    return model.PoissonLoss()(predicted, observed)


@binds("losses.poisson_nll", name="model.CIIntensityPoissonLoss")
def poisson_nll_of_counts(predicted, observed, full):
    _require_constant(full)
    return model.CIIntensityPoissonLoss()(predicted**2, observed**2)


@binds("losses.absolute_error")
def absolute_error(predicted, observed):
    return model.MAELoss()(predicted, observed)


@binds("losses.mae")
def mae(predicted, observed):
    return model.MAELoss()(predicted, observed).mean()


@binds("losses.total_variation")
def total_variation(patches):
    return model.TotalVariationLoss()(patches)


@binds("optics.combine_complex")
def combine_complex(amplitude, phase):
    return model.CombineComplex()(amplitude, phase)


@binds("optics.illuminate")
def illuminate(patches, probe):
    layer = model.ProbeIllumination(ModelConfig(), _data(_side(patches)))
    return layer(patches, probe[None, None])[0]


@binds("optics.far_field_amplitude")
def far_field_amplitude(exit_waves):
    return helper.pad_and_diffract(exit_waves, pad=False)[0]


@binds("patches.pad")
def pad(patches, rows, columns):
    _require_square(rows, columns)
    return helper.pad_patches(patches, rows)


@binds("patches.trim")
def trim(patches, rows, columns):
    _require_square(rows, columns)
    return helper.trim_reconstruction(patches, _data(rows, _side(patches)), ModelConfig())


@binds("patches.translate")
def translate(patches, positions):
    moved = helper.Translation(patches.flatten(0, 1), positions.reshape(-1, 1, 2))
    return moved.reshape(patches.shape)


@binds("patches.extract_patches")
def extract_patches(canvas, positions, rows, columns):
    _require_square(rows, columns)
    data = _data(rows, _side(canvas))
    return helper.extract_channels_from_region(canvas[:, None], positions[:, :, None], data, ModelConfig())


@binds("patches.reassemble_patches", unasked=("weight",))
def reassemble_patches(patches, positions, weight, rows, columns):
    _require_square(rows, columns)
    if not torch.equal(weight.detach(), _central(_side(patches)).to(weight.dtype)):
        raise Outside("this merge weighs by the centre")
    return helper.reassemble_patches_position_real(
        patches, positions[:, :, None], *_configured(patches), padded_size=rows
    )[0]


@binds("patches.reassemble_patches", name="helper.reassemble_patches_position_real_probe", unasked=("weight",))
def reassemble_patches_by_probe(patches, positions, weight, rows, columns):
    _require_square(rows, columns)
    probe = weight.sqrt() + 0j  # the weight there is |probe|²
    return helper.reassemble_patches_position_real_probe(
        patches, positions[:, :, None], *_configured(patches), probe=probe, padded_size=rows
    )[0]


@binds("patches.relative_positions", unasked=("positions",))
def relative_positions(positions):
    relative = patch_generator.get_relative_coords(positions.detach().numpy()[:, :, None])[1]
    return torch.from_numpy(relative)[:, :, 0]


@binds("patches.padded_size")
def padded_size(size, gridsize, offset, jitter):
    data = DataConfig(N=size, grid_size=(gridsize, gridsize), max_neighbor_distance=offset)
    return torch.tensor(helper.get_padded_size(data, ModelConfig(max_position_jitter=jitter)))


@binds("patches.flat_to_channel")
def flat_to_channel(flat, gridsize):
    return helper._flat_to_channel(flat, channels=gridsize**2)


@binds("scaling.scale_nphotons")
def scale_nphotons(amplitude, nphotons):
    return helper.derive_intensity_scale_from_amplitudes(amplitude, float(nphotons))


@binds("scaling.normalize_amplitude")
def normalize_amplitude(amplitude):
    return amplitude * helper.get_rms_scaling_factor(amplitude.flatten(0, 1), _data(_side(amplitude)))


@binds("scaling.apply_intensity_scale")
def apply_intensity_scale(amplitude, log_scale):
    return _scaler(log_scale).inv_scale(amplitude, None)


@binds("scaling.remove_intensity_scale")
def remove_intensity_scale(amplitude, log_scale):
    return _scaler(log_scale).scale(amplitude, None)


@binds("probe.mask")
def mask(probe):
    from ptycho_torch import probe_mask

    return probe_mask.resolve_probe_mask_torch(_side(probe), probe_mask=True, dtype=probe.real.dtype)


@binds("probe.mask", name="probe_mask.hard")
def hard_mask(probe):
    from ptycho_torch import probe_mask

    return probe_mask.resolve_probe_mask_torch(
        _side(probe), probe_mask=True, probe_mask_sigma=0, dtype=probe.real.dtype
    )


@binds("probe.normalize", unasked=("probe",))
def normalize(probe, probe_scale):
    _side(probe)
    return helper.normalize_probe_like_tf(probe.detach().numpy(), float(probe_scale), probe_mask=True)[0]


@binds("networks.convolve")
def convolve(features, kernel, bias):
    layer = model.ConvBaseBlock(*_channels(kernel)).conv1
    return functional_call(layer, {"weight": kernel, "bias": bias}, features)


@binds("networks.max_pool")
def max_pool(features):
    return model.ConvPoolBlock(1, 1, _plain()).pool(features)


@binds("networks.upsample")
def upsample(features):
    return model.ConvUpBlock(1, 1).up(features)


@binds("networks.encoder_block")
def encoder_block(features, first_kernel, first_bias, second_kernel, second_bias):
    block = model.ConvPoolBlock(*_channels(first_kernel), _plain())
    return functional_call(block, _block(first_kernel, first_bias, second_kernel, second_bias), features)


@binds("networks.decoder_block")
def decoder_block(features, first_kernel, first_bias, second_kernel, second_bias):
    block = model.ConvUpBlock(*_channels(first_kernel))
    return functional_call(block, _block(first_kernel, first_bias, second_kernel, second_bias), features)


@binds("networks.amplitude_head")
def amplitude_head(features, kernel, bias):
    return _head(model.Amplitude_activation(_plain()), features, kernel, bias)


@binds("networks.phase_head")
def phase_head(features, kernel, bias):
    return _head(model.Tanh_custom_act(), features, kernel, bias)


@binds("networks.spectral_convolve")
def spectral_convolve(features, weights):
    from ptycho_torch.generators import fno

    inputs, outputs, rows, columns = weights.shape
    kept = max(rows, columns)
    square = torch.nn.functional.pad(weights, (0, kept - columns, 0, kept - rows))
    return functional_call(fno._FallbackSpectralConv2d(inputs, outputs, kept), {"weights": square}, features)


@binds("networks.autoencode@64")
@binds("networks.autoencode@128")
@binds("networks.autoencode@256")
def autoencode(images, **parameters):
    size = 2 ** (3 + sum(name.startswith("encoder") for name in parameters) // 4)  # four parameters a level
    if _side(images) != size:
        raise Outside(f"this network is for frames of {size} pixels a side")
    channels = images.shape[1]
    network = model.Autoencoder(_plain(C_model=channels, n_filters_scale=1), DataConfig(N=size))
    named = {_name(name): value for name, value in parameters.items()}
    last = len(network.decoder_amp.blocks) - 1
    for decoder in ("decoder_amp", "decoder_phase"):
        for name in (f"{decoder}.blocks.{last}.conv2.{kind}" for kind in ("weight", "bias")):
            named[name] = _with_channels(named[name], channels)
    amplitude, phase = functional_call(network, named, images)
    return model.CombineComplex()(amplitude, phase)


@binds("training.sgd_step")
def sgd_step(parameters, gradient, velocity, learning_rate, momentum):
    moved, optimizer = _optimizer(parameters, gradient, optimizer="sgd", lr=learning_rate, momentum=momentum)
    state = optimizer.state[moved]
    state["momentum_buffer"] = velocity.clone()
    optimizer.step()
    return moved, state["momentum_buffer"]


@binds("training.adam_step")
def adam_step(parameters, gradient, first_moment, second_moment, count, epsilon, **settings):
    stepper = _optimizer(parameters, gradient, optimizer="adam", **_adam(**settings))
    return _adam_moved(stepper, first_moment, second_moment, count, epsilon)


@binds("training.adamw_step")
def adamw_step(parameters, gradient, first_moment, second_moment, count, epsilon, weight_decay, **settings):
    stepper = _optimizer(parameters, gradient, optimizer="adamw", weight_decay=weight_decay, **_adam(**settings))
    return _adam_moved(stepper, first_moment, second_moment, count, epsilon)


@binds("forward.predict_amplitude")
def predict_amplitude(patches, positions, probe, log_scale, rows, columns, weighting):
    _require_square(rows, columns)
    data, settings = _configured(patches, rows)
    settings.object_big = weighting != "none"
    settings.training_patch_weighting = {"central": "central_mask"}.get(weighting, weighting)
    divisor = torch.exp(-log_scale)
    return model.ForwardModel(settings, data)(patches, None, positions[:, :, None], probe[None, None], divisor)


def _side(frames):
    """The side of frames (…, N, N)."""
    _require_square(*frames.shape[-2:])
    return frames.shape[-1]


def _require_square(rows, columns):
    if rows != columns:
        raise Outside("frames and canvases are square")


def _require_constant(full):
    if not full:
        raise Outside("the term ln k! is always there")


def _data(size, canvas=None):
    """The configuration of frames of `size` pixels a side, on canvases of `canvas`.

    A canvas is as large as two rows of patches that lie so far apart.
    """
    return DataConfig(N=size, grid_size=(2, 2), max_neighbor_distance=0 if canvas is None else canvas - size)


def _configured(patches, canvas=None):
    """The configurations for patches (B, C, N, N)."""
    count = patches.shape[1]
    return _data(_side(patches), canvas), ModelConfig(C_model=count, C_forward=count)


def _central(size):
    """1 on the central N//2 × N//2 of N × N pixels."""
    middle = torch.zeros(size)
    middle[size // 4 : size // 4 + size // 2] = 1
    return torch.outer(middle, middle)


def _scaler(log_scale):
    scaler = model.IntensityScalerModule(ModelConfig())
    scaler.log_scale = log_scale
    return scaler


def _plain(**settings):
    """The network without attention, with a sigmoid for the amplitude and nothing beyond the middle of a frame."""
    return ModelConfig(amp_activation="sigmoid", cbam_encoder=False, probe_big=False, **settings)


def _channels(kernel):
    """From how many channels to how many, of a kernel (O, I, 3, 3)."""
    return kernel.shape[1], kernel.shape[0]


def _block(first_kernel, first_bias, second_kernel, second_bias):
    return {
        "conv1.weight": first_kernel,
        "conv1.bias": first_bias,
        "conv2.weight": second_kernel,
        "conv2.bias": second_bias,
    }


def _head(activation, features, kernel, bias):
    """A head of frames without a border; the last of its channels, as many as it makes, are for the border alone."""
    inputs, outputs = _channels(kernel)
    head = model.Decoder_last(_plain(), DataConfig(N=0), inputs + outputs, outputs, activation)
    unused = features.new_zeros(len(features), outputs, *features.shape[2:])
    return functional_call(head, {"conv1.weight": kernel, "conv1.bias": bias}, torch.cat([features, unused], dim=1))


def _name(parameter):
    """The network's own name of a parameter."""
    for ours, theirs in _NAMES:
        parameter = parameter.replace(ours, theirs)
    return parameter


_NAMES = (
    ("amplitude_head_", "decoder_amp.amp.conv1."),
    ("phase_head_", "decoder_phase.phase.conv1."),
    ("amplitude_decoder_", "decoder_amp.blocks."),
    ("phase_decoder_", "decoder_phase.blocks."),
    ("encoder_", "encoder.blocks."),
    ("_first_", ".conv1."),
    ("_second_", ".conv2."),
    ("kernel", "weight"),
)


def _with_channels(parameter, more):
    """A parameter that makes so many more channels, all 0: a head leaves its last ones to the border."""
    return torch.cat([parameter, parameter.new_zeros(more, *parameter.shape[1:])])


def _optimizer(parameters, gradient, **settings):
    """A parameter with its gradient, and the optimizer that moves it."""
    moved = parameters.clone().requires_grad_(True)
    moved.grad = gradient
    return moved, model._build_optimizer([moved], **settings)


def _adam(learning_rate, beta1, beta2):
    return {"lr": learning_rate, "adam_beta1": beta1, "adam_beta2": beta2}


def _adam_moved(stepper, first_moment, second_moment, count, epsilon):
    """A step, and the state after it; ε is PyTorch's, since the stack says nothing of it."""
    moved, optimizer = stepper
    optimizer.param_groups[0]["eps"] = epsilon
    state = optimizer.state[moved]
    state["step"] = torch.tensor(float(count - 1))
    state["exp_avg"], state["exp_avg_sq"] = first_moment.clone(), second_moment.clone()
    optimizer.step()
    return moved, state["exp_avg"], state["exp_avg_sq"]
