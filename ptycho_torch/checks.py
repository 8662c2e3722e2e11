"""Validation where data enter the PyTorch stack.

Every refusal is one sentence, "<argument>: expected <what>, got <what>". A wrong type or precision
raises TypeError, a wrong shape or value ValueError. Physics is not here; a check that only one function
needs stays beside that function. A new argument of the stack gets a row in `LAYOUT`.
"""

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import TypeAlias

import torch
from torch import Tensor

from ptycho_exposures.checks import refusal

Scalar: TypeAlias = float | Tensor

# B groups, C patches in a group, P probe modes, H rows, W columns; A patches of all groups, Y rows and X columns of
# a canvas, G patches a side of a group; F filters before and O behind a layer, K row and L column frequencies. A digit
# is an axis of that size.
LAYOUT: Mapping[str, str] = {
    "amplitude": "BCHW",
    "phase": "BCHW",
    "predicted": "BCHW",
    "observed": "BCHW",
    "patches": "BCHW",
    "target": "BCHW",
    "probe": "PHW",
    "exit_waves": "BCPHW",
    "powers": "P",
    "log_scale": "",
    "positions": "BC2",
    "canvas": "BYX",
    "weight": "HW",
    "flat": "AHW",
    "diffraction": "AHW",
    "scan": "A2",
    "grid": "BGGHW",
    "images": "BCHW",
    "features": "BFHW",
    "weights": "FOKL",
    "parameters": "D",
    "gradient": "D",
    "velocity": "D",
    "first_moment": "D",
    "second_moment": "D",
    "intensity": "BCHW",
}

_REAL = (torch.float32, torch.float64)
_COMPLEX = (torch.complex64, torch.complex128)
_INTEGER = (
    torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.int8, torch.int16, torch.int32, torch.int64
)  # fmt: skip


def require_real(name: str, tensor: Tensor) -> None:
    """Refuse anything but a real tensor in a working precision and the layout of the argument `name`."""
    _require_dtype(name, tensor, _REAL, "float32 or float64")
    _require_rank(name, tensor)


def require_complex(name: str, tensor: Tensor) -> None:
    """Refuse anything but a complex tensor in a working precision and the layout of the argument `name`."""
    _require_dtype(name, tensor, _COMPLEX, "complex64 or complex128")
    _require_rank(name, tensor)


def require_reading(name: str, tensor: Tensor) -> None:
    """Refuse what is neither an amplitude nor a detector's integers, which the caller widens before use."""
    _require_dtype(name, tensor, _REAL + _INTEGER, "float32, float64 or integers")
    _require_rank(name, tensor)


def require_amplitude(name: str, tensor: Tensor) -> None:
    """Refuse what cannot be an amplitude by its type and shape alone."""
    if isinstance(tensor, Tensor) and tensor.dtype in _INTEGER:
        got = f"{_show(tensor.dtype)} (integers look like counts: take the square root)"
        raise TypeError(refusal(name, "an amplitude (float32 or float64)", got))
    require_real(name, tensor)


def require_amplitude_values(name: str, tensor: Tensor) -> None:
    """Refuse an amplitude that is negative or not finite, naming the first such pixel.

    Costs one reduction when all is well. Compiled code is not checked: the answer depends on data.
    """
    require_amplitude(name, tensor)
    if torch.compiler.is_compiling():
        return
    lowest, highest = torch.aminmax(tensor.detach())  # both are NaN where any element is
    if lowest >= 0 and highest < math.inf:
        return
    invalid = ~((tensor >= 0) & (tensor < math.inf))
    place = tuple(invalid.nonzero()[0].tolist())
    got = f"{tensor[place].item():.9g} at {place}"
    raise ValueError(refusal(name, "a finite, non-negative amplitude", got))


def require_agreement(name: str, tensor: Tensor, reference_name: str, reference: Tensor) -> None:
    """Refuse `tensor` unless its precision and its sizes along shared axes are those of `reference`."""
    require_same_precision(name, tensor, reference_name, reference)
    axes = [axis for axis in LAYOUT[name] if axis in LAYOUT[reference_name] and not axis.isdigit()]
    sizes, wanted = _sizes(name, tensor, axes), _sizes(reference_name, reference, axes)
    if sizes != wanted:
        expected = f"{_group(axes)} = {_group(wanted)} as in {reference_name}"
        raise ValueError(refusal(name, expected, _group(sizes)))


