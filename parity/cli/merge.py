"""`parity merge` joins the shards of a run."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from parity.cli.conclusion import Found, conclude
from parity.cli.options import command_line, report_option
from parity.contracts.declared import REGISTRY
from parity.judging.run import ContractRun, NotChecked
from parity.report.content import ContractReport
from parity.report.gathering import held_contract, with_message
from parity.report.terminal import console
from parity.runs.merging import merge
from parity.runs.results import read_stored
from parity.stacks import STACKS


@click.command("merge")
@click.argument("paths", nargs=-1, required=True, metavar="RESULTS.json...", type=click.Path(path_type=Path))
@report_option("Write results.json and a report in HTML, Markdown and JUnit XML to this folder.")
def merge_command(paths: tuple[Path, ...], folder: Path | None) -> int:
    """Join the results of all shards, and judge them as one run.

    You need no framework. The exit code is 3 unless the files hold every shard of one run exactly once.
    """
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    merged = merge([read_stored(path) for path in paths])
    out = console()
    described = [merged.environment[stack] for stack in reversed(STACKS) if stack in merged.environment]
    out.print(Text(" · ".join(described), "dim"))
    told = [_told(one, merged.asked.options) for one in merged.found]
    found = Found(told, merged.asked, merged.environment, command_line(click.get_current_context()))
    return conclude(out, found, "parity merge", folder)


def _told(found: ContractRun | NotChecked, options: tuple[str, ...]) -> ContractReport | NotChecked:
    """With the message of a failure. What would explain it was said where the stacks were, by its shard."""
    if isinstance(found, NotChecked):
        return found
    contract = REGISTRY[found.verdict.contract]
    return with_message(held_contract(found, contract), contract, options)
