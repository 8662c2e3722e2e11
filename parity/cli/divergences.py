"""`parity divergences` measures the accepted divergences."""

from __future__ import annotations

import click

from parity._ground.codes import AGREE, exit_code
from parity.cli.options import engage, examples_option, precision_option
from parity.cli.progress import progress
from parity.contracts.cases.case import parse_precisions
from parity.contracts.declared import REGISTRY
from parity.judging.divergences.faults import divergence_faults
from parity.judging.divergences.registry import registered
from parity.judging.measurement import Measurement
from parity.judging.run import Plan, judged, run
from parity.physics.precision import Precision
from parity.report.divergences import divergence_table
from parity.report.terminal import console


@click.command("divergences")
@examples_option
@precision_option
def divergences_command(examples: int, precision: str) -> int:
    """Measure every accepted divergence.

    You see the kind of each divergence, the sizes that its entry accepts, the sizes that were measured, and the date on
    which the entry expires.

    The exit code is 1 if an entry never shows, has left its interval, has expired, or names something that does not
    exist.
    """
    entries, out = registered(), console()
    if not entries:
        out.print("no divergence is accepted: everything that is asked of the stacks must agree")
        return AGREE
    names = [name for name in dict.fromkeys(entry.contract for entry in entries) if name in REGISTRY]
    measurements = _measured(names, examples, parse_precisions(precision))
    out.print(divergence_table(entries, measurements, REGISTRY))
    faults = divergence_faults(entries, measurements, REGISTRY)
    for sentence in faults:
        out.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
    return exit_code(wrong=bool(faults))


def _measured(names: list[str], examples: int, precisions: tuple[Precision, ...]) -> list[Measurement]:
    """The contracts that have entries, run in both stacks; none of them without any."""
    if not names:
        return []
    plan = Plan(REGISTRY.select(names), examples, precisions)
    total = sum(len(plan.cases(contract)) for contract in plan.contracts)
    frameworks = engage(())
    with progress("measuring", total) as advance:
        runs = [judged(result) for result in run(plan, frameworks, lambda case: advance())]
    return [measurement for result in runs for measurement in result.measurements]
