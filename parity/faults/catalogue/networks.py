"""Defects in the layers of the autoencoder; `networks_blocks` has those of what is made of them."""

from __future__ import annotations

from collections.abc import Callable

from parity.contracts.changes import Change, Of, given, passing_back, replaced, returning, then
from parity.contracts.fault import Fault
from parity.contracts.namespace import Namespace, Tensor
from parity.faults.catalogue.common import moved_in_zeros, number, of_the_last, pixel, softplus
from parity.faults.generated import Generated


def along(change: Callable[[Namespace, Tensor, int], Tensor]) -> Of:
    """A change of rows, then of columns."""
    return lambda xp, x: change(xp, change(xp, x, -2), -1)


def _bordered(source: Callable[[Namespace, Tensor, Tensor], Tensor]) -> Change:
    """A convolution of a frame around which are other pixels of it: `source` takes their places and the last place."""

    def widened(xp: Namespace, x: Tensor, axis: int) -> Tensor:
        size = xp.shape(x)[axis]
        return xp.take(x, source(xp, xp.arange(size + 2, x) - 1, number(xp, size, x) - 1), axis)

    return then(given(features=along(widened)), returning(lambda xp, x, a: x[..., 1:-1, 1:-1]))


def _nearest(xp: Namespace, place: Tensor, last: Tensor) -> Tensor:
    return xp.minimum(xp.maximum(place, 0.0), last)


def _other_side(xp: Namespace, place: Tensor, last: Tensor) -> Tensor:
    return place - (last + 1) * xp.floor(place / (last + 1))


def _reflected(xp: Namespace, place: Tensor, last: Tensor) -> Tensor:
    return last - xp.abs(last - xp.abs(place))


def _moved_up(xp: Namespace, x: Tensor, axis: int) -> Tensor:
    return moved_in_zeros(xp, x, axis, -1)


def _reshaped_kernel(xp: Namespace, kernel: Tensor) -> Tensor:
    """A kernel (3, 3, i, o) read as (o, i, 3, 3)."""
    return xp.reshape(xp.transpose(kernel, (2, 3, 1, 0)), xp.shape(kernel))


def _turned(xp: Namespace, kernel: Tensor) -> Tensor:
    return xp.flip(xp.flip(kernel, -1), -2)


def elementwise(function: Of) -> Change:
    """A function of the features alone stands where the layer was."""
    return replaced(lambda xp, a: function(xp, a.features))


def _leaky(slope: float) -> Change:
    return elementwise(lambda xp, x: xp.maximum(x, 0.0) + slope * xp.minimum(x, 0.0))


