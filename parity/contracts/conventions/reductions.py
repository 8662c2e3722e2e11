"""A sum for a mean, a mean for a sum, or either over more axes than a contract takes it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Contract, Result
from parity.physics.oracle.bounded import Array
from parity.physics.oracle.operations import broadcast, reshape, total


class Taken(StrEnum):
    """What is taken over axes."""

    MEAN = "mean"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class Reduced:
    """A mean or a sum over axes, by the letters that the kinds of a contract have for them."""

    taken: Taken
    axes: str

    @property
    def words(self) -> str:
        return f"the {self.taken} over {', '.join(self.axes)}" if self.axes else f"the {self.taken} over nothing"

    @classmethod
    def parse(cls, text: str, every: str = "") -> Reduced:
        """Of `mean` or `sum`, over `every` axis, or over those that follow: `sum HW`. Raises ValueError for another."""
        taken, _, axes = text.partition(" ")
        return cls(Taken(taken), axes or every)


def own_of(contract: Contract) -> Reduced:
    """How a contract reduces its first result itself; not at all where it does not say."""
    return Reduced.parse(contract.results[0].reduced) if contract.results[0].reduced else Reduced(Taken.SUM, "")


def every_axis(contract: Contract) -> str:
    """All axes over which a contract's first result could be reduced."""
    own = own_of(contract).axes
    return "".join(axis for axis in contract.results[0].kind.axes if axis not in own) + own


def misfits(contract: Contract, other: Reduced) -> Iterator[str]:
    """Why a contract's result cannot be reduced in another way."""
    own, every = own_of(contract).axes, every_axis(contract)
    unknown = [axis for axis in other.axes if axis not in every]
    if unknown:
        yield f"unknown axis '{unknown[0]}'; there are: {', '.join(every) or 'none'}"
    if not set(own) <= set(other.axes):
        kept = "".join(axis for axis in own if axis not in other.axes)
        yield f"expected {', '.join(own)} among the axes, got none of {', '.join(kept)}: bind what keeps them elsewhere"
    sized = {axis for argument in contract.arguments for axis in argument.kind.axes}
    unsized = [axis for axis in every if axis not in sized]
    if unsized:
        yield f"expected a result that has each axis from an argument, got {', '.join(unsized)} from none"


@dataclass(frozen=True, slots=True)
class Reducing:
    """From a contract's first result to what is reduced in another way, and its cotangent back."""

    kind_axes: str
    own: Reduced
    other: Reduced

    @property
    def _extra(self) -> tuple[int, ...]:
        """The axes of the result that go, too."""
        return tuple(place for place, axis in enumerate(self.kind_axes) if axis in self.other.axes)

    def result(self, result: Result) -> Result:
        """What is returned, without the axes that go."""
        axes = "".join(axis for axis in self.kind_axes if axis not in self.other.axes)
        return replace(result, kind=replace(result.kind, axes=axes, layouts={}) if self._extra else result.kind)

    def returned(self, own: Array, sizes: Mapping[str, int]) -> Any:
        """What a stack returns."""
        return self._scaled(total(own, axis=self._extra) if self._extra else own, sizes)

    def pulled(self, cotangent: Array, sizes: Mapping[str, int]) -> Any:
        """The cotangent of the contract's result."""
        scaled = self._scaled(cotangent, sizes)
        if not self._extra:
            return scaled
        shape = tuple(sizes[axis] for axis in self.kind_axes)
        kept = tuple(1 if place in self._extra else size for place, size in enumerate(shape))
        return broadcast(reshape(scaled, kept), shape)

    def cotangent(self, own: NDArray[Any]) -> NDArray[Any]:
        """A cotangent of what a stack returns, made of one of the contract's result."""
        return np.asarray(own.sum(axis=self._extra)) if self._extra else own

    def _scaled(self, x: Array, sizes: Mapping[str, int]) -> Any:
        times = math.prod(sizes[axis] for axis in self.own.axes) if self.own.taken is Taken.MEAN else 1
        over = math.prod(sizes[axis] for axis in self.other.axes) if self.other.taken is Taken.MEAN else 1
        common = math.gcd(times, over)
        times, over = times // common, over // common
        multiplied = x * float(times) if times > 1 else x
        return multiplied * (1 / over) if over > 1 else multiplied
