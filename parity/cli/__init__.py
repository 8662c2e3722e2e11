"""The `parity` command: a module for each of its commands, and here what holds for all of them.

Exit codes: 0 all agree; 1 a disagreement or a failed check; 2 wrong usage; 3 the check could not be made. Whatever is
not foreseen is 3: nothing that was not checked counts as passed.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

from parity.bench.stored import BenchError
from parity.cli.bench import bench_command
from parity.cli.check import check_command
from parity.cli.codes import AGREE, DISAGREE, NOT_CHECKED, USAGE
from parity.cli.contracts import contracts_group
from parity.cli.defects import defects_group
from parity.cli.divergences import divergences_command
from parity.cli.explain import explain_command
from parity.cli.golden import golden_group
from parity.cli.merge import merge_command
from parity.cli.mutants import mutants_group
from parity.cli.report import report_command
from parity.cli.run import RESULTS, run_command
from parity.cli.samplers import samplers_command
from parity.cli.trajectory import trajectory_command
from parity.cli.transplant import transplant_command
from parity.contract import UsageError
from parity.datasets import DatasetError
from parity.frameworks.base import FrameworkMissing
from parity.golden.errors import GoldenError
from parity.impact import BaseUnknown
from parity.report.pictures import MatplotlibMissing
from parity.results import ResultsError
from parity.score.stored import ScoreError
from parity.transplant import WeightsError

NAMED = (
    BaseUnknown,
    BenchError,
    FrameworkMissing,
    MatplotlibMissing,
    DatasetError,
    GoldenError,
    ResultsError,
    ScoreError,
    WeightsError,
    OSError,
)
"""What can keep a check from being made; the message says everything."""

__all__ = ["AGREE", "DISAGREE", "NOT_CHECKED", "RESULTS", "USAGE", "cli", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ptycho-parity")
def cli() -> None:
    """Hold the TensorFlow and PyTorch stacks to one oracle, and to each other."""


for command in (
    run_command,
    check_command,
    merge_command,
    explain_command,
    bench_command,
    contracts_group,
    defects_group,
    divergences_command,
    golden_group,
    mutants_group,
    report_command,
    samplers_command,
    trajectory_command,
    transplant_command,
):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code."""
    code = _exit_code(arguments)
    try:
        sys.stdout.flush()
    except OSError as error:
        click.echo(f"parity: the output cannot be written: {_said(error)}", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left of it is flushed once more
        code = NOT_CHECKED
    sys.exit(code)


def _said(error: Exception) -> str:
    """What an error says; of a file, its name and what the system says of it."""
    return f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)


def _exit_code(arguments: Sequence[str] | None) -> int:
    try:
        code = cli.main(args=arguments, prog_name="parity", standalone_mode=False)
        return code if isinstance(code, int) else AGREE
    except click.ClickException as error:
        error.show()
        return USAGE
    except UsageError as error:
        click.echo(f"parity: {error}", err=True)
        return USAGE
    except NAMED as error:
        click.echo(f"parity: {_said(error)}", err=True)
        return NOT_CHECKED
    except MemoryError:
        click.echo("parity: out of memory; nothing was judged", err=True)
        return NOT_CHECKED
    except (KeyboardInterrupt, click.Abort):
        click.echo("parity: interrupted; nothing was judged", err=True)
        return NOT_CHECKED
    except Exception:
        traceback.print_exc()
        click.echo("parity: the check could not be made: a fault of the harness, not of a stack", err=True)
        return NOT_CHECKED
