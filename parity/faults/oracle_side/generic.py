"""Mistakes that follow from what arguments and results are: their units, their axes, their numbers.

They are read off the kinds of a contract, so that a new one has them without a line. To add one, add it to the table of
the kind of thing it befalls: an argument, a result or a gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Argument, Contract, Inputs, Result
from parity.faults.oracle_side.base import Change, Condition, Mistake, Values, always, of_argument, several
from parity.physics.kinds import AMPLITUDE_UNIT, BIAS, CANVAS, KERNEL, POSITIONS, PROBE, UNIT_AXIS, Kind, Numbers

_PLANES = ("HW", "YX")
_GROUPED = {"B": "groups", "C": "patches", "P": "modes", "F": "filters", "A": "patches in a row"}
_PARAMETERS = (KERNEL, BIAS)
"""Kinds of which a network has dozens: each is only ever detached."""


def generic_mistakes(contract: Contract) -> Iterator[Mistake]:
    """The mistakes of a contract's arguments, results and gradients."""
    for argument in contract.arguments:
        if argument.kind not in _PARAMETERS:
            yield from _of_argument(argument)
    for result in contract.results:
        yield from _of_result(contract, result)
    for argument in contract.differentiable:
        yield from _of_gradient(argument)


def _of_argument(argument: Argument) -> Iterator[Mistake]:
    name, kind = argument.name, argument.kind
    if kind.numbers in (Numbers.INTEGER, Numbers.FLAG, Numbers.CHOICE):
        return
    if kind.numbers is Numbers.COMPLEX:
        yield of_argument(f"conjugate of {name}", name, np.conj)
    elif kind.unit == AMPLITUDE_UNIT:
        enters = f"{name} enter{'' if _is_plural(argument) else 's'}"
        yield of_argument(f"{enters} squared (an intensity where an amplitude is meant)", name, np.square)
        yield of_argument(f"{enters} unsquared (an amplitude where an intensity is meant)", name, np.sqrt)
    if not kind.axes:
        yield from _of_scalar(name)
    if kind is POSITIONS:
        yield from _of_positions(name)
    yield from _of_axes(name, kind)
    if kind is PROBE:
        yield of_argument(f"only the first mode of {name} counts", name, lambda modes: modes[:1], several(name, 0))
    yield of_argument(f"{_are(argument)} rounded to float16", name, to_float16)
    yield of_argument(f"{_are(argument)} truncated to bfloat16", name, to_bfloat16)


def _are(argument: Argument) -> str:
    return f"{argument.name} {'are' if _is_plural(argument) else 'is'}"


def _is_plural(argument: Argument) -> bool:
    return bool(argument.kind.axes) and argument.name.endswith("s") and argument.kind is not CANVAS


def _of_scalar(name: str) -> Iterator[Mistake]:
    yield of_argument(f"{name} is forgotten (1 in its place)", name, np.ones_like)
    yield of_argument(f"{name} is forgotten (0 in its place)", name, np.zeros_like)
    yield of_argument(f"the reciprocal of {name} is used", name, np.reciprocal)


def _of_positions(name: str) -> Iterator[Mistake]:
    yield of_argument(f"the sign of the {name} is flipped", name, np.negative)
    yield of_argument(f"x and y of the {name} are exchanged", name, lambda r: r[..., ::-1])
    yield of_argument(f"the {name} are half a pixel off", name, lambda r: r + 0.5)
    for axis, one, many in ((0, "group", "groups"), (1, "patch", "patches")):
        what = f"the first {one}'s {name} are used for all {many}"
        yield of_argument(what, name, _first_of(axis), several(name, axis))


def _first_of(axis: int) -> Change:
    return lambda array: np.broadcast_to(array.take([0], axis), array.shape)


def _of_axes(name: str, kind: Kind) -> Iterator[Mistake]:
    """Axes in another order, or elements along them."""
    for place, axis in enumerate(kind.axes):
        if axis in _GROUPED:
            members = _GROUPED[axis] if _GROUPED[axis] == name else f"{_GROUPED[axis]} of {name}"
            change = _rolled(place) if axis == "B" else _reversed(place)
            yield of_argument(f"the {members} are in another order", name, change, several(name, place))
    if kind.axes.endswith(_PLANES):
        yield of_argument(f"rows and columns of {name} are exchanged", name, _turned, _square(name))
    if _is_transposed(kind):
        yield of_argument(f"channels last of {name} are reshaped, not transposed", name, _reshaped(kind))


def _rolled(axis: int) -> Change:
    return lambda array: np.roll(array, 1, axis)


def _reversed(axis: int) -> Change:
    return lambda array: np.flip(array, axis)


def _turned(array: NDArray[Any]) -> NDArray[Any]:
    return array.swapaxes(-1, -2)


def _square(name: str) -> Condition:
    return lambda inputs: inputs[name].shape[-2] == inputs[name].shape[-1]


def _is_transposed(kind: Kind) -> bool:
    """Whether TensorFlow has the axes in another order, beside axes of size one."""
    return kind.layouts.get("tensorflow", kind.axes).replace(UNIT_AXIS, "") != kind.axes


def _reshaped(kind: Kind) -> Change:
    return lambda array: kind.to_framework("tensorflow", array).reshape(array.shape)


