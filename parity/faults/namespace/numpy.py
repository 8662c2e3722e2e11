"""NumPy's array namespace: the one in which a fault is made in the oracle.

Arrays are float64 or complex128, in canonical layout already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import special

from parity.contracts.namespace import PLANE, Axes, Namespace, OfOne, Tensor


class NumPyNamespace(Namespace):
    """The operations in NumPy. It has no gradients: what is detached is as it was."""

    name = "numpy"
    package = "parity.physics.oracle"

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, np.ndarray | np.generic)

    def is_complex(self, x: Tensor) -> bool:
        return bool(np.iscomplexobj(x))

    def shape(self, x: Tensor) -> list[Any]:
        return list(np.shape(x))

    def size(self, x: Tensor, axes: Axes | None = None) -> Tensor:
        return np.float64(np.size(x) if axes is None else np.size(x, axes))

    def constant(self, value: float, like: Tensor) -> Tensor:
        return np.float64(value)

    def arange(self, size: Any, like: Tensor) -> Tensor:
        return np.arange(size, dtype=np.float64)

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        """NumPy has no bfloat16: it is the upper half of a float32 here, cut off where the frameworks round."""
        if dtype != "bfloat16":
            return np.asarray(x).astype(dtype)
        return (np.asarray(x, np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)

    def cast_like(self, x: Tensor, like: Tensor) -> Tensor:
        return np.asarray(x).astype(np.asarray(like).dtype)

    def detach(self, x: Tensor) -> Tensor:
        return x

    def passing_back(self, x: Tensor, change: OfOne) -> Tensor:
        return x

    def complex(self, real: Tensor, imag: Tensor) -> Tensor:
        found = np.empty(np.broadcast_shapes(np.shape(real), np.shape(imag)), np.complex128)
        found.real, found.imag = real, imag  # a sum would make NaN of 1j·∞
        return found

    def real(self, x: Tensor) -> Tensor:
        return np.real(x)

    def imag(self, x: Tensor) -> Tensor:
        return np.imag(x)

    def conj(self, x: Tensor) -> Tensor:
        return np.conj(x)

    def abs(self, x: Tensor) -> Tensor:
        return np.abs(x)

    def angle(self, x: Tensor) -> Tensor:
        return np.angle(x)

    def sqrt(self, x: Tensor) -> Tensor:
        return np.sqrt(x)

    def square(self, x: Tensor) -> Tensor:
        return np.square(x)

    def exp(self, x: Tensor) -> Tensor:
        return np.exp(x)

    def log(self, x: Tensor) -> Tensor:
        return np.log(x)

    def xlogy(self, x: Tensor, y: Tensor) -> Tensor:
        return special.xlogy(x, y)

    def log_gamma(self, x: Tensor) -> Tensor:
        return special.gammaln(x)

    def cos(self, x: Tensor) -> Tensor:
        return np.cos(x)

    def sin(self, x: Tensor) -> Tensor:
        return np.sin(x)

    def tanh(self, x: Tensor) -> Tensor:
        return np.tanh(x)

    def sigmoid(self, x: Tensor) -> Tensor:
        return special.expit(x)

    def sign(self, x: Tensor) -> Tensor:
        return np.sign(x)

    def floor(self, x: Tensor) -> Tensor:
        return np.floor(x)

    def round(self, x: Tensor) -> Tensor:
        return np.round(x)

    def minimum(self, x: Tensor, y: Any) -> Tensor:
        return np.minimum(x, y)

    def maximum(self, x: Tensor, y: Any) -> Tensor:
        return np.maximum(x, y)

    def where(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return np.where(condition, x, y)

    def zeros_like(self, x: Tensor) -> Tensor:
        return np.zeros_like(x)

    def ones_like(self, x: Tensor) -> Tensor:
        return np.ones_like(x)

    def sum(self, x: Tensor, axes: Axes | None = None, keepdims: bool = False) -> Tensor:
        return np.sum(x, axis=axes, keepdims=keepdims)

    def mean(self, x: Tensor, axes: Axes | None = None, keepdims: bool = False) -> Tensor:
        return np.mean(x, axis=axes, keepdims=keepdims)

    def max(self, x: Tensor, axes: Axes | None = None, keepdims: bool = False) -> Tensor:
        return np.max(x, axis=axes, keepdims=keepdims)

    def sort(self, x: Tensor) -> Tensor:
        return np.sort(x, axis=-1)

    def roll(self, x: Tensor, by: int, axis: int) -> Tensor:
        return np.roll(x, by, axis)

    def flip(self, x: Tensor, axis: int) -> Tensor:
        return np.flip(x, axis)

    def transpose(self, x: Tensor, order: Sequence[int]) -> Tensor:
        return np.transpose(x, order)

    def reshape(self, x: Tensor, shape: Sequence[Any]) -> Tensor:
        return np.reshape(x, tuple(shape))

    def broadcast_like(self, x: Tensor, like: Tensor) -> Tensor:
        return np.broadcast_to(x, np.shape(like))

    def take(self, x: Tensor, index: Tensor, axis: int) -> Tensor:
        return np.take(x, np.asarray(index).astype(np.int64), axis)

    def by_numpy(self, formula: Callable[..., Tensor], *arguments: Any) -> Tensor:
        return formula(*arguments)

    def matmul(self, x: Tensor, y: Tensor) -> Tensor:
        return np.matmul(x, y)

    def concat(self, parts: Sequence[Tensor], axis: int) -> Tensor:
        return np.concatenate(list(parts), axis)

    def stack(self, parts: Sequence[Tensor], axis: int) -> Tensor:
        return np.stack(list(parts), axis)

    def fft2(self, x: Tensor) -> Tensor:
        return np.fft.fft2(x)

    def ifft2(self, x: Tensor) -> Tensor:
        return np.fft.ifft2(x)

    def fft(self, x: Tensor) -> Tensor:
        return np.fft.fft(x)

    def fftshift(self, x: Tensor, axes: Axes = PLANE) -> Tensor:
        return np.fft.fftshift(x, axes)

    def ifftshift(self, x: Tensor, axes: Axes = PLANE) -> Tensor:
        return np.fft.ifftshift(x, axes)
