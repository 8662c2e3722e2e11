"""`parity defects list` lists the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

import click

from parity._ground.codes import AGREE
from parity.contracts.fault import Injectable
from parity.faults import CATALOGUE, REWRITES
from parity.proof.score.message import listing
from parity.report.terminal import console, counted


@click.command("list")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--rewrites", is_flag=True, help="List the rewrites instead, which must stay silent.")
def list_command(names: tuple[str, ...], rewrites: bool) -> int:
    """List the known defects.

    You see the name of each defect, the stacks in which it can be made, what it does, and which input shows it.

    NAME is a defect such as losses.mae/predicted-squared, a contract such as losses.mae, or a file of contracts such as
    losses.
    """
    chosen: Sequence[Injectable] = REWRITES.select(names) if rewrites else CATALOGUE.select(names)
    out = console()
    out.print(listing(chosen))
    made = sum(len(change.stacks) for change in chosen)
    out.print(f"{counted(len(chosen), 'rewrite' if rewrites else 'defect')}, {made:,} with the stacks counted apart")
    return AGREE
