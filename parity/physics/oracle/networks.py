"""The convolutional autoencoder, from amplitudes to the patches of an object, in real features (B, F, H, W).

Kernels are (O, I, 3, 3), biases (O,). The gradients are those of back-propagation: a convolution is pulled back by the
kernel turned by half a turn, with its filters exchanged.
"""

from __future__ import annotations

from itertools import count, takewhile
from typing import Any

import numpy as np

from parity.physics.oracle import operations, optics, patches
from parity.physics.oracle.bounded import Array
from parity.physics.oracle.operations import (
    adjoint_dft2,
    biased,
    broadcast,
    conjugate,
    dft2,
    fftshift,
    ifftshift,
    matmul,
    neighbourhoods,
    real,
    reshape,
    selection,
    square,
    step,
    total,
    transpose,
)
from parity.physics.oracle.operations import pad as _zeros_around

_FIRST, _SECOND = ("first_kernel", "first_bias"), ("second_kernel", "second_bias")
_BLOCK = (*_FIRST, *_SECOND)


def convolve(features: Array, kernel: Array, bias: Array) -> Any:
    """bias_o + Σ_{i,k,l} kernel_oikl · features_i[y + k − 1, x + l − 1], (B, O, H, W), zeros beyond the frame.

    What frameworks call a convolution, with padding "same": a cross-correlation.
    """
    return biased(_correlate(features, kernel), bias[:, None, None])


def convolve_vjp(cotangent: Array, features: Array, kernel: Array, bias: Array) -> tuple[Any, Any, Any]:
    """Gradients of `features`, w correlated with the kernel turned by half a turn; of `kernel`; and of `bias`, Σ w."""
    turned = transpose(kernel[:, :, ::-1, ::-1], (1, 0, 2, 3))
    by_filter = reshape(transpose(cotangent, (1, 0, 2, 3)), (kernel.shape[0], -1))
    terms = reshape(transpose(_columns(features), (0, 2, 1)), (by_filter.shape[1], -1))
    return _correlate(cotangent, turned), reshape(matmul(by_filter, terms), kernel.shape), _of_bias(cotangent)


def _of_bias(cotangent: Array) -> Any:
    """Σ w over groups and pixels, (O,)."""
    by_filter = reshape(transpose(cotangent, (1, 0, 2, 3)), (cotangent.shape[1], -1))
    return matmul(by_filter, np.ones((by_filter.shape[1], 1), operations.grid_dtype(cotangent)))[:, 0]


def _correlate(features: Array, kernel: Array) -> Any:
    groups, _, height, width = features.shape
    weights = reshape(kernel, (kernel.shape[0], -1))
    return reshape(matmul(weights, _columns(features)), (groups, kernel.shape[0], height, width))


def _columns(features: Array) -> Any:
    """What a kernel meets at each pixel, (B, I·9, H·W)."""
    groups, _, height, width = features.shape
    return reshape(neighbourhoods(features), (groups, -1, height * width))


def spectral_convolve(features: Array, weights: Array) -> Any:
    """Re Σ_{k,l} c_l·Σ_i weights_iokl·X_ikl·e^{2πi(ky/H + lx/W)}, (B, O, H, W), X the DFT of `features` over HW.

    Of `weights` (I, O, K, L) row K // 2 is the frequency k = 0, column 0 is l = 0. A column is counted twice, c_l = 2,
    for the negative frequencies of real features, but for l = 0 and l = W/2, which are their own negatives.
    """
    frame, band = features.shape[-2:], weights.shape[-2:]
    kept = total(_spectrum(features, band)[:, :, None] * weights, axis=1)
    return real(adjoint_dft2(_placed(kept * _counted(frame, band), frame)))


def spectral_convolve_vjp(cotangent: Array, features: Array, weights: Array) -> tuple[Any, Any]:
    """Gradients of `features`, Re F*(Σ_o w̄·c·F(w)) / HW at the frequencies kept, and of `weights`, Σ_b X̄·c·F(w)."""
    frame, band = features.shape[-2:], weights.shape[-2:]
    pixels = frame[0] * frame[1]
    pulled = (_spectrum(cotangent, band) * (pixels * _counted(frame, band)))[:, None]
    of_spectrum = total(conjugate(weights) * pulled, axis=2)
    of_weights = total(conjugate(_spectrum(features, band))[:, :, None] * pulled, axis=0)
    return real(adjoint_dft2(_placed(of_spectrum, frame))) / pixels, of_weights


