"""What became of a pipeline: a table with a line a step, a message for what is off, and a conclusion."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from parity.judging.quantity import Quantity
from parity.judging.verdict import UNJUDGED, Outcome
from parity.report.messages import REPRODUCE, causes, extent, finding_of, headline
from parity.report.terminal import counted, table_of_verdicts
from parity.runs.pipeline.holding import Held, PipelineResult
from parity.stacks import STACKS


def pipeline_table(answer: PipelineResult) -> RenderableType:
    """The steps: how many arrays, errors in units of the bound, the stacks' distance, and the smallest defect seen."""
    legend = (
        "Stacks: worst error in units of the bound (≤ 1 agrees); loaders must give the same bits. float64 gap: largest "
        "relative distance of the stacks. ε_min: smallest relative defect that shows."
    )
    rows = [(str(held.step), held.arrays, held.verdict) for held in answer.steps]
    return table_of_verdicts("step", "arrays", STACKS, rows, legend)


def subject(answer: PipelineResult) -> str:
    """What was tried, in one line."""
    members = f"{counted(answer.groups, 'group')} of {answer.gridsize**2}"
    return (
        f"{answer.question.path}: {answer.tried} of {members}, {answer.size} × {answer.size}, "
        f"through a network of {answer.parameters:,} parameters"
    )


def messages(answer: PipelineResult, command: str) -> list[str]:
    """For each step that is off in itself, everything that a person needs to start looking.

    A stack is off in itself at its first such step among the loader's and at its first behind them, unless it does that
    rightly on what it should have been given. `command` is the line that repeats it.
    """
    told: set[tuple[str, bool]] = set()
    said: list[str] = []
    for held in answer.steps:
        if held.verdict.outcome is not Outcome.DISAGREE:
            continue
        own = {(stack, held.step.is_reading) for stack in held.verdict.sides if stack not in held.inherits}
        if own - told or not held.verdict.sides:
            said.append(_message(held, answer, command))
        told |= own
    return said


def _message(held: Held, answer: PipelineResult, command: str) -> str:
    verdict = held.verdict
    lines = [f"{held.step}: {headline(verdict)}"]
    if verdict.failures:
        worst = verdict.failures[0]
        lines += [f"  {finding_of(answer.kinds.get(worst.quantity), worst)}", f"  {extent(verdict)}"]
    else:
        lines.append(f"  {verdict.reason}")
    lines += causes(held.diagnoses)
    after = [one for one in answer.steps[answer.steps.index(held) + 1 :] if set(one.verdict.sides) & set(verdict.sides)]
    if after:
        lines.append(f"  off behind it: {', '.join(one.step for one in after)}")
    return "\n".join([*lines, f"  {REPRODUCE}: {command}"])


def open_lines(answer: PipelineResult) -> list[str]:
    """What a coarser precision leaves open, and what could not be judged at all, a line each."""
    lines = []
    for held in answer.steps:
        if held.verdict.outcome in (Outcome.UNDECIDED, Outcome.UNINFORMATIVE):
            lines.append(f"{held.step}: {held.verdict.outcome}: {held.verdict.reason}")
        elif held.left_open and held.verdict.agrees:
            lines.append(f"{held.step}: the bound leaves {_named(held.left_open)} open in float32; float64 decides")
    return lines


def conclusion(answer: PipelineResult) -> str:
    """The verdict in one line."""
    off = [str(held.step) for held in answer.steps if held.verdict.outcome is Outcome.DISAGREE]
    unjudged = [str(held.step) for held in answer.steps if held.verdict.outcome in UNJUDGED]
    said = [f"{len(off)} of {len(answer.steps)} steps do not agree: {', '.join(off)}"] if off else []
    said += [f"not decided: {', '.join(unjudged)}"] if unjudged else []
    if said:
        return "; ".join(said)
    return f"both pipelines agree within the bound on {counted(answer.tried, 'group')}"


def _named(quantities: Sequence[Quantity]) -> str:
    """Quantities by name; of gradients how many."""
    gradients = [quantity for quantity in quantities if quantity.is_gradient]
    others = [quantity.text for quantity in quantities if not quantity.is_gradient]
    *first, last = others + ([counted(len(gradients), "gradient")] if gradients else [])
    return f"{', '.join(first)} and {last}" if first else last
