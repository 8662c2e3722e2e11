"""`parity check` is the pre-merge check."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource
from rich.text import Text

from parity._ground.codes import AGREE, DISAGREE, NOT_CHECKED, USAGE, exit_code
from parity._ground.errors import UsageError
from parity._ground.interruption import ended_as_interrupted
from parity.cli.options import command_line, in_process_option, jobs_option, limit_option, report_option
from parity.cli.progress import progress
from parity.contracts.declared import REGISTRY
from parity.gate.check.asking import Askers
from parity.gate.check.checking import Terms, check
from parity.gate.check.elsewhere import check_elsewhere
from parity.gate.check.judged import WORKING_TREE
from parity.gate.check.judged import pushed as pushed_from
from parity.gate.check.judged import staged as staged_in
from parity.gate.check.planning import plan_of
from parity.gate.check.pushes import Push, handed_on, told
from parity.gate.check.text import FORMATS, checked, planned
from parity.gate.check.whereabouts import require_own
from parity.gate.impact import changes_since, impact_abroad, impact_of
from parity.gate.impact.changes import repository_of
from parity.gate.impact.mapping import FOLDERS
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
@click.option("--staged", is_flag=True, help="Judge what you have staged, compared with the last commit.")
@click.option(
    "--pushed",
    metavar="REMOTE",
    help="Judge the commits that git's pre-push hook is told of, which go to REMOTE.",
)
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    type=click.Choice(list(FORMATS)),
    help="Print text for people, or one of the forms that GitHub, programs and build servers read.",
)
@jobs_option
@limit_option
@in_process_option
@click.option(
    "--accept-weaker", "accepted", default="", metavar="REASON", help="Let the harness promise less, for this reason."
)
@report_option("Write report.html, report.md and junit.xml to this folder.")
@click.option("--stands-for", nargs=2, default=("", WORKING_TREE), hidden=True)
def check_command(
    base: str | None,
    staged: bool,
    pushed: str | None,
    form: str,
    jobs: int,
    limit: float | None,
    in_process: bool,
    accepted: str,
    folder: Path | None,
    stands_for: tuple[str, str],
) -> int:
    """Check what your changes touch, before you merge them.

    The command reads your changes from git, and judges your working tree. With --staged it judges what you have staged
    instead, with --pushed, or where pre-commit runs it before a push, the commits that are pushed; these lie in a
    temporary folder meanwhile, where nothing that you have not staged or committed counts.

    It holds every contract that they touch and every contract that uses one
    of those, replays their goldens, and makes a few known defects to see whether the harness still notices them.

    Where your repository declares subjects, it holds every contract for which something runs that has changed, and
    replays its goldens.

    The exit code is 0 if everything agrees, 1 if something disagrees, and 3 if something could not be checked.
    """
    if _is_given("accepted") and not accepted.strip():
        raise UsageError(f"--accept-weaker: expected a reason, got {accepted!r}")
    if staged and pushed is not None:
        raise UsageError("--staged and --pushed: expected one of them, got both")
    push = None if staged or pushed is not None else handed_on(os.environ)
    if staged or push or pushed is not None:
        pushes = [push] if push else [] if staged else told(pushed or "")
        return _check_elsewhere(base, pushes, form, staged=staged)
    subjects = tuple(declared().values())
    if subjects and accepted:
        raise UsageError("--accept-weaker: expected the stacks of ptycho-parity, got subjects, which promise nothing")
    changes = changes_since(Path.cwd(), base, () if subjects else FOLDERS)
    if not subjects:
        require_own(changes.root)
    if folder:
        require_matplotlib("error maps")
        folder.mkdir(parents=True, exist_ok=True)
    out = console()
    command, judged = stands_for
    terms = Terms(command or command_line(click.get_current_context()), judged, accepted, in_depth=folder is not None)
    with ended_as_interrupted(), Askers(jobs if changes.files else 0, limit, in_process).begun() as asked:
        impact = impact_abroad(changes, subjects, REGISTRY, limit) if subjects else impact_of(changes, REGISTRY)
        plan = plan_of(impact, REGISTRY)
        if form == "text":
            because = "; ".join(reason.words for reason in impact.everything[:2])
            out.print(planned(changes, plan, impact.aside, because, judged, abroad=bool(subjects)))
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


def _is_given(parameter: str) -> bool:
    return click.get_current_context().get_parameter_source(parameter) is ParameterSource.COMMANDLINE


def _check_elsewhere(base: str | None, pushes: Sequence[Push], form: str, *, staged: bool) -> int:
    """Check what is staged, or each commit that is pushed; the gravest of the exit codes."""
    context, start = click.get_current_context(), Path.cwd()
    root = repository_of(start)
    judged = [staged_in(root, base)] if staged else list(pushed_from(root, pushes, base))
    if len(judged) > 1 and (form != "text" or context.params["folder"]):
        raise UsageError(f"--format, --report: expected text alone of {len(judged)} commits that are pushed, got more")
    codes = []
    for one in judged or ():
        if form == "text":
            against = "" if one.base else ", compared with nothing: all of it is new"
            click.echo(f"judged: {one.words}, and nothing that lies in the working tree{against}")
        options = [*_handed_down(context), "--stands-for", command_line(context), one.words]
        codes.append(check_elsewhere(root, start, one, options))
    if not judged and form == "text":
        click.echo("no commit is pushed: there is nothing to check")
    if set(codes) - {AGREE, DISAGREE, NOT_CHECKED}:
        return USAGE
    return exit_code(wrong=DISAGREE in codes, unchecked=NOT_CHECKED in codes)


def _handed_down(context: click.Context) -> list[str]:
    """The options that hold for the check wherever it is made."""
    given = context.params
    options = ["--format", given["form"], "--jobs", str(given["jobs"])]
    options += ["--limit", repr(given["limit"])] if given["limit"] else []
    options += ["--in-process"] if given["in_process"] else []
    options += ["--accept-weaker", given["accepted"]] if given["accepted"] else []
    return options + (["--report", str(given["folder"].resolve())] if given["folder"] else [])


def _summarise(report: Report) -> None:
    """Add to the page of the job, where GitHub runs one."""
    page = os.environ.get(JOB_SUMMARY)
    if page:
        with Path(page).open("a", encoding="utf-8") as file:
            file.write(summary(report))