def _spectrum(features: Array, band: tuple[int, ...]) -> Any:
    """DFT / HW at K row frequencies around 0 and the first L column frequencies, (B, F, K, L)."""
    rows, columns = features.shape[-2:]
    before = rows // 2 - band[0] // 2
    return fftshift(dft2(features) / (rows * columns), axes=-2)[..., before : before + band[0], : band[1]]


def _placed(spectrum: Array, frame: tuple[int, ...]) -> Any:
    """The frequencies of `_spectrum` among all of a frame's, the others 0."""
    (rows, columns), (kept_rows, kept_columns) = frame, spectrum.shape[-2:]
    before = rows // 2 - kept_rows // 2
    around = ((before, rows - kept_rows - before), (0, columns - kept_columns))
    return ifftshift(_zeros_around(spectrum, ((0, 0), (0, 0), *around)), axes=-2)


def _counted(frame: tuple[int, ...], band: tuple[int, ...]) -> Any:
    """How often each column frequency counts, (L,)."""
    column = np.arange(band[1])
    return np.where((column == 0) | (2 * column == frame[1]), 1.0, 2.0)


def rectify(features: Array) -> Any:
    """max(x, 0), (B, F, H, W)."""
    return operations.rectify(features)


def rectify_vjp(cotangent: Array, features: Array) -> tuple[Any]:
    """Gradient of `features`: w where x > 0; 0 at 0."""
    return (cotangent * step(features),)


def max_pool(features: Array) -> Any:
    """The maximum of 2 × 2 pixels, (B, F, H // 2, W // 2); a last odd row or column is left out."""
    return operations.largest(_quarters(features))


def max_pool_vjp(cotangent: Array, features: Array) -> tuple[Any]:
    """Gradient of `features`: w at the maximum; among equals any choice is as good."""
    groups, filters, rows, columns = cotangent.shape
    chosen = cotangent[..., None] * selection(_quarters(features))
    whole = transpose(reshape(chosen, (groups, filters, rows, columns, 2, 2)), (0, 1, 2, 4, 3, 5))
    odd = ((0, features.shape[-2] % 2), (0, features.shape[-1] % 2))
    return (_zeros_around(reshape(whole, (groups, filters, 2 * rows, 2 * columns)), ((0, 0), (0, 0), *odd)),)


def _quarters(features: Array) -> Any:
    """Windows of 2 × 2 pixels, (B, F, H // 2, W // 2, 4)."""
    groups, filters, height, width = features.shape
    rows, columns = height // 2, width // 2
    even = reshape(features[..., : 2 * rows, : 2 * columns], (groups, filters, rows, 2, columns, 2))
    return reshape(transpose(even, (0, 1, 2, 4, 3, 5)), (groups, filters, rows, columns, 4))


def upsample(features: Array) -> Any:
    """Every pixel as 2 × 2 of them, (B, F, 2H, 2W)."""
    groups, filters, height, width = features.shape
    repeated = broadcast(features[..., :, None, :, None], (groups, filters, height, 2, width, 2))
    return reshape(repeated, (groups, filters, 2 * height, 2 * width))


def upsample_vjp(cotangent: Array, features: Array) -> tuple[Any]:
    """Gradient of `features`: Σ w over the 2 × 2 pixels."""
    return (matmul(_quarters(cotangent), np.ones((4, 1), operations.grid_dtype(cotangent)))[..., 0],)


def amplitude_head(features: Array, kernel: Array, bias: Array) -> Any:
    """1 / (1 + e^{−z}), (B, C, H, W), of the convolution z."""
    return operations.sigmoid(convolve(features, kernel, bias))


