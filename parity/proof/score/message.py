"""Defects and rewrites as a table, and what is said of one that was made."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from rich.console import RenderableType
from rich.text import Text

from parity.contracts.fault import Fault, Injectable
from parity.judging.verdict import Outcome
from parity.report.content import ContractReport
from parity.report.terminal import bare_table
from parity.stacks import STACKS


def listing(changes: Iterable[Injectable]) -> RenderableType:
    """A row for each: its name, the stacks it can be made in, what it does and, of a defect, what shows it."""
    changes = tuple(changes)
    shown = any(isinstance(change, Fault) for change in changes)
    table = bare_table()
    table.add_column("name", overflow="fold")
    table.add_column("stacks", no_wrap=True)
    table.add_column("what it does")
    if shown:
        table.add_column("what shows it")
    for change in changes:
        cells = [Text(change.full_name), Text(stacks_in_words(change.stacks)), Text(change.what)]
        table.add_row(*cells, *([Text(change.shows)] if isinstance(change, Fault) else []))
    return table


def stacks_in_words(stacks: Sequence[str]) -> str:
    """`both`, or the one there is."""
    return "both" if set(stacks) == set(STACKS) else " and ".join(stacks)


def made(defect: Fault, stack: str) -> str:
    """What is done to which stack."""
    return f"{defect.full_name}, made in {stack}: {defect.what}"


def consequence(defect: Fault, stack: str, held: ContractReport, options: Sequence[str] = ()) -> str:
    """The message that the defect's failure gives, and that it is the defect's; or that nothing noticed it."""
    verdict = held.run.verdict
    if verdict.outcome is not Outcome.DISAGREE:
        said = f": {verdict.outcome}, {verdict.reason}" if verdict.reason else ""
        return f"nothing noticed it in {verdict.examples} examples{said}"
    named = "" if verdict.sides == (stack,) else f", but blamed {' and '.join(verdict.sides) or 'no side'}"
    case = ["--case", verdict.failures[0].case] if verdict.failures else []
    again = shlex.join(["parity", "defects", "run", defect.full_name, "--stack", stack, *case, *options])
    return (
        f"{held.message}\n"
        f"caught{named}: the disagreement is that of {defect.full_name}, made in {stack} for this run alone\n"
        f"  make it again: {again}"
    )
