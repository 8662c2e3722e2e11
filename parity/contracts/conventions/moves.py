"""What is handed over in another order or with another sign: exact, so that no bound and no law knows of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.physics.kinds import Kind

_PLANES = ("HW", "YX")


class Move(StrEnum):
    """What a stack has of an argument or a result instead."""

    CORNER = "corner"
    ROW_COLUMN = "row_column"
    NEGATED = "negated"

    @property
    def words(self) -> str:
        return _WORDS[self]

    def suits(self, kind: Kind) -> bool:
        """Whether a tensor of this kind can be moved so."""
        if self is Move.CORNER:
            return any(plane in kind.axes for plane in _PLANES)
        return "D" in kind.axes or (self is Move.NEGATED and not kind.static and not kind.nonnegative)

    def to_stack(self, kind: Kind, own: NDArray[Any]) -> NDArray[Any]:
        """What the stack has of it; an array of another rank as it is."""
        return self._moved(kind, own, np.fft.ifftshift)

    def from_stack(self, kind: Kind, handed: NDArray[Any]) -> NDArray[Any]:
        """The inverse."""
        return self._moved(kind, handed, np.fft.fftshift)

    def _moved(self, kind: Kind, array: NDArray[Any], shift: Any) -> NDArray[Any]:
        if array.ndim != len(kind.axes):
            return array
        if self is Move.NEGATED:
            return -array
        if self is Move.ROW_COLUMN:
            return np.flip(array, kind.axes.index("D"))
        plane = next(plane for plane in _PLANES if plane in kind.axes)
        return np.asarray(shift(array, axes=[kind.axes.index(axis) for axis in plane]))


_WORDS = {
    Move.CORNER: "with its middle in the corner",
    Move.ROW_COLUMN: "as [row, column]",
    Move.NEGATED: "with the other sign",
}
