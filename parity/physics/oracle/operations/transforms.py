"""The discrete Fourier transform of planes, and its adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft as _fft

from parity.physics.oracle.bounded import Bounded, Reals
from parity.physics.oracle.operations.base import operation


@operation(_fft.fft2)
def dft2(x: Bounded, value: NDArray[Any]) -> Reals:
    """The forward DFT over the last two axes, unnormalised."""
    return _transform_error(x)


@operation(lambda x: _fft.ifft2(x, norm="forward"))
def adjoint_dft2(x: Bounded, value: NDArray[Any]) -> Reals:
    """The adjoint of `dft2`: the inverse DFT without its 1/n."""
    return _transform_error(x)


def _transform_error(x: Bounded) -> Reals:
    """Normwise: the rounding of a DFT spreads over the whole plane, log₂ n roundings of its largest coefficient."""
    rows, columns = x.shape[-2:]
    coefficient = np.max(np.abs(_fft.fft2(x.value)), axis=(-2, -1), keepdims=True)
    inherited = np.sqrt(np.sum(x.error**2, axis=(-2, -1), keepdims=True))
    bluestein = 2.0 if max(_largest_prime(rows), _largest_prime(columns)) > 11 else 1.0
    return bluestein * (np.log2(rows * columns) * coefficient + 3 * inherited)


def _largest_prime(n: int) -> int:
    factor, largest = 2, 1
    while n > 1:
        while n % factor == 0:
            n, largest = n // factor, factor
        factor += 1
    return largest
