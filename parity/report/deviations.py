"""What is off in the stages of a composition: each quantity with its arrays in every stack, and a table of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from parity.contracts.contract import Contract
from parity.judging.quantity import Quantity, result_of
from parity.judging.stage_tree import JudgedArray, JudgedArrays, StageRun, Tree
from parity.physics.kinds import Kind
from parity.physics.precision import FLOAT32, FLOAT64, WIDENED
from parity.report.messages import AXES
from parity.report.terminal import bare_table

FIRST, WRONG, INHERITS, AGREES, DISAGREES, UNDECIDED, NONE = (
    "first divergence",
    "wrong in itself",
    "inherits",
    "agrees",
    "disagrees",
    "undecided",
    "–",
)
"""The marks of a stage, forward and backward. What is not judged at all is undecided, never right."""

MARK_STYLES = {
    FIRST: "bold red",
    WRONG: "red",
    INHERITS: "yellow",
    AGREES: "green",
    DISAGREES: "red",
    UNDECIDED: "yellow",
    NONE: "dim",
}
"""How each mark is coloured."""

OFF = "✗ "
"""Stands before a number that is outside its bound."""

_PLANES = ("HW", "YX")

StageRuns = tuple[StageRun, ...]
"""One stage in every stack."""


@dataclass(frozen=True, slots=True, eq=False)
class Deviation:
    """One quantity that is off in some stack: its arrays in every stack, in the order of the trees.

    `path` leads to the stage, by results, through the compositions it is in; it is empty for the composition itself.
    """

    contract: Contract
    path: tuple[str, ...]
    quantity: Quantity
    mark: str
    forward: bool
    arrays: JudgedArrays

    @property
    def worst(self) -> JudgedArray:
        """The array that is farthest off, in units of what is allowed; one that could be compared, if any could."""
        off = [r for r in self.arrays if not r.agrees]
        return max(off, key=lambda r: (r.measurement.fault is None, r.measurement.ratio))

    @property
    def name(self) -> str:
        """The quantity and where it belongs, in words."""
        stage = " › ".join(self.path)
        if self.forward:
            return stage or self.quantity.text
        return f"{self.quantity} of {stage}" if stage else self.quantity.text


def shown(trees: Sequence[Tree]) -> tuple[Tree, ...]:
    """The trees to look at: those in float64 if one of them disagrees, for then the mathematics does; else float32."""
    in_order = [tuple(t for t in trees if t.precision == p.name) for p in (WIDENED, FLOAT64, FLOAT32)]
    there = [tuple(sorted(chosen, key=lambda tree: tree.stack)) for chosen in in_order if chosen]
    return next((chosen for chosen in there if not all(t.agrees for t in chosen)), there[-1])


def deviations(trees: Sequence[Tree], path: tuple[str, ...] = ()) -> list[Deviation]:
    """Every quantity that is off in some of these trees of one contract, in the order in which it is computed."""
    values: list[Deviation] = []
    gradients: list[Deviation] = []
    for steps in zip(*(tree.steps for tree in trees), strict=True):
        inner = _within(steps, path)
        values += [f for f in inner if f.forward] + _deviation_of_value(trees, steps, path)
        gradients = _deviations_of_gradients(trees, steps, path) + [f for f in inner if not f.forward] + gradients
    if not path:
        results = len(trees[0].contract.results)
        whole = [
            Deviation(trees[0].contract, (), arrays[0].measurement.quantity, DISAGREES, place < results, arrays)
            for place, arrays in enumerate(zip(*(tree.whole for tree in trees), strict=True))
            if not all(r.agrees for r in arrays)
        ]
        values += [f for f in whole if f.forward]
        gradients += [f for f in whole if not f.forward]
    return values + gradients


def _within(steps: StageRuns, path: tuple[str, ...]) -> list[Deviation]:
    trees = [step.within for step in steps if step.within]
    return deviations(trees, (*path, steps[0].stage.result)) if trees else []


def _deviation_of_value(trees: Sequence[Tree], steps: StageRuns, path: tuple[str, ...]) -> list[Deviation]:
    arrays, mark = _telling(tuple(s.fed for s in steps), tuple(s.free for s in steps))
    stage = steps[0].stage
    found = Deviation(trees[0].contract, (*path, stage.result), result_of(stage.result), mark, True, arrays)
    return [found] if mark != AGREES else []


def _deviations_of_gradients(trees: Sequence[Tree], steps: StageRuns, path: tuple[str, ...]) -> list[Deviation]:
    found = []
    fed, free = ([getattr(s, name) for s in steps] for name in ("fed_gradients", "free_gradients"))
    for both in zip(zip(*fed, strict=True), zip(*free, strict=True), strict=True):
        arrays, mark = _telling(*both)
        if mark != AGREES:
            where = (*path, steps[0].stage.result)
            quantity = arrays[0].measurement.quantity
            found.append(Deviation(trees[0].contract, where, quantity, mark, False, arrays))
    return found


def _telling(fed: JudgedArrays, free: JudgedArrays) -> tuple[JudgedArrays, str]:
    """The arrays that show what is off: on right inputs if the stage is wrong on them, else on its own."""
    if not all(r.agrees for r in fed):
        return fed, WRONG
    return free, AGREES if all(r.agrees for r in free) else INHERITS


def deviation_table(title: str, rows: Sequence[Deviation], trees: Sequence[Tree]) -> Table:
    """The worst element of every quantity: where, what it is in each stack and in the oracle, and by how much."""
    table = bare_table()
    table.add_column(title, overflow="fold")
    table.add_column("worst at")
    for name in (*(tree.stack for tree in trees), "oracle"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("error", "allowed", "× bound"):
        table.add_column(name, justify="right", no_wrap=True)
    for deviation in rows:
        marked = Text.assemble(deviation.name, "\n  ", (deviation.mark, MARK_STYLES[deviation.mark]))
        table.add_row(marked, *_cells(deviation))
    return table


def _cells(deviation: Deviation) -> tuple[str | Text, ...]:
    worst = deviation.worst
    measured = worst.measurement
    if measured.fault:
        return Text(f"{measured.stack} {measured.fault}"), *("" for _ in deviation.arrays), "", "", "", ""
    at = measured.index
    digits = _digits(measured.error, abs(worst.oracle.value[at]))
    values = [_value_at(array, at, digits) for array in deviation.arrays]
    times = measured.ratio
    return (
        place_in_words(worst.kind, at),
        *values,
        _number(worst.oracle.value[at], digits),
        f"{measured.error:.2g}",
        f"{measured.allowed:.2g}",
        f"{times:,.0f}" if 1000 <= times < 1e6 else f"{times:.3g}",
    )


def _value_at(array: JudgedArray, at: tuple[int, ...], digits: int) -> Text:
    style = "" if array.agrees else "red"
    if array.got is None:
        word = "raised" if array.measurement.fault else "no path"
    elif array.got.shape != array.oracle.shape:
        word = "ill-shaped"
    else:
        word = _number(array.got[at], digits)
    return Text(("" if array.agrees else OFF) + word, style)


def place_in_words(kind: Kind, index: tuple[int, ...]) -> str:
    """An element of an array of a kind: which group, patch and mode and, on a line of its own, row and column."""
    words = [f"{AXES.get(axis, axis)} {i}" for axis, i in zip(kind.axes, index, strict=True)]
    if has_plane(kind):
        return "\n".join(part for part in (", ".join(words[:-2]), ", ".join(words[-2:])) if part)
    return ", ".join(words)


def has_plane(kind: Kind) -> bool:
    """Whether the last two axes of a kind are the rows and columns of an image."""
    return kind.axes[-2:] in _PLANES


def _digits(error: float, size: float) -> int:
    """As many digits as tell two numbers apart that differ by `error`, and two more; four at least."""
    if not (0 < error < math.inf and 0 < size < math.inf):
        return 4
    return min(17, max(4, math.ceil(math.log10(size / error)) + 2))


def _number(value: Any, digits: int) -> str:
    """A number, the imaginary part below the real one."""
    if not np.iscomplexobj(value):
        return f"{float(value):.{digits}g}"
    return f"{value.real:.{digits}g}\n{value.imag:+.{digits}g}j"
