"""The error of every example of a contract against the bound, as shapes for the page to draw.

Two panels at most: against the size of the example, and against its photons where there are any. A case is a point for
each stack and precision, the worst of its quantities.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from parity.judging.measurement import Measurement
from parity.physics.precision import PRECISIONS
from parity.report.content import ContractReport
from parity.report.html.scales import Scale, Tick, numbers, power_of_ten, powers, stepped
from parity.report.messages import PRECISION_WORDS
from parity.report.terminal import counted, in_bounds, stacks_in
from parity.stacks import STACKS

WIDTH, HEIGHT = 270, 180
LEFT, RIGHT, TOP, BOTTOM = 46, 264, 10, 138
"""The frame of a panel within the picture."""

LEAST = -3
"""The power of ten of the smallest error that has a place of its own, in units of the bound."""

APART = 2.5
"""Between the points of one case, so that none hides another."""

_SHAPES = {"f32": "h0", "f64": "m-3 0h6m-3-3v6", "wide": "m-2-2l4 4m-4 0l4-4"}
"""What the pen draws at a point, in each precision: a dot (a line of no length with round ends), or a cross."""


@dataclass(frozen=True, slots=True)
class Point:
    """The worst of one stack in one case and precision; drawn `offset` beside the place of the case."""

    case: str
    size: int | None
    photons: float | None
    measurement: Measurement
    offset: float

    @property
    def ratio(self) -> float:
        """The error in units of what is allowed; infinite where nothing could be compared."""
        return math.inf if self.measurement.fault else self.measurement.ratio

    @property
    def kind(self) -> str:
        """The CSS classes of its stack and precision."""
        return f"{self.measurement.stack} {self.measurement.precision}"

    @property
    def words(self) -> str:
        measured = self.measurement
        where = f"{self.case}, {measured.stack}, {measured.quantity} in {PRECISION_WORDS[measured.precision]}"
        return f"{where}: {measured.fault or f'{in_bounds(measured.ratio)} times the bound'}"


@dataclass(frozen=True, slots=True)
class Shape:
    """A path of the picture with its CSS classes and, where it is one point, what that is."""

    kind: str
    path: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot: `bound` is the height of the line at 1; what lies above it is in `outside`, point by point."""

    label: str
    words: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    bound: float
    within: tuple[Shape, ...]
    outside: tuple[Shape, ...]


def panels(held: ContractReport) -> tuple[Panel, ...]:
    """The plots of a contract; none where nothing was measured."""
    points = _points(held)
    if not points:
        return ()
    return tuple(
        Panel(
            label=label,
            words=_in_words(held, label, shown),
            across=across.ticks,
            up=up.ticks,
            bound=up.at(0),
            within=_within(shown, places, up),
            outside=tuple(
                Shape(p.kind, _drawn(p, x, up), p.words) for p, x in zip(shown, places, strict=True) if p.ratio > 1
            ),
        )
        for label, across, shown, places in _across(points)
        for up in (_up(points),)
    )


def _points(held: ContractReport) -> list[Point]:
    """A point for each case, stack and precision, in the order in which they were run."""
    worst: dict[tuple[str, str, str], Point] = {}
    stacks = tuple(dict.fromkeys((*STACKS, *stacks_in([held.run.verdict]))))
    precisions = dict.fromkeys((*PRECISIONS, *held.run.verdict.precisions))
    columns = {key: number for number, key in enumerate(product(stacks, precisions))}
    middle = (len(precisions) * len(STACKS) - 1) / 2
    for measurement in held.run.measurements:
        if measurement.is_of_pair:
            continue
        where = held.coordinates.get(measurement.case)
        size, photons = (where.size, where.photons) if where else (None, None)
        offset = APART * (columns[measurement.stack, measurement.precision] - middle)
        point = Point(measurement.case, size, photons, measurement, offset)
        key = (measurement.case, measurement.stack, measurement.precision)
        if key not in worst or worst[key].ratio < point.ratio:
            worst[key] = point
    return list(worst.values())


def _across(points: Sequence[Point]) -> list[tuple[str, Scale, list[Point], list[float]]]:
    """The panels: label, axis, points, and where these lie on it. By number where the sizes are not known."""
    sizes = [point.size for point in points if point.size]
    if len(sizes) == len(points):
        axis = powers(sizes, 2, LEFT + 14, RIGHT - 14)
        places = [axis.at(math.log2(point.size)) for point in points if point.size]
        found = [("N, pixels", axis, list(points), places)]
    else:
        cases = {name: number for number, name in enumerate(dict.fromkeys(p.case for p in points), 1)}
        axis = numbers(len(cases), LEFT + 14, RIGHT - 14)
        found = [("example", axis, list(points), [axis.at(cases[point.case]) for point in points])]
    lit = [point for point in points if point.photons]
    if lit:
        axis = powers([point.photons for point in lit if point.photons], 10, LEFT + 14, RIGHT - 14)
        places = [axis.at(math.log10(point.photons)) for point in lit if point.photons]
        found.append(("photons in the mean pattern", axis, lit, places))
    return found


def _up(points: Sequence[Point]) -> Scale:
    """Errors in units of the bound, as powers of ten; what is smaller than can be shown is at the bottom."""
    finite = [point.ratio for point in points if 0 < point.ratio < math.inf]
    most = max(1, math.ceil(math.log10(max(finite, default=1.0))))
    beyond = any(math.isinf(point.ratio) for point in points)
    high = most + beyond * max(1, (most - LEAST) // 8)
    ticks = [(n, power_of_ten(n)) for n in stepped(LEAST, most) if n > LEAST]
    ends = [(LEAST, f"≤ {power_of_ten(LEAST)}"), *([(high, "∞")] if beyond else [])]
    return Scale(LEAST, high, BOTTOM, TOP, tuple(ends + ticks))


def _within(points: Sequence[Point], places: Sequence[float], up: Scale) -> tuple[Shape, ...]:
    """One path for each stack and precision: a page has thousands of points."""
    paths: dict[str, list[str]] = defaultdict(list)
    for point, x in zip(points, places, strict=True):
        if point.ratio <= 1:
            paths[point.kind].append(_drawn(point, x, up))
    return tuple(Shape(kind, "".join(path)) for kind, path in paths.items())


def _drawn(point: Point, x: float, up: Scale) -> str:
    height = up.at(math.log10(point.ratio) if point.ratio > 0 else LEAST)
    return f"M{x + point.offset:g} {height:g}{_SHAPES[point.measurement.precision]}"


def _in_words(held: ContractReport, label: str, points: Sequence[Point]) -> str:
    """What the picture shows, for who does not see it."""
    off = {point.case for point in points if point.ratio > 1}
    worst = ", ".join(f"{stack} {in_bounds(ratio)}" for stack, ratio in held.run.verdict.worst.items())
    examples = counted(len({point.case for point in points}), "example")
    outside = f"{len(off)} of {examples} outside the bound" if off else f"all {examples} within the bound"
    return f"Error of {held.run.verdict.contract} in units of its bound against {label}: {outside}; worst: {worst}"