def _of_result(contract: Contract, result: Result) -> Iterator[Mistake]:
    subject = "the result" if len(contract.results) == 1 else f"the result {result.name}"

    def of(what: str, change: Change, applies: Condition = always) -> Mistake:
        return Mistake(f"{subject} {what}", results=_changing(result.name, change), applies=applies)

    if result.kind.axes.endswith(_PLANES):
        yield of("is shifted by half the frame", lambda x: np.fft.fftshift(x, axes=(-2, -1)))
        yield of("has its rows alone shifted by half the frame", lambda x: np.fft.fftshift(x, axes=-2))
        yield of("is upside down", _reversed(-2))
        yield of("has rows and columns exchanged", _turned)
        yield of("lacks its last row", lambda x: np.concatenate([x[..., :-1, :], 0 * x[..., -1:, :]], axis=-2))
    if _is_transposed(result.kind):
        yield of("is reshaped, not transposed, from channels last", _reshaped(result.kind))
    if result.kind.numbers is Numbers.COMPLEX:
        yield of("is conjugated", np.conj)
    if result.kind.nonnegative:
        yield of("is squared", np.square)
        yield of("is the root of what it should be", np.sqrt)
    for factor, words in ((-1.0, "has the opposite sign"), (1 + 1e-3, "is 10⁻³ of itself too large")):
        yield of(words, _times(factor))
    yield of("is 10⁻⁴ of itself too large", _times(1 + 1e-4))
    for epsilon in (1e-3, 1e-6):
        yield of(f"has ε = {epsilon:.0e} added".replace("e-0", "e-"), _plus(epsilon))
    yield of("is 0", np.zeros_like)
    yield of("is rounded to float16", to_float16)
    yield of("is truncated to bfloat16", to_bfloat16)
    yield from _factors(contract, result, subject)


def _changing(name: str, change: Change) -> Callable[[Values, Inputs], dict[str, Any]]:
    return lambda values, inputs: {name: change(values[name])}


def _times(factor: float) -> Change:
    return lambda array: array * factor


def _plus(term: float) -> Change:
    return lambda array: array + term


def _factors(contract: Contract, result: Result, subject: str) -> Iterator[Mistake]:
    """A number of elements too much or too little: a sum where there should be a mean, a norm left out."""
    for axes, power, words in (("HW", 1, "HW"), ("HW", 0.5, "√(HW)"), ("B", 1, "B"), ("C", 1, "C")):
        known = _sizes_of(contract, axes)
        if known is None:
            continue
        for sign, large in ((1, "large"), (-1, "small")):
            yield Mistake(
                f"{subject} is a factor {words} too {large}",
                results=_scaled(result.name, known, sign * power),
                applies=_more_than_one(known),
            )


def _more_than_one(count: Callable[[Inputs], int]) -> Condition:
    return lambda inputs: count(inputs) > 1


def _scaled(
    name: str, count: Callable[[Inputs], int], power: float
) -> Callable[[Values, Inputs], dict[str, NDArray[Any]]]:
    return lambda values, inputs: {name: values[name] * float(count(inputs)) ** power}


def _sizes_of(contract: Contract, axes: str) -> Callable[[Inputs], int] | None:
    """How many elements there are along some axes of the first argument that has them; None where none has."""
    for argument in contract.arguments:
        if axes in argument.kind.axes:
            places, name = [argument.kind.axes.index(axis) for axis in axes], argument.name
            return lambda inputs: math.prod(inputs[name].shape[place] for place in places)
    return None


def _of_gradient(argument: Argument) -> Iterator[Mistake]:
    name = argument.name

    def of(what: str, change: Change) -> Mistake:
        return Mistake(what, gradients=lambda found, inputs: {name: change(found[name])} if name in found else {})

    yield of(f"{_are(argument)} detached", np.zeros_like)
    if argument.kind in _PARAMETERS:
        return
    yield of(f"the gradient of {name} has the opposite sign", np.negative)
    if argument.kind.numbers is Numbers.COMPLEX:
        yield of(f"the gradient of {name} is conjugated", np.conj)
        yield of(f"the imaginary part of {name} is detached", lambda g: g.real + 0j)
        yield of(f"the gradient of {name} is half of what it should be (∂/∂z̄ for ∂/∂Re + i·∂/∂Im)", _times(0.5))
        yield of(f"the gradient of {name} is twice what it should be", _times(2.0))


def to_float16(array: NDArray[Any]) -> NDArray[Any]:
    """Rounded to half precision, part by part; ∞ beyond 65504."""
    return _by_part(array, lambda part: part.astype(np.float16).astype(np.float64))


def to_bfloat16(array: NDArray[Any]) -> NDArray[Any]:
    """The upper half of a float32, part by part: seven bits after the point."""
    return _by_part(
        array, lambda part: (part.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32).astype(np.float64)
    )


def _by_part(array: NDArray[Any], change: Change) -> NDArray[Any]:
    array = np.asarray(array)
    if np.iscomplexobj(array):
        parts = np.empty(array.shape, complex)
        parts.real, parts.imag = change(np.array(array.real)), change(np.array(array.imag))
        return parts
    return np.asarray(change(array))
