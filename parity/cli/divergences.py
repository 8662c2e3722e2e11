"""`parity divergences` measures the accepted divergences."""

from __future__ import annotations

from collections.abc import Sequence

import click

from parity._ground.codes import AGREE, exit_code
from parity.cli.options import engage, examples_option, precision_option
from parity.cli.progress import progress
from parity.contracts.cases.case import parse_precisions
from parity.contracts.declared import REGISTRY
from parity.judging.divergences.faults import divergence_faults
from parity.judging.divergences.registry import registered
from parity.judging.run import NotChecked, Plan
from parity.physics.precision import Precision
from parity.report.content import ContractReport
from parity.report.divergences import divergence_table
from parity.report.terminal import console, not_checked_lines
from parity.runs.isolation import hold


@click.group("divergences", invoke_without_command=True)
@examples_option
@precision_option
@click.pass_context
def divergences_group(context: click.Context, examples: int, precision: str) -> int | None:
    """Measure every accepted divergence.

    You see the kind of each divergence, the sizes that its entry accepts, the sizes that were measured, and the date on
    which the entry expires.

    The exit code is 1 if an entry never shows, has left its interval, has expired, or names something that does not
    exist.
    """
    return None if context.invoked_subcommand else _measure(examples, parse_precisions(precision))


def _measure(examples: int, precisions: tuple[Precision, ...]) -> int:
    entries, out = registered(), console()
    if not entries:
        out.print("no divergence is accepted: everything that is asked of the stacks must agree")
        return AGREE
    names = [name for name in dict.fromkeys(entry.contract for entry in entries) if name in REGISTRY]
    found = held(names, examples, precisions, "measuring") if names else ()
    runs = [one.run for one in found if isinstance(one, ContractReport)]
    lost = [one for one in found if isinstance(one, NotChecked)]
    measurements = [m for run in runs for m in run.measurements]
    out.print(divergence_table(entries, measurements, REGISTRY))
    faults = divergence_faults(entries, measurements, REGISTRY, [o for run in runs for o in run.omissions])
    for sentence in faults:
        out.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
    for line in not_checked_lines(lost):
        out.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)
    return exit_code(wrong=bool(faults), unchecked=bool(lost))


def held(
    names: Sequence[str], examples: int, precisions: tuple[Precision, ...], doing: str
) -> tuple[ContractReport | NotChecked, ...]:
    """The named contracts, held in all stacks."""
    plan = Plan(REGISTRY.select(names), examples, precisions)
    frameworks = engage(())
    total = sum(len(plan.cases(contract)) for contract in plan.contracts)
    with progress(doing, total) as advance:
        return hold(plan, frameworks, advance=advance).found
