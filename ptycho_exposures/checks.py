"""Validation of NumPy arrays, and the sentence in which the whole project words a refusal.

A wrong type raises TypeError, a wrong shape or value ValueError. The checks of tensors are in each stack's `checks`.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def refusal(name: str, expected: str, got: object) -> str:
    """The one sentence in which every refusal is worded."""
    return f"{name}: expected {expected}, got {got}"


def printable(text: str) -> str:
    """Text with what no terminal can show, or would obey, escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def require_floating(name: str, array: NDArray[Any]) -> None:
    """Refuse anything but float32 and float64."""
    if array.dtype not in (np.float32, np.float64):
        hint = "; integers look like counts: give their square root" if array.dtype.kind in "iu" else ""
        raise TypeError(refusal(name, "float32 or float64", f"{array.dtype}{hint}"))


def require_complex(name: str, array: NDArray[Any]) -> None:
    """Refuse an array that is not complex."""
    if array.dtype.kind != "c":
        raise TypeError(refusal(name, "a complex array", array.dtype))


def require_layout(name: str, array: NDArray[Any], layout: str) -> None:
    """Refuse an array with another number of axes than a layout such as `(B, H, W, C)`."""
    if array.ndim != layout.count(",") + 1:
        raise ValueError(refusal(name, f"shape {layout}", array.shape))


def require_same_shape(name: str, shape: tuple[int, ...], other: str, other_shape: tuple[int, ...]) -> None:
    """Refuse a shape that is not the one of the argument `other`."""
    if shape != other_shape:
        raise ValueError(refusal(name, f"the shape of {other}, {other_shape}", shape))


def require_amplitude(name: str, amplitude: NDArray[Any]) -> None:
    """Refuse values that are not finite or negative."""
    require_finite(name, amplitude)
    require_values(name, amplitude, valid=amplitude >= 0, expected="a non-negative amplitude")


def require_finite(name: str, array: NDArray[Any]) -> None:
    """Refuse NaN and infinity."""
    require_values(name, array, valid=np.isfinite(array), expected="finite values")


def require_values(name: str, array: NDArray[Any], *, valid: NDArray[np.bool_], expected: str) -> None:
    """Refuse an array with an entry that is not valid, naming the first one."""
    if not valid.all():
        raise ValueError(refusal(name, expected, first_invalid(array, valid)))


def require_positive(name: str, value: float) -> None:
    """Refuse a number that is not positive and finite."""
    if not (math.isfinite(value) and value > 0):
        raise ValueError(refusal(name, "a positive finite number", value))


def first_invalid(array: NDArray[Any], valid: NDArray[np.bool_]) -> str:
    """The first entry that is not valid, and its place, as a refusal names them."""
    place = tuple(int(i) for i in np.argwhere(~valid)[0])
    return f"{array[place]} at {place}"
