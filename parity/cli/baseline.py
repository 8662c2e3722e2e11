"""`parity baseline` freezes known disagreements, and says when they change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click
from rich.console import Console
from rich.text import Text

from parity._ground.codes import exit_code
from parity._ground.environment import in_process
from parity._ground.errors import UsageError
from parity.cli.numbers import COUNT
from parity.cli.options import jobs_option, limit_option, stacks_option
from parity.cli.run import hold_with_progress
from parity.contracts.cases.case import parse_precisions
from parity.contracts.declared import REGISTRY
from parity.judging.run import NotChecked, Plan
from parity.judging.verdict import UNJUDGED
from parity.report.content import ContractReport
from parity.report.terminal import bare_table, console, counted, in_bounds, not_checked_lines
from parity.runs.baseline import (
    Disagreements,
    Extent,
    FrozenDisagreements,
    baseline_file,
    disagreements,
    read_baseline,
    write_baseline,
)
from parity.runs.isolation import Circumstances
from parity.stacks import STACKS, declared
from parity.stacks.base import PAIR


@click.group("baseline")
def baseline_group() -> None:
    """Freeze the disagreements that you know, and see a change.

    The file parity-baseline.toml lies beside the file that declares your subjects.
    """


@baseline_group.command("write")
@click.argument("names", nargs=-1, metavar="[CONTRACT]...")
@stacks_option
@click.option(
    "--examples",
    type=COUNT,
    help="Draw this many examples of each contract.  [default: as before, or 30]",
)
@click.option("--precision", help="Run in f32, f64 or wide, with commas.  [default: as before, or f32,f64]")
@click.option("--reason", default="", metavar="TEXT", help="Freeze changes, too, for this reason.")
@jobs_option
@limit_option
def write_command(
    names: tuple[str, ...],
    stacks: tuple[str, ...],
    examples: int | None,
    precision: str | None,
    reason: str,
    jobs: int,
    limit: float | None,
) -> int:
    """Run the contracts, and freeze what disagrees.

    The rows of a baseline that still hold stay as they are, and those of a mended disagreement are taken out. Beside
    them, a disagreement that is new, or has another cause or size, is frozen only with a --reason, which its row keeps.

    The exit code is 1 if nothing was written for lack of a reason, and 3 if a contract could not be checked, whose rows
    stay.
    """
    file = baseline_file()
    before = read_baseline(file)
    chosen = _chosen(before, examples, precision)
    if before and (chosen.examples, chosen.precisions) != (before.examples, before.precisions) and (names or stacks):
        raise UsageError(
            "--examples, --precision: expected those of the baseline beside a CONTRACT or --subject, got others"
        )
    found, asked, lost = _found(chosen, names, stacks, jobs, limit)
    out = console()
    _list(out, found)
    changes = {where: said for where, said in chosen.changes(found, asked).items() if where in found}
    if before and changes and not reason.strip():
        _say(out, (*changes.values(), f"not written: {file.name}: say why with --reason"), "red")
        return exit_code(wrong=True)
    after = chosen.refrozen(found, asked, reason if before else "")
    write_baseline(file, after)
    _say(out, not_checked_lines(lost), "yellow")
    gone = len(chosen.rows.keys() - after.rows.keys())
    out.print(f"{counted(len(after.rows), 'disagreement')} in {file}; taken out: {gone}", soft_wrap=True)
    return exit_code(unchecked=bool(lost))


@baseline_group.command("check")
@click.argument("names", nargs=-1, metavar="[CONTRACT]...")
@stacks_option
@jobs_option
@limit_option
def check_command(names: tuple[str, ...], stacks: tuple[str, ...], jobs: int, limit: float | None) -> int:
    """Run the contracts, and say which disagreements have changed.

    The cases and precisions are those of the baseline. A new disagreement is a change, and so is another cause or size
    of one that you know, and one that is gone.

    The exit code is 0 if all is as it was frozen, 1 if something has changed, and 3 if a contract could not be checked.
    """
    file = baseline_file()
    baseline = read_baseline(file)
    if baseline is None:
        raise UsageError(f"{file}: expected a baseline, got no file: parity baseline write")
    found, asked, lost = _found(baseline, names, stacks, jobs, limit)
    changes = baseline.changes(found, asked)
    out = console()
    _say(out, changes.values(), "red")
    _say(out, not_checked_lines(lost), "yellow")
    if not changes:
        out.print(f"{counted(len(found), 'disagreement')} as frozen in {file}", soft_wrap=True)
    return exit_code(wrong=bool(changes), unchecked=bool(lost))


def _chosen(before: FrozenDisagreements | None, examples: int | None, precision: str | None) -> FrozenDisagreements:
    """A baseline with these circumstances, or those from before."""
    known = before or FrozenDisagreements(30, ("f32", "f64"), {})
    precisions = tuple(one.name for one in parse_precisions(precision)) if precision else known.precisions
    return FrozenDisagreements(known.examples if examples is None else examples, precisions, known.rows)


def _found(
    baseline: FrozenDisagreements, names: Sequence[str], stacks: tuple[str, ...], jobs: int, limit: float | None
) -> tuple[Disagreements, Extent, list[NotChecked]]:
    """What disagrees in the cases of a baseline, of what was asked about, and what was not checked."""
    plan = Plan(REGISTRY.select(names), baseline.examples, parse_precisions(",".join(baseline.precisions)))
    plan.check()
    circumstances = Circumstances(stacks, limit=limit, in_process=in_process())
    outcomes = hold_with_progress(plan, circumstances, (), jobs, in_depth=False)
    reports = [one for one in outcomes.found if isinstance(one, ContractReport)]
    lost = [one for one in outcomes.found if isinstance(one, NotChecked)]
    for verdict in (report.run.verdict for report in reports):
        if verdict.outcome in UNJUDGED:
            lost.append(NotChecked(verdict.contract, verdict.reason or verdict.outcome))
    contracts = [contract.name for contract in plan.contracts if contract.name not in {one.contract for one in lost}]
    everybody = tuple(declared()) or STACKS
    asked = Extent(contracts, {*(stacks or everybody), *(() if stacks else (PAIR,))}, baseline.precisions)
    return disagreements(reports), asked, lost


def _list(out: Console, found: Disagreements) -> None:
    table = bare_table("contract", "subject", "precision", "quantity", "times the bound", "cause")
    for where, one in sorted(found.items()):
        table.add_row(*where, in_bounds(one.size), one.cause or "–")
    out.print(table)


def _say(out: Console, lines: Iterable[str], style: str) -> None:
    for line in lines:
        out.print(Text(line, style), soft_wrap=True)
