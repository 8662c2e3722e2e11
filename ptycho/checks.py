"""Validation where data enter the TensorFlow stack.

Every refusal is one sentence, "<argument>: expected <what>, got <what>". A wrong type or precision
raises TypeError, a wrong shape or value ValueError. What a traced function cannot know before it runs
is asserted in its graph and raises tf.errors.InvalidArgumentError. Physics is not here; a check that
only one function needs stays beside that function. A new argument of the stack gets a row in `LAYOUT`.
"""

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any, TypeAlias

import tensorflow as tf

from ptycho_exposures.checks import refusal

Scalar: TypeAlias = float | tf.Tensor

# B groups, H rows, W columns, C patches in a group, P probe modes; A patches of all groups, Y rows and X columns of
# a canvas, G patches a side of a group; F filters before and O behind a layer, K row and L column frequencies. A digit
# is an axis of that size.
LAYOUT: Mapping[str, str] = {
    "amplitude": "BHWC",
    "phase": "BHWC",
    "predicted": "BHWC",
    "observed": "BHWC",
    "patches": "BHWC",
    "target": "BHWC",
    "probe": "HWP",
    "exit_waves": "BHWCP",
    "powers": "P",
    "log_scale": "",
    "positions": "B12C",
    "canvas": "BYX1",
    "weight": "HW",
    "flat": "AHW1",
    "diffraction": "AHW",
    "scan": "A2",
    "grid": "BGGHW",
    "images": "BHWC",
    "features": "BHWF",
    "weights": "KLFO",
    "parameters": "D",
    "gradient": "D",
    "velocity": "D",
    "first_moment": "D",
    "second_moment": "D",
    "intensity": "BHWC",
}

_REAL = (tf.float32, tf.float64)
_COMPLEX = (tf.complex64, tf.complex128)
_INTEGER = (tf.uint8, tf.uint16, tf.uint32, tf.uint64, tf.int8, tf.int16, tf.int32, tf.int64)


def require_real(name: str, tensor: tf.Tensor) -> None:
    """Refuse anything but a real tensor in a working precision and the layout of the argument `name`."""
    _require_dtype(name, tensor, _REAL, "float32 or float64")
    _require_rank(name, tensor)


def require_complex(name: str, tensor: tf.Tensor) -> None:
    """Refuse anything but a complex tensor in a working precision and the layout of the argument `name`."""
    _require_dtype(name, tensor, _COMPLEX, "complex64 or complex128")
    _require_rank(name, tensor)


def require_reading(name: str, tensor: tf.Tensor) -> None:
    """Refuse what is neither an amplitude nor a detector's integers, which the caller widens before use."""
    _require_dtype(name, tensor, _REAL + _INTEGER, "float32, float64 or integers")
    _require_rank(name, tensor)


def require_amplitude(name: str, tensor: tf.Tensor) -> None:
    """Refuse what cannot be an amplitude by its type and shape alone."""
    if tf.is_tensor(tensor) and tensor.dtype in _INTEGER:
        got = f"{_show(tensor.dtype)} (integers look like counts: take the square root)"
        raise TypeError(refusal(name, "an amplitude (float32 or float64)", got))
    require_real(name, tensor)


def require_amplitude_values(name: str, tensor: tf.Tensor) -> None:
    """Refuse an amplitude that is negative or not finite, naming the first such pixel.

    Costs one reduction when all is well. A traced function asserts it in its graph, XLA drops the
    assertion.
    """
    require_amplitude(name, tensor)
    valid = (tensor >= 0) & (tensor < math.inf)
    all_valid = tf.reduce_all(valid)
    expected = "a finite, non-negative amplitude"
    if not tf.executing_eagerly():
        message = refusal(name, expected, "a negative, infinite or NaN pixel")
        assert_in_graph(all_valid, message)
    elif not all_valid:
        place = tuple(tf.where(~valid)[0].numpy().tolist())
        raise ValueError(refusal(name, expected, f"{tensor[place].numpy():.9g} at {place}"))


def require_agreement(name: str, tensor: tf.Tensor, reference_name: str, reference: tf.Tensor) -> None:
    """Refuse `tensor` unless its precision and its sizes along shared axes are those of `reference`."""
    require_same_precision(name, tensor, reference_name, reference)
    axes = [axis for axis in LAYOUT[name] if axis in LAYOUT[reference_name] and not axis.isdigit()]
    sizes, wanted = _static_sizes(name, tensor, axes), _static_sizes(reference_name, reference, axes)
    if not tf.TensorShape(sizes).is_compatible_with(wanted):
        expected = f"{_group(axes)} = {_group(wanted)} as in {reference_name}"
        raise ValueError(refusal(name, expected, _group(sizes)))
    if None in sizes + wanted:
        message = refusal(name, f"{_group(axes)} as in {reference_name}", "other sizes")
        same = tf.equal(_sizes(name, tensor, axes), _sizes(reference_name, reference, axes))
        assert_in_graph(tf.reduce_all(same), message)


def require_same_precision(name: str, tensor: tf.Tensor, reference_name: str, reference: tf.Tensor) -> None:
    """Refuse to mix single and double precision: neither promoting nor rounding silently is wanted."""
    if tensor.dtype.real_dtype != reference.dtype.real_dtype:
        expected = f"the precision of {reference_name} ({_show(reference.dtype)})"
        raise TypeError(refusal(name, expected, _show(tensor.dtype)))


