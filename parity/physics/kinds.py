"""What a tensor is: its unit, its canonical layout, and how each framework lays it out.

A kind is a fact about physics, not about a framework. The adapters in `parity.stacks` read the layout from
here and are the only code that transposes; `Kind.check` is the border where wrong arrays are turned away.
To add a kind, add a constant below: its axes name themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Numbers(StrEnum):
    """The numbers a kind is made of."""

    REAL = "real"
    COMPLEX = "complex"
    INTEGER = "integer"
    FLAG = "flag"
    CHOICE = "choice"
    NUMBER = "number"
    REAL_OR_INTEGER = "real or integer"

    def admits(self, dtype: np.dtype[Any]) -> bool:
        return any(np.issubdtype(dtype, family) for family in _DTYPES[self])


_DTYPES: Mapping[Numbers, tuple[type[np.generic], ...]] = {
    Numbers.REAL: (np.floating,),
    Numbers.COMPLEX: (np.complexfloating,),
    Numbers.INTEGER: (np.integer,),
    Numbers.FLAG: (np.bool_,),
    Numbers.CHOICE: (np.str_,),
    Numbers.NUMBER: (np.float64,),
    Numbers.REAL_OR_INTEGER: (np.floating, np.integer),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of tensor.

    `axes` names the canonical axes in order: B groups, C patches, P probe modes, H rows, W columns. Arguments of one
    contract have the same size along axes of the same name; axes in lower case are an argument's own. `layouts` gives
    the order of the same axes where a framework's differs, with a 1 wherever it has an axis of size one beside them.
    `static` marks what is an argument of the computation rather than data in it (sizes, hyperparameters, flags,
    choices): it has no precision and no gradient. What is `constant` besides is part of the code: a function is traced
    for each value.
    """

    name: str
    unit: str
    axes: str
    numbers: Numbers = Numbers.REAL
    nonnegative: bool = False
    layouts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def static(self) -> bool:
        return self.numbers in (Numbers.INTEGER, Numbers.NUMBER) or self.constant

    @property
    def constant(self) -> bool:
        return self.numbers in (Numbers.FLAG, Numbers.CHOICE)

    def to_framework(self, framework: str, array: NDArray[Any]) -> NDArray[Any]:
        """A canonical array, laid out as `framework` wants it."""
        layout = self.layouts.get(framework, self.axes)
        moved = array.transpose([self.axes.index(axis) for axis in layout if axis != UNIT_AXIS])
        return np.expand_dims(moved, _unit_axes(layout))

    def from_framework(self, framework: str, array: NDArray[Any]) -> NDArray[Any]:
        """An array as `framework` laid it out, in canonical layout."""
        layout = self.layouts.get(framework, self.axes)
        squeezed = np.squeeze(array, _unit_axes(layout))
        return squeezed.transpose([layout.replace(UNIT_AXIS, "").index(axis) for axis in self.axes])

    def is_laid_out(self, framework: str, array: NDArray[Any]) -> bool:
        """Whether an array has the rank, and the axes of size one, of this kind in `framework`."""
        layout = self.layouts.get(framework, self.axes)
        return array.ndim == len(layout) and all(array.shape[axis] == 1 for axis in _unit_axes(layout))

    def check(self, argument: str, array: NDArray[Any]) -> None:
        """Refuse an array that cannot be of this kind.

        Raises TypeError for the wrong numbers, ValueError for the wrong rank, an axis without an element, NaN,
        infinities or negative values where the unit has none; each names the argument, what was expected and what came.
        """
        if not self.numbers.admits(array.dtype):
            hint = (
                "; integers look like counts: give the amplitude, their square root"
                if self.unit == AMPLITUDE_UNIT and np.issubdtype(array.dtype, np.integer)
                else ""
            )
            raise TypeError(f"{argument}: expected {self.numbers} {self.name}, got {array.dtype}{hint}")
        if array.ndim != len(self.axes):
            raise ValueError(f"{argument}: expected {self.name} {self.shape_words}, got shape {array.shape}")
        if not array.size:
            expected = f"at least one element along each of {self.shape_words}"
            raise ValueError(f"{argument}: expected {expected}, got shape {array.shape}")
        if self.static:
            return
        if not np.isfinite(array).all():
            index = _first(~np.isfinite(array))
            raise ValueError(f"{argument}: expected finite {self.name}, got {array[index]} at {index}")
        if self.nonnegative and (array < 0).any():
            index = _first(array < 0)
            raise ValueError(f"{argument}: expected non-negative {self.name}, got {array[index]:.6g} at {index}")

    @property
    def shape_words(self) -> str:
        """The canonical axes as a reader writes them: `(B, C, H, W)`."""
        return f"({', '.join(self.axes)}{',' if len(self.axes) == 1 else ''})"


