"""The convolutional autoencoder that turns diffraction amplitudes into patches of the object, in TensorFlow.

An encoder halves the frame L times; two decoders, one for the amplitude of the object and one for its
phase, double it L - 1 times, so that they cover the central half of the frame, where the probe is
bright. `autoencode` is the whole network as a function of its parameters, whose names and shapes alone
say how deep and how wide it is; `CNNConfig` chooses them, and `Autoencoder` in `autoencoder.py` owns them.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from numbers import Real
from typing import Any

import tensorflow as tf

from ptycho import checks, optics, patches
from ptycho_exposures.checks import refusal

_PLACES = ("first", "second")  # the two convolutions of a block
_ENCODER_NAME = re.compile(r"encoder_(\d+)_(?:first|second)_(?:kernel|bias)")


def convolve(features: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """The cross-correlation y_o = b_o + sum_i k_oi * x_i with a 3 x 3 kernel, zeros around the frame.

    The kernel is not flipped: y[r, c] = b + sum_uv k[u, v] x[r + u - 1, c + v - 1], as in both frameworks.

    Args:
        features: (B, H, W, F), real.
        kernel: (3, 3, F, O), real.
        bias: (O,), real.

    Returns:
        (B, H, W, O), real.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank, the kernel is not 3 x 3, or F or O differ.
    """
    _require_layers([""], {"kernel": kernel, "bias": bias}, "features", features)
    return _add_bias(tf.nn.conv2d(features, kernel, strides=1, padding="SAME"), bias)


def spectral_convolve(features: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The sum over i of the features F_i wrapped around the frame and convolved with what has the spectrum w_io.

    The spectrum of each map, its DFT divided by H W, is multiplied with the weights at the frequencies that they
    cover, is 0 at all others, and is transformed back (Li et al., ICLR 2021): K rows of frequencies from -(K // 2)
    on, positive and negative ones, and L columns from 0 on. Of real maps the negative columns follow from those; the
    imaginary parts that weights leave in the result are dropped.

    Args:
        features: (B, H, W, F), real.
        weights: (K, L, F, O), complex; 1 <= K <= H and 1 <= L <= W // 2 + 1.

    Returns:
        (B, H, W, O), real.

    Raises:
        TypeError: the features are not real or the weights not complex floating point, or the precisions differ.
        ValueError: an argument has another rank, F differs, or the frame has fewer frequencies than the weights.
    """
    checks.require_real("features", features)
    checks.require_complex("weights", weights)
    checks.require_agreement("weights", weights, "features", features)
    (rows, columns), (kept_rows, kept_columns) = _frame(features, 1), _frame(weights, 0)
    fits = (kept_rows >= 1) & (kept_rows <= rows) & (kept_columns >= 1) & (kept_columns <= columns // 2 + 1)
    expected = f"1 to {_show(rows, 'H')} rows and 1 to {_show(columns // 2 + 1, 'W // 2 + 1')} columns of frequencies"
    checks.require_that(fits, "weights", expected, f"({_show(kept_rows, 'K')}, {_show(kept_columns, 'L')})")
    before = rows // 2 - kept_rows // 2
    maps = tf.transpose(features, (0, 3, 1, 2)) / tf.cast(rows * columns, features.dtype)
    centred = tf.signal.fftshift(tf.signal.rfft2d(maps), axes=2)
    kept = tf.einsum("bfkl,klfo->bokl", centred[:, :, before : before + kept_rows, :kept_columns], weights)
    around = ((0, 0), (0, 0), (before, rows - kept_rows - before), (0, columns // 2 + 1 - kept_columns))
    spectrum = tf.signal.ifftshift(tf.pad(kept, around), axes=2)
    convolved = tf.signal.irfft2d(spectrum, (rows, columns)) * tf.cast(rows * columns, features.dtype)
    return tf.transpose(convolved, (0, 2, 3, 1))


def rectify(features: tf.Tensor) -> tf.Tensor:
    """max(x, 0); the gradient at 0 is 0.

    Args:
        features: (B, H, W, F), real.

    Returns:
        (B, H, W, F), real.

    Raises:
        TypeError: the features are not real floating point.
        ValueError: the features have another rank.
    """
    checks.require_real("features", features)
    return tf.nn.relu(features)


def max_pool(features: tf.Tensor) -> tf.Tensor:
    """The largest of each 2 x 2 square of pixels, NaN where one of them is; a last odd row or column is dropped.

    Args:
        features: (B, H, W, F), real, at least 2 x 2 pixels.

    Returns:
        (B, H//2, W//2, F), real.

    Raises:
        TypeError: the features are not real floating point.
        ValueError: the features have another rank, or fewer than 2 rows or columns.
    """
    checks.require_real("features", features)
    rows, columns = _size(features, 1), _size(features, 2)
    expected = "at least 2 rows and 2 columns"
    checks.require_that((rows >= 2) & (columns >= 2), "features", expected, f"({rows}, {columns})")
    return _largest(features)


def upsample(features: tf.Tensor) -> tf.Tensor:
    """Each pixel repeated 2 x 2: interpolation by the nearest neighbour.

    Args:
        features: (B, H, W, F), real.

    Returns:
        (B, 2 H, 2 W, F), real.

    Raises:
        TypeError: the features are not real floating point.
        ValueError: the features have another rank.
    """
    checks.require_real("features", features)
    count, rows, columns, channels = (_size(features, axis) for axis in range(4))
    repeated = tf.broadcast_to(features[:, :, None, :, None], (count, rows, 2, columns, 2, channels))
    return tf.reshape(repeated, (count, 2 * rows, 2 * columns, channels))


def amplitude_head(features: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """The amplitude of the object, sigmoid(convolve(x)): arguments and errors as `convolve`.

    Returns:
        (B, H, W, C), real, dimensionless, between 0 and 1; C are the filters of the kernel.
    """
    return tf.sigmoid(convolve(features, kernel, bias))


def phase_head(features: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """The phase of the object, pi tanh(convolve(x)): arguments and errors as `convolve`.

    Returns:
        (B, H, W, C), real, radians, between -pi and pi; C are the filters of the kernel.
    """
    return math.pi * tf.tanh(convolve(features, kernel, bias))


def encoder_block(
    features: tf.Tensor,
    first_kernel: tf.Tensor,
    first_bias: tf.Tensor,
    second_kernel: tf.Tensor,
    second_bias: tf.Tensor,
) -> tf.Tensor:
    """Two rectified convolutions, then the maximum of 2 x 2 pixels.

    Args:
        features: (B, H, W, F), real, at least 2 x 2 pixels.
        first_kernel: (3, 3, F, O), real.
        first_bias: (O,), real.
        second_kernel: (3, 3, O, S), real.
        second_bias: (S,), real.

    Returns:
        (B, H//2, W//2, S), real.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank, a kernel is not 3 x 3, F, O or S differ, or there are
            fewer than 2 rows or columns.
    """
    return max_pool(_convolve_twice(features, first_kernel, first_bias, second_kernel, second_bias))


def decoder_block(
    features: tf.Tensor,
    first_kernel: tf.Tensor,
    first_bias: tf.Tensor,
    second_kernel: tf.Tensor,
    second_bias: tf.Tensor,
) -> tf.Tensor:
    """Two rectified convolutions, then each pixel repeated 2 x 2.

    Args:
        features: (B, H, W, F), real.
        first_kernel: (3, 3, F, O), real.
        first_bias: (O,), real.
        second_kernel: (3, 3, O, S), real.
        second_bias: (S,), real.

    Returns:
        (B, 2 H, 2 W, S), real.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank, a kernel is not 3 x 3, or F, O or S differ.
    """
    return upsample(_convolve_twice(features, first_kernel, first_bias, second_kernel, second_bias))


def autoencode(images: tf.Tensor, **parameters: tf.Tensor) -> tf.Tensor:
    """Patches of the object, a exp(i phi), from normalised diffraction amplitudes.

    L encoder blocks, then for the amplitude a and the phase phi each L - 1 decoder blocks and a head; the
    central half of the frame that they cover is padded with zeros to the frame. The architecture is that
    of PtychoNN (Cherukara et al., Appl. Phys. Lett. 117, 044103, 2020) as changed by PtychoPINN (Hoidn
    et al., Sci. Rep. 13, 22789, 2023).

    Args:
        images: (B, N, N, C), real, dimensionless: C patterns of a group, normalised to a mean square of 1/4
            (`scaling.normalize_amplitude`). N is divisible by 2^L and by 4.
        parameters: a kernel (3, 3, I, O) and a bias (O,) for each convolution, by the names of
            `CNNConfig.parameter_shapes`. L is read from the names, the numbers of filters from the shapes.

    Returns:
        (B, N, N, C), complex, dimensionless; 0 outside the central N/2 x N/2 pixels.

    Raises:
        TypeError: an argument is not real floating point, the precisions differ, or a parameter is
            missing or unknown.
        ValueError: an argument has another rank or shape, or the frame cannot be halved L times.
    """
    checks.require_amplitude("images", images)
    levels = _require_names(parameters)
    # A variable is read once; what is no tensor is refused by name below.
    parameters = {name: tf.convert_to_tensor(p) if tf.is_tensor(p) else p for name, p in parameters.items()}
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
    return patches.pad(optics.combine_complex(amplitude, phase), _size(images, 1), _size(images, 2))


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
            for name, shape in ((f"{prefix}kernel", (3, 3, channels, count)), (f"{prefix}bias", (count,)))
        }


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _largest(features: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """The maximum of 2 x 2 pixels, NaN where one is, whose gradient goes to that one; TensorFlow's passes over NaN."""
    undefined = tf.math.is_nan(features)
    ordered = tf.where(undefined, tf.constant(math.inf, features.dtype), features)
    window = {"ksize": (1, 2, 2, 1), "strides": (1, 2, 2, 1), "padding": "VALID"}
    largest = tf.raw_ops.MaxPool(input=ordered, **window)
    lost = tf.raw_ops.MaxPool(input=tf.cast(undefined, features.dtype), **window) > 0

    def pull_back(cotangent: tf.Tensor) -> tf.Tensor:
        return tf.raw_ops.MaxPoolGrad(orig_input=ordered, orig_output=largest, grad=cotangent, **window)

    return tf.where(lost, tf.constant(math.nan, features.dtype), largest), pull_back


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _add_bias(features: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], Any]]:
    """features + bias, with a gradient that sums over innermost axes.

    On the CPU, TensorFlow's own adds the pixels of a channel one by one: on 4 x 128 x 128 equal numbers in float32
    that is off by 10,400 units of roundoff, and by 40 with the pixels innermost.
    """

    def pull_back(cotangent: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return cotangent, tf.reduce_sum(tf.transpose(cotangent, (3, 0, 1, 2)), axis=(1, 2, 3))

    return features + bias, pull_back


def _layers(levels: int) -> dict[str, list[str]]:
    """The convolutions of each part in order, by what the names of their kernel and bias begin with."""
    decoders = {part: [*_in_blocks(f"{part}_decoder", levels - 1), f"{part}_head_"] for part in ("amplitude", "phase")}
    return {"encoder": _in_blocks("encoder", levels), **decoders}


def _in_blocks(part: str, blocks: int) -> list[str]:
    return [f"{part}_{block}_{place}_" for block in range(blocks) for place in _PLACES]


def _block(parameters: Mapping[str, tf.Tensor], name: str) -> list[tf.Tensor]:
    return [parameters[f"{name}_{place}_{what}"] for place in _PLACES for what in ("kernel", "bias")]


def _convolve_twice(
    features: tf.Tensor,
    first_kernel: tf.Tensor,
    first_bias: tf.Tensor,
    second_kernel: tf.Tensor,
    second_bias: tf.Tensor,
) -> tf.Tensor:
    parameters = {
        "first_kernel": first_kernel,
        "first_bias": first_bias,
        "second_kernel": second_kernel,
        "second_bias": second_bias,
    }
    _require_layers([f"{place}_" for place in _PLACES], parameters, "features", features)
    features = rectify(convolve(features, first_kernel, first_bias))
    return rectify(convolve(features, second_kernel, second_bias))


def _require_layers(
    prefixes: Iterable[str], parameters: Mapping[str, tf.Tensor], name: str, features: tf.Tensor
) -> None:
    """Refuse parameters that cannot take the features `name` through the convolutions in turn."""
    checks.require_real(name, features)
    _require_chain(prefixes, parameters, name, features, (name, _size(features, 3)))


def _require_network(levels: int, parameters: Mapping[str, tf.Tensor], images: tf.Tensor) -> None:
    """Refuse parameters of `autoencode` that do not fit each other and the images."""
    channels = _size(images, 3)
    layers = _layers(levels)
    encoded = _require_chain(layers["encoder"], parameters, "images", images, ("images", channels))
    for part in ("amplitude", "phase"):
        head, filters = _require_chain(layers[part], parameters, "images", images, encoded)
        expected = f"as many filters as the channels of images, {_show(channels, 'C')}"
        checks.require_that(filters == channels, head, expected, f"shape {parameters[head].shape}")


def _require_chain(
    prefixes: Iterable[str],
    parameters: Mapping[str, tf.Tensor],
    like_name: str,
    like: tf.Tensor,
    source: tuple[str, int | tf.Tensor],
) -> tuple[str, int | tf.Tensor]:
    """Refuse what does not carry the channels of `source` on; the last kernel and its filters."""
    for prefix in prefixes:
        kernel_name, bias_name = f"{prefix}kernel", f"{prefix}bias"
        kernel, bias = parameters[kernel_name], parameters[bias_name]
        _require_parameter(kernel_name, kernel, like_name, like)
        _require_parameter(bias_name, bias, like_name, like)
        source_name, channels = source
        expected = f"shape (3, 3, {_show(channels, 'I')}, O) after the {_show(channels, 'I')} channels of {source_name}"
        _require_shape(kernel_name, kernel, (3, 3, channels, None), expected)
        filters = _size(kernel, 3)
        expected = f"shape ({_show(filters, 'O')},), a number for each filter of {kernel_name}"
        _require_shape(bias_name, bias, (filters,), expected)
        source = kernel_name, filters
    return source


def _require_parameter(name: str, parameter: tf.Tensor, like_name: str, like: tf.Tensor) -> None:
    if not tf.is_tensor(parameter):
        raise TypeError(refusal(name, "a tf.Tensor", type(parameter).__name__))
    if parameter.dtype not in (tf.float32, tf.float64):
        raise TypeError(refusal(name, "float32 or float64", str(parameter.dtype.name)))
    checks.require_filled(name, parameter, "its axes")
    checks.require_same_precision(name, parameter, like_name, like)


def _require_shape(name: str, tensor: tf.Tensor, wanted: tuple[int | tf.Tensor | None, ...], expected: str) -> None:
    """Refuse another rank or other sizes than those wanted, where None is any size: now, or when the graph runs."""
    known = [None if tf.is_tensor(size) else size for size in wanted]
    if not tensor.shape.is_compatible_with(known):
        raise ValueError(refusal(name, expected, f"shape {tensor.shape}"))
    open_axes = [
        axis
        for axis, size in enumerate(wanted)
        if size is not None and (tensor.shape[axis] is None or tf.is_tensor(size))
    ]
    if open_axes:
        same = tf.equal(tf.gather(tf.shape(tensor), open_axes), tf.stack([wanted[axis] for axis in open_axes]))
        checks.require_that(tf.reduce_all(same), name, expected, tensor.shape)


def _size(tensor: tf.Tensor, axis: int) -> int | tf.Tensor:
    """The size along an axis, as a number where it is known."""
    size: int | None = tensor.shape[axis]
    return tf.shape(tensor)[axis] if size is None else size


def _frame(tensor: tf.Tensor, axis: int) -> tuple[int | tf.Tensor, int | tf.Tensor]:
    """The sizes along an axis and the next."""
    return _size(tensor, axis), _size(tensor, axis + 1)


def _show(size: int | tf.Tensor, unknown: str) -> str:
    return unknown if tf.is_tensor(size) else str(size)


def _require_names(parameters: Mapping[str, tf.Tensor]) -> int:
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


def _require_divisible_frame(levels: int, images: tf.Tensor) -> None:
    """Refuse a frame that cannot be halved `levels` times, or whose half cannot be centred in it."""
    divisor = max(2**levels, 4)
    rows, columns = _size(images, 1), _size(images, 2)
    expected = f"sides divisible by {divisor}, as there {_encoder_blocks(levels)}"
    checks.require_that((rows % divisor == 0) & (columns % divisor == 0), "images", expected, f"({rows}, {columns})")


def _encoder_blocks(levels: int) -> str:
    return "is 1 encoder block" if levels == 1 else f"are {levels} encoder blocks"
