"""The tables of a benchmark: what each step costs, what starting costs, and what fixed tolerances would flag."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from parity.judging.truth import FACTS, GRADIENTS, JUDGING, SIMULATION, VALUES, WITNESS
from parity.proof.bench.suite import BOUND, TOLERANCES, BenchReport
from parity.report.terminal import bare_table
from parity.stacks import STACKS

_STEPS = (SIMULATION, VALUES, GRADIENTS, WITNESS, *STACKS, FACTS, JUDGING)


def suite_tables(report: BenchReport) -> RenderableType:
    """Three tables, and the whole against what there is no way around."""
    legend = (
        "Milliseconds an example, in float32 and float64 together; bare: the stacks' functions and gradients alone; "
        "anew: with what is traced for them.\n"
    )
    whole = (
        f"\n{report.total:.1f} s in all, {report.ratio:.1f} times the {report.floor:.1f} s of start and bare calls, "
        f"traces included; without them these are {report.floor_once_traced:.1f} s"
    )
    return Group(
        _costs(report), Text(legend, style="dim"), _startup(report), Text(), _false_alarms(report), Text(whole)
    )


def _costs(report: BenchReport) -> Table:
    steps = [step for step in _STEPS if any(step in c.seconds for c in report.contracts)]
    table = bare_table("contract", numbers=(*steps, "total", "bare", "anew"))
    for c in report.contracts:
        seconds = (*(c.seconds.get(step, 0.0) for step in steps), c.total, c.bare, c.anew)
        table.add_row(c.contract, *(f"{1000 * s / c.examples:.1f}" for s in seconds))
    return table


def _startup(report: BenchReport) -> Table:
    table = bare_table("start, in a fresh process", numbers=["seconds"])
    for statements, seconds in report.startup.items():
        table.add_row(statements, f"{seconds:.1f}")
    return table


def _false_alarms(report: BenchReport) -> Table:
    table = bare_table("float32 stacks held together by", numbers=("false alarms", "examples"))
    for rule in (*TOLERANCES, BOUND):
        alarms = sum(c.false_alarms.get(rule, 0) for c in report.contracts)
        table.add_row(rule, str(alarms), str(report.examples))
    return table
