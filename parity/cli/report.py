"""`parity report` judges stored results again, and writes the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from parity.cli.conclusion import Found, conclude
from parity.cli.options import command_line, report_option
from parity.contracts.cases.families.family import MEASURED
from parity.contracts.declared import REGISTRY
from parity.judging.measurement import Measurement
from parity.judging.run import ContractRun, NotChecked
from parity.judging.verdict import Verdict, judge
from parity.physics.precision import PRECISIONS
from parity.report.content import ContractReport
from parity.report.gathering import held_contract, with_message
from parity.report.terminal import console
from parity.runs.results import ResultsError, Stored, read_stored


@click.command("report")
@click.argument("results", metavar="RESULTS.json", type=click.Path(path_type=Path))
@report_option("Write the report in HTML, Markdown and JUnit XML to this folder.")
def report_command(results: Path, folder: Path | None) -> int:
    """Judge stored results again, and write the report.

    The report is that of `parity run --report`, without pictures and without the causes of failures, because both need
    the stacks. You need no framework.
    """
    stored = read_stored(results)
    lost = (NotChecked(name, why) for name, why in stored.not_checked.items())
    told: tuple[ContractReport | NotChecked, ...] = (*_held(results, stored), *lost)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    found = Found(told, stored.asked, stored.environment, command_line(click.get_current_context()))
    return conclude(console(), found, "parity report", folder, store=False)


def _held(path: Path, stored: Stored) -> tuple[ContractReport, ...]:
    """Every contract judged anew. Raises ResultsError for none at all."""
    if not stored.measurements and not stored.not_checked:
        raise ResultsError(f"{path}: expected stored results, got those of no contract")
    found = []
    for name, measurements in stored.measurements.items():
        contract = REGISTRY[name]
        verdict = judge(name, measurements, contract.quota)
        run = ContractRun(verdict, tuple(measurements), stored.seconds[name], stored.omissions.get(name, ()))
        held = held_contract(run, contract)
        found.append(with_message(held, contract, _options(verdict, measurements)))
    return tuple(found)


def _options(verdict: Verdict, measurements: Sequence[Measurement]) -> list[str]:
    """The options of `parity run` without which it would not be the same: as far as measurements tell."""
    options = []
    if any(measurement.case.startswith(f"{MEASURED}/") for measurement in measurements):
        options += ["--data", "DATA.npz"]
    if len(verdict.precisions) < len(PRECISIONS):
        options += ["--precision", ",".join(verdict.precisions)]
    if len(verdict.worst) == 1:
        options += ["--stack", *verdict.worst]
    return options
