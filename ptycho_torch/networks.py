"""The convolutional autoencoder that turns diffraction amplitudes into patches of the object, in PyTorch.

An encoder halves the frame L times; two decoders, one for the amplitude of the object and one for its
phase, double it L - 1 times, so that they cover the central half of the frame, where the probe is
bright. `autoencode` is the whole network as a function of its parameters, whose names and shapes alone
say how deep and how wide it is; `CNNConfig` chooses them, and `Autoencoder` in `autoencoder.py` owns them.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from numbers import Real

import torch
from torch import Tensor
from torch.nn import functional

from ptycho_exposures.checks import refusal
from ptycho_torch import checks, optics, patches

_PLACES = ("first", "second")  # the two convolutions of a block
_ENCODER_NAME = re.compile(r"encoder_(\d+)_(?:first|second)_(?:kernel|bias)")


def convolve(features: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """The cross-correlation y_o = b_o + sum_i k_oi * x_i with a 3 x 3 kernel, zeros around the frame.

    The kernel is not flipped: y[r, c] = b + sum_uv k[u, v] x[r + u - 1, c + v - 1], as in both frameworks.

    Args:
        features: (B, F, H, W), real.
        kernel: (O, F, 3, 3), real.
        bias: (O,), real.

    Returns:
        (B, O, H, W), real.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank, the kernel is not 3 x 3, or F or O differ.
    """
    _require_layers([""], {"kernel": kernel, "bias": bias}, "features", features)
    # A bias inside conv2d would have its gradient added one by one on the CPU: on 8 x 64 x 64 equal numbers in float32
    # that is off by 4,300 units of roundoff, and by 3 when torch's own sum does it.
    return functional.conv2d(features, kernel, padding=1) + bias[:, None, None]


def spectral_convolve(features: Tensor, weights: Tensor) -> Tensor:
    """The sum over i of the features F_i wrapped around the frame and convolved with what has the spectrum w_io.

    The spectrum of each map, its DFT divided by H W, is multiplied with the weights at the frequencies that they
    cover, is 0 at all others, and is transformed back (Li et al., ICLR 2021): K rows of frequencies from -(K // 2)
    on, positive and negative ones, and L columns from 0 on. Of real maps the negative columns follow from those; the
    imaginary parts that weights leave in the result are dropped.

    Args:
        features: (B, F, H, W), real.
        weights: (F, O, K, L), complex; 1 <= K <= H and 1 <= L <= W // 2 + 1.

    Returns:
        (B, O, H, W), real.

    Raises:
        TypeError: the features are not real or the weights not complex floating point, or the precisions differ.
        ValueError: an argument has another rank, F differs, or the frame has fewer frequencies than the weights.
    """
    checks.require_real("features", features)
    checks.require_complex("weights", weights)
    checks.require_agreement("weights", weights, "features", features)
    (rows, columns), (kept_rows, kept_columns) = features.shape[-2:], weights.shape[-2:]
    if not (1 <= kept_rows <= rows and 1 <= kept_columns <= columns // 2 + 1):
        expected = (
            f"1 to {rows} rows and 1 to {columns // 2 + 1} columns of frequencies for frames of ({rows}, {columns})"
        )
        raise ValueError(refusal("weights", expected, f"({kept_rows}, {kept_columns})"))
    # One axis after the other: only the columns that are kept are transformed. Rows of frequencies come last, and are
    # joined, not padded: of other ways torch.compile takes the strides for others.
    negative = kept_rows // 2
    across = torch.fft.rfft(features, norm="forward")[..., :kept_columns]
    spectrum = torch.fft.fft(across.mT, norm="forward")
    centred = torch.cat([spectrum[..., rows - negative :], spectrum[..., : kept_rows - negative]], dim=-1)
    kept = torch.einsum("bflk,fokl->bolk", centred, weights)
    others = kept.new_zeros(*kept.shape[:-1], rows - kept_rows)
    placed = torch.cat([kept[..., negative:], others, kept[..., :negative]], dim=-1)
    return torch.fft.irfft(torch.fft.ifft(placed, norm="forward").mT, columns, norm="forward")


def rectify(features: Tensor) -> Tensor:
    """max(x, 0); the gradient at 0 is 0.

    Args:
        features: (B, F, H, W), real.

    Returns:
        (B, F, H, W), real.

    Raises:
        TypeError: the features are not real floating point.
        ValueError: the features have another rank.
    """
    checks.require_real("features", features)
    return functional.relu(features)


def max_pool(features: Tensor) -> Tensor:
    """The largest of each 2 x 2 square of pixels, NaN where one of them is; a last odd row or column is dropped.

    Args:
        features: (B, F, H, W), real, at least 2 x 2 pixels.

    Returns:
        (B, F, H//2, W//2), real.

    Raises:
        TypeError: the features are not real floating point.
        ValueError: the features have another rank, or fewer than 2 rows or columns.
    """
    checks.require_real("features", features)
    rows, columns = features.shape[-2:]
    if min(rows, columns) < 2:
        raise ValueError(refusal("features", "at least 2 rows and 2 columns", f"({rows}, {columns})"))
    return functional.max_pool2d(features, 2)


def upsample(features: Tensor) -> Tensor:
    """Each pixel repeated 2 x 2: interpolation by the nearest neighbour.

    Args:
        features: (B, F, H, W), real.

    Returns:
        (B, F, 2 H, 2 W), real.

    Raises:
        TypeError: the features are not real floating point.
        ValueError: the features have another rank.
    """
    checks.require_real("features", features)
    count, channels, rows, columns = features.shape
    repeated = features[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2)
    return repeated.reshape(count, channels, 2 * rows, 2 * columns)


def amplitude_head(features: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """The amplitude of the object, sigmoid(convolve(x)): arguments and errors as `convolve`.

    Returns:
        (B, C, H, W), real, dimensionless, between 0 and 1; C are the filters of the kernel.
    """
    return torch.sigmoid(convolve(features, kernel, bias))


def phase_head(features: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """The phase of the object, pi tanh(convolve(x)): arguments and errors as `convolve`.

    Returns:
        (B, C, H, W), real, radians, between -pi and pi; C are the filters of the kernel.
    """
    return math.pi * torch.tanh(convolve(features, kernel, bias))


def encoder_block(
    features: Tensor, first_kernel: Tensor, first_bias: Tensor, second_kernel: Tensor, second_bias: Tensor
) -> Tensor:
    """Two rectified convolutions, then the maximum of 2 x 2 pixels.

    Args:
        features: (B, F, H, W), real, at least 2 x 2 pixels.
        first_kernel: (O, F, 3, 3), real.
        first_bias: (O,), real.
        second_kernel: (S, O, 3, 3), real.
        second_bias: (S,), real.

    Returns:
        (B, S, H//2, W//2), real.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank, a kernel is not 3 x 3, F, O or S differ, or there are
            fewer than 2 rows or columns.
    """
    return max_pool(_convolve_twice(features, first_kernel, first_bias, second_kernel, second_bias))


def decoder_block(
    features: Tensor, first_kernel: Tensor, first_bias: Tensor, second_kernel: Tensor, second_bias: Tensor
) -> Tensor:
    """Two rectified convolutions, then each pixel repeated 2 x 2.

    Args:
        features: (B, F, H, W), real.
        first_kernel: (O, F, 3, 3), real.
        first_bias: (O,), real.
        second_kernel: (S, O, 3, 3), real.
        second_bias: (S,), real.

    Returns:
        (B, S, 2 H, 2 W), real.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank, a kernel is not 3 x 3, or F, O or S differ.
    """
    return upsample(_convolve_twice(features, first_kernel, first_bias, second_kernel, second_bias))


def autoencode(images: Tensor, **parameters: Tensor) -> Tensor:
    """Patches of the object, a exp(i phi), from normalised diffraction amplitudes.

    L encoder blocks, then for the amplitude a and the phase phi each L - 1 decoder blocks and a head; the
    central half of the frame that they cover is padded with zeros to the frame. The architecture is that
    of PtychoNN (Cherukara et al., Appl. Phys. Lett. 117, 044103, 2020) as changed by PtychoPINN (Hoidn
    et al., Sci. Rep. 13, 22789, 2023).

    Args:
        images: (B, C, N, N), real, dimensionless: C patterns of a group, normalised to a mean square of 1/4
            (`scaling.normalize_amplitude`). N is divisible by 2^L and by 4.
        parameters: a kernel (O, I, 3, 3) and a bias (O,) for each convolution, by the names of
            `CNNConfig.parameter_shapes`. L is read from the names, the numbers of filters from the shapes.

    Returns:
        (B, C, N, N), complex, dimensionless; 0 outside the central N/2 x N/2 pixels.

    Raises:
        TypeError: an argument is not real floating point, the precisions differ, or a parameter is
            missing or unknown.
        ValueError: an argument has another rank or shape, or the frame cannot be halved L times.
    """
    checks.require_amplitude("images", images)
    levels = _require_names(parameters)
    _require_network(levels, parameters, images)
    _require_divisible_frame(levels, images)
    features = images
    for level in range(levels):
        features = encoder_block(features, *_block(parameters, f"encoder_{level}"))
    amplitude, phase = features, features
    for level in range(levels - 1):
        amplitude = decoder_block(amplitude, *_block(parameters, f"amplitude_decoder_{level}"))
    amplitude = amplitude_head(amplitude, parameters["amplitude_head_kernel"], parameters["amplitude_head_bias"])
    for level in range(levels - 1):
        phase = decoder_block(phase, *_block(parameters, f"phase_decoder_{level}"))
    phase = phase_head(phase, parameters["phase_head_kernel"], parameters["phase_head_bias"])
    rows, columns = images.shape[-2:]
    return patches.pad(optics.combine_complex(amplitude, phase), rows, columns)


@dataclass(frozen=True)
class CNNConfig:
    """What decides the shapes of the parameters of `autoencode`.

    Raises:
        TypeError: a size that is not a whole number, or a scale that is not a number.
        ValueError: a size that is not a power of two from 16 on, a gridsize below 1, or a scale that is not
            positive and finite.
    """

    size: int = 64
    """Pixels N along a side of a frame."""
    gridsize: int = 1
    """Patches along a side of a group; there are C = gridsize^2 in it."""
    filters_scale: float = 2.0
    """The factor s on the number of filters."""

    def __post_init__(self) -> None:
        checks.require_size("size", self.size)
        checks.require_size("gridsize", self.gridsize)
        if self.size < 16 or self.size & (self.size - 1):
            raise ValueError(refusal("size", "a power of two from 16 on", str(self.size)))
        scale: object = self.filters_scale
        if not isinstance(scale, Real):
            raise TypeError(refusal("filters_scale", "a number", repr(scale)))
        if not 0 < self.filters_scale < math.inf:
            raise ValueError(refusal("filters_scale", "a positive, finite number", str(self.filters_scale)))

    @property
    def levels(self) -> int:
        """The encoder blocks L = log2(N / 8), which take a frame to 8 x 8 pixels."""
        return self.size.bit_length() - 4

    @property
    def filters(self) -> tuple[int, ...]:
        """The filters of each encoder block, max(1, round(2048 / N * s * 2^i)); the decoders go back from the last."""
        base = 2048 / self.size * self.filters_scale
        return tuple(max(1, round(base * 2**level)) for level in range(self.levels))

    def layers(self) -> dict[str, list[str]]:
        """The convolutions of encoder, amplitude and phase, by what their parameters' names begin with."""
        return _layers(self.levels)

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter of `autoencode` by its name, in the order of the network."""
        filters, patches_in_group = self.filters, self.gridsize**2
        down = [patches_in_group, *(count for level in filters for count in (level, level))]
        up = [filters[-1], *(count for level in filters[-2::-1] for count in (level, level)), patches_in_group]
        return {
            name: shape
            for part, prefixes in self.layers().items()
            for prefix, (channels, count) in zip(prefixes, pairwise(down if part == "encoder" else up), strict=True)
            for name, shape in ((f"{prefix}kernel", (count, channels, 3, 3)), (f"{prefix}bias", (count,)))
        }


def _layers(levels: int) -> dict[str, list[str]]:
    """The convolutions of each part in order, by what the names of their kernel and bias begin with."""
    decoders = {part: [*_in_blocks(f"{part}_decoder", levels - 1), f"{part}_head_"] for part in ("amplitude", "phase")}
    return {"encoder": _in_blocks("encoder", levels), **decoders}


def _in_blocks(part: str, blocks: int) -> list[str]:
    return [f"{part}_{block}_{place}_" for block in range(blocks) for place in _PLACES]


def _block(parameters: Mapping[str, Tensor], name: str) -> list[Tensor]:
    return [parameters[f"{name}_{place}_{what}"] for place in _PLACES for what in ("kernel", "bias")]


def _convolve_twice(
    features: Tensor, first_kernel: Tensor, first_bias: Tensor, second_kernel: Tensor, second_bias: Tensor
) -> Tensor:
    parameters = {
        "first_kernel": first_kernel,
        "first_bias": first_bias,
        "second_kernel": second_kernel,
        "second_bias": second_bias,
    }
    _require_layers([f"{place}_" for place in _PLACES], parameters, "features", features)
    features = rectify(convolve(features, first_kernel, first_bias))
    return rectify(convolve(features, second_kernel, second_bias))


def _require_layers(prefixes: Iterable[str], parameters: Mapping[str, Tensor], name: str, features: Tensor) -> None:
    """Refuse parameters that cannot take the features `name` through the convolutions in turn."""
    checks.require_real(name, features)
    _require_chain(prefixes, parameters, name, features, (name, features.shape[1]))


def _require_network(levels: int, parameters: Mapping[str, Tensor], images: Tensor) -> None:
    """Refuse parameters of `autoencode` that do not fit each other and the images."""
    channels = images.shape[1]
    layers = _layers(levels)
    encoded = _require_chain(layers["encoder"], parameters, "images", images, ("images", channels))
    for part in ("amplitude", "phase"):
        head, filters = _require_chain(layers[part], parameters, "images", images, encoded)
        if filters != channels:
            expected = f"as many filters as the channels of images, {channels}"
            raise ValueError(refusal(head, expected, f"shape {tuple(parameters[head].shape)}"))


def _require_chain(
    prefixes: Iterable[str],
    parameters: Mapping[str, Tensor],
    like_name: str,
    like: Tensor,
    source: tuple[str, int],
) -> tuple[str, int]:
    """Refuse what does not carry the channels of `source` on; the last kernel and its filters."""
    for prefix in prefixes:
        kernel_name, bias_name = f"{prefix}kernel", f"{prefix}bias"
        kernel, bias = parameters[kernel_name], parameters[bias_name]
        _require_parameter(kernel_name, kernel, like_name, like)
        _require_parameter(bias_name, bias, like_name, like)
        source_name, channels = source
        if kernel.dim() != 4 or kernel.shape[1:] != (channels, 3, 3):
            expected = f"shape (O, {channels}, 3, 3) after the {channels} channels of {source_name}"
            raise ValueError(refusal(kernel_name, expected, f"shape {tuple(kernel.shape)}"))
        if bias.shape != kernel.shape[:1]:
            expected = f"shape {tuple(kernel.shape[:1])}, a number for each filter of {kernel_name}"
            raise ValueError(refusal(bias_name, expected, f"shape {tuple(bias.shape)}"))
        source = kernel_name, kernel.shape[0]
    return source


def _require_parameter(name: str, parameter: Tensor, like_name: str, like: Tensor) -> None:
    if not isinstance(parameter, Tensor):
        raise TypeError(refusal(name, "a torch.Tensor", type(parameter).__name__))
    if parameter.dtype not in (torch.float32, torch.float64):
        got = str(parameter.dtype).removeprefix("torch.")
        raise TypeError(refusal(name, "float32 or float64", got))
    checks.require_filled(name, parameter, "its axes")
    checks.require_same_precision(name, parameter, like_name, like)


def _require_names(parameters: Mapping[str, Tensor]) -> int:
    """Refuse a parameter that is missing or unknown; the number of encoder blocks that the names tell."""
    numbers = [int(match[1]) for match in map(_ENCODER_NAME.fullmatch, parameters) if match]
    levels = max(numbers, default=0) + 1
    layers = _layers(levels)
    names = [f"{prefix}{what}" for prefixes in layers.values() for prefix in prefixes for what in ("kernel", "bias")]
    unknown = [name for name in parameters if name not in names]
    for name in names:
        if name not in parameters:
            got = f"none, but {unknown[0]}" if unknown else "none"
            raise TypeError(refusal(name, f"a parameter of this name, as there {_encoder_blocks(levels)}", got))
    for name in unknown:
        raise TypeError(refusal(name, f"no parameter of this name, as there {_encoder_blocks(levels)}", "one"))
    return levels


def _require_divisible_frame(levels: int, images: Tensor) -> None:
    """Refuse a frame that cannot be halved `levels` times, or whose half cannot be centred in it."""
    divisor = max(2**levels, 4)
    sizes = tuple(images.shape[-2:])
    if any(size % divisor for size in sizes):
        expected = f"sides divisible by {divisor}, as there {_encoder_blocks(levels)}"
        raise ValueError(refusal("images", expected, str(sizes)))


def _encoder_blocks(levels: int) -> str:
    return "is 1 encoder block" if levels == 1 else f"are {levels} encoder blocks"
