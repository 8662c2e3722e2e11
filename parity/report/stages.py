"""Where a composition first goes wrong, on paper: the verdict, its stages as a tree, and the worst of what is off."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from parity.judging.stage_tree import Tree
from parity.physics.precision import ALL_PRECISIONS, FLOAT32, FLOAT64, WIDENED
from parity.report.deviations import OFF, deviation_table, deviations, shown
from parity.report.messages import PRECISION_WORDS
from parity.report.stage_branches import branches


def explanation(trees: Sequence[Tree]) -> RenderableType:
    """Everything about one case: verdict, tree, worst elements, and which stages are wrong or inherit.

    `trees` are those of one contract and case in every stack and precision.
    """
    chosen = shown(trees)
    parts: list[RenderableType] = [Text(headline(trees), "bold"), Text(_circumstances(trees, chosen), "dim"), Text()]
    parts.append(branches(chosen))
    found = deviations(chosen)
    for title, forward in (("forward", True), ("backward", False)):
        rows = [deviation for deviation in found if deviation.forward is forward]
        if rows:
            parts += [Text(), deviation_table(title, rows, chosen)]
    if found:
        parts += [Text(), Text(_LEGEND, "dim")]
    lists = [*_listed("wrong in themselves", chosen, _wrong), *_listed("inherit", chosen, _inheriting)]
    return Group(*parts, *([Text()] if lists else []), *(Text(line) for line in lists))


_LEGEND = (
    f"{OFF.strip()} outside its bound; error, allowed and the bound are the farthest stack's. A stage wrong in itself "
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
    return sum(array.is_undecided for tree in trees for array in tree.arrays())


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
        words = " and ".join(PRECISION_WORDS[p.name] for p in (WIDENED, FLOAT64, FLOAT32) if p.name in tried)
    elif ALL_PRECISIONS[tree.precision].is_double:
        words = f"{PRECISION_WORDS[tree.precision]}: the mathematics differs"
    elif {FLOAT64.name, WIDENED.name} & tried:
        words = "float32 alone: the rounding differs, not the mathematics"
    else:
        words = "float32, and float64 was not run: the rounding differs, or the mathematics"
    off = [t.stack for t in chosen if not t.agrees] or [t.stack for t in chosen]
    others = [t.stack for t in chosen if t.stack not in off]
    agree = f"; {' and '.join(others)} agree{'s' if len(others) == 1 else ''}" if others else ""
    case = tree.whole[0].measurement.case
    return f"{tree.contract.name}, case {case}, {' and '.join(off)} in {words}{agree}"


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
