"""Contracts of `networks`: the convolutional autoencoder, its layers, its blocks, and the whole at every depth."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from parity.contracts.cases.families import layers
from parity.contracts.cases.families.exposures import ExposureStratum
from parity.contracts.cases.families.layers import BANDS, DARK_MAPS, FEATURE_MAPS
from parity.contracts.cases.families.networks import COARSEST, FRAMES, Parameter, images, network_shapes
from parity.contracts.contract import Argument, Contract, Entry, Fact, Inputs, Law, Quota, Result, Stage, Trial
from parity.contracts.declared.batch import batch_facts
from parity.physics.kinds import AMPLITUDE, BIAS, FEATURES, KERNEL, OBJECT, PHASE, SPECTRAL_WEIGHTS
from parity.physics.oracle.operations import absolute
from parity.physics.precision import FLOAT32

_FEATURES = Argument("features", FEATURES, layers.features, differentiable=True)
_LAYER = (
    _FEATURES,
    Argument("kernel", KERNEL, layers.kernel, differentiable=True),
    Argument("bias", BIAS, layers.bias, differentiable=True),
)
_BLOCK = (
    _FEATURES,
    Argument("first_kernel", KERNEL, layers.first_kernel, differentiable=True),
    Argument("first_bias", BIAS, layers.first_bias, differentiable=True),
    Argument("second_kernel", KERNEL, layers.second_kernel, differentiable=True),
    Argument("second_bias", BIAS, layers.second_bias, differentiable=True),
)
_RESULT = (Result("features", FEATURES),)


def _impulse_shows_the_kernel(trial: Trial) -> Law:
    """Turned by half a turn, because an impulse meets the kernel's last row first."""
    features = np.zeros_like(trial.inputs["features"])
    features[:, -1, 3, 4] = 1.0
    shown = np.zeros((len(features), len(trial.inputs["bias"]), *features.shape[2:]))
    shown[..., 2:5, 3:6] = trial.inputs["kernel"][:, -1, ::-1, ::-1]
    return Law(trial.value(features=features), trial.exact(shown) + trial.exact(trial.inputs["bias"])[:, None, None])


def _homogeneous(trial: Trial) -> Law:
    return Law(trial.value(features=4.0 * trial.inputs["features"]), 4 * trial.value())


def _homogeneous_block(trial: Trial) -> Law:
    scaled = {name: 4.0 * trial.inputs[name] for name in ("features", "first_bias", "second_bias")}
    return Law(trial.value(**scaled), 4 * trial.value())


def _moves_around_the_frame(trial: Trial) -> Law:
    """By two rows and a column: so far the place of everything else is the same."""
    moved = np.roll(trial.inputs["features"], (2, 1), axis=(-2, -1))
    height, width = moved.shape[-2:]
    return Law(
        trial.value(features=moved), trial.value()[..., np.arange(-2, height - 2), :][..., np.arange(-1, width - 1)]
    )


def _all_frequencies_are_the_features(trial: Trial) -> Law:
    features, weights = trial.inputs["features"], trial.inputs["weights"]
    ones = np.ones(weights.shape[-2:])
    kept = min(weights.shape[:2])
    shown = np.zeros((len(features), weights.shape[1], *features.shape[2:]))
    shown[:, :kept] = features[:, :kept]
    identity = np.eye(*weights.shape[:2])[..., None, None] * ones
    return Law(trial.value(weights=identity.astype(complex)), trial.exact(shown))