def _pooled(xp: Namespace, x: Tensor, reduce: Callable[[Namespace, list[Tensor]], Tensor]) -> Tensor:
    """Something other than the maximum of each 2 × 2 square."""
    height, width = (size // 2 * 2 for size in xp.shape(x)[-2:])
    even = x[..., :height, :width]
    return reduce(xp, [even[..., row::2, column::2] for row in (0, 1) for column in (0, 1)])


def mean_of_four(xp: Namespace, x: Tensor) -> Tensor:
    """The mean of each 2 × 2 square."""
    return _pooled(xp, x, lambda xp, four: (four[0] + four[1] + four[2] + four[3]) / 4)


def _odd_line_kept(xp: Namespace, x: Tensor, axis: int) -> Tensor:
    """The last line twice where there is an odd number of them."""
    size = xp.shape(x)[axis]
    place = xp.arange((size + 1) // 2 * 2, x)
    return xp.take(x, xp.minimum(place, number(xp, size, x) - 1), axis)


def doubled(xp: Namespace, pair: list[Tensor], axis: int) -> Tensor:
    """Two frames, line by line in turn."""
    height, width = xp.shape(pair[0])[-2:]
    both = xp.stack(pair, -1 if axis == -1 else -2)
    shape = [*xp.shape(pair[0])[:-2], *((2 * height, width) if axis == -2 else (height, 2 * width))]
    return xp.reshape(both, shape)


def between(xp: Namespace, x: Tensor, axis: int) -> Tensor:
    """Lines at a quarter and three quarters between their neighbours; beyond the frame is its border."""
    last, place = number(xp, xp.shape(x)[axis], x) - 1, xp.arange(xp.shape(x)[axis], x)
    before, behind = (xp.take(x, _nearest(xp, place + by, last), axis) for by in (-1, 1))
    return doubled(xp, [0.75 * x + 0.25 * before, 0.75 * x + 0.25 * behind], axis)


def _with_zeros(xp: Namespace, x: Tensor, axis: int) -> Tensor:
    return doubled(xp, [x, xp.zeros_like(x)], axis)


def as_it_is(xp: Namespace, x: Tensor) -> Tensor:
    """No function at all."""
    return x


KERNELS = (
    Fault(
        "networks.convolve",
        "turned",
        "the kernels are turned by half a turn (a convolution for a correlation)",
        given(kernel=_turned),
    ),
    Fault(
        "networks.convolve",
        "rows-for-columns",
        "rows and columns of the kernels are exchanged",
        given(kernel=lambda xp, x: xp.swapped(x, -1, -2)),
    ),
)
NO_BIASES = Fault("networks.convolve", "no-biases", "the biases are left out", given(bias=lambda xp, x: 0 * x))
PARAMETERS = (*KERNELS, NO_BIASES)
"""Of the parameters of a convolution, alone or in what is made of convolutions."""

CONVOLUTION: tuple[Fault | Generated, ...] = (
    *PARAMETERS,
    Fault("networks.convolve", "edge", "the border is repeated beyond the frame", _bordered(_nearest)),
    Fault("networks.convolve", "wrapped-around", "the frame is wrapped around", _bordered(_other_side)),
    Fault("networks.convolve", "reflected", "the frame is reflected at its border", _bordered(_reflected)),
    Fault(
        "networks.convolve",
        "zeros-behind",
        'the zeros of "same" are on one side only',
        given(features=along(_moved_up)),
    ),
    Fault(
        "networks.convolve", "kernel-reshaped", "the kernel is reshaped, not transposed", given(kernel=_reshaped_kernel)
    ),
    Generated("networks.convolve", "kernel-detached"),
    Generated("networks.convolve", "features-bfloat16"),
    Fault(
        "networks.convolve",
        "bias-gradient",
        "the gradient of bias is twice what it should be",
        passing_back(bias=lambda xp, g: 2.0 * g),
        shows="a gradient",
        diagnosis=("the gradient of bias is off by a constant factor",),
    ),
    Fault(
        "networks.convolve",
        "last-filter",
        "the last filter's kernel is turned by half a turn",
        given(kernel=of_the_last(_turned, 0)),
        diagnosis=(),
    ),
)


LAYERS = (
    Fault("networks.rectify", "left-out", "the rectification is left out", elementwise(as_it_is)),
    Fault("networks.rectify", "leaky", "negative features are kept at 1 % (leaky)", _leaky(0.01)),
    Fault("networks.rectify", "modulus", "the modulus is taken", elementwise(lambda xp, x: xp.abs(x))),
    Fault("networks.rectify", "softplus", "softplus stands for the rectification", elementwise(softplus)),
    Fault(
        "networks.rectify",
        "elu",
        "exp(x) − 1 stands for 0 below 0",
        elementwise(lambda xp, x: xp.maximum(x, 0.0) + xp.exp(xp.minimum(x, 0.0)) - 1),
    ),
    Fault("networks.rectify", "leaky-1e-6", "a millionth of negative features is kept", _leaky(1e-6), blind=True),
    Fault(
        "networks.rectify",
        "half-at-0",
        "the gradient at 0 is 1/2",
        elementwise(lambda xp, x: (x + xp.sqrt(xp.square(x) + 1e-30)) / 2),
        shows="features of 0, and a gradient",
        blind=True,
    ),
    Fault("networks.max_pool", "mean", "the mean stands for the maximum", elementwise(mean_of_four)),
    Fault(
        "networks.max_pool",
        "least",
        "the least stands for the maximum",
        then(given(features=lambda xp, x: -x), returning(lambda xp, x, a: -x)),
    ),
    Fault(
        "networks.max_pool",
        "first-of-four",
        "the first of four pixels stands for the maximum",
        elementwise(lambda xp, x: _pooled(xp, x, lambda xp, four: four[0])),
    ),
    Fault(
        "networks.max_pool",
        "second-pixel",
        "pooling begins at the second pixel",
        given(features=along(lambda xp, x, axis: xp.roll(x, -1, axis))),
    ),
    Fault(
        "networks.max_pool",
        "largest-modulus",
        "the largest modulus is returned",
        given(features=lambda xp, x: xp.abs(x)),
        shows="negative features",
    ),
    Fault(
        "networks.max_pool",
        "odd-line-kept",
        "a last odd row or column is kept",
        given(features=along(_odd_line_kept)),
        shows="an odd side",
        blind=True,
    ),
    Fault("networks.upsample", "interpolated", "interpolation stands for repetition", elementwise(along(between))),
    Fault("networks.upsample", "zeros", "zeros stand between the pixels", elementwise(along(_with_zeros))),
    Fault(
        "networks.upsample",
        "tiled",
        "the frame is repeated, not its pixels",
        elementwise(along(lambda xp, x, axis: xp.concat([x, x], axis))),
    ),
    Fault(
        "networks.upsample",
        "off-by-one",
        "the pixels are off by one",
        returning(lambda xp, x, a: along(lambda xp, x, axis: xp.roll(x, 1, axis))(xp, x)),
        diagnosis=("the pixels are off by one", "the result is rolled by whole pixels"),
    ),
    Fault(
        "networks.upsample",
        "hot-pixel",
        "one pixel is doubled",
        returning(lambda xp, x, a: x * (1 + pixel(xp, x, 5, 3))),
        diagnosis=(),
    ),
)

FAULTS = (*CONVOLUTION, *LAYERS)
