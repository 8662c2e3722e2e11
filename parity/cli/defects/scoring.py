"""`parity defects score` counts what the harness catches, what it flags wrongly, and which causes it names."""

from __future__ import annotations

from pathlib import Path

import click

from parity._ground.codes import exit_code
from parity._ground.errors import UsageError
from parity._ground.repository import ROOT
from parity.cli.numbers import COUNT, PROCESSES
from parity.cli.options import EXAMPLES, journal_option, number_option, report_option
from parity.cli.progress import progress
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.faults import CATALOGUE, REWRITES
from parity.faults.diagnosis import diagnose
from parity.proof.score.page import page, summary, totals
from parity.proof.score.result import Score
from parity.proof.score.run import CI_EXAMPLES, Job, score, stale
from parity.proof.score.stored import encoded, read_score
from parity.report.terminal import console, counted
from parity.runs.scope import sources
from ptycho_exposures.files import write_atomically

PAGE, DATA = "score.md", "score.json"


@click.command("score")
@click.argument("names", nargs=-1, metavar="[CONTRACT]...")
@number_option("--examples", CI_EXAMPLES, EXAMPLES, COUNT)
@number_option("--jobs", 1, "Use this many processes.", PROCESSES)
@click.option("--pytest", "ask_pytest", is_flag=True, help="Run pytest -m parity on each defect too, 3 s each.")
@journal_option("finished part of the score")
@report_option(f"Write {PAGE}, with every defect, and {DATA} to this folder.")
@click.option("--write", is_flag=True, help=f"Bring docs/{PAGE} and docs/{DATA} up to date for these contracts.")
@click.option("--stored", is_flag=True, help=f"Make nothing; print every row of these contracts in docs/{DATA}.")
def score_command(
    names: tuple[str, ...],
    examples: int,
    jobs: int,
    ask_pytest: bool,
    journal: Path | None,
    folder: Path | None,
    write: bool,
    stored: bool,
) -> int:
    """Count how many known defects the harness notices.

    The command makes every known defect in each stack, and every rewrite, which must stay silent.

    The exit code is 1 if a defect was missed or the wrong stack was blamed, or if a rewrite was not silent.
    """
    if write and (stored or examples != CI_EXAMPLES):
        raise UsageError(f"--write: expected {CI_EXAMPLES} examples that are made, got others; --report takes any")
    docs = _docs() if write or stored else None
    contracts = _chosen(names)
    if docs and stored:
        found = _of(read_score(docs / DATA), contracts)
        click.echo(page(found), nl=False)
    else:
        found = _made(contracts, Job(examples, diagnose, ask_pytest), jobs, journal)
        console().print(totals(found), markup=False, highlight=False, soft_wrap=True)
    if folder:
        _write(folder, found, page(found))
    if docs and write:
        known = read_score(docs / DATA) if (docs / DATA).exists() else Score(())
        whole = _of(known.updated(found.runs), tuple(REGISTRY.values()))
        _write(docs, whole, summary(whole))
        _tell_stale(whole)
    return exit_code(wrong=not found.holds)


def _chosen(names: tuple[str, ...]) -> tuple[Contract, ...]:
    """The contracts that are named; without a name all that have a defect or a rewrite."""
    contracts = REGISTRY.select(names)
    if names:
        return contracts
    targets = {change.target for change in (*CATALOGUE.values(), *REWRITES.values())}
    return tuple(contract for contract in contracts if contract.name in targets)


def _made(contracts: tuple[Contract, ...], job: Job, jobs: int, journal: Path | None) -> Score:
    known = read_score(journal) if journal and journal.exists() else None
    with progress("making defects", len(contracts)) as advance:

        def keep(so_far: Score) -> None:
            if journal:
                write_atomically(journal, encoded(so_far))
            advance()

        return score(contracts, job, jobs, keep, known)


def _docs() -> Path:
    """Where the published score lies. Raises UsageError outside a checkout."""
    docs = ROOT / "docs"
    if not docs.is_dir() or not (ROOT / "pyproject.toml").is_file():
        raise UsageError(f"docs: expected a checkout, which publishes its score there, got {ROOT}")
    return docs


def _of(score: Score, contracts: tuple[Contract, ...]) -> Score:
    """The part of a score that is of these contracts."""
    names = {contract.name for contract in contracts}
    others = {scored.contract for scored in score.contracts if scored.contract not in names}
    return Score(tuple(run for run in (old.without(others) for old in score.runs) if run.contracts))


def _write(folder: Path, scored: Score, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / DATA, encoded(scored))
    write_atomically(folder / PAGE, text.encode())
    console().print(f"written: {folder / PAGE}, {folder / DATA}", soft_wrap=True)


def _tell_stale(scored: Score) -> None:
    """Say which rows are of other defects than those of now, and how many were made of other sources."""
    others = sum(len(run.contracts) for run in scored.runs if run.sources != sources())
    if others:
        console().print(f"{counted(others, 'contract')} scored with other sources than these", soft_wrap=True)
    names = stale(scored)
    if names:
        console().print(f"to bring the rest up to date: parity defects score {' '.join(names)} --write", soft_wrap=True)
