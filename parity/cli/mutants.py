"""`parity mutants` changes the stacks' sources a little, and sees whether a test notices."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

import click
from rich.table import Table

from parity._ground.codes import AGREE, exit_code
from parity._ground.errors import UsageError
from parity._ground.repository import ROOT
from parity.cli.numbers import COUNT, PROCESSES, Finite
from parity.cli.options import journal_option, number_option, report_option
from parity.cli.progress import progress
from parity.proof.mutants.crew import try_all
from parity.proof.mutants.explained import explanation
from parity.proof.mutants.mutate import Mutant, MutantKind, mutants_of, thinned
from parity.proof.mutants.questions import FILES, STACKS
from parity.proof.mutants.scores import MutantScore, scores, was_missed, write_trials
from parity.proof.mutants.trial import MutantTrial
from parity.report.terminal import bare_table, console, counted

RESULTS = "mutants.json"

_TITLES = {MutantKind.MATHEMATICS: "mathematics, by pytest -m parity", MutantKind.BORDER: "borders, by the unit tests"}

_most = number_option(
    "--most", 1, "Make at most this many mutants of each operator in each function; 0 makes all.", COUNT
)


@click.group("mutants")
def mutants_group() -> None:
    """Change a stack's source, and see whether a test notices.

    FILE is a source file such as ptycho/losses.py. Without FILE the commands take losses, optics, scaling, patches and
    forward of both stacks.
    """


@mutants_group.command("list")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@_most
def list_command(files: Sequence[str], most: int) -> int:
    """List the mutants of source files.

    Without a FILE you see those of losses, optics, scaling, patches and forward in both stacks.
    """
    for mutant in _mutants(files, most):
        click.echo(f"{mutant.id}  {mutant.place}  {mutant.kind}  {_described(mutant)}")
    return AGREE


@mutants_group.command("run")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@_most
@number_option("--jobs", 1, "Use this many processes.", PROCESSES)
@journal_option("results")
@click.option(
    "--limit",
    metavar="SECONDS",
    default=600.0,
    show_default=True,
    type=Finite(1, 10**7),
    help="Stop the tests of a mutant that take longer than this.",
)
@report_option("Write the result of every mutant as JSON to this folder.")
def run_command(
    files: Sequence[str], most: int, jobs: int, journal: Path | None, limit: float, folder: Path | None
) -> int:
    """Make each mutant, and see whether a test notices it.

    A mutant of the mathematics is tried against the contracts, and a mutant of the checks of arguments against the unit
    tests. A mutant counts as missed if its tests take longer than the limit, or if it breaks pytest itself.
    """
    if importlib.util.find_spec("pytest") is None or not (ROOT / "tests").is_dir():
        raise UsageError("mutants: expected a checkout with its tests, and pytest, got neither or one of them")
    mutants = _mutants(files, most)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as passing, progress("mutants", len(mutants)) as advance:
        trials = try_all(mutants, ROOT, journal or Path(passing, "journal"), jobs, limit, advance)
    out = console()
    for kind in MutantKind:
        out.print(_table(kind, scores(mutants, trials)))
        out.print()
    missed = [mutant for mutant in mutants if was_missed(trials[mutant.id])]
    out.print(_told(missed, trials), soft_wrap=True)
    if folder:
        write_trials(folder / RESULTS, mutants, trials)
    return exit_code(wrong=bool(missed))


def _mutants(files: Sequence[str], most: int) -> list[Mutant]:
    found = [mutant for file in files or FILES for mutant in _mutants_of(file)]
    return thinned(found, most) if most else found


def _mutants_of(file: str) -> list[Mutant]:
    path = Path(file)
    source = ROOT / file
    if path.parent.name not in STACKS or path.suffix != ".py" or not source.is_file():
        raise UsageError(f"FILE: expected a source file of a stack, such as {FILES[0]}, got {file}")
    return mutants_of(path.parent.name, path.stem, source.read_text(encoding="utf-8"))


def _table(kind: MutantKind, found: Mapping[tuple[MutantKind, str], MutantScore]) -> Table:
    numbers = ("mutants", "killed", "of these raised", "equal", "survived", "timed out", "broken", "share")
    table = bare_table(_TITLES[kind], numbers=numbers)
    for (of_kind, file), score in found.items():
        if of_kind is kind and score.mutants:
            table.add_row(file or "all", *map(str, astuple(score)), f"{score.share:.1%}")
    return table


def _told(missed: Sequence[Mutant], trials: Mapping[str, MutantTrial]) -> str:
    if not missed:
        return "every mutant was killed, or changes nothing"
    lines = [f"{m.id}  {m.place}  {trials[m.id].outcome}  {_described(m)}" for m in missed]
    return "\n".join((f"{counted(len(missed), 'mutant')} not killed:", *lines))


def _described(mutant: Mutant) -> str:
    told = f"{mutant.function}: {mutant.operator}: {mutant.before} → {mutant.after}"
    reason = explanation(mutant.id)
    return f"{told}  [{reason}]" if reason else told
