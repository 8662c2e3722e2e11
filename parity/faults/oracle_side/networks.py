"""Mistakes in the layers of the autoencoder and in how they are put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Inputs
from parity.faults.oracle_side.base import Formula, Mistake, odd, of_argument, of_arguments, of_formula, of_result
from parity.physics.oracle import networks as oracle

_PLANE = (-2, -1)


def _turned_kernels(**arguments: Any) -> dict[str, Any]:
    return {name: value[..., ::-1, ::-1] for name, value in arguments.items() if name.endswith("kernel")}


def _transposed_kernels(**arguments: Any) -> dict[str, Any]:
    return {name: value.swapaxes(-1, -2) for name, value in arguments.items() if name.endswith("kernel")}


def _no_biases(**arguments: Any) -> dict[str, Any]:
    return {name: 0 * value for name, value in arguments.items() if name.endswith("bias")}


KERNELS = (
    of_arguments("the kernels are turned by half a turn (a convolution for a correlation)", _turned_kernels),
    of_arguments("rows and columns of the kernels are exchanged", _transposed_kernels),
    of_arguments("the biases are left out", _no_biases),
)
"""What can be wrong with the parameters of any layer."""


def _bordered(mode: Literal["constant", "edge", "wrap", "reflect"]) -> Formula:
    """A convolution of features with something other than 0 around them."""

    def convolved(features: NDArray[Any], kernel: NDArray[Any], bias: NDArray[Any]) -> Any:
        around = np.pad(features, [(0, 0), (0, 0), (1, 1), (1, 1)], mode=mode)
        return oracle.convolve(around, kernel, bias)[..., 1:-1, 1:-1]

    return convolved


def _spectrally(
    transform: Formula = lambda x: np.fft.rfft2(x, norm="forward"),
    inverse: Formula = lambda spectrum, frame: np.fft.irfft2(spectrum, frame, norm="forward"),
    before: Callable[[int, int], int] = lambda rows, kept: rows // 2 - kept // 2,
    shifted_back: Formula = np.fft.ifftshift,
) -> Formula:
    """A spectral convolution with another transform, other rows of frequencies, or those put elsewhere."""

    def convolved(features: NDArray[Any], weights: NDArray[Any]) -> Any:
        frame, (rows, columns) = features.shape[-2:], weights.shape[-2:]
        spectrum = np.fft.fftshift(transform(features), axes=-2)
        kept = (np.arange(rows) + before(frame[0], rows)) % frame[0]
        made = np.zeros((len(features), weights.shape[1], *spectrum.shape[2:]), complex)
        made[:, :, kept, :columns] = np.einsum("bikl,iokl->bokl", spectrum[:, :, kept, :columns], weights)
        return inverse(shifted_back(made, axes=-2), frame)

    return convolved


def _one_further_on(rows: int, kept: int) -> int:
    return rows // 2 - kept // 2 + 1


def _columns_once(spectrum: NDArray[Any], frame: tuple[int, ...]) -> Any:
    """Without the negative column frequencies: the real part of the inverse of half a spectrum."""
    return np.fft.ifft2(spectrum, frame, norm="forward").real


def _last_column_times(factor: float) -> Formula:
    def changed(features: NDArray[Any], weights: NDArray[Any]) -> dict[str, Any]:
        return {"weights": weights * np.where(np.arange(weights.shape[-1]) == weights.shape[-1] - 1, factor, 1.0)}

    return changed


def _has_half_the_sampling_rate(inputs: Inputs) -> bool:
    return 2 * (inputs["weights"].shape[-1] - 1) == inputs["features"].shape[-1]


def _even_band(inputs: Inputs) -> bool:
    return inputs["weights"].shape[-2] % 2 == 0


def _padded_behind(features: NDArray[Any]) -> NDArray[Any]:
    """Features moved up and left by a pixel: the zeros of "same" all on one side."""
    moved = np.zeros_like(features)
    moved[..., :-1, :-1] = features[..., 1:, 1:]
    return moved


def _pooled(reduce: Formula) -> Formula:
    def pooled(features: NDArray[Any]) -> NDArray[Any]:
        rows, columns = (size // 2 for size in features.shape[-2:])
        even = features[..., : 2 * rows, : 2 * columns].reshape(*features.shape[:2], rows, 2, columns, 2)
        return np.asarray(reduce(even, axis=(3, 5)))

    return pooled


_mean_pooled = _pooled(np.mean)


def _softplus(x: NDArray[Any]) -> Any:
    return np.logaddexp(0, x)


def _zeros_between(features: NDArray[Any]) -> NDArray[Any]:
    upsampled = np.zeros((*features.shape[:2], *(2 * size for size in features.shape[2:])))
    upsampled[..., ::2, ::2] = features
    return upsampled


def _bilinear(features: NDArray[Any]) -> NDArray[Any]:
    """Twice as many pixels, between which lies what lies between them, beyond the frame its border."""
    for axis in _PLANE:
        around = np.moveaxis(features, axis, -1)
        before = np.concatenate([around[..., :1], around[..., :-1]], axis=-1)
        behind = np.concatenate([around[..., 1:], around[..., -1:]], axis=-1)
        pair = np.stack([0.75 * around + 0.25 * before, 0.75 * around + 0.25 * behind], axis=-1)
        features = np.moveaxis(pair.reshape(*around.shape[:-1], -1), -1, axis)
    return features


def _tiled(features: NDArray[Any]) -> NDArray[Any]:
    return np.tile(features, (1, 1, 2, 2))


def _block(
    between: Formula = oracle.rectify, behind: Formula = oracle.rectify, last: Formula = oracle.max_pool
) -> Formula:
    """An encoder or decoder block with other functions after its convolutions and at its end."""

    def block(
        features: NDArray[Any],
        first_kernel: NDArray[Any],
        first_bias: NDArray[Any],
        second_kernel: NDArray[Any],
        second_bias: NDArray[Any],
    ) -> Any:
        first = between(oracle.convolve(features, first_kernel, first_bias))
        return last(behind(oracle.convolve(first, second_kernel, second_bias)))

    return block


def _upsampled_first(features: NDArray[Any], **parameters: Any) -> Any:
    return _block(last=_as_it_is)(oracle.upsample(features), **parameters)


def _as_it_is(array: Any) -> Any:
    return array


def _blocks(last: Formula, wrong_last: Formula) -> tuple[Mistake, ...]:
    return (
        of_formula("the first rectification is left out", _block(between=_as_it_is, last=last)),
        of_formula("the second rectification is left out", _block(behind=_as_it_is, last=last)),
        of_formula("softplus stands for the rectification", _block(_softplus, _softplus, last)),
        of_formula(
            "interpolation stands for repetition" if last is oracle.upsample else "the mean stands for the maximum",
            _block(last=wrong_last),
        ),
        *KERNELS,
    )


def _head(function: Formula) -> Formula:
    """A head with another function of its convolution."""
    return lambda features, kernel, bias: function(oracle.convolve(features, kernel, bias))


def _exchanged_decoders(**arguments: Any) -> dict[str, Any]:
    """Each parameter of one decoder under the name of the other's."""
    other = {"amplitude": "phase", "phase": "amplitude"}
    return {
        name: arguments[name.replace(part, other[part], 1)]
        for name in arguments
        for part in other
        if name.startswith(part)
    }


