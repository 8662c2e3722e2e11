"""`parity run` judges contracts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.text import Text

from parity.cli.conclusion import Found, conclude
from parity.cli.options import command_line, examples_option, not_default, report_option, sharing, under_circumstances
from parity.cli.progress import progress
from parity.contracts.cases.case import parse_precisions
from parity.contracts.cases.datasets import read_dataset
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.judging.omission import Omitted
from parity.judging.run import NotChecked, Plan
from parity.judging.shards import Shard
from parity.report.content import ContractReport
from parity.report.terminal import console
from parity.runs.isolation import Circumstances, Outcomes, hold, hold_side_by_side
from parity.runs.results import environment_of
from parity.runs.scope import Asked


@click.command("run")
@click.argument("names", nargs=-1, metavar="[CONTRACT]...")
@examples_option
@click.option("--case", metavar="STRATUM/SEED", help="Run this case alone, such as odd/17.")
@under_circumstances
@sharing
@click.option(
    "--require",
    "required",
    multiple=True,
    metavar="CONTRACT",
    help="Exit with 3 if a stack does not bind this contract, or this file of contracts.",
)
@report_option("Write results.json and a report in HTML, Markdown and JUnit XML to this folder.")
def run_command(
    names: tuple[str, ...],
    examples: int,
    case: str | None,
    data: Path | None,
    precision: str,
    mode: str | None,
    device: str,
    stacks: tuple[str, ...],
    in_process: bool,
    jobs: int,
    limit: float | None,
    shard: Shard | None,
    required: tuple[str, ...],
    folder: Path | None,
) -> int:
    """Judge both stacks, and say which of them is wrong.

    The command simulates exposures, runs them through both stacks and the oracle, and compares the results.

    CONTRACT is a name such as losses.poisson_nll, or a file of contracts such as losses. Without CONTRACT the command
    runs every contract; with --data it leaves out those that cannot take frames of that size.

    Each stack runs in a process of its own, beside the oracle. If a stack takes too long for a contract, or its process
    dies or runs out of memory, that contract is not checked; the others go on, and the exit code is 3.
    """
    plan = Plan(
        contracts=REGISTRY.select(names),
        examples=examples,
        precisions=parse_precisions(precision),
        case=case,
        dataset=read_dataset(data) if data else None,
        shard=shard,
    )
    left_out: tuple[Contract, ...] = ()
    if not names:
        left_out = tuple(contract for contract in plan.contracts if not plan.takes(contract))
        plan = replace(plan, contracts=tuple(contract for contract in plan.contracts if plan.takes(contract)))
    plan.check()
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    context, in_depth = click.get_current_context(), folder is not None
    options = not_default(context)
    asked = Asked.of(plan, stacks, options)
    out = console()
    circumstances = Circumstances(stacks, mode, device, limit, in_process)
    outcomes = hold_with_progress(plan, circumstances, options, jobs, in_depth)
    out.print(Text(" · ".join(outcomes.descriptions.values()), "dim"))
    notes = [_not_asked(plan.frame, left_out)] if left_out else []
    held = (*outcomes.found, *_required(REGISTRY.select(required) if required else (), outcomes))
    environment = environment_of(outcomes.descriptions)
    found = Found(held, asked, environment, command_line(context), outcomes.unbound)
    return conclude(out, found, "parity run", folder, notes)


def hold_with_progress(
    plan: Plan, circumstances: Circumstances, options: Sequence[str], jobs: int, in_depth: bool
) -> Outcomes:
    """The contracts of a plan, held in `jobs` processes; as `hold`, with a bar for whoever waits."""
    if jobs > 1:
        with progress("simulating and judging", len(plan.tried)) as advance:
            return hold_side_by_side(plan, circumstances, options, jobs, advance, in_depth)
    total = sum(len(plan.cases(contract)) for contract in plan.contracts)
    with circumstances.engaged() as frameworks, progress("simulating and judging", total) as advance:
        return hold(plan, frameworks, options, advance, in_depth)


def _required(contracts: Sequence[Contract], outcomes: Outcomes) -> Iterator[NotChecked]:
    """Of the contracts that must be bound, those that some stack does not bind."""
    unbound = dict.fromkeys((c.name for c in contracts), "required, and not asked")
    unbound |= dict.fromkeys(outcomes.unbound, "required, and no stack binds it")
    for held in outcomes.found:
        if isinstance(held, ContractReport):
            by = [o.stack for o in held.run.omissions if o.omitted is Omitted.NOT_BOUND]
            unbound.pop(held.run.verdict.contract, None)
            unbound |= {held.run.verdict.contract: f"required, and {' and '.join(by)} does not bind it"} if by else {}
        else:
            unbound.pop(held.contract, None)
    return (NotChecked(c.name, unbound[c.name]) for c in contracts if c.name in unbound)


def _not_asked(frame: Sequence[int], contracts: Sequence[Contract]) -> str:
    sides, names = " × ".join(map(str, frame)), ", ".join(contract.name for contract in contracts)
    return f"not asked of frames of {sides}: {names}"