def require_mode_count(name: str, tensor: tf.Tensor, most: int) -> None:
    """Refuse a tensor whose mode axis holds more than `most` modes."""
    (count,) = _static_sizes(name, tensor, "P")
    if count is None:
        sizes = _sizes(name, tensor, "P")
        message = refusal(name, _modes(most), "another number")
        assert_in_graph(tf.reduce_all(sizes <= most), message)
    elif count > most:
        raise ValueError(refusal(name, _modes(most), str(count)))


def require_size(name: str, size: int | tf.Tensor, least: int = 1) -> None:
    """Refuse what is not a whole number of pixels, `least` or more."""
    if tf.is_tensor(size):
        _require_dtype(name, size, _INTEGER, "a whole number")
    elif not isinstance(size, Integral):
        raise TypeError(refusal(name, "a whole number", repr(size)))
    require_that(size >= least, name, _at_least(least), size)


def require_filled(name: str, tensor: tf.Tensor, axes: str) -> None:
    """Refuse a tensor without an element: no mean and no maximum is defined of none."""
    known = tensor.shape.num_elements()
    filled = tf.size(tensor) > 0 if known is None else known > 0
    require_that(filled, name, f"at least one element along each of {axes}", f"shape {tensor.shape}")


def require_finite(name: str, value: Scalar, expected: str = "a finite number") -> None:
    """Refuse NaN and infinity."""
    finite = tf.math.is_finite(value) if tf.is_tensor(value) else math.isfinite(value)
    require_that(finite, name, expected, value)


def require_that(condition: bool | tf.Tensor, name: str, expected: str, got: object) -> None:
    """Refuse unless the condition, a truth value or a scalar of truth, holds: now, or when the graph runs."""
    known = tf.get_static_value(condition) if tf.is_tensor(condition) else condition
    if known is None:
        assert_in_graph(condition, refusal(name, expected, "another"))
    elif not known:
        raise ValueError(refusal(name, expected, str(tf.get_static_value(got) if tf.is_tensor(got) else got)))


def assert_in_graph(condition: tf.Tensor, message: str) -> None:
    """Have the graph raise tf.errors.InvalidArgumentError with the message unless the condition, a scalar, holds.

    The bare operation: tf.debugging puts each assertion into a conditional of its own, and where every
    dimension is open those take longer to trace than what they guard.
    """
    tf.raw_ops.Assert(condition=condition, data=[message])


def as_scalars(named: Mapping[str, Scalar], like: tf.Tensor | None = None) -> list[tf.Tensor]:
    """The named numbers as scalar tensors of one precision, in the order given.

    The precision is that of `like`, else of the first tensor among the values, else TensorFlow's
    default (float32). Python numbers take it; a tensor of another precision raises TypeError, one that
    is not a scalar ValueError, and so does NaN or infinity.
    """
    tensors: list[tf.Tensor] = [value for value in (like, *named.values()) if tf.is_tensor(value)]
    dtypes = [tensor.dtype.real_dtype for tensor in tensors if tensor.dtype in _REAL + _COMPLEX]
    dtype = dtypes[0] if dtypes else tf.constant(0.0).dtype
    return [_as_scalar(name, value, dtype) for name, value in named.items()]


def _as_scalar(name: str, value: Any, dtype: tf.DType) -> tf.Tensor:
    if tf.is_tensor(value):
        if value.shape.rank != 0:
            raise ValueError(refusal(name, "a scalar", f"shape {value.shape}"))
        _require_dtype(name, value, _REAL, "float32 or float64")
        _require_dtype(name, value, (dtype,), _show(dtype))
        require_finite(name, value)
        return value
    if not isinstance(value, Real):
        raise TypeError(refusal(name, "a number or a scalar tf.Tensor", type(value).__name__))
    require_finite(name, float(value))
    return tf.constant(float(value), dtype)


def _require_dtype(name: str, tensor: tf.Tensor, allowed: tuple[tf.DType, ...], expected: str) -> None:
    if not tf.is_tensor(tensor):
        raise TypeError(refusal(name, "a tf.Tensor", type(tensor).__name__))
    if tensor.dtype not in allowed:
        raise TypeError(refusal(name, expected, _show(tensor.dtype)))


def _require_rank(name: str, tensor: tf.Tensor) -> None:
    layout = LAYOUT[name]
    expected = f"axes {_group(layout)}" if layout else "a scalar"
    sizes = [int(axis) if axis.isdigit() else None for axis in layout]
    if tensor.shape.rank != len(layout) or not tensor.shape.is_compatible_with(sizes):
        raise ValueError(refusal(name, expected, f"shape {tensor.shape}"))
    for place, axis in enumerate(layout):
        if axis.isdigit() and tensor.shape[place] is None:
            assert_in_graph(tf.shape(tensor)[place] == int(axis), refusal(name, expected, "another shape"))
    require_filled(name, tensor, _group(layout))


def _static_sizes(name: str, tensor: tf.Tensor, axes: Iterable[str]) -> list[int | None]:
    return [tensor.shape[LAYOUT[name].index(axis)] for axis in axes]


def _sizes(name: str, tensor: tf.Tensor, axes: Iterable[str]) -> tf.Tensor:
    return tf.gather(tf.shape(tensor), [LAYOUT[name].index(axis) for axis in axes])


def _at_least(least: int) -> str:
    return "a positive number" if least == 1 else f"a number of at least {least}"


def _modes(most: int) -> str:
    return "1 mode" if most == 1 else f"1 to {most} modes"


def _group(items: Iterable[object]) -> str:
    return f"({', '.join(map(str, items))})"


def _show(dtype: tf.DType) -> str:
    return str(dtype.name)
