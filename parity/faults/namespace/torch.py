"""PyTorch's array namespace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from parity.contracts.namespace import PLANE, Axes, Namespace, OfOne, Tensor


class TorchNamespace(Namespace):
    """The operations in PyTorch."""

    name = "torch"
    package = "ptycho_torch"

    def __init__(self) -> None:
        import torch

        self._torch = torch

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, self._torch.Tensor)

    def is_complex(self, x: Tensor) -> bool:
        return bool(x.is_complex())

    def shape(self, x: Tensor) -> list[Any]:
        return list(x.shape)

    def size(self, x: Tensor, axes: Axes | None = None) -> Tensor:
        sizes = x.shape if axes is None else [x.shape[axis] for axis in _as_tuple(axes)]
        return self.constant(self._torch.Size(sizes).numel(), x)

    def constant(self, value: float, like: Tensor) -> Tensor:
        return self._torch.tensor(value, dtype=like.real.dtype, device=like.device)

    def arange(self, size: Any, like: Tensor) -> Tensor:
        return self._torch.arange(size, dtype=like.real.dtype, device=like.device)

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        return x.to(getattr(self._torch, dtype))

    def cast_like(self, x: Tensor, like: Tensor) -> Tensor:
        return x.to(like.dtype)

    def detach(self, x: Tensor) -> Tensor:
        return x.detach()

    def passing_back(self, x: Tensor, change: OfOne) -> Tensor:
        passed = x.view_as(x)
        if passed.requires_grad:
            passed.register_hook(change)
        return passed

    def complex(self, real: Tensor, imag: Tensor) -> Tensor:
        return self._torch.complex(real, imag)

    def real(self, x: Tensor) -> Tensor:
        return x.real

    def imag(self, x: Tensor) -> Tensor:
        return x.imag

    def conj(self, x: Tensor) -> Tensor:
        return x.conj().resolve_conj()

    def abs(self, x: Tensor) -> Tensor:
        return x.abs()

    def angle(self, x: Tensor) -> Tensor:
        return x.angle()

    def sqrt(self, x: Tensor) -> Tensor:
        return x.sqrt()

    def square(self, x: Tensor) -> Tensor:
        return x.square()

    def exp(self, x: Tensor) -> Tensor:
        return x.exp()

    def log(self, x: Tensor) -> Tensor:
        return x.log()

    def xlogy(self, x: Tensor, y: Tensor) -> Tensor:
        return self._torch.xlogy(x, y)

    def log_gamma(self, x: Tensor) -> Tensor:
        return x.lgamma()

    def cos(self, x: Tensor) -> Tensor:
        return x.cos()

    def sin(self, x: Tensor) -> Tensor:
        return x.sin()

    def tanh(self, x: Tensor) -> Tensor:
        return x.tanh()

    def sigmoid(self, x: Tensor) -> Tensor:
        return x.sigmoid()

    def sign(self, x: Tensor) -> Tensor:
        return x.sgn()

    def floor(self, x: Tensor) -> Tensor:
        return x.floor()

    def round(self, x: Tensor) -> Tensor:
        return x.round()

    def minimum(self, x: Tensor, y: Any) -> Tensor:
        return self._torch.minimum(x, self._operand(y, x))

    def maximum(self, x: Tensor, y: Any) -> Tensor:
        return self._torch.maximum(x, self._operand(y, x))

    def where(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return self._torch.where(condition, x, y)

    def zeros_like(self, x: Tensor) -> Tensor:
        return self._torch.zeros_like(x)

    def ones_like(self, x: Tensor) -> Tensor:
        return self._torch.ones_like(x)

    def sum(self, x: Tensor, axes: Axes | None = None, keepdims: bool = False) -> Tensor:
        return x.sum(dim=axes, keepdim=keepdims)

    def mean(self, x: Tensor, axes: Axes | None = None, keepdims: bool = False) -> Tensor:
        return x.mean(dim=axes, keepdim=keepdims)

    def max(self, x: Tensor, axes: Axes | None = None, keepdims: bool = False) -> Tensor:
        return x.amax(dim=tuple(range(x.ndim)) if axes is None else axes, keepdim=keepdims)

    def sort(self, x: Tensor) -> Tensor:
        return x.sort(dim=-1).values

    def roll(self, x: Tensor, by: int, axis: int) -> Tensor:
        return x.roll(by, dims=axis)

    def flip(self, x: Tensor, axis: int) -> Tensor:
        return x.flip(axis)

    def transpose(self, x: Tensor, order: Sequence[int]) -> Tensor:
        return x.permute(*order)

    def reshape(self, x: Tensor, shape: Sequence[Any]) -> Tensor:
        return x.reshape(*shape)

    def broadcast_like(self, x: Tensor, like: Tensor) -> Tensor:
        return x.expand(like.shape)

    def take(self, x: Tensor, index: Tensor, axis: int) -> Tensor:
        return x.index_select(axis, index.long())

    def by_numpy(self, formula: Callable[..., Tensor], *arguments: Any) -> Tensor:
        return self._torch.from_numpy(formula(*(x.numpy(force=True) if self.is_tensor(x) else x for x in arguments)))

    def matmul(self, x: Tensor, y: Tensor) -> Tensor:
        return x @ y

    def concat(self, parts: Sequence[Tensor], axis: int) -> Tensor:
        return self._torch.cat(list(parts), dim=axis)

    def stack(self, parts: Sequence[Tensor], axis: int) -> Tensor:
        return self._torch.stack(list(parts), dim=axis)

    def fft2(self, x: Tensor) -> Tensor:
        return self._torch.fft.fft2(x)

    def ifft2(self, x: Tensor) -> Tensor:
        return self._torch.fft.ifft2(x)

    def fft(self, x: Tensor) -> Tensor:
        return self._torch.fft.fft(x)

    def fftshift(self, x: Tensor, axes: Axes = PLANE) -> Tensor:
        return self._torch.fft.fftshift(x, dim=axes)

    def ifftshift(self, x: Tensor, axes: Axes = PLANE) -> Tensor:
        return self._torch.fft.ifftshift(x, dim=axes)

    def _operand(self, y: Any, like: Tensor) -> Tensor:
        return y if self.is_tensor(y) else self.constant(y, like)


def _as_tuple(axes: Axes) -> tuple[int, ...]:
    return (axes,) if isinstance(axes, int) else axes
