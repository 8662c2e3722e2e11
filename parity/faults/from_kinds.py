"""What follows from kinds: the ways to be wrong of an argument, of a result and of a gradient.

They are read off units, axes and numbers, so that a new contract has them without a line. To add one, add it to the
function of the thing that it befalls, in the words that stand behind a stack's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from parity.contracts.changes import Arguments, Change, Of, detached, given, passing_back, returning
from parity.contracts.contract import Argument, Contract, Result
from parity.contracts.fault import BOTH, Condition, Fault, always
from parity.contracts.namespace import PLANE, Namespace, Tensor
from parity.physics.kinds import AMPLITUDE_UNIT, BIAS, CANVAS, KERNEL, POSITIONS, PROBE, UNIT_AXIS, Kind, Numbers

_PLANES = ("HW", "YX")
_MEMBERS = {"B": "groups", "C": "patches", "P": "modes", "F": "filters", "A": "patches in a row"}
_PARAMETERS = (KERNEL, BIAS)
"""Kinds of which a network has dozens: each is only ever detached."""

_FACTOR = "the result is off by a constant factor"
_CONSTANT = "a constant is added to the result"


@dataclass(frozen=True, slots=True)
class Row:
    """A fault of one argument, result or gradient; `also` are the causes that are right besides its own words."""

    name: str
    what: str
    change: Change
    shows: str = "any input"
    also: tuple[str, ...] = ()
    where: Condition = always
    stacks: tuple[str, ...] = BOTH

    def aimed_at(self, contract: Contract) -> Fault:
        right = (self.what, *self.also) if self.also else None
        return Fault(
            contract.name,
            self.name,
            self.what,
            self.change,
            stacks=self.stacks,
            shows=self.shows,
            diagnosis=right,
            where=self.where,
            generic=True,
        )


def of_argument(argument: Argument) -> Iterator[Row]:
    """What may be wrong with an argument as the function gets it."""
    name, kind = argument.name, argument.kind
    if kind in _PARAMETERS or kind.numbers in (Numbers.INTEGER, Numbers.FLAG, Numbers.CHOICE):
        return
    slug, are = _slug(name), _are(argument)

    def of(what: str, words: str, change: Of, stacks: tuple[str, ...] = BOTH) -> Row:
        return Row(f"{slug}-{what}", words, given(**{name: change}), stacks=stacks)

    if kind.numbers is Numbers.COMPLEX:
        yield of("conjugated", f"conjugate of {name}", lambda xp, x: xp.conj(x))
    elif kind.unit == AMPLITUDE_UNIT:
        enters = f"{name} enter{'' if _is_plural(argument) else 's'}"
        yield of("squared", f"{enters} squared (an intensity where an amplitude is meant)", lambda xp, x: xp.square(x))
        yield of(
            "unsquared", f"{enters} unsquared (an amplitude where an intensity is meant)", lambda xp, x: xp.sqrt(x)
        )
    if not kind.axes:
        yield of("as-1", f"{name} is forgotten (1 in its place)", lambda xp, x: 0 * x + 1)
        yield of("as-0", f"{name} is forgotten (0 in its place)", lambda xp, x: 0 * x)
        yield of("inverted", f"the reciprocal of {name} is used", lambda xp, x: 1 / x)
    if kind is POSITIONS:
        yield from _of_positions(name)
    yield from _of_axes(name, kind)
    if kind is PROBE:
        yield replace(
            of("first-mode", f"only the first mode of {name} counts", lambda xp, x: x[:1]),
            shows="two modes or more",
        )
    in_stacks = () if kind.static else BOTH  # a number of the code is no tensor that could be rounded
    for dtype, rounded in (("float16", "rounded"), ("bfloat16", "truncated")):
        row = of(dtype, f"{are} {rounded} to {dtype}", _through(dtype), in_stacks)
        yield replace(row, also=(f"an intermediate is {dtype}",))


def _slug(name: str) -> str:
    return name.replace("_", "-")


def _are(argument: Argument) -> str:
    return f"{argument.name} {'are' if _is_plural(argument) else 'is'}"


def _is_plural(argument: Argument) -> bool:
    return bool(argument.kind.axes) and argument.name.endswith("s") and argument.kind is not CANVAS


def _through(dtype: str) -> Of:
    return lambda xp, x: xp.through(x, dtype)


def _of_positions(name: str) -> Iterator[Row]:
    def of(what: str, words: str, change: Of, shows: str = "any input", also: str = "") -> Row:
        return Row(f"{_slug(name)}-{what}", words, given(**{name: change}), shows, (also,) if also else ())

    factor, constant = f"{name} enters times a constant factor", f"a constant is added to {name}"
    yield of("negated", f"the sign of the {name} is flipped", lambda xp, r: -r, also=factor)
    yield of("exchanged", f"x and y of the {name} are exchanged", lambda xp, r: xp.flip(r, -1))
    yield of("half-a-pixel-off", f"the {name} are half a pixel off", lambda xp, r: r + 0.5, also=constant)
    for axis, one, many in ((0, "group", "groups"), (1, "patch", "patches")):
        words = f"the first {one}'s {name} are used for all {many}"
        yield of(f"of-first-{one}", words, _first_along(axis), f"two {many} or more")


def _first_along(axis: int) -> Of:
    return lambda xp, x: xp.broadcast_like(x[:1] if axis == 0 else x[:, :1], x)


def _of_axes(name: str, kind: Kind) -> Iterator[Row]:
    """Axes in another order, or elements along them."""

    def of(what: str, words: str, change: Of, shows: str = "any input", where: Condition = always) -> Row:
        return Row(f"{_slug(name)}-{what}", words, given(**{name: change}), shows, where=where)

    for place, axis in enumerate(kind.axes):
        if axis in _MEMBERS:
            many = _MEMBERS[axis]
            members = many if many == name else f"{many} of {name}"
            reorder = _rolled(place) if axis == "B" else _reversed(place)
            words = f"the {members} are in another order"
            yield of(f"{many.replace(' ', '-')}-reordered", words, reorder, f"two {many} or more")
    if kind.axes.endswith(_PLANES):
        # Frames that are not square no longer fit into what they are compared with; where they do, it is another fault.
        yield of("transposed", f"rows and columns of {name} are exchanged", _turned, where=_is_square(name))
    if _is_transposed(kind):
        yield of(
            "reshaped", f"channels last of {name} are reshaped, not transposed", _reshaped(kind), "two patches or more"
        )


def _rolled(axis: int) -> Of:
    return lambda xp, x: xp.roll(x, 1, axis)


def _reversed(axis: int) -> Of:
    return lambda xp, x: xp.flip(x, axis)


def _turned(xp: Namespace, x: Tensor) -> Tensor:
    return xp.swapped(x, *PLANE)


def _is_square(name: str) -> Condition:
    return lambda inputs: bool(inputs[name].shape[-2] == inputs[name].shape[-1])


def _is_transposed(kind: Kind) -> bool:
    """Whether TensorFlow has the axes in another order, beside axes of size one."""
    return _channels_last(kind) != kind.axes


def _channels_last(kind: Kind) -> str:
    return kind.layouts.get("tensorflow", kind.axes).replace(UNIT_AXIS, "")


def _reshaped(kind: Kind) -> Of:
    order = [kind.axes.index(axis) for axis in _channels_last(kind)]
    return lambda xp, x: xp.reshape(xp.transpose(x, order), xp.shape(x))


def of_result(contract: Contract, result: Result) -> Iterator[Row]:
    """What may be wrong with a result, where it is returned."""
    several, kind = len(contract.results) > 1, result.kind
    subject, slug = (
        (f"the result {result.name}", f"result-{_slug(result.name)}") if several else ("the result", "result")
    )
    place = [other.name for other in contract.results].index(result.name)
    # The stacks return whole numbers as integers, of which nothing here can be made.
    stacks = BOTH if kind.numbers in (Numbers.REAL, Numbers.COMPLEX) else ()

    def of(what: str, words: str, change: _Returned, also: str = "") -> Row:
        wrong = _at_place(place, change) if several else returning(change)
        return Row(f"{slug}-{what}", f"{subject} {words}", wrong, also=(also,) if also else (), stacks=stacks)

    if kind.axes.endswith(_PLANES):
        yield of("shifted", "is shifted by half the frame", lambda xp, x, a: xp.fftshift(x))
        yield of("rows-shifted", "has its rows alone shifted by half the frame", lambda xp, x, a: xp.fftshift(x, -2))
        yield of("upside-down", "is upside down", lambda xp, x, a: xp.flip(x, -2))
        yield of("transposed", "has rows and columns exchanged", lambda xp, x, a: _turned(xp, x))
        yield of("without-last-row", "lacks its last row", _without_last_row)
    if _is_transposed(kind):
        reshape = _reshaped(kind)
        yield of("reshaped", "is reshaped, not transposed, from channels last", lambda xp, x, a: reshape(xp, x))
    if kind.numbers is Numbers.COMPLEX:
        yield of("conjugated", "is conjugated", lambda xp, x, a: xp.conj(x))
    if kind.nonnegative:
        yield of("squared", "is squared", lambda xp, x, a: xp.square(x))
        yield of("rooted", "is the root of what it should be", lambda xp, x, a: xp.sqrt(x))
    yield of("negated", "has the opposite sign", lambda xp, x, a: -x, _FACTOR)
    for power, raised in ((-3, "⁻³"), (-4, "⁻⁴")):
        yield of(f"gain-1e{power}", f"is 10{raised} of itself too large", _gained(10.0**power), _FACTOR)
    for epsilon in ("1e-3", "1e-6"):
        yield of(f"plus-{epsilon}", f"has ε = {epsilon} added", _plus(float(epsilon)), _CONSTANT)
    yield of("zero", "is 0", lambda xp, x, a: xp.zeros_like(x))
    for dtype, rounded in (("float16", "rounded"), ("bfloat16", "truncated")):
        through = _through(dtype)
        yield of(dtype, f"is {rounded} to {dtype}", _of_value(through), f"an intermediate is {dtype}")
    for axes, slug_of, words in _FACTORS:
        yield from _off_by(contract, axes, slug_of, words, of)


_Returned = Callable[[Namespace, Any, Arguments], Any]


def _of_value(of: Of) -> _Returned:
    return lambda xp, x, a: of(xp, x)


def _at_place(place: int, change: _Returned) -> Change:
    """One of several results is what `change` makes of it."""

    def changed(xp: Namespace, results: Any, a: Arguments) -> Any:
        return tuple(change(xp, x, a) if other == place else x for other, x in enumerate(results))

    return returning(changed)


def _without_last_row(xp: Namespace, x: Tensor, a: Arguments) -> Tensor:
    return xp.concat([x[..., :-1, :], 0 * x[..., -1:, :]], -2)


def _gained(relative: float) -> _Returned:
    return lambda xp, x, a: xp.gain(x, relative)


def _plus(term: float) -> _Returned:
    return lambda xp, x, a: x + term


_FACTORS = (("HW", "hw", "HW"), ("HW", "root-hw", "√(HW)"), ("B", "b", "B"), ("C", "c", "C"))


def _off_by(
    contract: Contract, axes: str, slug: str, words: str, of: Callable[[str, str, _Returned], Row]
) -> Iterator[Row]:
    """A number of elements too much or too little: a sum where there should be a mean, a norm left out."""
    sized = next((argument for argument in contract.arguments if axes in argument.kind.axes), None)
    if sized is None:
        return
    places = tuple(sized.kind.axes.index(axis) for axis in axes)

    def size(xp: Namespace, x: Tensor, a: Arguments) -> Tensor:
        found = xp.cast_like(xp.size(getattr(a, sized.name), places), xp.real(x))
        return xp.sqrt(found) if slug.startswith("root") else found

    yield of(f"times-{slug}", f"is a factor {words} too large", lambda xp, x, a: xp.scaled(x, size(xp, x, a)))
    yield of(f"over-{slug}", f"is a factor {words} too small", lambda xp, x, a: xp.scaled(x, 1 / size(xp, x, a)))


def of_gradient(argument: Argument) -> Iterator[Row]:
    """What may be wrong with the gradient of an argument, where every value is right."""
    name, slug = argument.name, _slug(argument.name)
    factor = f"the gradient of {name} is off by a constant factor"

    def of(what: str, words: str, gradient: Of, also: str = "") -> Row:
        wrong = passing_back(**{name: gradient})
        return Row(f"{slug}-{what}", words, wrong, "a gradient", (also,) if also else ())

    yield Row(f"{slug}-detached", f"{_are(argument)} detached", detached(name), "a gradient")
    if argument.kind in _PARAMETERS:
        return
    yield of("gradient-negated", f"the gradient of {name} has the opposite sign", lambda xp, g: -g, factor)
    if argument.kind.numbers is Numbers.COMPLEX:
        yield of("gradient-conjugated", f"the gradient of {name} is conjugated", lambda xp, g: xp.conj(g))
        yield of(
            "imaginary-part-detached",
            f"the imaginary part of {name} is detached",
            lambda xp, g: xp.complex(xp.real(g), 0 * xp.real(g)),
        )
        half = f"the gradient of {name} is half of what it should be (∂/∂z̄ for ∂/∂Re + i·∂/∂Im)"
        yield of("gradient-halved", half, lambda xp, g: 0.5 * g, factor)
        yield of(
            "gradient-doubled", f"the gradient of {name} is twice what it should be", lambda xp, g: 2.0 * g, factor
        )