def amplitude_head_vjp(cotangent: Array, features: Array, kernel: Array, bias: Array) -> tuple[Any, Any, Any]:
    """Gradients of the convolution's arguments, of a·(1 − a)·w."""
    amplitude = amplitude_head(features, kernel, bias)
    return convolve_vjp(cotangent * (amplitude * (1 - amplitude)), features, kernel, bias)


def phase_head(features: Array, kernel: Array, bias: Array) -> Any:
    """π·tanh z, (B, C, H, W), of the convolution z."""
    return np.pi * operations.tanh(convolve(features, kernel, bias))


def phase_head_vjp(cotangent: Array, features: Array, kernel: Array, bias: Array) -> tuple[Any, Any, Any]:
    """Gradients of the convolution's arguments, of π·(1 − tanh² z)·w."""
    slope = 1 - square(operations.tanh(convolve(features, kernel, bias)))
    return convolve_vjp(np.pi * cotangent * slope, features, kernel, bias)


def encoder_block(
    features: Array, first_kernel: Array, first_bias: Array, second_kernel: Array, second_bias: Array
) -> Any:
    """Twice a convolution and `rectify`, then `max_pool`, (B, F, H // 2, W // 2)."""
    return max_pool(_two_layers(features, first_kernel, first_bias, second_kernel, second_bias)[-1])


def encoder_block_vjp(
    cotangent: Array, features: Array, first_kernel: Array, first_bias: Array, second_kernel: Array, second_bias: Array
) -> tuple[Any, Any, Any, Any, Any]:
    """Gradients of all arguments: the chain of its layers'.

    The second bias moves a maximum wherever it lies: its gradient, Σ w where the result is not 0, is known even where
    equal pixels leave open which of them is the largest.
    """
    layers = _two_layers(features, first_kernel, first_bias, second_kernel, second_bias)
    (pulled,) = max_pool_vjp(cotangent, layers[-1])
    gradients = _two_layers_vjp(pulled, layers, features, first_kernel, first_bias, second_kernel, second_bias)
    return *gradients[:-1], _of_bias(rectify_vjp(cotangent, max_pool(layers[2]))[0])


def decoder_block(
    features: Array, first_kernel: Array, first_bias: Array, second_kernel: Array, second_bias: Array
) -> Any:
    """Twice a convolution and `rectify`, then `upsample`, (B, F, 2H, 2W)."""
    return upsample(_two_layers(features, first_kernel, first_bias, second_kernel, second_bias)[-1])


def decoder_block_vjp(
    cotangent: Array, features: Array, first_kernel: Array, first_bias: Array, second_kernel: Array, second_bias: Array
) -> tuple[Any, Any, Any, Any, Any]:
    """Gradients of all arguments: the chain of its layers'."""
    layers = _two_layers(features, first_kernel, first_bias, second_kernel, second_bias)
    (pulled,) = upsample_vjp(cotangent, layers[-1])
    return _two_layers_vjp(pulled, layers, features, first_kernel, first_bias, second_kernel, second_bias)


def _two_layers(
    features: Array, first_kernel: Array, first_bias: Array, second_kernel: Array, second_bias: Array
) -> tuple[Any, Any, Any, Any]:
    """Both convolutions, each followed by what `rectify` makes of it."""
    first = convolve(features, first_kernel, first_bias)
    between = rectify(first)
    second = convolve(between, second_kernel, second_bias)
    return first, between, second, rectify(second)


def _two_layers_vjp(
    cotangent: Array,
    layers: tuple[Any, Any, Any, Any],
    features: Array,
    first_kernel: Array,
    first_bias: Array,
    second_kernel: Array,
    second_bias: Array,
) -> tuple[Any, Any, Any, Any, Any]:
    first, between, second, _ = layers
    (pulled,) = rectify_vjp(cotangent, second)
    of_between, *of_second = convolve_vjp(pulled, between, second_kernel, second_bias)
    (pulled,) = rectify_vjp(of_between, first)
    of_features, *of_first = convolve_vjp(pulled, features, first_kernel, first_bias)
    return of_features, of_first[0], of_first[1], of_second[0], of_second[1]


