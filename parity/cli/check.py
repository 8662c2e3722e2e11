"""`parity check` is the pre-merge check."""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.text import Text

from parity._ground.codes import exit_code
from parity._ground.errors import UsageError
from parity._ground.repository import ROOT
from parity.cli.numbers import PROCESSES
from parity.cli.options import command_line, in_process_option, limit_option, report_option
from parity.cli.progress import progress
from parity.contracts.declared import REGISTRY
from parity.gate.check.asking import Askers
from parity.gate.check.checking import Terms, check
from parity.gate.check.planning import plan_of
from parity.gate.check.text import FORMATS, checked, planned
from parity.gate.impact import BaseUnknown, changes_since, impact_abroad, impact_of
from parity.report.content import Report
from parity.report.markdown import summary
from parity.report.pictures import require_matplotlib
from parity.report.terminal import console
from parity.report.writing import write_forms
from parity.stacks import declared

JOB_SUMMARY = "GITHUB_STEP_SUMMARY"
"""Names the file that GitHub shows on the page of a job."""


@click.command("check")
@click.option(
    "--base", metavar="REF", help="Compare with the commit where your work left REF.  [default: the main branch]"
)
@click.option("--staged", is_flag=True, help="Compare what you have staged with the last commit.")
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    type=click.Choice(list(FORMATS)),
    help="Print text for people, or one of the forms that GitHub, programs and build servers read.",
)
@click.option(
    "--jobs",
    default=1,
    show_default=True,
    type=PROCESSES,
    help="Hold this many contracts at once, each with processes of its own.",
)
@limit_option
@in_process_option
@click.option(
    "--accept-weaker", "accepted", default="", metavar="REASON", help="Let the harness promise less, for this reason."
)
@report_option("Write report.html, report.md and junit.xml to this folder.")
def check_command(
    base: str | None,
    staged: bool,
    form: str,
    jobs: int,
    limit: float | None,
    in_process: bool,
    accepted: str,
    folder: Path | None,
) -> int:
    """Check what your changes touch, before you merge them.

    The command reads your changes from git. It holds every contract that they touch and every contract that uses one
    of those, replays their goldens, and makes a few known defects to see whether the harness still notices them.

    Where your repository declares subjects, it holds every contract for which something runs that has changed, and
    replays its goldens.

    The exit code is 0 if everything agrees, 1 if something disagrees, and 3 if something could not be checked.
    """
    subjects = tuple(declared().values())
    if subjects and accepted:
        raise UsageError("--accept-weaker: expected the stacks of ptycho-parity, got subjects, which promise nothing")
    changes = changes_since(Path.cwd(), base, staged)
    if not subjects and not changes.root.samefile(ROOT):
        raise BaseUnknown(
            f"expected to be called in {ROOT}, whose stacks would run, or where subjects are declared "
            f"(parity init), got {changes.root}"
        )
    if folder:
        require_matplotlib("error maps")
        folder.mkdir(parents=True, exist_ok=True)
    out = console()
    terms = Terms(command_line(click.get_current_context()), accepted, in_depth=folder is not None)
    with Askers(jobs if changes.files else 0, limit, in_process).begun() as asked:
        impact = impact_abroad(changes, subjects, REGISTRY, limit) if subjects else impact_of(changes, REGISTRY)
        plan = plan_of(impact, REGISTRY)
        if form == "text":
            because = "; ".join(reason.words for reason in impact.everything[:2])
            out.print(planned(len(changes.files), changes.base, plan, impact.aside, because, abroad=bool(subjects)))
        with progress("checking", len(plan)) as advance:

            def tell(said: str) -> None:
                advance()
                if said and form == "text":
                    out.print(Text(said, "red"))

            report = check(changes, impact, plan, asked, terms, subjects, tell)
    click.echo(FORMATS[form](report), nl=False) if form != "text" else out.print(checked(report))
    for path in write_forms(folder, report) if folder else ():
        out.print(f"report: {path}", soft_wrap=True)
    if form == "github":
        _summarise(report)
    return exit_code(wrong=report.has_failed, unchecked=report.is_unchecked)


def _summarise(report: Report) -> None:
    """Add to the page of the job, where GitHub runs one."""
    page = os.environ.get(JOB_SUMMARY)
    if page:
        with Path(page).open("a", encoding="utf-8") as file:
            file.write(summary(report))
