"""`parity table` lays the stored results of several subjects side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from parity._ground.codes import AGREE
from parity._ground.text import read_text
from parity.report.findings import findings, read_explanations
from parity.report.side_by_side import Column, columns_of, inserted, table, united
from parity.runs.results import ResultsError, read_stored
from ptycho_exposures.files import write_atomically


@click.command("table")
@click.argument("results", nargs=-1, required=True, metavar="[NAME=]RESULTS.json...")
@click.option("--differing", is_flag=True, help="Leave out the contracts of which each subject has one entry alone.")
@click.option(
    "--findings",
    "explanations",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Add each disagreement, in the words of this file.",
)
@click.option(
    "--write",
    "page",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Put the table into this page, between the two lines that mark its place.",
)
def table_command(results: tuple[str, ...], differing: bool, explanations: tuple[Path, ...], page: Path | None) -> int:
    """Lay the stored results of several subjects side by side.

    A row is a contract, a column is a subject, and an entry has the verdict in every precision. The table is Markdown.
    You need no framework.

    NAME, such as a commit, stands in the heading of its columns, so that the table can have a subject several times.

    With --findings, each disagreement follows with its numbers, the line that shows it and your explanation. An
    explanation of what did not show is refused, and a disagreement without one is listed as not explained.
    """
    columns = _columns(results)
    written = table(columns, differing=differing)
    if explanations:
        written += findings([read_explanations(path) for path in explanations], united(columns))
    if page is None:
        click.echo(written, nl=False)
    else:
        write_atomically(page, inserted(read_text(page), written, str(page)).encode())
    return AGREE


def _columns(results: Sequence[str]) -> list[Column]:
    columns: dict[str, Column] = {}
    for given in results:
        name, _, path = given.rpartition("=")
        stored = read_stored(Path(path))
        for column in columns_of(stored.measurements, stored.omissions, stored.not_checked, name):
            if column.heading in columns:
                raise ResultsError(
                    f"{path}: expected other subjects than in the files before, got {column.heading} again; "
                    "NAME=RESULTS.json gives its columns a name"
                )
            columns[column.heading] = column
    return sorted(columns.values(), key=lambda column: column.stack)
