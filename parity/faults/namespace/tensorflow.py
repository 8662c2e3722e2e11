"""TensorFlow's array namespace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from parity.contracts.namespace import PLANE, Axes, Namespace, OfOne, Tensor


class TensorFlowNamespace(Namespace):
    """The operations in TensorFlow; they serve eager tensors and those of a trace whose sizes are open."""

    name = "tensorflow"
    package = "ptycho"

    def __init__(self) -> None:
        import tensorflow

        self._tf = tensorflow

    def is_tensor(self, x: Any) -> bool:
        return bool(self._tf.is_tensor(x))

    def is_complex(self, x: Tensor) -> bool:
        return bool(x.dtype.is_complex)

    def shape(self, x: Tensor) -> list[Any]:
        open_sizes = self._tf.shape(x)
        return [open_sizes[axis] if size is None else size for axis, size in enumerate(x.shape)]

    def size(self, x: Tensor, axes: Axes | None = None) -> Tensor:
        sizes = self._tf.shape(x)
        if axes is not None:
            sizes = self._tf.gather(sizes, [axis % len(x.shape) for axis in _as_list(axes)])
        return self._tf.cast(self._tf.reduce_prod(sizes), x.dtype.real_dtype)

    def constant(self, value: float, like: Tensor) -> Tensor:
        return self._tf.constant(value, like.dtype.real_dtype)

    def arange(self, size: Any, like: Tensor) -> Tensor:
        return self._tf.cast(self._tf.range(size), like.dtype.real_dtype)

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        return self._tf.cast(x, dtype)

    def cast_like(self, x: Tensor, like: Tensor) -> Tensor:
        return self._tf.cast(x, like.dtype)

    def detach(self, x: Tensor) -> Tensor:
        return self._tf.stop_gradient(x)

    def passing_back(self, x: Tensor, change: OfOne) -> Tensor:
        passed = self._tf.custom_gradient(lambda x: (self._tf.identity(x), change))
        return passed(x)

    def complex(self, real: Tensor, imag: Tensor) -> Tensor:
        return self._tf.complex(real, imag)

    def real(self, x: Tensor) -> Tensor:
        return self._tf.math.real(x)

    def imag(self, x: Tensor) -> Tensor:
        return self._tf.math.imag(x)

    def conj(self, x: Tensor) -> Tensor:
        return self._tf.math.conj(x)

    def abs(self, x: Tensor) -> Tensor:
        return self._tf.abs(x)

    def angle(self, x: Tensor) -> Tensor:
        return self._tf.math.angle(x)

    def sqrt(self, x: Tensor) -> Tensor:
        return self._tf.sqrt(x)

    def square(self, x: Tensor) -> Tensor:
        return self._tf.square(x)

    def exp(self, x: Tensor) -> Tensor:
        return self._tf.exp(x)

    def log(self, x: Tensor) -> Tensor:
        return self._tf.math.log(x)

    def xlogy(self, x: Tensor, y: Tensor) -> Tensor:
        return self._tf.math.xlogy(x, y)

    def log_gamma(self, x: Tensor) -> Tensor:
        return self._tf.math.lgamma(x)

    def cos(self, x: Tensor) -> Tensor:
        return self._tf.cos(x)

    def sin(self, x: Tensor) -> Tensor:
        return self._tf.sin(x)

    def tanh(self, x: Tensor) -> Tensor:
        return self._tf.tanh(x)

    def sigmoid(self, x: Tensor) -> Tensor:
        return self._tf.sigmoid(x)

    def sign(self, x: Tensor) -> Tensor:
        return self._tf.sign(x)

    def floor(self, x: Tensor) -> Tensor:
        return self._tf.floor(x)

    def round(self, x: Tensor) -> Tensor:
        return self._tf.round(x)

    def minimum(self, x: Tensor, y: Any) -> Tensor:
        return self._tf.minimum(x, y)

    def maximum(self, x: Tensor, y: Any) -> Tensor:
        return self._tf.maximum(x, y)

    def where(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return self._tf.where(condition, x, y)

    def zeros_like(self, x: Tensor) -> Tensor:
        return self._tf.zeros_like(x)

    def ones_like(self, x: Tensor) -> Tensor:
        return self._tf.ones_like(x)

    def sum(self, x: Tensor, axes: Axes | None = None, keepdims: bool = False) -> Tensor:
        return self._tf.reduce_sum(x, axis=axes, keepdims=keepdims)

    def mean(self, x: Tensor, axes: Axes | None = None, keepdims: bool = False) -> Tensor:
        return self._tf.reduce_mean(x, axis=axes, keepdims=keepdims)

    def max(self, x: Tensor, axes: Axes | None = None, keepdims: bool = False) -> Tensor:
        return self._tf.reduce_max(x, axis=axes, keepdims=keepdims)

    def sort(self, x: Tensor) -> Tensor:
        return self._tf.sort(x, axis=-1)

    def roll(self, x: Tensor, by: int, axis: int) -> Tensor:
        return self._tf.roll(x, by, axis)

    def flip(self, x: Tensor, axis: int) -> Tensor:
        return self._tf.reverse(x, [axis % len(x.shape)])

    def transpose(self, x: Tensor, order: Sequence[int]) -> Tensor:
        return self._tf.transpose(x, list(order))

    def reshape(self, x: Tensor, shape: Sequence[Any]) -> Tensor:
        return self._tf.reshape(x, list(shape))

    def broadcast_like(self, x: Tensor, like: Tensor) -> Tensor:
        return self._tf.broadcast_to(x, self._tf.shape(like))

    def take(self, x: Tensor, index: Tensor, axis: int) -> Tensor:
        return self._tf.gather(x, self._tf.cast(index, self._tf.int32), axis=axis)

    def by_numpy(self, formula: Callable[..., Tensor], *arguments: Any) -> Tensor:
        return self._tf.numpy_function(formula, arguments, self._tf.int64)

    def matmul(self, x: Tensor, y: Tensor) -> Tensor:
        return self._tf.matmul(x, y)

    def concat(self, parts: Sequence[Tensor], axis: int) -> Tensor:
        return self._tf.concat(list(parts), axis)

    def stack(self, parts: Sequence[Tensor], axis: int) -> Tensor:
        return self._tf.stack(list(parts), axis)

    def fft2(self, x: Tensor) -> Tensor:
        return self._tf.signal.fft2d(x)

    def ifft2(self, x: Tensor) -> Tensor:
        return self._tf.signal.ifft2d(x)

    def fft(self, x: Tensor) -> Tensor:
        return self._tf.signal.fft(x)

    def fftshift(self, x: Tensor, axes: Axes = PLANE) -> Tensor:
        return self._tf.signal.fftshift(x, axes=_as_list(axes))

    def ifftshift(self, x: Tensor, axes: Axes = PLANE) -> Tensor:
        return self._tf.signal.ifftshift(x, axes=_as_list(axes))


def _as_list(axes: Axes) -> list[int]:
    return [axes] if isinstance(axes, int) else list(axes)
