"""`parity preflight` shows what is worth knowing before anything runs."""

from __future__ import annotations

from pathlib import Path

import click

from parity._ground.codes import exit_code
from parity.contracts.declared import REGISTRY
from parity.gate.preflight.data import data_findings
from parity.gate.preflight.findings import PreflightOutcome
from parity.gate.preflight.installation import spectral_convolution, versions
from parity.gate.preflight.places import implementations
from parity.gate.preflight.table import preflight_table
from parity.report.terminal import console

LOSSES = "losses"
"""The file of the contracts whose places are shown."""


@click.command("preflight")
@click.option("--data", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="Check this .npz file.")
def preflight_command(data: tuple[Path, ...]) -> int:
    """Show which versions you have, and check your data files.

    You see the versions of the packages, which spectral convolution is in use, where each loss is implemented, and
    whether each --data file holds amplitudes. No framework is imported.

    The exit code is 1 if a loss has no implementation or a data file is wrong, and 3 if the command could not tell.
    """
    sections = {
        "versions": versions(),
        "networks": [spectral_convolution()],
        "implementations": [implementations(contract) for contract in REGISTRY.select([LOSSES])],
        **{str(path): data_findings(path) for path in data},
    }
    console().print(preflight_table(sections))
    outcomes = {finding.outcome for findings in sections.values() for finding in findings}
    return exit_code(wrong=PreflightOutcome.FAILED in outcomes, unchecked=PreflightOutcome.NOT_CHECKED in outcomes)