def _phase_times(factor: float) -> Formula:
    return lambda patches: np.abs(patches) * np.exp(1j * factor * np.angle(patches))


def _phase_as_imaginary_part(patches: NDArray[Any]) -> NDArray[Any]:
    return np.where(patches == 0, 0, np.abs(patches) + 1j * np.angle(patches))


def _at_the_corner(patches: NDArray[Any]) -> NDArray[Any]:
    return np.roll(patches, [-(size // 4) for size in patches.shape[-2:]], axis=_PLANE)


MISTAKES: Mapping[str, tuple[Mistake, ...]] = {
    "networks.convolve": (
        *KERNELS,
        of_formula("the border is repeated beyond the frame", _bordered("edge")),
        of_formula("the frame is wrapped around", _bordered("wrap")),
        of_formula("the frame is reflected at its border", _bordered("reflect")),
        of_argument('the zeros of "same" are on one side only', "features", _padded_behind),
        of_argument(
            "the kernel is reshaped, not transposed",
            "kernel",
            lambda w: w.transpose(2, 3, 1, 0).reshape(w.shape),
        ),
    ),
    "networks.spectral_convolve": (
        of_formula(
            "only rows of non-negative frequencies are kept (a corner of the spectrum)",
            _spectrally(before=lambda rows, kept: rows // 2),
        ),
        of_formula("the rows of frequencies are one further on", _spectrally(before=_one_further_on)),
        of_formula(
            "of an even number of rows the positive frequencies are in the majority",
            _spectrally(before=_one_further_on),
            _even_band,
        ),
        of_formula(
            "fftshift stands where ifftshift should (as in neuraloperator 2.0.0)",
            _spectrally(shifted_back=np.fft.fftshift),
            odd("features"),
        ),
        of_formula("the transform is unnormalised both ways", _spectrally(np.fft.rfft2)),
        of_formula("negative column frequencies are left out", _spectrally(inverse=_columns_once)),
        of_arguments("the last column of frequencies is left out", _last_column_times(0.0)),
        of_arguments(
            "the column at half the sampling rate counts twice", _last_column_times(2.0), _has_half_the_sampling_rate
        ),
        of_argument("weights is conjugated", "weights", np.conj),
        of_argument("the weights of the rows of frequencies are in reverse", "weights", lambda w: w[..., ::-1, :]),
    ),
    "networks.rectify": (
        of_formula("the rectification is left out", lambda features: features),
        of_formula("negative features are kept at 1 % (leaky)", lambda features: np.maximum(features, 0.01 * features)),
        of_formula("the modulus is taken", lambda features: np.abs(features)),
        of_formula("softplus stands for the rectification", lambda features: _softplus(features)),
        of_formula(
            "exp(x) − 1 stands for 0 below 0", lambda features: np.where(features > 0, features, np.expm1(features))
        ),
    ),
    "networks.max_pool": (
        of_formula("the mean stands for the maximum", _mean_pooled),
        of_formula("the least stands for the maximum", _pooled(np.min)),
        of_formula(
            "the first of four pixels stands for the maximum",
            lambda features: features[..., : features.shape[-2] // 2 * 2 : 2, : features.shape[-1] // 2 * 2 : 2],
        ),
        of_argument("pooling begins at the second pixel", "features", lambda x: np.roll(x, -1, axis=_PLANE)),
        of_argument("the largest modulus is returned", "features", np.abs),
    ),
    "networks.upsample": (
        of_formula("interpolation stands for repetition", _bilinear),
        of_formula("zeros stand between the pixels", _zeros_between),
        of_formula("the frame is repeated, not its pixels", _tiled),
        of_result("the pixels are off by one", lambda x: np.roll(x, 1, axis=_PLANE)),
    ),
    "networks.amplitude_head": (
        of_formula("softplus stands for the logistic function", _head(_softplus)),
        of_formula("the logistic function is left out", _head(_as_it_is)),
        of_formula("tanh stands for the logistic function", _head(np.tanh)),
        of_formula(
            "a piecewise linear function stands for the logistic one", _head(lambda z: np.clip(z / 6 + 0.5, 0, 1))
        ),
        *KERNELS,
    ),
    "networks.phase_head": (
        of_result("a factor π is missing", lambda phase: phase / np.pi),
        of_result("2π stands for π", lambda phase: 2 * phase),
        of_formula("tanh is left out", _head(lambda z: np.pi * z)),
        of_formula("arctan stands for tanh", _head(lambda z: 2 * np.arctan(z))),
        *KERNELS,
    ),
    "networks.encoder_block": _blocks(oracle.max_pool, _mean_pooled),
    "networks.decoder_block": (
        *_blocks(oracle.upsample, _bilinear),
        of_formula("features are repeated before the convolutions", _upsampled_first),
    ),
    "networks.autoencode": (
        *KERNELS,
        of_arguments("the decoders of amplitude and phase are exchanged", _exchanged_decoders),
        of_result("the factor π of the phase is missing", _phase_times(1 / np.pi)),
        of_result("the phase has the opposite sign", np.conj),
        of_result("the phase is used as imaginary part (a + iφ)", _phase_as_imaginary_part),
        of_result("the patch is at the corner of its frame", _at_the_corner),
    ),
}
