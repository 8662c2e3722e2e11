"""`parity divergences` measures the accepted divergences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from parity._ground.codes import AGREE, exit_code
from parity._ground.errors import CheckNotMade
from parity._ground.text import read_text
from parity.cli.options import engage, examples_option, precision_option, stacks_option
from parity.cli.progress import progress
from parity.contracts.cases.case import parse_precisions, sweep
from parity.contracts.declared import REGISTRY
from parity.judging.divergences.declared import written
from parity.judging.divergences.faults import divergence_faults
from parity.judging.divergences.registry import registered
from parity.judging.proposals import Proposal, propose
from parity.judging.run import NotChecked, Plan
from parity.physics.precision import Precision
from parity.report.content import ContractReport
from parity.report.divergences import divergence_table
from parity.report.terminal import console, not_checked_lines
from parity.runs.isolation import hold
from parity.stacks import declaring
from parity.stacks.declaration import DIVERGENCES
from ptycho_exposures.files import write_atomically


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


@divergences_group.command("propose")
@click.argument("names", nargs=-1, metavar="[CONTRACT]...")
@stacks_option
@examples_option
@precision_option
@click.option("--append", is_flag=True, help="Append the entries to the file that declares your subjects.")
def propose_command(
    names: tuple[str, ...], stacks: tuple[str, ...], examples: int, precision: str, append: bool
) -> int:
    """Write entries that would accept the disagreements.

    The command tries every kind that needs no function, and prints an entry if one leaves nothing to be judged in any
    example. You decide whether the difference is meant: an entry cannot be read until you have written its reason.

    The exit code is 1 if no kind explains a disagreement, and 3 if a contract could not be checked.
    """
    place = declaring(Path.cwd())
    precisions, taken = parse_precisions(precision), {(entry.contract, entry.stack) for entry in registered()}
    found: list[Proposal] = []
    lost: list[NotChecked] = []
    frameworks = engage(stacks)
    bound = [(c, f) for c in REGISTRY.select(names) for f in frameworks if f.binds(c) and (c.name, f.name) not in taken]
    with progress("proposing", len(bound)) as advance:
        for contract, framework in bound:
            claimed, _ = framework.domain.restricted(contract)
            try:
                proposal = propose(claimed, framework, tuple(sweep(claimed, examples)), precisions)
                found += [proposal] if proposal else []
            except CheckNotMade as error:
                lost.append(NotChecked(contract.name, str(error)))
            advance()
    heading = place[0].at(DIVERGENCES).key if place else DIVERGENCES
    text = "\n".join(written(one.entry, heading) for one in found if one.entry)
    out = console()
    if append and place and text:
        file = place[0].file
        write_atomically(file, f"{read_text(file).rstrip()}\n\n{text}".encode())
        out.print(f"appended to {file}: write the reasons", soft_wrap=True)
    else:
        out.print(text, markup=False, highlight=False, soft_wrap=True)
    unexplained = [f"{one.contract}: no kind explains how {one.stack} disagrees" for one in found if not one.entry]
    for line in (*unexplained, *not_checked_lines(lost)):
        out.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)
    return exit_code(wrong=bool(unexplained), unchecked=bool(lost))


def held(
    names: Sequence[str], examples: int, precisions: tuple[Precision, ...], doing: str
) -> tuple[ContractReport | NotChecked, ...]:
    """The named contracts, held in all stacks."""
    plan = Plan(REGISTRY.select(names), examples, precisions)
    frameworks = engage(())
    total = sum(len(plan.cases(contract)) for contract in plan.contracts)
    with progress(doing, total) as advance:
        return hold(plan, frameworks, advance=advance).found
