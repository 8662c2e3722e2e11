"""`parity run`: judge contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from parity.cases import parse_precisions
from parity.cli.codes import AGREE, DISAGREE
from parity.cli.options import command_line, examples_option, not_default, report_option, under_circumstances
from parity.cli.progress import progress
from parity.contract import Contract
from parity.contracts import REGISTRY
from parity.datasets import read_dataset
from parity.frameworks import ADAPTERS, load
from parity.frameworks.base import Framework
from parity.report.content import ContractReport, Remark, Report, Weight
from parity.report.forms import write_forms
from parity.report.gathering import gather
from parity.report.terminal import console, summary_line, verdict_table
from parity.results import environment, write_results
from parity.run import ContractRun, Plan, run

RESULTS = "results.json"


@click.command("run")
@click.argument("names", nargs=-1, metavar="[CONTRACT]...")
@examples_option
@click.option("--case", metavar="STRATUM/SEED", help="One case alone, such as odd/17.")
@under_circumstances
@report_option("Write results.json and, as HTML, Markdown and JUnit XML, a report here.")
def run_command(
    names: tuple[str, ...],
    examples: int,
    case: str | None,
    data: Path | None,
    precision: str,
    mode: str | None,
    device: str,
    stacks: tuple[str, ...],
    folder: Path | None,
) -> int:
    """Simulate exposures, run them through both stacks and the oracle, judge, and say who is wrong.

    CONTRACT is a name such as losses.poisson_nll, or a file of them such as losses; all of them by default, but for
    those that cannot be asked of the frames of --data.
    """
    plan = Plan(
        contracts=REGISTRY.select(names),
        examples=examples,
        precisions=parse_precisions(precision),
        case=case,
        dataset=read_dataset(data) if data else None,
    )
    left_out: tuple[Contract, ...] = ()
    if not names:
        left_out = tuple(contract for contract in plan.contracts if not plan.takes(contract))
        plan = replace(plan, contracts=tuple(contract for contract in plan.contracts if plan.takes(contract)))
    plan.check()
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    frameworks = load(stacks or tuple(ADAPTERS), mode, device)
    out = console()
    out.print(Text(" · ".join(f.description for f in frameworks), "dim"))
    runs = _run_with_progress(plan, frameworks)
    out.print(verdict_table(r.verdict for r in runs))
    context = click.get_current_context()
    held = _gathered(out, plan, frameworks, runs, not_default(context), in_depth=folder is not None)
    if left_out:
        out.print(Text(_not_asked(plan.frame, left_out), "yellow"), soft_wrap=True)
    out.print(summary_line(r.verdict for r in runs))
    if folder:
        write_results(folder / RESULTS, runs, environment(frameworks))
        out.print(f"results: {folder / RESULTS}", soft_wrap=True)
        report = Report(
            "parity run",
            command_line(context),
            held,
            remarks=(Remark(Weight.NOTED, "not asked", _not_asked(plan.frame, left_out)),) if left_out else (),
            environment=environment(frameworks),
            seconds=sum(r.seconds for r in runs),
        )
        for path in write_forms(folder, report):
            out.print(f"report: {path}", soft_wrap=True)
    return AGREE if all(r.verdict.agrees for r in runs) else DISAGREE


def _run_with_progress(plan: Plan, frameworks: Sequence[Framework]) -> list[ContractRun]:
    total = sum(len(plan.cases(contract)) for contract in plan.contracts)
    with progress("simulating and judging", total) as advance:
        return list(run(plan, frameworks, lambda case: advance()))


def _gathered(
    out: Console,
    plan: Plan,
    frameworks: Sequence[Framework],
    runs: Sequence[ContractRun],
    options: Sequence[str],
    in_depth: bool,
) -> tuple[ContractReport, ...]:
    """What there is to say of every contract; the message of one that does not agree is printed as it is found."""
    gathered = []
    for contract, result in zip(plan.contracts, runs, strict=True):
        held = gather(result, contract, frameworks, plan.dataset, options, in_depth)
        if held.message:
            out.print()
            out.print(held.message, markup=False, highlight=False, soft_wrap=True)
        gathered.append(held)
    out.print()
    return tuple(gathered)


def _not_asked(frame: Sequence[int], contracts: Sequence[Contract]) -> str:
    sides, names = " × ".join(map(str, frame)), ", ".join(contract.name for contract in contracts)
    return f"not asked of frames of {sides}: {names}"
