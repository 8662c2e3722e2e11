"""`parity preflight`: what is worth knowing before anything runs."""

from __future__ import annotations

from pathlib import Path

import click

from parity.cli.codes import AGREE, DISAGREE, NOT_CHECKED
from parity.contracts.declared import REGISTRY
from parity.gate.preflight.data import data_findings
from parity.gate.preflight.findings import Outcome, gravest
from parity.gate.preflight.installation import spectral_convolution, versions
from parity.gate.preflight.places import implementations
from parity.gate.preflight.table import preflight_table
from parity.report.terminal import console

LOSSES = "losses"
"""The file of the contracts whose places are shown."""

CODES = {Outcome.PASSED: AGREE, Outcome.FAILED: DISAGREE, Outcome.NOT_CHECKED: NOT_CHECKED}


@click.command("preflight")
@click.option("--data", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="An .npz to look into.")
def preflight_command(data: tuple[Path, ...]) -> int:
    """Show versions, which spectral convolution is active, where each loss is, and whether FILE holds amplitudes.

    No framework is imported. Exit code 1 where a loss has no implementation or a data set is wrong, 3 where that could
    not be told.
    """
    sections = {
        "versions": versions(),
        "networks": [spectral_convolution()],
        "implementations": [implementations(contract) for contract in REGISTRY.select([LOSSES])],
        **{str(path): data_findings(path) for path in data},
    }
    console().print(preflight_table(sections))
    return CODES[gravest(finding for findings in sections.values() for finding in findings)]