def autoencode(images: Array, **parameters: Array) -> Any:
    """Complex patches (B, C, N, N) of amplitudes (B, C, N, N): encoder blocks, two decoders, heads, zeros around.

    `parameters` go by their names, and their names say how deep the network is: `encoder_{i}_first_kernel`,
    `…_first_bias`, `…_second_kernel`, `…_second_bias`, likewise `amplitude_decoder_{i}_…` and `phase_decoder_{i}_…`,
    and `amplitude_head_kernel`, `amplitude_head_bias`, `phase_head_kernel`, `phase_head_bias`.
    """
    encoded = images
    for name in _blocks("encoder", parameters):
        encoded = encoder_block(encoded, **_of_block(name, parameters))
    heads = []
    for part, head in (("amplitude", amplitude_head), ("phase", phase_head)):
        decoded = encoded
        for name in _blocks(f"{part}_decoder", parameters):
            decoded = decoder_block(decoded, **_of_block(name, parameters))
        heads.append(head(decoded, parameters[f"{part}_head_kernel"], parameters[f"{part}_head_bias"]))
    return patches.pad(optics.combine_complex(*heads), *images.shape[-2:])


def autoencode_vjp(cotangent: Array, images: Array, **parameters: Array) -> tuple[Any, ...]:
    """Gradients of `images` and of all parameters, in the order in which they were given: back-propagation."""
    encoded = _chain(images, "encoder", encoder_block, parameters)
    parts = {part: _chain(encoded[-1], f"{part}_decoder", decoder_block, parameters) for part in ("amplitude", "phase")}
    weights = {part: (parameters[f"{part}_head_kernel"], parameters[f"{part}_head_bias"]) for part in parts}
    amplitude = amplitude_head(parts["amplitude"][-1], *weights["amplitude"])
    phase = phase_head(parts["phase"][-1], *weights["phase"])
    (pulled,) = patches.pad_vjp(cotangent, amplitude, *images.shape[-2:])
    found: dict[str, Any] = {}
    of_encoded = []
    for part, head_vjp, of_head in zip(
        parts, (amplitude_head_vjp, phase_head_vjp), optics.combine_complex_vjp(pulled, amplitude, phase), strict=True
    ):
        of_decoded, *of_weights = head_vjp(of_head, parts[part][-1], *weights[part])
        found |= dict(zip((f"{part}_head_kernel", f"{part}_head_bias"), of_weights, strict=True))
        of_encoded.append(_pull_chain(of_decoded, parts[part], f"{part}_decoder", decoder_block_vjp, parameters, found))
    of_images = _pull_chain(of_encoded[0] + of_encoded[1], encoded, "encoder", encoder_block_vjp, parameters, found)
    return of_images, *(found[name] for name in parameters)


def _chain(features: Array, prefix: str, block: Any, parameters: Any) -> list[Any]:
    """The features before, between and behind the blocks of a chain."""
    chain = [features]
    for name in _blocks(prefix, parameters):
        chain.append(block(chain[-1], **_of_block(name, parameters)))
    return chain


def _pull_chain(
    cotangent: Array, chain: list[Any], prefix: str, block_vjp: Any, parameters: Any, found: dict[str, Any]
) -> Any:
    """The gradient before a chain; those of its parameters go into `found`."""
    names = _blocks(prefix, parameters)
    for name, features in reversed(list(zip(names, chain, strict=False))):
        of_block = _of_block(name, parameters)
        cotangent, *gradients = block_vjp(cotangent, features, **of_block)
        found |= {f"{name}_{argument}": gradient for argument, gradient in zip(of_block, gradients, strict=True)}
    return cotangent


def _blocks(prefix: str, parameters: Any) -> list[str]:
    """The names of a chain's blocks, as many as there are parameters for."""
    return list(takewhile(lambda name: f"{name}_{_BLOCK[0]}" in parameters, (f"{prefix}_{i}" for i in count())))


def _of_block(name: str, parameters: Any) -> dict[str, Any]:
    """The arguments of one block beside its features."""
    return {argument: parameters[f"{name}_{argument}"] for argument in _BLOCK}
