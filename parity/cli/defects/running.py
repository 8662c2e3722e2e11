"""`parity defects run` makes one defect, and shows the message that it causes."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from parity.cli.codes import DISAGREE, NOT_CHECKED
from parity.cli.options import examples_option, not_default, under_circumstances
from parity.contracts.cases.case import parse_precisions
from parity.contracts.cases.datasets import read_dataset
from parity.faults import KNOWN
from parity.faults.diagnosis import diagnoses
from parity.faults.injection import injected
from parity.judging.run import Plan, run
from parity.judging.verdict import Outcome
from parity.proof.score.message import consequence, made
from parity.report.terminal import console
from parity.stacks import ADAPTERS, load


@click.command("run")
@click.argument("name", metavar="DEFECT")
@examples_option
@click.option("--case", metavar="STRATUM/SEED", help="Run this case alone, such as odd/17.")
@under_circumstances
def run_command(
    name: str,
    examples: int,
    case: str | None,
    data: Path | None,
    precision: str,
    mode: str | None,
    device: str,
    stacks: tuple[str, ...],
) -> int:
    """Make one defect, and show the message that it causes.

    The command makes the defect in each stack in turn, or in the stack that you name with --stack, and runs the
    contract of the defect.

    Exit code 1 if it is caught, as a disagreement is; 3 if nothing noticed it.
    """
    defect = KNOWN[name]
    plan = Plan((defect.contract,), examples, parse_precisions(precision), case, read_dataset(data) if data else None)
    plan.check()
    frameworks = load(tuple(ADAPTERS), mode, device)
    options = [word for word in not_default(click.get_current_context()) if word not in ("--stack", *stacks)]
    out, caught = console(), True
    out.print(Text(" · ".join(f.description for f in frameworks), "dim"))
    for stack in stacks or defect.stacks:
        with injected(defect, stack):
            (result,) = run(plan, frameworks)
            verdict = result.verdict
            found = diagnoses(defect.contract, frameworks, verdict.sides, result.measurements, plan.dataset)
        said = consequence(defect, stack, verdict, options, found)
        out.print()
        out.print(made(defect, stack), style="bold", markup=False, highlight=False, soft_wrap=True)
        out.print(said, markup=False, highlight=False, soft_wrap=True)
        caught = caught and verdict.outcome is Outcome.DISAGREE
    return DISAGREE if caught else NOT_CHECKED
