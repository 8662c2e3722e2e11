"""`parity report`: the forms of a report, made again from stored results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from parity.cli.codes import AGREE, DISAGREE
from parity.cli.options import command_line, report_option
from parity.contracts import REGISTRY
from parity.judge import Verdict, judge
from parity.measure import Measurement
from parity.precision import PRECISIONS
from parity.report.content import ContractReport, Report
from parity.report.forms import write_forms
from parity.report.gathering import held_contract, with_message
from parity.report.terminal import console, summary_line, verdict_table
from parity.results import ResultsError, Stored, read_stored
from parity.run import ContractRun
from parity.strata import MEASURED


@click.command("report")
@click.argument("results", metavar="RESULTS.json", type=click.Path(path_type=Path))
@report_option("Write the report here, as HTML, Markdown and JUnit XML.")
def report_command(results: Path, folder: Path | None) -> int:
    """Judge stored results anew, and write what `parity run --report` writes, without frameworks and without pictures.

    What would explain a failure is not searched for: that needs the stacks.
    """
    stored = read_stored(results)
    held = _held(results, stored)
    verdicts = [one.run.verdict for one in held]
    out = console()
    out.print(verdict_table(verdicts))
    for one in held:
        if one.message:
            out.print()
            out.print(one.message, markup=False, highlight=False, soft_wrap=True)
    out.print()
    out.print(summary_line(verdicts))
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        command = command_line(click.get_current_context())
        seconds = sum(stored.seconds.values())
        report = Report("parity report", command, held, environment=stored.environment, seconds=seconds)
        for path in write_forms(folder, report):
            out.print(f"report: {path}", soft_wrap=True)
    return AGREE if all(verdict.agrees for verdict in verdicts) else DISAGREE


def _held(path: Path, stored: Stored) -> tuple[ContractReport, ...]:
    """Every contract judged anew. Raises ResultsError for a contract that there no longer is, or for none at all."""
    if not stored.measurements:
        raise ResultsError(f"{path}: expected stored results, got those of no contract")
    found = []
    for name, measurements in stored.measurements.items():
        if name not in REGISTRY:
            raise ResultsError(f"{path}: expected results of contracts that there are, got {name}")
        contract = REGISTRY[name]
        verdict = judge(name, measurements, contract.quota)
        held = held_contract(ContractRun(verdict, tuple(measurements), stored.seconds[name]), contract)
        found.append(with_message(held, contract, _options(verdict, measurements)))
    return tuple(found)


def _options(verdict: Verdict, measurements: Sequence[Measurement]) -> list[str]:
    """The options of `parity run` without which it would not be the same: as far as measurements tell."""
    options = []
    if any(measurement.case.startswith(f"{MEASURED.name}/") for measurement in measurements):
        options += ["--data", "DATA.npz"]
    if len(verdict.precisions) < len(PRECISIONS):
        options += ["--precision", ",".join(verdict.precisions)]
    if len(verdict.worst) == 1:
        options += ["--stack", *verdict.worst]
    return options
