"""Which inputs a stack claims to do: the strata are restricted to them first, and what is left is told apart.

A restricted stratum draws other cases under the same names: a case is the same wherever the same stacks are held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from parity.contracts.cases.families.family import EVEN, OBLONG, ODD, PRIME, Shape, Stratum
from parity.contracts.contract import Contract, Inputs

_PRIMES = frozenset(side for shape in PRIME for side in shape)

_OF_SHAPE: Mapping[tuple[Shape, ...], Callable[[Shape], bool]] = {
    EVEN: lambda shape: not any(side % 2 for side in shape),
    ODD: lambda shape: all(side % 2 for side in shape),
    PRIME: lambda shape: all(side in _PRIMES for side in shape),
    OBLONG: lambda shape: shape[0] != shape[1],
}
"""The strata that are about the shape of a frame, by their shapes: which other frames show the same."""


@dataclass(frozen=True, slots=True)
class Domain:
    """Which inputs a stack claims to do; all of them without a word."""

    square: bool = False
    """Only frames with as many rows as columns."""
    even: bool = False
    """Only frames whose sides are even."""
    modes: tuple[int, ...] = ()
    """How many modes a probe may have; any number where there are none."""
    batch: int | None = None
    """The most groups in a batch; None for any number."""
    shapes: tuple[Shape, ...] = ()
    """The frames that are asked; any where there are none."""

    def has(self, shape: Shape) -> bool:
        """Whether frames of these sides are among its own, which a patch on a larger canvas need not be."""
        return not (self.square and shape[0] != shape[1]) and not (self.even and any(side % 2 for side in shape))

    def restricted(self, contract: Contract) -> tuple[Contract, tuple[str, ...]]:
        """The contract on such inputs alone, and the names of the strata of which nothing is left."""
        within = {stratum.name: self._within(stratum, contract) for stratum in contract.strata}
        kept = tuple(stratum for stratum in within.values() if stratum)
        never = tuple(name for name, stratum in within.items() if stratum is None)
        return (replace(contract, strata=kept), never) if kept and self != Domain() else (contract, ())

    def why_outside(self, contract: Contract, inputs: Inputs) -> str:
        """Why these inputs are not claimed; "" where they are."""
        if self == Domain():
            return ""
        for argument in contract.arguments:
            axes, shape = argument.kind.axes, inputs[argument.name].shape
            size = dict(zip(axes, shape, strict=True))
            frame = (size["H"], size["W"]) if {"H", "W"} <= size.keys() else None
            if frame and self.square and frame[0] != frame[1]:
                return "frames are square"
            if frame and self.even and any(side % 2 for side in frame):
                return "the sides of a frame are even"
            if self.modes and size.get("P", self.modes[0]) not in self.modes:
                return f"a probe has {' or '.join(map(str, self.modes))} modes"
            if self.batch is not None and size.get("B", 0) > self.batch:
                return f"a batch has at most {self.batch} groups"
        return ""

    def _within(self, stratum: Stratum, contract: Contract) -> Stratum | None:
        shapes = self._shapes(stratum.shapes, contract.takes)
        drawn = {each.name: getattr(stratum, each.name) for each in fields(stratum)}
        narrowed: dict[str, Any] = {"shapes": shapes}
        has_modes = any("P" in argument.kind.axes for argument in contract.arguments)
        if self.modes and has_modes and "modes" in drawn:
            narrowed["modes"] = tuple(count for count in drawn["modes"] if count in self.modes)
        if self.batch is not None and "groups" in drawn:
            narrowed["groups"] = tuple(count for count in drawn["groups"] if count <= self.batch)
        if self.square and "margins" in drawn:
            narrowed["margins"] = drawn["margins"][-1:]  # rows and columns draw one each, and these must be alike
        return replace(stratum, **narrowed) if all(narrowed.values()) else None

    def _shapes(self, drawn: tuple[Shape, ...], takes: Callable[[Shape], bool]) -> tuple[Shape, ...]:
        """Of the frames that a stratum draws, those that are asked; else all that are asked and that `takes` admits."""
        own = tuple(shape for shape in drawn if self.has(shape))
        if not self.shapes:
            return own
        shows = _OF_SHAPE.get(drawn)
        asked = tuple(shape for shape in self.shapes if takes(shape) and (shows is None or shows(shape)))
        return tuple(shape for shape in own if shape in self.shapes) or asked


def shared(domains: Sequence[Domain]) -> Domain:
    """What lies in no domain lies outside this one: nothing is drawn that no stack claims."""
    if not domains:
        return Domain()
    batches = [domain.batch for domain in domains if domain.batch is not None]
    return Domain(
        square=all(domain.square for domain in domains),
        even=all(domain.even for domain in domains),
        modes=_united([domain.modes for domain in domains]),
        batch=max(batches) if len(batches) == len(domains) else None,
        shapes=_united([domain.shapes for domain in domains]),
    )


def _united(options: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """All options of all; any, which is none written, where one has any."""
    return tuple(dict.fromkeys(option for each in options for option in each)) if all(options) else ()
