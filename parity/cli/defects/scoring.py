"""`parity defects score` counts what the harness catches, what it flags wrongly, and which causes it names."""

from __future__ import annotations

from pathlib import Path

import click

from parity._repository import ROOT
from parity.cli.codes import AGREE, DISAGREE
from parity.cli.options import report_option
from parity.cli.progress import progress
from parity.contracts.contract import UsageError
from parity.contracts.declared import REGISTRY
from parity.faults import CATALOGUE, REWRITES
from parity.faults.diagnosis import diagnose
from parity.proof.score.page import page, totals
from parity.proof.score.result import Score
from parity.proof.score.run import CI_EXAMPLES, Job, score
from parity.proof.score.stored import encoded, read_score
from parity.report.terminal import console
from ptycho_exposures.files import write_atomically

PAGE, DATA = "score.md", "score.json"


@click.command("score")
@click.argument("names", nargs=-1, metavar="[CONTRACT]...")
@click.option(
    "--examples",
    default=CI_EXAMPLES,
    show_default=True,
    type=click.IntRange(min=0),
    help="Draw this many examples of each contract, after one of each stratum.",
)
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(min=1), help="Use this many processes.")
@click.option("--pytest", "ask_pytest", is_flag=True, help="Run pytest -m parity on each defect too, 3 s each.")
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep the finished part of the score in this file, and go on from there.",
)
@report_option(f"Write {PAGE} and {DATA} to this folder.")
@click.option("--write", is_flag=True, help=f"Write docs/{PAGE} and docs/{DATA} of your checkout.")
def score_command(
    names: tuple[str, ...],
    examples: int,
    jobs: int,
    ask_pytest: bool,
    journal: Path | None,
    folder: Path | None,
    write: bool,
) -> int:
    """Count how many known defects the harness notices.

    The command makes every known defect in each stack, and every rewrite, which must stay silent.

    The exit code is 1 if a defect was missed or the wrong stack was blamed, or if a rewrite was not silent.
    """
    folders = [folder] if folder else []
    if write:
        folders.append(_docs(names, examples))
    contracts = REGISTRY.select(names)
    if not names:
        targets = {change.target for change in (*CATALOGUE.values(), *REWRITES.values())}
        contracts = tuple(contract for contract in contracts if contract.name in targets)
    known = read_score(journal) if journal and journal.exists() else None
    with progress("making defects", len(contracts)) as advance:

        def keep(so_far: Score) -> None:
            if journal:
                write_atomically(journal, encoded(so_far))
            advance()

        scored = score(contracts, Job(examples, diagnose, ask_pytest), jobs, keep, known)
    out = console()
    out.print(totals(scored), markup=False, highlight=False, soft_wrap=True)
    for place in folders:
        _write(place, scored)
        out.print(f"written: {place / PAGE}, {place / DATA}", soft_wrap=True)
    return AGREE if scored.holds else DISAGREE


def _docs(names: tuple[str, ...], examples: int) -> Path:
    """Where the published score lies. UsageError outside a checkout, and for a score that is not the whole one."""
    if names or examples != CI_EXAMPLES:
        raise UsageError(f"--write: expected all contracts and {CI_EXAMPLES} examples, got a part; --report takes any")
    docs = ROOT / "docs"
    if not docs.is_dir() or not (ROOT / "pyproject.toml").is_file():
        raise UsageError(f"--write: expected a checkout, whose docs it writes, got {ROOT}")
    return docs


def _write(folder: Path, scored: Score) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / DATA, encoded(scored))
    write_atomically(folder / PAGE, page(scored).encode())
