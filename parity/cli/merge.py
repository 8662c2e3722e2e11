"""`parity merge`: the shards of a run as one."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from parity.cli.conclusion import conclude
from parity.cli.options import report_option
from parity.contracts import REGISTRY
from parity.frameworks import STACKS
from parity.isolation import Held
from parity.merging import merge
from parity.report.messages import describe
from parity.report.terminal import console
from parity.results import read_stored
from parity.run import ContractRun, NotChecked


@click.command("merge")
@click.argument("paths", nargs=-1, required=True, metavar="RESULTS.json...", type=click.Path(path_type=Path))
@report_option("Write results.json of the whole run here.")
def merge_command(paths: tuple[Path, ...], folder: Path | None) -> int:
    """Unite the results of all shards of a run, and judge them as if they had been one.

    No framework is needed. Exit code 3 unless these are all the shards of one run, each once.
    """
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    merged = merge([read_stored(path) for path in paths])
    out = console()
    described = [merged.environment[stack] for stack in reversed(STACKS) if stack in merged.environment]
    out.print(Text(" · ".join(described), "dim"))
    found = [_told(one, merged.asked.options) for one in merged.found]
    return conclude(out, found, merged.asked, merged.environment, folder)


def _told(found: ContractRun | NotChecked, options: tuple[str, ...]) -> Held | NotChecked:
    """With the message of a failure. What would explain it was said where the stacks were, by its shard."""
    if isinstance(found, NotChecked):
        return found
    verdict = found.verdict
    return Held(found, "" if verdict.agrees else describe(REGISTRY[verdict.contract], verdict, options))
