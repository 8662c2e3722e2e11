"""The stages of a composition as a tree, with marks for each stack: of the value, and of the gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree as Branches

from parity.judging.stage_tree import JudgedArrays, StageRun, Tree
from parity.report.deviations import AGREES, DISAGREES, FIRST, INHERITS, MARK_STYLES, NONE, UNDECIDED, WRONG

_INDENT = 4


def branches(trees: Sequence[Tree]) -> RenderableType:
    """The stages as a tree, with two marks for each stack: of the value, and of the gradients."""
    width = max(len(label) for label in _labels(trees[0])) + 1
    heads = [head for _ in trees for head in ("forward", "backward")]
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
        text.append(mark.ljust(cell), MARK_STYLES[mark])
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
    if any(r.is_undecided for r in arrays):
        return UNDECIDED
    return AGREES if arrays else NONE


def _marks_of_whole(tree: Tree) -> tuple[str, str]:
    results = len(tree.contract.results)
    return _mark_of_whole(tree.whole[:results]), _mark_of_whole(tree.whole[results:])


def _mark_of_whole(arrays: JudgedArrays) -> str:
    mark = _mark(arrays, not all(r.agrees for r in arrays), True, False)
    return DISAGREES if mark == WRONG else mark
