"""`parity bench`: what a run costs."""

from __future__ import annotations

import click

from parity.bench import bench
from parity.cli.codes import AGREE
from parity.cli.options import examples_option
from parity.contracts import REGISTRY
from parity.frameworks import load
from parity.report.bench import bench_tables
from parity.report.terminal import console


@click.command("bench")
@click.argument("names", nargs=-1, metavar="[CONTRACT]...")
@examples_option
def bench_command(names: tuple[str, ...], examples: int) -> int:
    """Time every step of a run beside importing the frameworks and calling the stacks alone."""
    contracts = REGISTRY.select(names)
    console().print(bench_tables(bench(contracts, load(), examples)))
    return AGREE
