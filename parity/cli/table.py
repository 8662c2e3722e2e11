"""`parity table` lays the stored results of several subjects side by side."""

from __future__ import annotations

from pathlib import Path

import click

from parity._ground.codes import AGREE
from parity.judging.omission import Omission
from parity.report.side_by_side import inserted, table, united
from parity.runs.results import ResultsError, read_stored
from ptycho_exposures.files import write_atomically


@click.command("table")
@click.argument("results", nargs=-1, required=True, metavar="RESULTS.json...", type=click.Path(path_type=Path))
@click.option(
    "--write",
    "page",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Put the table into this page, between the two lines that mark its place.",
)
def table_command(results: tuple[Path, ...], page: Path | None) -> int:
    """Lay the stored results of several subjects side by side.

    A row is a contract, a column is a subject, and an entry has the verdict in every precision. The table is Markdown.
    You need no framework.
    """
    stored = [read_stored(path) for path in results]
    seen: dict[str, Path] = {}
    omissions: dict[str, list[Omission]] = {}
    for one in stored:
        for stack in {m.stack for found in one.measurements.values() for m in found if not m.is_of_pair}:
            if stack in seen:
                raise ResultsError(f"{one.path}: expected other subjects than in {seen[stack]}, got {stack} again")
            seen[stack] = one.path
        for name, found in one.omissions.items():
            omissions.setdefault(name, []).extend(found)
    written = table(united(one.measurements for one in stored), omissions)
    if page is None:
        click.echo(written, nl=False)
    else:
        write_atomically(page, inserted(page.read_text(encoding="utf-8"), written, str(page)).encode())
    return AGREE