def require_same_precision(name: str, tensor: Tensor, reference_name: str, reference: Tensor) -> None:
    """Refuse to mix single and double precision: neither promoting nor rounding silently is wanted."""
    if tensor.real.dtype != reference.real.dtype:
        expected = f"the precision of {reference_name} ({_show(reference.dtype)})"
        raise TypeError(refusal(name, expected, _show(tensor.dtype)))


def require_mode_count(name: str, tensor: Tensor, most: int) -> None:
    """Refuse a tensor whose mode axis holds more than `most` modes."""
    (count,) = _sizes(name, tensor, "P")
    if count > most:
        raise ValueError(refusal(name, _modes(most), str(count)))


def require_size(name: str, size: object, least: int = 1) -> None:
    """Refuse what is not a whole number of pixels, `least` or more."""
    if not isinstance(size, Integral):
        raise TypeError(refusal(name, "a whole number", repr(size)))
    if size < least:
        raise ValueError(refusal(name, _at_least(least), str(size)))


def require_filled(name: str, tensor: Tensor, axes: str) -> None:
    """Refuse a tensor without an element: no mean and no maximum is defined of none."""
    if 0 in tensor.shape:
        raise ValueError(refusal(name, f"at least one element along each of {axes}", f"shape {tuple(tensor.shape)}"))


def require_finite(name: str, value: Scalar, expected: str = "a finite number") -> None:
    """Refuse NaN and infinity. Compiled code is not checked."""
    if torch.compiler.is_compiling():
        return
    number = value.item() if isinstance(value, Tensor) else value
    if not math.isfinite(number):
        raise ValueError(refusal(name, expected, str(number)))


def as_scalars(named: Mapping[str, Scalar], like: Tensor | None = None) -> list[Tensor]:
    """The named numbers as scalar tensors of one precision, in the order given.

    The precision is that of `like`, else of the first tensor among the values, else torch's default
    (float32). Python numbers take it; a tensor of another precision raises TypeError, one that is not a
    scalar ValueError, and so does NaN or infinity. Compiled code does not check values.
    """
    tensors = [value for value in (like, *named.values()) if isinstance(value, Tensor)]
    tensors = [tensor for tensor in tensors if tensor.dtype in _REAL + _COMPLEX]
    reference = (tensors[0] if tensors else torch.empty(())).real
    return [_as_scalar(name, value, reference) for name, value in named.items()]


def _as_scalar(name: str, value: object, like: Tensor) -> Tensor:
    if isinstance(value, Tensor):
        if value.dim() != 0:
            raise ValueError(refusal(name, "a scalar", f"shape {tuple(value.shape)}"))
        _require_dtype(name, value, _REAL, "float32 or float64")
        _require_dtype(name, value, (like.dtype,), _show(like.dtype))
        require_finite(name, value)
        return value
    if not isinstance(value, Real):
        raise TypeError(refusal(name, "a number or a scalar torch.Tensor", type(value).__name__))
    require_finite(name, float(value))
    return torch.as_tensor(float(value), dtype=like.dtype, device=like.device)


def _require_dtype(name: str, tensor: Tensor, allowed: tuple[torch.dtype, ...], expected: str) -> None:
    if not isinstance(tensor, Tensor):
        raise TypeError(refusal(name, "a torch.Tensor", type(tensor).__name__))
    if tensor.dtype not in allowed:
        raise TypeError(refusal(name, expected, _show(tensor.dtype)))


def _require_rank(name: str, tensor: Tensor) -> None:
    layout = LAYOUT[name]
    fits = tensor.dim() == len(layout) and all(
        size == int(axis) for size, axis in zip(tensor.shape, layout, strict=True) if axis.isdigit()
    )
    if not fits:
        expected = f"axes {_group(layout)}" if layout else "a scalar"
        raise ValueError(refusal(name, expected, f"shape {tuple(tensor.shape)}"))
    require_filled(name, tensor, _group(layout))


def _sizes(name: str, tensor: Tensor, axes: Iterable[str]) -> list[int]:
    return [tensor.shape[LAYOUT[name].index(axis)] for axis in axes]


def _at_least(least: int) -> str:
    return "a positive number" if least == 1 else f"a number of at least {least}"


def _modes(most: int) -> str:
    return "1 mode" if most == 1 else f"1 to {most} modes"


def _group(items: Iterable[object]) -> str:
    return f"({', '.join(map(str, items))})"


def _show(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
