"""`parity explain` finds the stage of a composition that goes wrong first."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from parity._ground.codes import exit_code
from parity.cli.options import engage, report_option, under_circumstances
from parity.contracts.cases.case import parse_precisions
from parity.contracts.cases.datasets import read_dataset
from parity.contracts.cases.domain import shared
from parity.contracts.declared import REGISTRY
from parity.judging.run import Plan
from parity.judging.stages import trees_of
from parity.report.divergences import accepted_lines
from parity.report.error_map import write_error_maps
from parity.report.pictures import require_matplotlib
from parity.report.stages import explanation, unjudged
from parity.report.terminal import console


@click.command("explain")
@click.argument("name", metavar="CONTRACT")
@click.option("--case", required=True, metavar="STRATUM/SEED", help="Run this case, such as odd/17.")
@under_circumstances
@report_option("Draw error maps into this folder.")
def explain_command(
    name: str,
    case: str,
    data: Path | None,
    precision: str,
    mode: str | None,
    device: str,
    stacks: tuple[str, ...],
    in_process: bool,
    folder: Path | None,
) -> int:
    """Find the stage of a composition that goes wrong first.

    The command runs one case, forward and backward, and says by how much each stage is wrong. It runs every stage
    twice: on the results of its own stack's earlier stages, and on the oracle's results. A stage that is wrong on the
    oracle's results is wrong in itself; any other stage that is wrong inherits the error.
    """
    plan = Plan(
        contracts=(REGISTRY[name],),
        precisions=parse_precisions(precision),
        case=case,
        dataset=read_dataset(data) if data else None,
    )
    plan.check()
    if folder:
        require_matplotlib("error maps")
        folder.mkdir(parents=True, exist_ok=True)
    frameworks = engage(stacks, mode, device, in_process=in_process)
    contract, _ = shared([framework.domain for framework in frameworks]).restricted(plan.contracts[0])
    (chosen,) = plan.cases(contract)
    trees = trees_of(chosen, frameworks, plan.precisions, REGISTRY)
    out = console()
    out.print(explanation(trees))
    out.print()
    for line in accepted_lines(trees):
        out.print(line, style="yellow", markup=False, soft_wrap=True)
    for path in write_error_maps(folder, trees) if folder else ():
        out.print(f"error map: {path}", soft_wrap=True)
    out.print(Text(" · ".join(f.description for f in frameworks), "dim"))
    return exit_code(wrong=not all(tree.agrees for tree in trees), unchecked=bool(unjudged(trees)))
