"""How a run ends, in one process, in several, or put together from shards: table, messages, results, exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from parity.asked import Asked
from parity.cli.codes import AGREE, DISAGREE, NOT_CHECKED
from parity.isolation import Held
from parity.report.terminal import not_checked_lines, summary_line, verdict_table
from parity.results import write_results
from parity.run import NotChecked

RESULTS = "results.json"


def conclude(
    out: Console,
    found: Sequence[Held | NotChecked],
    asked: Asked,
    environment: Mapping[str, str],
    folder: Path | None,
    notes: Sequence[str] = (),
) -> int:
    """Print what was found, write it to `folder` if there is one, and say the exit code.

    What could not be checked outweighs what was found wrong, and a run of nothing is not checked.
    """
    held = [one for one in found if isinstance(one, Held)]
    lost = [one for one in found if isinstance(one, NotChecked)]
    verdicts = [one.run.verdict for one in held]
    out.print(verdict_table(verdicts))
    for message in filter(None, (one.message for one in held)):
        out.print()
        out.print(message, markup=False, highlight=False, soft_wrap=True)
    out.print()
    for note in (*notes, *not_checked_lines(lost)):
        out.print(Text(note, "yellow"), soft_wrap=True)
    out.print(summary_line(verdicts, lost, asked.shard))
    if folder:
        write_results(folder / RESULTS, [one.run for one in held], environment, asked, lost)
        out.print(f"results: {folder / RESULTS}", soft_wrap=True)
    if lost or not held:
        return NOT_CHECKED
    return AGREE if all(verdict.agrees for verdict in verdicts) else DISAGREE