def _keeps_all(inputs: Inputs) -> bool:
    (rows, columns), band = inputs["features"].shape[-2:], inputs["weights"].shape[-2:]
    return band == (rows, columns // 2 + 1)


def _pooled_from_repeated(trial: Trial) -> Law:
    features = trial.inputs["features"]
    return Law(trial.value(features=features.repeat(2, axis=2).repeat(2, axis=3)), trial.exact(features))


def _last_odd_pixels_do_not_count(trial: Trial) -> Law:
    features = trial.inputs["features"]
    widened = np.pad(features, [(0, 0), (0, 0), *((0, 1 - size % 2) for size in features.shape[2:])], constant_values=9)
    return Law(trial.value(features=widened), trial.value())


def _every_pixel_four_times(trial: Trial) -> Law:
    features = trial.inputs["features"]
    return Law(trial.value(), trial.exact(features.repeat(2, axis=2).repeat(2, axis=3)))


def _at_most_one(trial: Trial) -> Law:
    modulus = absolute(trial.value())
    return Law(trial.exact(np.ones(modulus.shape)), modulus, at_least=True)


def _nothing_around_the_middle(trial: Trial) -> Law:
    value = trial.value()
    edge = value[..., : value.shape[-2] // 4, :]
    return Law(edge, trial.exact(np.zeros(edge.shape, complex)))


def _fallback(layer: Any, features: Any, weights: Any) -> Any:
    """The weights stand where the layer's own parameter was, so that their gradient is found."""
    convolution = layer(*features.shape[1:2], weights.shape[1], 1)
    del convolution.weights
    convolution.weights = weights
    return convolution(features)


def _neuraloperator(layer: Any, features: Any, weights: Any) -> Any:
    """The same; of `n_modes` columns it keeps half, and the one in the middle."""
    filters, made, rows, columns = weights.shape
    convolution = layer(filters, made, n_modes=(rows, 2 * columns - 2), bias=False)
    del convolution.weight.tensor
    convolution.weight.tensor = weights
    return convolution(features)


def _neuraloperator_can(inputs: Inputs) -> bool:
    """Where it is installed. Of an odd number of rows neuraloperator 2.0.0 takes frequencies for those beside them."""
    return importlib.util.find_spec("neuralop") is not None and inputs["features"].shape[-2] % 2 == 0


_TRACED = 32
"""Pixels a side up to which the network is tried as a graph."""

_LARGEST = 256
"""Pixels a side of the frames that are tried in groups alone, because one costs as much as thirty others."""


def parameters_of(size: int) -> tuple[Argument, ...]:
    """The arguments that are parameters of the network for frames of `size` pixels a side, in their order."""
    levels = size.bit_length() - 4
    return tuple(
        Argument(name, KERNEL if name.endswith("kernel") else BIAS, Parameter(name, levels), differentiable=True)
        for name in network_shapes(levels, channels=1)
    )


def autoencoder(
    size: int, cost: int = 1, strata: tuple[ExposureStratum, ...] = (), facts: tuple[Fact, ...] = ()
) -> Contract:
    """The contract of the whole network for frames of `size` pixels a side, whatever its filters."""
    levels = size.bit_length() - 4

    def stages(inputs: Inputs) -> tuple[Stage, ...]:
        rows, columns = inputs["images"].shape[-2:]
        return (*_stages(levels), Stage("patches.pad", "padded", sizes={"rows": rows, "columns": columns}))

    return Contract(
        name=f"networks.autoencode@{size}",
        equation=f"O = pad(a·e^{{iφ}}), a and φ decoded from {levels} encoder blocks",
        arguments=(Argument("images", AMPLITUDE, images, differentiable=True), *parameters_of(size)),
        results=(Result("patches", OBJECT),),
        strata=strata,
        facts=facts,
        quota=Quota(any_precision=True),
        stages=stages,
        cost=cost,
        eager=size > _TRACED,
        divisor=max(4, 2**levels),
    )


def _registered(size: int, cost: int, facts: tuple[Fact, ...] = ()) -> Contract:
    """The same on frames that are drawn."""
    frames = FRAMES[size][-1:] if size == _LARGEST else FRAMES[size]
    return autoencoder(size, cost, (*frames, COARSEST[size]), facts)


def _stages(levels: int) -> tuple[Stage, ...]:
    """From `images` to `patches`, before they are padded."""
    stages, encoded = [], "images"
    for level in range(levels):
        stages.append(_block_stage("encoder", level, encoded))
        encoded = stages[-1].result
    for part in ("amplitude", "phase"):
        decoded = encoded
        for level in range(levels - 1):
            stages.append(_block_stage(f"{part}_decoder", level, decoded))
            decoded = stages[-1].result
        sources = {"features": decoded, "kernel": f"{part}_head_kernel", "bias": f"{part}_head_bias"}
        stages.append(Stage(f"networks.{part}_head", part, sources))
    return (*stages, Stage("optics.combine_complex", "patches"))


def _block_stage(chain: str, level: int, features: str) -> Stage:
    block = f"{chain}_{level}"
    sources = {"features": features, **{argument.name: f"{block}_{argument.name}" for argument in _BLOCK[1:]}}
    return Stage(f"networks.{chain.split('_')[-1]}_block", block, sources)


_BLOCK_FACTS = (
    Fact("features and biases times 4, result times 4", _homogeneous_block, broken_by="softplus"),
    *batch_facts("features"),
)
_NETWORK_FACTS = (
    Fact("|O| ≤ 1", _at_most_one, broken_by="result-times-root-hw"),
    Fact("nothing around the middle", _nothing_around_the_middle, broken_by="result-rows-shifted"),
)

CONTRACTS = (
    Contract(
        name="networks.convolve",
        equation="b_o + Σ_{i,k,l} w_oikl·x_i[y + k − 1, x + l − 1], zeros around the frame",
        arguments=_LAYER,
        results=_RESULT,
        strata=FEATURE_MAPS,
        facts=(
            Fact("an impulse shows the kernel", _impulse_shows_the_kernel, broken_by="turned"),
            *batch_facts("features"),
        ),
    ),
    Contract(
        name="networks.spectral_convolve",
        equation="Re Σ_{k,l} c_l·Σ_i w_iokl·X_ikl·e^{2πi(ky/H + lx/W)}, X = DFT(x) / HW",
        arguments=(_FEATURES, Argument("weights", SPECTRAL_WEIGHTS, layers.spectral_weights, differentiable=True)),
        results=_RESULT,
        strata=(*FEATURE_MAPS, *BANDS),
        facts=(
            Fact("features times 4, result times 4", _homogeneous, broken_by="result-plus-1e-3"),
            Fact(
                "moved around the frame, the result moves alike",
                _moves_around_the_frame,
                broken_by="result-upside-down",
            ),
            Fact(
                "all frequencies as they are: the features",
                _all_frequencies_are_the_features,
                _keeps_all,
                broken_by="norm-on-neither-side",
            ),
            *batch_facts("features"),
        ),
        entries=(
            Entry("torch", "generators.fno._FallbackSpectralConv2d", _fallback, eager=True),
            Entry(
                "torch",
                "generators.fno.SpectralConv",
                _neuraloperator,
                _neuraloperator_can,
                eager=True,
                precisions=(FLOAT32,),
            ),
        ),
    ),
    Contract(
        name="networks.rectify",
        equation="max(x, 0)",
        arguments=(_FEATURES,),
        results=_RESULT,
        strata=(*FEATURE_MAPS, *DARK_MAPS),
        facts=(Fact("rectify(4x) = 4·rectify(x)", _homogeneous, broken_by="softplus"),),
    ),
    Contract(
        name="networks.max_pool",
        equation="the maximum of 2 × 2 pixels; a last odd row or column is left out",
        arguments=(_FEATURES,),
        results=_RESULT,
        strata=FEATURE_MAPS,
        facts=(
            Fact(
                "the maximum of 2 × 2 copies of a pixel is the pixel",
                _pooled_from_repeated,
                broken_by="result-plus-1e-3",
            ),
            Fact(
                "a last odd row or column changes nothing",
                _last_odd_pixels_do_not_count,
                broken_by="second-pixel",
            ),
        ),
    ),
    Contract(
        name="networks.upsample",
        equation="every pixel as 2 × 2 of them",
        arguments=(_FEATURES,),
        results=_RESULT,
        strata=FEATURE_MAPS,
        facts=(Fact("every pixel comes four times", _every_pixel_four_times, broken_by="interpolated"),),
    ),
    Contract(
        name="networks.amplitude_head",
        equation="1 / (1 + e^{−convolve(x)})",
        arguments=_LAYER,
        results=(Result("amplitude", AMPLITUDE),),
        strata=FEATURE_MAPS,
        facts=batch_facts("features"),
        cost=2,
    ),
    Contract(
        name="networks.phase_head",
        equation="π·tanh(convolve(x))",
        arguments=_LAYER,
        results=(Result("phase", PHASE),),
        strata=FEATURE_MAPS,
        facts=batch_facts("features"),
        cost=2,
    ),
    Contract(
        name="networks.encoder_block",
        equation="max_pool(rectify(convolve(rectify(convolve(x)))))",
        arguments=_BLOCK,
        results=_RESULT,
        strata=FEATURE_MAPS,
        facts=_BLOCK_FACTS,
        cost=2,
    ),
    Contract(
        name="networks.decoder_block",
        equation="upsample(rectify(convolve(rectify(convolve(x)))))",
        arguments=_BLOCK,
        results=_RESULT,
        strata=FEATURE_MAPS,
        facts=_BLOCK_FACTS,
        cost=2,
    ),
    _registered(32, cost=3, facts=(*_NETWORK_FACTS, batch_facts("images")[0])),
    _registered(64, cost=6),
    _registered(128, cost=15),
    _registered(256, cost=10),
)
