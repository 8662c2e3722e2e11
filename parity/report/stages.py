"""Where a composition first goes wrong, on paper: the verdict, its stages as a tree, and the worst of what is off."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree as Branches

from parity.contracts.contract import Contract
from parity.judging.quantity import Quantity, result_of
from parity.judging.stages import JudgedArray, JudgedArrays, StageRun, Tree
from parity.physics.kinds import Kind
from parity.physics.precision import FLOAT32, FLOAT64
from parity.report.messages import AXES, PRECISION_WORDS
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

_STYLES = {
    FIRST: "bold red",
    WRONG: "red",
    INHERITS: "yellow",
    AGREES: "green",
    DISAGREES: "red",
    UNDECIDED: "yellow",
    NONE: "dim",
}
_INDENT = 4
_PLANES = ("HW", "YX")
_OFF = "✗ "

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
    in_order = [tuple(t for t in trees if t.precision == p.name) for p in (FLOAT64, FLOAT32)]
    there = [_in_order(chosen) for chosen in in_order if chosen]
    return next((chosen for chosen in there if not all(t.agrees for t in chosen)), there[-1])


def explanation(trees: Sequence[Tree]) -> RenderableType:
    """Everything about one case: verdict, tree, worst elements, and which stages are wrong or inherit.

    `trees` are those of one contract and case in every stack and precision.
    """
    chosen = shown(trees)
    parts: list[RenderableType] = [Text(headline(trees), "bold"), Text(_circumstances(trees, chosen), "dim"), Text()]
    parts.append(_branches(chosen))
    found = deviations(chosen)
    for title, forward in (("forward", True), ("backward", False)):
        rows = [deviation for deviation in found if deviation.forward is forward]
        if rows:
            parts += [Text(), _table(title, rows, chosen)]
    if found:
        parts += [Text(), Text(_LEGEND, "dim")]
    lists = [*_listed("wrong in themselves", chosen, _wrong), *_listed("inherit", chosen, _inheriting)]
    return Group(*parts, *([Text()] if lists else []), *(Text(line) for line in lists))


_LEGEND = (
    f"{_OFF.strip()} outside its bound; error, allowed and the bound are the farthest stack's. A stage wrong in itself "
    "is shown on what the oracle gives it, one that inherits on what its own stack gave it."
)


def headline(trees: Sequence[Tree]) -> str:
    """The verdict: which stage of which stack diverges first, or that none does; a line for each stack that is off."""
    chosen = shown(trees)
    off = [tree for tree in chosen if not tree.agrees]
    if not off:
        number = unjudged(trees)
        stages = "all stages agree" if chosen[0].steps else f"{chosen[0].contract.name} agrees"
        return (
            f"{stages}, but {number} {'quantity' if number == 1 else 'quantities'} could not be judged"
            if number
            else stages
        )
    lines = {tree.stack: _sentence(tree) for tree in off}
    if len(chosen) > 1 and len(off) == len(chosen) and len(set(lines.values())) == 1:
        return f"{' and '.join(lines)}: {lines[off[0].stack]}"
    return "\n".join(f"{stack}: {line}" for stack, line in lines.items())


def unjudged(trees: Sequence[Tree]) -> int:
    """How many quantities have no element whose bound is finite: what was not checked has not passed."""
    return sum(_is_undecided(array) for tree in trees for array in _arrays(tree))


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


def _in_order(trees: Sequence[Tree]) -> tuple[Tree, ...]:
    return tuple(sorted(trees, key=lambda tree: tree.stack))


def _sentence(tree: Tree) -> str:
    """The verdict on one tree that does not agree."""
    if not tree.steps:
        off = [r.measurement.quantity.text for r in tree.whole if not r.agrees]
        return f"{tree.contract.name} is wrong: {', '.join(off)}"
    if tree.is_miswired:
        return "every stage is right, the composition is not: it does not do what its stages do"
    if tree.bypasses:
        number = len(_wrong(tree))
        stages = "1 stage is" if number == 1 else f"{number} stages are"
        return f"the end result agrees, but {stages} wrong: the composition does not go through {_them(number)}"
    if tree.compensates:
        return _compensation(tree)
    return _divergence(tree)


def _compensation(tree: Tree) -> str:
    number = len(_wrong(tree))
    stages = "1 stage is" if number == 1 else f"{number} stages are"
    what = "result agrees" if tree.wrong_forward else "result and its gradients agree"
    why = "its error does not reach it" if number == 1 else "their errors cancel"
    gradients = "" if all(r.agrees for r in tree.whole) else ", but not in the gradients"
    return f"the end {what}, but {stages} wrong: {why}{gradients}"


def _divergence(tree: Tree) -> str:
    forward = tree.first_forward is not None
    names: list[str] = []
    inside: Tree | None = tree
    step = tree.first
    while inside and step:
        names.append(step.stage.contract)
        last, inside = step, step.within
        step = (inside.first_forward if forward else inside.first_backward) if inside else None
    where = f"the first divergence is {' › '.join(names)} ({last.stage.result}), {_direction(forward)}"
    if last.within and last.within.is_miswired:
        return f"{where}: each of its stages is right, and it does not do what they do"
    is_wrong = last.is_wrong_forward if forward else last.is_wrong_backward
    return where if is_wrong else f"{where}, though no stage is wrong in itself: their roundings add up"


def _direction(forward: bool) -> str:
    return "forward" if forward else "backward"


def _them(number: int) -> str:
    return "it" if number == 1 else "them"


def _circumstances(trees: Sequence[Tree], chosen: Sequence[Tree]) -> str:
    """Of what the verdict is: contract, case, stacks and precisions."""
    tree = chosen[0]
    tried = {t.precision for t in trees}
    if all(t.agrees for t in chosen):
        words = " and ".join(PRECISION_WORDS[p.name] for p in (FLOAT64, FLOAT32) if p.name in tried)
    elif tree.precision == FLOAT64.name:
        words = "float64: the mathematics differs"
    elif FLOAT64.name in tried:
        words = "float32 alone: the rounding differs, not the mathematics"
    else:
        words = "float32, and float64 was not run: the rounding differs, or the mathematics"
    off = [t.stack for t in chosen if not t.agrees] or [t.stack for t in chosen]
    others = [t.stack for t in chosen if t.stack not in off]
    agree = f"; {' and '.join(others)} agree{'s' if len(others) == 1 else ''}" if others else ""
    case = tree.whole[0].measurement.case
    return f"{tree.contract.name}, case {case}, {' and '.join(off)} in {words}{agree}"


def _branches(trees: Sequence[Tree]) -> RenderableType:
    """The stages as a tree, with two marks for each stack: of the value, and of the gradients."""
    width = max(len(label) for label in _labels(trees[0])) + 1
    heads = [f"{_direction(forward)}" for _ in trees for forward in (True, False)]
    cell = max(len(FIRST), *(len(tree.stack) for tree in trees)) + 2
    over = Text(" " * width + "".join(tree.stack.ljust(2 * cell) for tree in trees), "bold", no_wrap=True)
    under = Text(" " * width + "".join(head.ljust(cell) for head in heads), "dim", no_wrap=True)
    root = Branches(
        _row(trees[0].contract.name, width, cell, [_marks_of_whole(tree) for tree in trees]), guide_style="dim"
    )
    _grow(root, trees, width - _INDENT, cell, [True] * len(trees), [True] * len(trees))
    return Group(over, under, root)


def _labels(tree: Tree, depth: int = 0) -> Iterator[str]:
    """Every label, as wide as it stands in the tree."""
    if not depth:
        yield tree.contract.name
    for step in tree.steps:
        yield " " * _INDENT * (depth + 1) + _label(step)
        if step.within:
            yield from _labels(step.within, depth + 1)


def _label(step: StageRun) -> str:
    return f"{step.stage.contract} → {step.stage.result}"


def _grow(
    branch: Branches, trees: Sequence[Tree], width: int, cell: int, forward: Sequence[bool], backward: Sequence[bool]
) -> None:
    """Add the stages; `forward` and `backward` say in which trees one of them can be where the stack first diverges."""
    for steps in zip(*(tree.steps for tree in trees), strict=True):
        is_first = [
            (
                may_be and step is tree.first_forward,
                may_be_back and tree.first_forward is None and step is tree.first_backward,
            )
            for tree, step, may_be, may_be_back in zip(trees, steps, forward, backward, strict=True)
        ]
        marks = [_marks(step, *first) for step, first in zip(steps, is_first, strict=True)]
        twig = branch.add(_row(_label(steps[0]), width, cell, marks))
        inner = [step.within for step in steps if step.within]
        if inner:
            _grow(twig, inner, width - _INDENT, cell, *zip(*is_first, strict=True))


def _row(label: str, width: int, cell: int, marks: Sequence[tuple[str, str]]) -> Text:
    text = Text(label.ljust(width), no_wrap=True, overflow="ellipsis")
    for mark in (mark for pair in marks for mark in pair):
        text.append(mark.ljust(cell), _STYLES[mark])
    text.rstrip()
    return text


def _marks(step: StageRun, first_forward: bool, first_backward: bool) -> tuple[str, str]:
    value, gradients = (step.free, step.fed), (*step.free_gradients, *step.fed_gradients)
    return (
        _mark(value, step.diverges_forward, step.is_wrong_forward, first_forward),
        _mark(gradients, step.diverges_backward, step.is_wrong_backward, first_backward),
    )


def _mark(arrays: JudgedArrays, diverges: bool, wrong: bool, first: bool) -> str:
    if diverges:
        return FIRST if first else WRONG if wrong else INHERITS
    if any(_is_undecided(r) for r in arrays):
        return UNDECIDED
    return AGREES if arrays else NONE


def _marks_of_whole(tree: Tree) -> tuple[str, str]:
    results = len(tree.contract.results)
    return _mark_of_whole(tree.whole[:results]), _mark_of_whole(tree.whole[results:])


def _mark_of_whole(arrays: JudgedArrays) -> str:
    mark = _mark(arrays, not all(r.agrees for r in arrays), True, False)
    return DISAGREES if mark == WRONG else mark


def _arrays(tree: Tree) -> Iterator[JudgedArray]:
    yield from tree.whole
    for step in tree.steps:
        yield from (step.free, step.fed, *step.free_gradients, *step.fed_gradients)
        if step.within:
            yield from _arrays(step.within)


def _is_undecided(array: JudgedArray) -> bool:
    measured = array.measurement
    return measured.fault is None and 0 < measured.elements == measured.undecided


def _table(title: str, rows: Sequence[Deviation], trees: Sequence[Tree]) -> Table:
    """The worst element of every quantity: where, what it is in each stack and in the oracle, and by how much."""
    table = bare_table()
    table.add_column(title, overflow="fold")
    table.add_column("worst at")
    for name in (*(tree.stack for tree in trees), "oracle"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("error", "allowed", "× bound"):
        table.add_column(name, justify="right", no_wrap=True)
    for deviation in rows:
        marked = Text.assemble(deviation.name, "\n  ", (deviation.mark, _STYLES[deviation.mark]))
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
    return Text(("" if array.agrees else _OFF) + word, style)


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


def _listed(title: str, trees: Sequence[Tree], choose: Callable[[Tree], list[str]]) -> list[str]:
    """A line for each stack that has any such stage."""
    chosen = {tree.stack: choose(tree) for tree in trees}
    return [f"{title} ({stack}): {', '.join(names)}" for stack, names in chosen.items() if names]


def _wrong(tree: Tree) -> list[str]:
    """The stages that are wrong in themselves; of a composition, those within that are."""
    names = []
    for step in tree.wrong:
        inner = _wrong(step.within) if step.within else []
        names += [f"{step.stage.contract} › {name}" for name in inner] or [
            f"{step.stage.contract} ({step.stage.result})"
        ]
    return names


def _inheriting(tree: Tree) -> list[str]:
    return [f"{step.stage.contract} ({step.stage.result})" for step in tree.inheriting]
