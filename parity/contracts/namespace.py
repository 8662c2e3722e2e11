"""The array namespace that faults are written on: one name for each operation, in either framework and in NumPy.

A fault is written once: the mathematics that it changes is the same in both stacks and in the oracle, and axes are
counted as the kinds have them. To add an operation, add it here and to the three
namespaces in `parity/faults/namespace/`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from parity.physics.kinds import UNIT_AXIS, Kind

Tensor = Any
"""A tensor of either framework, or a NumPy array."""

OfOne = Callable[[Tensor], Tensor]
"""From one tensor to another of the same namespace."""

Axes = int | tuple[int, ...]

PLANE = (-2, -1)
"""The axes of a frame, rows and columns, of whatever has one."""

GROUP = (1, 2, 3)
"""The axes that lie within a group of (B, C, H, W)."""


class Namespace(ABC):
    """The operations of one framework, or of NumPy. Each takes tensors first and returns one of the same precision."""

    name: str
    package: str

    def canonical(self, kind: Kind, x: Tensor) -> Tensor:
        """What the stack was given or returned, in canonical layout; as it is where it is not laid out as its kind."""
        layout = kind.layouts.get(self.name, kind.axes)
        if kind.static or not self.is_tensor(x) or len(x.shape) != len(layout) or layout == kind.axes:
            return x
        kept = [axis for axis in layout if axis != UNIT_AXIS]
        squeezed = self.reshape(x, self._sizes(x, [place for place, axis in enumerate(layout) if axis != UNIT_AXIS]))
        return self.transpose(squeezed, [kept.index(axis) for axis in kind.axes])

    def laid_out(self, kind: Kind, x: Tensor) -> Tensor:
        """The inverse of `canonical`."""
        layout = kind.layouts.get(self.name, kind.axes)
        if kind.static or not self.is_tensor(x) or len(x.shape) != len(kind.axes) or layout == kind.axes:
            return x
        moved = self.transpose(x, [kind.axes.index(axis) for axis in layout if axis != UNIT_AXIS])
        sizes = iter(self._sizes(moved, range(len(kind.axes))))
        return self.reshape(moved, [1 if axis == UNIT_AXIS else next(sizes) for axis in layout])

    def _sizes(self, x: Tensor, axes: Sequence[int]) -> list[Any]:
        shape = self.shape(x)
        return [shape[axis] for axis in axes]

    def scaled(self, x: Tensor, factor: Tensor) -> Tensor:
        """x, real or complex, times a real factor."""
        if not self.is_complex(x):
            return x * factor
        return self.complex(self.real(x) * factor, self.imag(x) * factor)

    def through(self, x: Tensor, dtype: str) -> Tensor:
        """x, part by part, rounded to another dtype and back: what an intermediate of that dtype leaves of it."""
        if self.is_complex(x):
            return self.complex(self.through(self.real(x), dtype), self.through(self.imag(x), dtype))
        return self.cast_like(self.cast(x, dtype), x)

    def gain(self, x: Tensor, relative: float) -> Tensor:
        """x·(1 + relative), the factor rounded to the precision of x alone."""
        return self.scaled(x, self.constant(1 + relative, x))

    @abstractmethod
    def is_tensor(self, x: Any) -> bool: ...
    @abstractmethod
    def is_complex(self, x: Tensor) -> bool: ...
    @abstractmethod
    def shape(self, x: Tensor) -> list[Any]:
        """Sizes along all axes: integers, or scalars where a trace leaves them open."""

    @abstractmethod
    def size(self, x: Tensor, axes: Axes | None = None) -> Tensor:
        """The number of elements, in all or along some axes: real, in the precision of x."""

    @abstractmethod
    def constant(self, value: float, like: Tensor) -> Tensor:
        """A real scalar in the precision of `like`."""

    @abstractmethod
    def arange(self, size: Any, like: Tensor) -> Tensor:
        """0, 1, 2, … below `size`, real, in the precision of `like`."""

    @abstractmethod
    def cast(self, x: Tensor, dtype: str) -> Tensor: ...
    @abstractmethod
    def cast_like(self, x: Tensor, like: Tensor) -> Tensor: ...
    @abstractmethod
    def detach(self, x: Tensor) -> Tensor:
        """x, through which no gradient passes."""

    @abstractmethod
    def passing_back(self, x: Tensor, change: OfOne) -> Tensor:
        """x, whose gradient is `change` of what it should be."""

    @abstractmethod
    def complex(self, real: Tensor, imag: Tensor) -> Tensor: ...
    @abstractmethod
    def real(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def imag(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def conj(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def abs(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def angle(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def sqrt(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def square(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def exp(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def log(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def xlogy(self, x: Tensor, y: Tensor) -> Tensor: ...
    @abstractmethod
    def log_gamma(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def cos(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def sin(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def tanh(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def sigmoid(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def sign(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def floor(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def round(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def minimum(self, x: Tensor, y: Any) -> Tensor: ...
    @abstractmethod
    def maximum(self, x: Tensor, y: Any) -> Tensor: ...
    @abstractmethod
    def where(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Elementwise choice; x and y are tensors of one dtype."""

    @abstractmethod
    def zeros_like(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def ones_like(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def sum(self, x: Tensor, axes: Axes | None = None, keepdims: bool = False) -> Tensor: ...
    @abstractmethod
    def mean(self, x: Tensor, axes: Axes | None = None, keepdims: bool = False) -> Tensor: ...
    @abstractmethod
    def max(self, x: Tensor, axes: Axes | None = None, keepdims: bool = False) -> Tensor: ...
    @abstractmethod
    def sort(self, x: Tensor) -> Tensor:
        """x in ascending order along its last axis; real."""

    @abstractmethod
    def roll(self, x: Tensor, by: int, axis: int) -> Tensor: ...
    @abstractmethod
    def flip(self, x: Tensor, axis: int) -> Tensor: ...
    @abstractmethod
    def transpose(self, x: Tensor, order: Sequence[int]) -> Tensor:
        """All axes in another order."""

    @abstractmethod
    def reshape(self, x: Tensor, shape: Sequence[Any]) -> Tensor: ...
    @abstractmethod
    def broadcast_like(self, x: Tensor, like: Tensor) -> Tensor:
        """x, repeated to the shape of `like`."""

    @abstractmethod
    def take(self, x: Tensor, index: Tensor, axis: int) -> Tensor:
        """The elements of an axis at the places `index`, (n,), whole numbers of any dtype."""

    @abstractmethod
    def by_numpy(self, formula: Callable[..., Tensor], *arguments: Any) -> Tensor:
        """The int64 that a function of NumPy arrays and numbers returns; a trace does not know their shape."""

    @abstractmethod
    def matmul(self, x: Tensor, y: Tensor) -> Tensor:
        """The products of matrices in the last two axes."""

    @abstractmethod
    def concat(self, parts: Sequence[Tensor], axis: int) -> Tensor: ...
    @abstractmethod
    def stack(self, parts: Sequence[Tensor], axis: int) -> Tensor: ...
    @abstractmethod
    def fft2(self, x: Tensor) -> Tensor:
        """The unnormalised transform over the last two axes."""

    @abstractmethod
    def ifft2(self, x: Tensor) -> Tensor:
        """Its inverse, with all of 1/HW."""

    @abstractmethod
    def fft(self, x: Tensor) -> Tensor:
        """The unnormalised transform over the last axis."""

    @abstractmethod
    def fftshift(self, x: Tensor, axes: Axes = PLANE) -> Tensor: ...
    @abstractmethod
    def ifftshift(self, x: Tensor, axes: Axes = PLANE) -> Tensor: ...

    def swapped(self, x: Tensor, one: int, other: int) -> Tensor:
        """Two axes in each other's place."""
        order = list(range(len(x.shape)))
        order[one], order[other] = order[other], order[one]
        return self.transpose(x, order)