def _unit_axes(layout: str) -> tuple[int, ...]:
    return tuple(place for place, axis in enumerate(layout) if axis == UNIT_AXIS)


def _first(condition: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(condition)[0])


UNIT_AXIS = "1"

AMPLITUDE_UNIT = "√photons / pixel"
_PATCHES = MappingProxyType({"tensorflow": "BHWC"})
_MODES = MappingProxyType({"tensorflow": "HWP"})
_WAVES = MappingProxyType({"tensorflow": "BHWCP"})
_CANVAS = MappingProxyType({"tensorflow": "BYX1"})
_POSITIONS = MappingProxyType({"tensorflow": "B1DC"})
_FLAT = MappingProxyType({"tensorflow": "AHW1"})

AMPLITUDE = Kind("amplitude", AMPLITUDE_UNIT, "BCHW", nonnegative=True, layouts=_PATCHES)
PHASE = Kind("phase", "radians", "BCHW", layouts=_PATCHES)
OBJECT = Kind("object patches", "1", "BCHW", Numbers.COMPLEX, layouts=_PATCHES)
PROBE = Kind("probe", "√photons", "PHW", Numbers.COMPLEX, layouts=_MODES)
SINGLE_MODE = Kind(
    "probe of one mode",
    "√photons",
    "SHW",
    Numbers.COMPLEX,
    layouts=MappingProxyType({"tensorflow": "HWS"}),
)
CANVAS = Kind("canvas", "1", "BYX", Numbers.COMPLEX, layouts=_CANVAS)
FLAT = Kind("object patches in a row", "1", "AHW", Numbers.COMPLEX, layouts=_FLAT)
GRID = Kind("object patches on their grid", "1", "BGgHW", Numbers.COMPLEX)
POSITIONS = Kind("positions", "pixels, [x = column, y = row]", "BCD", layouts=_POSITIONS)
EXIT_WAVES = Kind("exit waves", "√photons", "BCPHW", Numbers.COMPLEX, layouts=_WAVES)
WEIGHT = Kind("weight", "1", "HW", nonnegative=True)
READING = Kind("detector reading", AMPLITUDE_UNIT, "BCHW", Numbers.REAL_OR_INTEGER, nonnegative=True, layouts=_PATCHES)
PER_PATTERN = Kind("photon count of each pattern", "photons", "BC", nonnegative=True)
PER_GROUP = Kind("value of each group", "1", "B")
MODE_POWERS = Kind("mode powers", "1", "P", nonnegative=True)
SCALAR = Kind("scalar", "1", "")
LENGTH = Kind("length", "pixels", "", nonnegative=True)
ANGLE = Kind("angle", "radians", "")
PHOTONS = Kind("photon count", "photons", "", nonnegative=True)
SIZE = Kind("size", "pixels", "", Numbers.INTEGER)
COUNT = Kind("count", "1", "", Numbers.INTEGER)
FLAG = Kind("flag", "", "", Numbers.FLAG)
CHOICE = Kind("choice", "", "", Numbers.CHOICE)
FEATURES = Kind("features", "1", "BFHW", layouts=MappingProxyType({"tensorflow": "BHWF"}))
KERNEL = Kind("kernel", "1", "oikl", layouts=MappingProxyType({"tensorflow": "klio"}))
SPECTRAL_WEIGHTS = Kind(
    "spectral weights", "1", "iokl", Numbers.COMPLEX, layouts=MappingProxyType({"tensorflow": "klio"})
)
BIAS = Kind("bias", "1", "o")
PARAMETERS = Kind("parameters", "1", "N")
MOMENT = Kind("moment of the gradient", "1", "N")
SECOND_MOMENT = Kind("second moment of the gradient", "1", "N", nonnegative=True)
HYPERPARAMETER = Kind("hyperparameter", "1", "", Numbers.NUMBER)
INTENSITY = Kind("intensity", "photons / pixel", "BCHW", nonnegative=True, layouts=_PATCHES)
SCAN = Kind("scan", "pixels, [x = column, y = row]", "AD")
RECORD = Kind("readings of a scan", AMPLITUDE_UNIT, "AHW", Numbers.REAL_OR_INTEGER, nonnegative=True)
GROUPS = Kind("numbers of exposures", "1", "BC", Numbers.INTEGER)
COUNTS = Kind("counts", "photons / pixel", "BCHW", nonnegative=True, layouts=_PATCHES)
