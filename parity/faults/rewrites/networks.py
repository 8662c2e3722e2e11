"""Other code for the same layers and blocks."""

from __future__ import annotations

import math
from typing import Any

from parity.contracts.changes import Arguments, replaced
from parity.contracts.fault import Rewrite
from parity.contracts.namespace import Namespace, Tensor
from parity.faults.catalogue.common import moved_in_zeros
from parity.faults.catalogue.networks_spectral import by_matrices
from parity.faults.catalogue.wiring import own


def _window(xp: Namespace, x: Tensor, row: int, column: int) -> Tensor:
    """The features that one of the kernel's nine pixels meets, zeros around the frame."""
    return moved_in_zeros(xp, moved_in_zeros(xp, x, -2, 1 - row), -1, 1 - column)


def _windows(xp: Namespace, a: Arguments) -> Tensor:
    """All windows side by side, and one product of matrices, (O, 9·F) by (9·F, H·W)."""
    groups, filters, height, width = xp.shape(a.features)
    made = xp.shape(a.kernel)[0]
    windows = xp.stack([_window(xp, a.features, k, n) for k in range(3) for n in range(3)], 2)
    columns = xp.reshape(windows, (groups, filters * 9, height * width))
    product = xp.matmul(xp.reshape(a.kernel, (made, filters * 9)), columns)
    return xp.reshape(product, (groups, made, height, width)) + a.bias[:, None, None]


def _pixel_by_pixel(xp: Namespace, a: Arguments) -> Tensor:
    """Nine products, one for each of the kernel's pixels."""
    groups, filters, height, width = xp.shape(a.features)
    total: Any = 0
    for k in range(3):
        for n in range(3):
            flat = xp.reshape(_window(xp, a.features, k, n), (groups, filters, height * width))
            total = total + xp.matmul(a.kernel[:, :, k, n], flat)
    return xp.reshape(total, (groups, xp.shape(a.kernel)[0], height, width)) + a.bias[:, None, None]


def _largest_of_four(xp: Namespace, a: Arguments) -> Tensor:
    height, width = (size // 2 * 2 for size in xp.shape(a.features)[-2:])
    even = a.features[..., :height, :width]
    across = xp.maximum(even[..., ::2], even[..., 1::2])
    return xp.maximum(across[..., ::2, :], across[..., 1::2, :])


def _pooled_first(xp: Namespace, a: Arguments) -> Tensor:
    """Rectified after the maximum: neither changes what the other does."""
    convolve, rectify = own(xp, "networks.convolve"), own(xp, "networks.rectify")
    first = rectify(features=convolve(features=a.features, kernel=a.first_kernel, bias=a.first_bias))
    second = convolve(features=first, kernel=a.second_kernel, bias=a.second_bias)
    return rectify(features=own(xp, "networks.max_pool")(features=second))


def _tanh_for_logistic(xp: Namespace, a: Arguments) -> Tensor:
    """(1 + tanh(z/2)) / 2."""
    return (1 + xp.tanh(own(xp, "networks.convolve")(**vars(a)) / 2)) / 2


def _logistic_for_tanh(xp: Namespace, a: Arguments) -> Tensor:
    """π·(2·σ(2z) − 1)."""
    return math.pi * (2 * xp.sigmoid(2 * own(xp, "networks.convolve")(**vars(a))) - 1)


def _taken_twice(xp: Namespace, a: Arguments) -> Tensor:
    repeated = a.features
    for axis in (-2, -1):
        place = xp.arange(xp.shape(repeated)[axis] * 2, repeated)
        repeated = xp.take(repeated, xp.floor(place / 2), axis)
    return repeated


REWRITES = (
    Rewrite("networks.convolve", "windows", "windows and a product of matrices", replaced(_windows)),
    Rewrite("networks.convolve", "pixel-by-pixel", "the kernel's nine pixels one by one", replaced(_pixel_by_pixel)),
    Rewrite("networks.spectral_convolve", "matrices", "transforms as products of matrices", replaced(by_matrices)),
    Rewrite(
        "networks.rectify",
        "where",
        "a choice between x and 0",
        replaced(lambda xp, a: xp.where(a.features > 0, a.features, xp.zeros_like(a.features))),
    ),
    Rewrite("networks.max_pool", "two-by-two", "the larger across, then down", replaced(_largest_of_four)),
    Rewrite("networks.upsample", "taken-twice", "every line taken twice", replaced(_taken_twice)),
    Rewrite("networks.amplitude_head", "tanh", "(1 + tanh(z/2)) / 2", replaced(_tanh_for_logistic)),
    Rewrite("networks.phase_head", "logistic", "π·(2·σ(2z) − 1)", replaced(_logistic_for_tanh)),
    Rewrite(
        "networks.encoder_block",
        "pooled-first",
        "the maximum is taken before it is rectified",
        replaced(_pooled_first),
    ),
)
