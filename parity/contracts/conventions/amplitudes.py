"""What an argument or a result is handed over as instead: another function of it, and what that does to gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from parity.physics.oracle.bounded import Array, Bounded
from parity.physics.oracle.operations import sqrt, square, values, where


class Handed(Protocol):
    """From what is handed over to the contract's own, and back."""

    def given(self, own: NDArray[Any]) -> NDArray[Any]:
        """What is handed over of an argument, not rounded yet."""
        ...

    def own(self, handed: Array) -> Any:
        """The contract's argument, of what was handed over."""
        ...

    def slope(self, gradient: Array, handed: Array) -> Any:
        """The gradient with respect to what was handed over, of that of the contract's argument."""
        ...

    def returned(self, own: Array) -> Any:
        """What a stack returns for the contract's result."""
        ...

    def pulled(self, cotangent: Array, own: Array) -> Any:
        """The cotangent of the contract's result, of that of what a stack returns."""
        ...

    def dark(self, handed: NDArray[Any]) -> NDArray[np.bool_]:
        """Where no gradient exists."""
        ...

    @property
    def tells(self) -> bool:
        """Whether what comes back is nothing but the contract's result in another unit."""
        ...

    def recovered(self, returned: NDArray[Any]) -> NDArray[Any]:
        """That result."""
        ...


@dataclass(frozen=True, slots=True)
class Lifted:
    """An amplitude, or with `intensity` its square, after small numbers were added to it and to its square.

    As an argument: √(x² + on_intensity) + on_amplitude is what the contract means by it.
    """

    intensity: bool = False
    on_amplitude: float = 0.0
    on_intensity: float = 0.0

    def given(self, own: NDArray[Any]) -> NDArray[Any]:
        if not self.intensity:
            return own
        return np.square(own.astype(np.int64) if np.issubdtype(own.dtype, np.integer) else own)

    def own(self, handed: Array) -> Any:
        return _plus(self._root(handed) if self._has_root else handed, self.on_amplitude)

    def slope(self, gradient: Array, handed: Array) -> Any:
        if not self._has_root:
            return gradient
        root = self._root(handed)
        dark = values(root) == 0
        lit = where(dark, 1.0, root)
        return where(dark, 0.0, gradient / (2 * lit) if self.intensity else gradient * (handed / lit))

    def returned(self, own: Array) -> Any:
        if self.intensity:
            return _plus(square(_plus(own, self.on_amplitude)), self.on_intensity)
        return _plus(self._root(own) if self.on_intensity else own, self.on_amplitude)

    def pulled(self, cotangent: Array, own: Array) -> Any:
        if self.intensity:
            return cotangent * (2 * _plus(own, self.on_amplitude))
        return cotangent * (own / self._root(own)) if self.on_intensity else cotangent

    def dark(self, handed: NDArray[Any]) -> NDArray[np.bool_]:
        return (handed == 0) & bool(self.intensity and not self.on_intensity)

    @property
    def tells(self) -> bool:
        return not self.on_amplitude and not self.on_intensity

    def recovered(self, returned: NDArray[Any]) -> NDArray[Any]:
        return np.sqrt(np.maximum(returned, 0)) if self.intensity else returned

    @property
    def _has_root(self) -> bool:
        return self.intensity or self.on_intensity > 0

    def _root(self, handed: Array) -> Any:
        return sqrt(_plus(handed if self.intensity else square(handed), self.on_intensity))


@dataclass(frozen=True, slots=True)
class Times:
    """A length in another unit: its number is `factor` times the contract's."""

    factor: float

    def given(self, own: NDArray[Any]) -> NDArray[Any]:
        return own * self.factor

    def own(self, handed: Array) -> Any:
        return _over(handed, self.factor)

    def slope(self, gradient: Array, handed: Array) -> Any:
        return _over(gradient, self.factor)

    def returned(self, own: Array) -> Any:
        return _over(own, 1 / self.factor)

    def pulled(self, cotangent: Array, own: Array) -> Any:
        return _over(cotangent, 1 / self.factor)

    def dark(self, handed: NDArray[Any]) -> NDArray[np.bool_]:
        return np.zeros(handed.shape, np.bool_)

    @property
    def tells(self) -> bool:
        return True

    def recovered(self, returned: NDArray[Any]) -> NDArray[Any]:
        return returned / returned.dtype.type(self.factor)


def _plus(x: Array, addend: float) -> Any:
    return x + addend if addend else x


def _over(x: Array, factor: float) -> Any:
    """x / factor, without a rounding if the factor is a power of two."""
    if isinstance(x, Bounded) and abs(math.frexp(factor)[0]) == 0.5:
        return x.derive(x.value / factor, x.error / abs(factor))
    return x / factor
