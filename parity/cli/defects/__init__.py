"""`parity defects` makes known defects in a stack, and sees whether the harness notices."""

from __future__ import annotations

import click

from parity.cli.defects.listing import list_command
from parity.cli.defects.running import run_command
from parity.cli.defects.scoring import score_command
from parity.cli.reconstruction import reconstruct_command, train_command


@click.group("defects")
def defects_group() -> None:
    """Make known defects, and see whether the harness notices."""


for command in (list_command, run_command, score_command, reconstruct_command, train_command):
    defects_group.add_command(command)
