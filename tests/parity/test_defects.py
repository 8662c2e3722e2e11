"""Known ways to be wrong, injected into one stack: each must be found, and found on the right side.

A row replaces one function of one stack by a wrong one. Adding a defect is adding a row; so is adding an equivalent
rewrite, which must stay silent. The facts are left out: here the oracle alone has to see it.
"""

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import tensorflow as tf
import torch

import ptycho_torch.model  # noqa: F401  it takes its functions when it is imported: before any of them is replaced
from parity.contracts import REGISTRY
from parity.frameworks.base import Framework
from parity.judge import POOLED_FROM, Outcome, Verdict
from parity.precision import FLOAT32, FLOAT64, Precision
from parity.run import Plan, run

Function = Callable[..., Any]
Stacks = tuple[Framework, ...]

PACKAGES = {"torch": "ptycho_torch", "tensorflow": "ptycho"}
PLANE, GROUP = (-2, -1), (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Change:
    """A replacement for what one stack does under a contract.

    `change` gets the stack's own function and returns the one put in its place; `at` is where that function lies, if
    it is not the contract's own. What is wrong with the mathematics shows in float64.
    """

    name: str
    stack: str
    contract: str
    change: Callable[[Function], Function]
    at: str = ""
    precisions: tuple[Precision, ...] = (FLOAT64,)

    def make(self, monkeypatch: pytest.MonkeyPatch) -> None:
        module, function = (self.at or REGISTRY[self.contract].address).split(".")
        target = importlib.import_module(f"{PACKAGES[self.stack]}.{module}")
        monkeypatch.setattr(target, function, self.change(getattr(target, function)))


def ids(change: Change) -> str:
    return f"{change.stack} {change.contract}: {change.name}"


def verdict_on(contract: str, stacks: Stacks, precisions: tuple[Precision, ...], examples: int = 2) -> Verdict:
    plan = Plan((replace(REGISTRY[contract], facts=()),), examples, precisions)
    return next(run(plan, stacks)).verdict


def naive_terms(predicted: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
    """The negative log-likelihood of each pixel as textbooks write it."""
    rate, counts = predicted.square(), observed.square()
    return rate - torch.xlogy(counts, rate) + torch.lgamma(counts + 1)


def shift_by_half_a_pixel(coordinates: Function) -> Function:
    return lambda size, like: coordinates(size, like) + 0.5


def coherent_modes(far_field: Function) -> Function:
    return lambda exit_waves: far_field(exit_waves.sum(dim=2, keepdim=True))


def epsilon_under_the_root(far_field: Function) -> Function:
    return lambda exit_waves: torch.sqrt(far_field(exit_waves).square() + 1e-9)


def unguarded_root(_: Function) -> Function:
    return tf.sqrt


def imaginary_part_detached(far_field: Function) -> Function:
    return lambda exit_waves: far_field(
        tf.complex(tf.math.real(exit_waves), tf.stop_gradient(tf.math.imag(exit_waves)))
    )


def columns_alone(far_field: Function) -> Function:
    """The transform over one axis: what far_field makes of it is undone by the inverse over the other."""
    return lambda exit_waves: far_field(torch.fft.ifft(exit_waves, dim=-2, norm="ortho"))


def single_precision_inside(far_field: Function) -> Function:
    return lambda exit_waves: far_field(exit_waves.to(torch.complex64)).to(exit_waves.real.dtype)


def half_precision_inside(far_field: Function) -> Function:
    return lambda exit_waves: tf.cast(tf.cast(far_field(exit_waves), tf.float16), tf.math.real(exit_waves).dtype)


def variation_without_square(_: Function) -> Function:
    return lambda patches: sum(patches.diff(dim=axis).abs().sum(dim=GROUP) for axis in PLANE)


def variation_around_the_frame(_: Function) -> Function:
    return lambda patches: sum((patches - patches.roll(1, dims=axis)).abs().square().sum(dim=GROUP) for axis in PLANE)


def squared_before_widening(count: Function) -> Function:
    return lambda amplitude: count(
        tf.sqrt(tf.cast(amplitude * amplitude, tf.float64)) if amplitude.dtype == tf.uint16 else amplitude
    )


def soft_mask(mask: Function) -> Function:
    """An edge two pixels wide, from the hard mask of the four neighbours."""
    return lambda probe: sum(mask(probe).roll(step, dims=axis) for axis in PLANE for step in (-1, 1)) / 4


def images_scaled_one_by_one(normalize: Function) -> Function:
    return lambda amplitude: torch.cat([normalize(group) for group in amplitude.flatten(0, 1)[:, None, None]]).reshape(
        amplitude.shape
    )


def normalised_by_energy(_: Function) -> Function:
    return lambda probe, probe_scale: (
        probe / tf.cast(probe_scale * tf.sqrt(tf.reduce_mean(tf.square(tf.abs(probe)))), probe.dtype)
    )


def exchanged_decoders(parameters: dict[str, Any]) -> dict[str, Any]:
    """Each parameter of one decoder under the name of the other's."""
    other = {"amplitude": "phase", "phase": "amplitude"}
    parts = {name: name.split("_")[0] for name in parameters}
    return {name: parameters[name.replace(part, other.get(part, part))] for name, part in parts.items()}


def step_with(**changed: Any) -> Callable[[Function], Function]:
    """An optimizer's step with some arguments replaced, by a number or by a function of what was given."""

    def change(step: Function) -> Function:
        def stepped(**given: Any) -> Any:
            new = {name: value(given[name]) if callable(value) else value for name, value in changed.items()}
            return step(**{**given, **new})

        return stepped

    return change


def betas_exchanged(step: Function) -> Function:
    return lambda beta1, beta2, **given: step(beta1=beta2, beta2=beta1, **given)


def keras_s_own(optimizer: type[Any]) -> type[Any]:
    """The optimizer of the same name without the stack's step."""
    return getattr(tf.keras.optimizers, optimizer.__name__)


def decay_in_the_gradient(step: Function) -> Function:
    return lambda parameters, gradient, weight_decay, **given: step(
        parameters=parameters, gradient=gradient + weight_decay * parameters, weight_decay=0.0, **given
    )


def decay_after_the_step(step: Function) -> Function:
    def stepped(learning_rate: tf.Tensor, weight_decay: tf.Tensor, **given: Any) -> Any:
        parameters, *moments = step(learning_rate=learning_rate, weight_decay=0.0, **given)
        return parameters * tf.cast(1 - learning_rate * weight_decay, parameters.dtype), *moments

    return stepped


DEFECTS = (
    # optics
    Change(
        "the root's own gradient at 0", "tensorflow", "optics.far_field_amplitude", unguarded_root, at="optics._sqrt"
    ),
    # losses.poisson_nll
    Change(
        "a limit for +∞",
        "tensorflow",
        "losses.poisson_nll",
        lambda nll: lambda predicted, observed, full: tf.minimum(nll(predicted, observed, full), 1e30),
    ),
    Change(
        "the observation is not squared",
        "torch",
        "losses.poisson_nll",
        lambda nll: lambda predicted, observed, full: nll(predicted, observed.sqrt(), full),
    ),
    Change(
        "the observation is not squared in the layer",
        "torch",
        "losses.poisson_nll",
        lambda nll: lambda predicted, observed: nll(predicted, observed.sqrt()),
        at="model.poisson_nll",
    ),
    Change(
        "the prediction is squared twice",
        "tensorflow",
        "losses.poisson_nll",
        lambda nll: lambda predicted, observed, full: nll(predicted**2, observed, full),
    ),
    Change(
        "arguments swapped",
        "tensorflow",
        "losses.poisson_nll",
        lambda nll: lambda predicted, observed, full: nll(observed, predicted, full),
    ),
    Change(
        "summed over the last axis alone",
        "torch",
        "losses.poisson_nll",
        lambda nll: lambda predicted, observed, full: naive_terms(predicted, observed).sum(dim=-1),
    ),
    Change(
        "averaged over the pixels",
        "tensorflow",
        "losses.poisson_nll",
        lambda nll: (
            lambda predicted, observed, full: (
                nll(predicted, observed, full) / tf.cast(tf.size(predicted[0]), predicted.dtype)
            )
        ),
    ),
    Change(
        "ln Γ dropped",
        "torch",
        "losses.poisson_nll",
        lambda nll: (
            lambda predicted, observed, full: (
                nll(predicted, observed, full) - torch.lgamma(observed.square() + 1).sum(dim=GROUP)
            )
        ),
    ),
    Change(
        "the term in the counts kept when it is not wanted",
        "tensorflow",
        "losses.poisson_nll",
        lambda nll: lambda predicted, observed, full: nll(predicted, observed, True),
    ),
    Change(
        "naive terms: all digits of a bright pattern lost",
        "torch",
        "losses.poisson_nll",
        lambda nll: (
            lambda predicted, observed, full: (
                naive_terms(predicted, observed).sum(dim=GROUP) if full else nll(predicted, observed, full)
            )
        ),
    ),
    Change(
        "10⁻³ added to the rate",
        "torch",
        "losses.poisson_nll",
        lambda nll: lambda predicted, observed, full: nll((predicted.square() + 1e-3).sqrt(), observed, full),
    ),
    Change(
        "10⁻¹² added to the rate",
        "tensorflow",
        "losses.poisson_nll",
        lambda nll: lambda predicted, observed, full: nll(tf.sqrt(predicted**2 + 1e-12), observed, full),
    ),
    Change(
        "a gain of 10⁻¹²",
        "tensorflow",
        "losses.poisson_nll",
        lambda nll: lambda predicted, observed, full: nll(predicted, observed, full) * (1 + 1e-12),
    ),
    # the other losses
    Change(
        "intensity against amplitude in the module",
        "torch",
        "losses.absolute_error",
        lambda error: lambda predicted, observed: error(predicted.square(), observed),
        at="model.absolute_error",
    ),
    Change(
        "intensity against amplitude",
        "tensorflow",
        "losses.mae",
        lambda mae: lambda predicted, observed: mae(predicted**2, observed),
    ),
    Change(
        "both squared",
        "torch",
        "losses.mae",
        lambda mae: lambda predicted, observed: mae(predicted.square(), observed.square()),
    ),
    Change(
        "divided by the mean observation",
        "tensorflow",
        "losses.mae",
        lambda mae: lambda predicted, observed: mae(predicted, observed) / tf.reduce_mean(observed),
    ),
    Change(
        "summed over a group, averaged over groups",
        "torch",
        "losses.mae",
        lambda mae: lambda predicted, observed: mae(predicted, observed) * predicted[0].numel(),
    ),
    Change(
        "the prediction detached",
        "torch",
        "losses.mae",
        lambda mae: lambda predicted, observed: mae(predicted.detach(), observed),
    ),
    Change("|ΔO| for |ΔO|²", "torch", "losses.total_variation", variation_without_square),
    Change("the frame's edges are neighbours", "torch", "losses.total_variation", variation_around_the_frame),
    Change(
        "of the modulus alone",
        "tensorflow",
        "losses.total_variation",
        lambda variation: lambda patches: variation(tf.cast(tf.abs(patches), patches.dtype)),
    ),
    Change(
        "mean for sum",
        "tensorflow",
        "losses.total_variation",
        lambda variation: (
            lambda patches: variation(patches) / tf.cast(tf.size(patches[0]), tf.math.real(patches).dtype)
        ),
    ),
    Change(
        "phases not wrapped", "tensorflow", "losses.complex_mae", lambda wrap: lambda angle: angle, at="losses._wrap"
    ),
    Change(
        "the target's modulus for the target",
        "torch",
        "losses.complex_mae",
        lambda error: lambda patches, target: error(patches, torch.complex(target.abs(), 0 * target.real)),
    ),
    Change(
        "no weight",
        "tensorflow",
        "losses.realspace_loss",
        lambda weight: lambda patches: tf.ones_like(weight(patches)),
        at="losses.central_weight",
    ),
    Change(
        "the likelihood not divided by the pixels",
        "torch",
        "losses.training_loss",
        lambda nll: lambda predicted, observed: nll(predicted, observed) * predicted[0].numel(),
        at="losses.poisson_nll",
    ),
    # optics
    Change(
        "a + iφ for a·exp(iφ)",
        "torch",
        "optics.combine_complex",
        lambda combine: lambda amplitude, phase: torch.complex(amplitude, phase),
    ),
    Change(
        "phase detached",
        "torch",
        "optics.combine_complex",
        lambda combine: lambda amplitude, phase: combine(amplitude, phase.detach()),
    ),
    Change(
        "the probe conjugated",
        "tensorflow",
        "optics.illuminate",
        lambda illuminate: lambda patches, probe: illuminate(patches, tf.math.conj(probe)),
    ),
    Change(
        "the modes squeezed away",
        "torch",
        "optics.illuminate",
        lambda illuminate: lambda patches, probe: illuminate(patches, probe).squeeze(2),
    ),
    Change(
        "no 1/HW",
        "tensorflow",
        "optics.far_field_amplitude",
        lambda far_field: (
            lambda exit_waves: (
                far_field(exit_waves)
                * tf.sqrt(tf.cast(tf.size(exit_waves[0, :, :, 0, 0]), tf.math.real(exit_waves).dtype))
            )
        ),
    ),
    Change(
        "no fftshift",
        "torch",
        "optics.far_field_amplitude",
        lambda far_field: lambda exit_waves: torch.fft.ifftshift(far_field(exit_waves), dim=PLANE),
    ),
    Change(
        "fftshift on one axis",
        "torch",
        "optics.far_field_amplitude",
        lambda far_field: lambda exit_waves: torch.fft.ifftshift(far_field(exit_waves), dim=-1),
    ),
    Change(
        "ifftshift for fftshift",
        "tensorflow",
        "optics.far_field_amplitude",
        lambda far_field: (
            lambda exit_waves: tf.signal.ifftshift(tf.signal.ifftshift(far_field(exit_waves), axes=(1, 2)), axes=(1, 2))
        ),
    ),
    Change(
        "the exit waves conjugated",
        "torch",
        "optics.far_field_amplitude",
        lambda far_field: lambda exit_waves: far_field(exit_waves.conj()),
    ),
    Change("modes added coherently", "torch", "optics.far_field_amplitude", coherent_modes),
    Change("the transform over columns alone", "torch", "optics.far_field_amplitude", columns_alone),
    Change("10⁻⁹ under the root", "torch", "optics.far_field_amplitude", epsilon_under_the_root),
    Change("the imaginary part detached", "tensorflow", "optics.far_field_amplitude", imaginary_part_detached),
    Change("complex64 written in", "torch", "optics.far_field_amplitude", single_precision_inside),
    Change("a float16 intermediate", "tensorflow", "optics.far_field_amplitude", half_precision_inside),
    Change(
        "the frame half a pixel off",
        "torch",
        "patches.central_weight",
        lambda weight: lambda patches: weight(patches).roll(1, dims=-1),
    ),
    # probe
    Change("centred half a pixel off", "torch", "probe.mask", shift_by_half_a_pixel, at="probe._coordinates"),
    Change("centred half a pixel off", "tensorflow", "probe.disk", shift_by_half_a_pixel, at="probe._coordinates"),
    Change("a soft edge", "torch", "probe.mask", soft_mask),
    Change(
        "≤ for <",
        "torch",
        "probe.disk",
        lambda disk: lambda size, radius: disk(size, torch.nextafter(radius, 2 * radius)),
    ),
    Change(
        "the last two of six modes exchanged",
        "tensorflow",
        "probe.orthogonal_modes",
        lambda powers: (*powers[:4], powers[5], powers[4]),
        at="probe._SEED_POWERS",
    ),
    Change(
        "exp(−r² / width²)",
        "torch",
        "probe.gaussian",
        lambda gaussian: lambda size, width: gaussian(size, width / 2**0.5),
    ),
    Change(
        "defocus of the other sign",
        "tensorflow",
        "probe.zone_plate",
        lambda plate: lambda size, outer_radius, stop_radius, defocus: plate(size, outer_radius, stop_radius, -defocus),
    ),
    Change(
        "powers taken for amplitudes",
        "torch",
        "probe.orthogonal_modes",
        lambda modes: lambda probe, powers: modes(probe, powers.square()),
    ),
    Change("by energy for mean modulus", "tensorflow", "probe.normalize", normalised_by_energy),
    Change(
        "without the mask",
        "torch",
        "probe.normalize",
        lambda mask: lambda probe: torch.ones_like(mask(probe)),
        at="probe.mask",
    ),
    Change(
        "the scale divided out twice",
        "tensorflow",
        "probe.normalize",
        lambda normalize: lambda probe, probe_scale: normalize(probe, probe_scale**2),
    ),
    # scaling
    Change(
        "photons averaged",
        "torch",
        "scaling.count_photons",
        lambda count: lambda amplitude: count(amplitude) / amplitude[0, 0].numel(),
    ),
    Change("uint16 squared before it is widened", "tensorflow", "scaling.count_photons", squared_before_widening),
    Change(
        "photons summed over the patches",
        "torch",
        "scaling.scale_nphotons",
        lambda count: lambda amplitude: count(amplitude).sum(dim=1),
        at="scaling.count_photons",
    ),
    Change(
        "without its root",
        "tensorflow",
        "scaling.scale_nphotons",
        lambda scale: lambda amplitude, nphotons: scale(amplitude, nphotons) ** 2,
    ),
    Change(
        "N² for (N/2)²",
        "torch",
        "scaling.normalize_amplitude",
        lambda normalize: lambda amplitude: 2 * normalize(amplitude),
    ),
    Change("each image scaled by itself", "torch", "scaling.normalize_amplitude", images_scaled_one_by_one),
    Change(
        "multiplied for divided",
        "tensorflow",
        "scaling.remove_intensity_scale",
        lambda remove: lambda amplitude, log_scale: amplitude * tf.exp(log_scale),
    ),
    Change(
        "the scale's root",
        "torch",
        "scaling.remove_intensity_scale",
        lambda remove: lambda amplitude, log_scale: remove(amplitude, log_scale / 2),
    ),
    Change(
        "the scale detached",
        "tensorflow",
        "scaling.apply_intensity_scale",
        lambda apply: lambda amplitude, log_scale: apply(amplitude, tf.stop_gradient(log_scale)),
    ),
    # networks
    Change(
        "the kernel turned by half a turn, as in a convolution proper",
        "torch",
        "networks.convolve",
        lambda convolve: lambda features, kernel, bias: convolve(features, kernel.flip((2, 3)), bias),
    ),
    Change(
        "rows of the kernel for columns",
        "tensorflow",
        "networks.convolve",
        lambda convolve: lambda features, kernel, bias: convolve(features, tf.transpose(kernel, (1, 0, 2, 3)), bias),
    ),
    Change(
        "the frame's edges are neighbours",
        "torch",
        "networks.convolve",
        lambda _: (
            lambda features, kernel, bias: torch.nn.functional.conv2d(
                torch.nn.functional.pad(features, (1, 1, 1, 1), mode="circular"), kernel, bias
            )
        ),
    ),
    Change(
        "without the bias",
        "tensorflow",
        "networks.convolve",
        lambda convolve: lambda features, kernel, bias: convolve(features, kernel, 0 * bias),
    ),
    Change(
        "a slope of 10⁻⁶ below 0",
        "torch",
        "networks.rectify",
        lambda _: lambda features: torch.nn.functional.leaky_relu(features, 1e-6),
    ),
    Change(
        "a slope of 1/2 at 0",
        "tensorflow",
        "networks.rectify",
        lambda _: lambda features: (features + tf.sqrt(features**2 + 1e-30)) / 2,
    ),
    Change(
        "the mean for the maximum",
        "torch",
        "networks.max_pool",
        lambda _: lambda features: torch.nn.functional.avg_pool2d(features, 2),
    ),
    Change(
        "a last odd row kept",
        "torch",
        "networks.max_pool",
        lambda _: lambda features: torch.nn.functional.max_pool2d(features, 2, ceil_mode=True),
    ),
    Change(
        "between the pixels for the nearest",
        "tensorflow",
        "networks.upsample",
        lambda _: (
            lambda features: tf.cast(
                tf.image.resize(features, 2 * tf.shape(features)[1:3], method="bilinear"), features.dtype
            )
        ),
    ),
    Change(
        "kept from 1 by a limit",
        "torch",
        "networks.amplitude_head",
        lambda head: lambda features, kernel, bias: head(features, kernel, bias).clamp(max=0.9),
    ),
    Change(
        "half a turn for a whole one",
        "tensorflow",
        "networks.phase_head",
        lambda head: lambda features, kernel, bias: head(features, kernel, bias) / 2,
    ),
    Change(
        "pooled by the mean",
        "torch",
        "networks.encoder_block",
        lambda _: lambda features: torch.nn.functional.avg_pool2d(features, 2),
        at="networks.max_pool",
    ),
    Change(
        "not rectified",
        "tensorflow",
        "networks.decoder_block",
        lambda _: lambda features: features,
        at="networks.rectify",
    ),
    Change(
        "amplitude and phase exchanged",
        "torch",
        "networks.autoencode@32",
        lambda autoencode: lambda images, **parameters: autoencode(images, **exchanged_decoders(parameters)),
    ),
    Change(
        "the phase decoded with the amplitude's weights",
        "tensorflow",
        "networks.autoencode@64",
        lambda autoencode: (
            lambda images, **parameters: autoencode(
                images, **{name: parameters[name.replace("phase", "amplitude")] for name in parameters}
            )
        ),
    ),
    Change(
        "each block a pixel off",
        "torch",
        "networks.autoencode@32",
        lambda block: lambda features, *parameters: block(features, *parameters).roll(1, dims=-1),
        at="networks.encoder_block",
    ),
    Change(
        "the middle of the frame a pixel off",
        "tensorflow",
        "networks.autoencode@32",
        lambda pad: lambda patches, rows, columns: tf.roll(pad(patches, rows, columns), 1, axis=2),
        at="patches.pad",
    ),
    # training
    Change(
        "the learning rate inside the velocity",
        "torch",
        "training.sgd_step",
        lambda step: (
            lambda parameters, gradient, velocity, learning_rate, momentum: step(
                parameters, learning_rate * gradient, velocity, 1.0, momentum
            )
        ),
    ),
    Change(
        "the gradient damped as in a running mean",
        "tensorflow",
        "training.sgd_step",
        lambda step: (
            lambda parameters, gradient, velocity, learning_rate, momentum: step(
                parameters, tf.cast(1 - momentum, gradient.dtype) * gradient, velocity, learning_rate, momentum
            )
        ),
    ),
    Change(
        "Keras's own SGD, which rounds its momentum", "tensorflow", "training.sgd_step", keras_s_own, "training.SGD"
    ),
    Change(
        "Keras's own Adam: ε before the correction", "tensorflow", "training.adam_step", keras_s_own, "training.Adam"
    ),
    Change("the default ε of Keras", "torch", "training.adam_step", step_with(epsilon=1e-7)),
    Change(
        "the step before counted", "torch", "training.adam_step", step_with(count=lambda count: count - (count > 1))
    ),
    Change("no bias correction", "tensorflow", "training.adam_step", step_with(count=lambda count: 10**6 + 0 * count)),
    Change("the moments' betas exchanged", "tensorflow", "training.adam_step", betas_exchanged),
    Change(
        "β rounded to single precision",
        "torch",
        "training.adam_step",
        step_with(beta2=lambda beta2: min(torch.tensor(beta2).item(), 1 - 2**-24)),
        precisions=(FLOAT32,),
    ),
    Change("weight decay as a part of the gradient", "torch", "training.adamw_step", decay_in_the_gradient),
    Change("weights decay after the step", "tensorflow", "training.adamw_step", decay_after_the_step),
    Change(
        "Keras's own AdamW: ε before the correction", "tensorflow", "training.adamw_step", keras_s_own, "training.AdamW"
    ),
)


def unitary_transform(_: Function) -> Function:
    def far_field(exit_waves: torch.Tensor) -> torch.Tensor:
        spectrum = torch.fft.fft2(exit_waves, norm="ortho")
        return safe_root(torch.fft.fftshift((spectrum.real**2 + spectrum.imag**2).sum(dim=2), dim=PLANE))

    return far_field


def modulus_through_hypot(_: Function) -> Function:
    def far_field(exit_waves: torch.Tensor) -> torch.Tensor:
        spectrum = torch.fft.fft2(exit_waves, norm="ortho")
        dark = spectrum == 0
        modulus = torch.hypot(torch.where(dark, 1, spectrum.real), spectrum.imag)
        return safe_root(torch.fft.fftshift(torch.where(dark, 0, modulus).square().sum(dim=2), dim=PLANE))

    return far_field


def safe_root(intensity: torch.Tensor) -> torch.Tensor:
    """The root with gradient 0 at 0, which is part of the contract."""
    dark = intensity == 0
    return torch.where(dark, 0, torch.where(dark, 1, intensity).sqrt())


def rows_then_columns(_: Function) -> Function:
    def far_field(exit_waves: tf.Tensor) -> tf.Tensor:
        by_column = tf.signal.fft(tf.transpose(exit_waves, (0, 3, 4, 2, 1)))
        spectrum = tf.signal.fft(tf.transpose(by_column, (0, 1, 2, 4, 3)))
        intensity = tf.reduce_sum(tf.math.real(spectrum) ** 2 + tf.math.imag(spectrum) ** 2, axis=2)
        dark, one = intensity == 0, tf.ones_like(intensity)
        root = tf.where(dark, 0 * one, tf.sqrt(tf.where(dark, one, intensity / tf.reduce_sum(one[0, 0]))))
        return tf.transpose(tf.signal.fftshift(root, axes=PLANE), (0, 2, 3, 1))

    return far_field


def logarithm_where_counted(_: Function) -> Function:
    def deviance(predicted: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
        rate, counts = predicted.square(), observed.square()
        gap = (predicted - observed) * (predicted + observed)
        v = torch.where(rate + counts > 0, -gap / (rate + counts), 0)
        counted = counts > 0
        ratio = torch.where(counted, observed, 1) / torch.where(counted, predicted, 1)
        near = 2 * counts * (torch.atanh(torch.where(v.abs() < 0.1, v, 0)) - v) - gap * v
        far = gap + torch.where(counted, counts * torch.log(ratio**2), 0)
        return torch.where(v.abs() < 0.1, near, far)

    return deviance


def closed_mask(_: Function) -> Function:
    def mask(probe: torch.Tensor) -> torch.Tensor:
        size = probe.shape[-1]
        x = torch.arange(size, dtype=probe.real.dtype) - (size - 1) / 2
        return ((x[:, None] ** 2 + x**2).sqrt() <= size / 4).to(probe.real.dtype)

    return mask


def product_of_windows(features: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    windows = torch.nn.functional.unfold(features, 3, padding=1)
    return (kernel.flatten(1) @ windows + bias[:, None]).reshape(len(features), len(bias), *features.shape[2:])


def pixel_by_pixel(features: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    around = tf.pad(features, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows, columns = features.shape[1:3]
    shifted = [[around[:, k : k + rows, n : n + columns] for n in range(3)] for k in range(3)]
    return sum(shifted[k][n] @ kernel[k, n] for k in range(3) for n in range(3)) + tf.reshape(bias, (1, 1, 1, -1))


def pooled_before_rectified(
    features: torch.Tensor,
    first_kernel: torch.Tensor,
    first_bias: torch.Tensor,
    second_kernel: torch.Tensor,
    second_bias: torch.Tensor,
) -> torch.Tensor:
    between = torch.relu(torch.nn.functional.conv2d(features, first_kernel, first_bias, padding=1))
    second = torch.nn.functional.conv2d(between, second_kernel, second_bias, padding=1)
    return torch.relu(torch.nn.functional.max_pool2d(second, 2))


EQUIVALENT = (
    Change("the unitary transform", "torch", "optics.far_field_amplitude", unitary_transform),
    Change("rows, then columns", "tensorflow", "optics.far_field_amplitude", rows_then_columns),
    Change("the modulus through hypot", "torch", "optics.far_field_amplitude", modulus_through_hypot),
    Change(
        "a global phase",
        "torch",
        "optics.far_field_amplitude",
        lambda far_field: lambda exit_waves: far_field(exit_waves * complex(math.cos(1), math.sin(1))),
    ),
    Change(
        "the product through einsum",
        "torch",
        "optics.illuminate",
        lambda _: lambda patches, probe: torch.einsum("bchw,phw->bcphw", patches, probe),
    ),
    Change(
        "the complex exponential",
        "tensorflow",
        "optics.combine_complex",
        lambda _: (
            lambda amplitude, phase: (
                tf.complex(amplitude, tf.zeros_like(amplitude)) * tf.exp(tf.complex(tf.zeros_like(phase), phase))
            )
        ),
    ),
    Change(
        "pixels and patches in reverse order",
        "tensorflow",
        "losses.poisson_nll",
        lambda nll: (
            lambda predicted, observed, full: nll(tf.reverse(predicted, (1, 3)), tf.reverse(observed, (1, 3)), full)
        ),
    ),
    Change(
        "k·ln through where for xlogy",
        "torch",
        "losses.poisson_nll",
        logarithm_where_counted,
        at="losses._deviance_value",
    ),
    Change(
        "the sum in another order",
        "torch",
        "losses.total_variation",
        lambda energy: lambda field: (field.real**2 + field.imag**2).sum(dim=3).sum(dim=2).sum(dim=1),
        at="losses._energy",
    ),
    Change(
        "the mean in another order",
        "tensorflow",
        "losses.mae",
        lambda mae: (
            lambda predicted, observed: tf.reduce_mean(tf.reduce_mean(tf.abs(observed - predicted), axis=(1, 2)))
        ),
    ),
    Change("≤ for <: no pixel lies on that circle", "torch", "probe.mask", closed_mask),
    Change(
        "a product with the reciprocal",
        "torch",
        "scaling.remove_intensity_scale",
        lambda remove: lambda amplitude, log_scale: amplitude * torch.exp(-log_scale),
    ),
    Change(
        "windows and a product of matrices",
        "torch",
        "networks.convolve",
        lambda _: product_of_windows,
    ),
    Change(
        "the kernel's nine pixels one by one",
        "tensorflow",
        "networks.convolve",
        lambda _: pixel_by_pixel,
    ),
    Change(
        "the maximum taken before it is rectified",
        "torch",
        "networks.encoder_block",
        lambda _: pooled_before_rectified,
    ),
)


@pytest.mark.parametrize("defect", DEFECTS, ids=ids)
def test_a_defect_is_found_and_its_side_named(defect: Change, stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    defect.make(monkeypatch)
    verdict = verdict_on(defect.contract, stacks, defect.precisions)
    assert verdict.outcome is Outcome.DISAGREE
    assert verdict.sides == (defect.stack,)
    assert not verdict.alike


@pytest.mark.parametrize("change", EQUIVALENT, ids=ids)
def test_an_equivalent_rewrite_stays_silent(change: Change, stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    change.make(monkeypatch)
    verdict = verdict_on(change.contract, stacks, (FLOAT32, FLOAT64))
    assert verdict.agrees, verdict.failures[:1]


def test_a_mistake_made_in_both_stacks_is_seen_and_called_alike(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = "optics.far_field_amplitude"
    Change("", "torch", contract, lambda f: lambda exit_waves: torch.fft.ifftshift(f(exit_waves), dim=PLANE)).make(
        monkeypatch
    )
    Change(
        "", "tensorflow", contract, lambda f: lambda exit_waves: tf.signal.ifftshift(f(exit_waves), axes=(1, 2))
    ).make(monkeypatch)
    verdict = verdict_on(contract, stacks, (FLOAT64,))
    assert verdict.outcome is Outcome.DISAGREE
    assert set(verdict.sides) == set(PACKAGES)
    assert verdict.alike


@pytest.mark.parametrize("stack", PACKAGES)
def test_a_common_gain_too_small_for_one_example_is_found_in_float32_by_pooling(
    stack: str, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = "optics.far_field_amplitude"
    Change("", stack, contract, lambda f: lambda exit_waves: f(exit_waves) * (1 + 1e-6)).make(monkeypatch)
    verdict = verdict_on(contract, stacks, (FLOAT32,), examples=POOLED_FROM)
    assert verdict.outcome is Outcome.DISAGREE
    assert verdict.sides == (stack,)
    assert verdict.failures == ()
    assert "has a common gain error between" in verdict.reason
