"""What every family of inputs is made of: strata, the specifications drawn from them, and streams of random numbers."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import wraps
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.datasets import Dataset

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]
Shape = tuple[int, int]

EVEN: tuple[Shape, ...] = ((8, 8), (16, 16), (32, 32), (64, 64), (128, 128))
ODD: tuple[Shape, ...] = ((9, 9), (15, 15), (33, 33), (63, 63))
PRIME: tuple[Shape, ...] = ((11, 11), (13, 13), (31, 31), (61, 61), (127, 127))
OBLONG: tuple[Shape, ...] = ((8, 12), (15, 8), (9, 33), (64, 31))
ANY: tuple[Shape, ...] = ((8, 8), (9, 9), (12, 15), (16, 16), (31, 31), (32, 32), (33, 24), (64, 64))

MOST_ELEMENTS = 2**16
"""Large patterns come in small batches: beyond this an example costs time and shows nothing new."""

MEASURED = "measured"
"""The stratum of a user's data set, in every family."""

_T = TypeVar("_T")
_Spec = TypeVar("_Spec", bound="Spec")
_Stratum = TypeVar("_Stratum", bound="Stratum")


@dataclass(frozen=True, slots=True)
class Spec:
    """One drawn specification: all that the functions of its family need to know.

    `frame` is rows and columns. With a `dataset` it is that of the user's patterns, and the seed says which of them.
    """

    stratum: Stratum
    seed: int
    frame: Shape
    dataset: Dataset | None = field(default=None, kw_only=True)
    made: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def axes(self) -> tuple[int, ...]:
        """The sizes of the axes beside those of the frame."""
        return ()

    @property
    def telling(self) -> int:
        """How many axes have several elements, and whether rows and columns differ: what tells explanations apart."""
        return sum(size > 1 for size in self.axes) + (self.frame[0] != self.frame[1])

    @property
    def elements(self) -> int:
        """Elements of the largest array, about."""
        return math.prod((*self.axes, *self.frame))

    def around(self, dataset: Dataset) -> Self:
        """The same of a user's patterns."""
        return replace(self, frame=dataset.frame, dataset=dataset)

    def generator(self, purpose: str) -> np.random.Generator:
        """The stream of random numbers for one purpose; streams do not depend on which others are drawn."""
        return _generator(self.stratum.name, self.seed, purpose)


@dataclass(frozen=True, slots=True)
class Stratum:
    """A region of a family's inputs, and the defect that it `shows`: each further field lists what may be drawn."""

    name: str
    shows: str
    shapes: tuple[Shape, ...] = ANY

    specification: ClassVar[type[Spec]] = Spec
    """The specifications of the family."""

    @classmethod
    def measured(cls) -> Self:
        """Where a user's data set is drawn from: nothing is forced."""
        return cls(MEASURED, "what a user's own detector delivers")

    def draw(self, seed: int) -> Spec:
        """The specification number `seed`."""
        return self.specification(self, seed, self.frame(seed))

    def frame(self, seed: int) -> Shape:
        """Shapes go round in order, so that a small seed is a small case."""
        return self.shapes[seed % len(self.shapes)]

    def stream(self, seed: int) -> np.random.Generator:
        """The random numbers that a specification is drawn with."""
        return _generator(self.name, seed, "spec")

    def sized(self, size: int) -> Self:
        """The same in frames of `size` × `size` pixels, with as few of everything that is counted as may be drawn."""
        drawn = {each.name: getattr(self, each.name) for each in fields(self)}
        fewest: dict[str, Any] = {name: (min(options),) for name, options in drawn.items() if _are_counts(options)}
        return replace(self, **fewest, name=f"{size}-pixels", shapes=((size, size),))


def in_family(family: type[_Stratum], strata: Iterable[Stratum]) -> tuple[_Stratum, ...]:
    """Strata of one family in another that has more fields; those keep their defaults."""
    return tuple(family(**{each.name: getattr(stratum, each.name) for each in fields(stratum)}) for stratum in strata)


def once(make: Callable[[_Spec], _T]) -> Callable[[_Spec], _T]:
    """Keep with a specification what this function makes of it."""

    @wraps(make)
    def kept(spec: _Spec) -> _T:
        if make not in spec.made:
            spec.made[make] = make(spec)
        made: _T = spec.made[make]
        return made

    return kept


def pick(random: np.random.Generator, options: Sequence[_T]) -> _T:
    """One of these. A single option takes no number from the stream."""
    return options[int(random.integers(len(options)))]


def pass_over(random: np.random.Generator, *options: int) -> None:
    """Take from the stream what picking out of so many options each would.

    All families draw from one sequence of numbers, and some have no use for some of them. They are taken nevertheless:
    what is drawn behind them would be another case of the same name, and goldens hold cases by their names.
    """
    for count in options:
        random.integers(count)


def pick_axes(
    random: np.random.Generator,
    frame: Shape,
    groups: Sequence[int],
    patches: Sequence[int],
    modes: Sequence[int],
) -> tuple[int, int, int]:
    """Groups, patches and modes; few groups, then few patches, where there would be more than MOST_ELEMENTS."""
    some_patches, some_modes, some_groups = pick(random, patches), pick(random, modes), pick(random, groups)
    plane = frame[0] * frame[1] * some_modes
    if plane * some_groups * some_patches > MOST_ELEMENTS:
        some_groups = min(groups)
    if plane * some_groups * some_patches > MOST_ELEMENTS:
        some_patches = min(patches)
    return some_groups, some_patches, some_modes


def between(name: str, low: float, high: float) -> Callable[[Spec], Real]:
    """A source of a number between two, ()."""

    def drawn(spec: Spec) -> Real:
        return uniform(spec, name, low, high)

    return drawn


def between_orders(name: str, low: float, high: float) -> Callable[[Spec], Real]:
    """A source of a number whose logarithm lies evenly between those of two, ()."""

    def drawn(spec: Spec) -> Real:
        return log_uniform(spec, name, low, high)

    return drawn


def uniform(spec: Spec, name: str, low: float, high: float) -> Real:
    """A number between two from the stream of that name, ()."""
    return np.array(spec.generator(name).uniform(low, high))


def log_uniform(spec: Spec, name: str, low: float, high: float) -> Real:
    """A number from the stream of that name whose logarithm lies evenly between those of two, ()."""
    return np.array(10 ** spec.generator(name).uniform(np.log10(low), np.log10(high)))


def _are_counts(options: object) -> bool:
    return isinstance(options, tuple) and all(isinstance(each, int) for each in options)


def _generator(stratum: str, seed: int, purpose: str) -> np.random.Generator:
    """Keyed by names through CRC-32, which, unlike `hash`, is the same in every process."""
    return np.random.Generator(np.random.PCG64([zlib.crc32(f"{stratum}/{purpose}".encode()), seed]))
