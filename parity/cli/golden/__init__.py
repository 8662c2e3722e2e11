"""`parity golden` freezes cases with everything that judges a stack on them, and replays them."""

from __future__ import annotations

import click

from parity.cli.golden.reading import diff_command, history_command, list_command, replay_command, verify_command
from parity.cli.golden.writing import promote_command, regen_command, remove_command


@click.group("golden")
def golden_group() -> None:
    """Freeze cases, and replay them in one stack or in both.

    A golden is a case with its inputs, the oracle's results, the bounds and both stacks' outputs. You can hold one
    stack to it without installing the other.
    """


for command in (
    verify_command,
    replay_command,
    list_command,
    diff_command,
    history_command,
    promote_command,
    regen_command,
    remove_command,
):
    golden_group.add_command(command)
