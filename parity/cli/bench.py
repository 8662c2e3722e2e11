"""`parity bench` measures the cost of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from parity._ground.codes import exit_code
from parity._ground.errors import UsageError
from parity.cli.options import examples_option, number_option, report_option
from parity.cli.progress import progress
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.proof.bench.revisions import FILE, ROUNDS, compare_with
from parity.proof.bench.sizes import SIZES, Refused, Timed, check_sizes, time_sizes
from parity.proof.bench.stored import Benchmark, environment_of, write_benchmark
from parity.proof.bench.suite import bench
from parity.proof.bench.tables.sizes import draw_sizes, revisions_table, sizes_table
from parity.proof.bench.tables.suite import suite_tables
from parity.report.pictures import require_matplotlib
from parity.report.terminal import console
from parity.stacks import MIRRORED, load, parse_modes
from parity.stacks.base import modes_of
from parity.stacks.here import Here

LARGEST = 4096
"""Pixels on a side: the arrays of a larger example fill no usual memory once."""

REVISION_SIZES = (64,)


@click.command("bench")
@click.argument("names", nargs=-1, metavar="[CONTRACT]...")
@examples_option
@click.option("--sizes", metavar="N,...", help="Time single examples of N × N pixels.")
@click.option("--modes", metavar="MODE,...", help="Time single examples in these modes of both stacks.")
@click.option("--against", metavar="REVISION", help="Time this git revision and your checkout in turn.")
@number_option("--rounds", ROUNDS, "Time each of the two this often.")
@report_option(f"Write {FILE} to this folder, and pictures if you give --sizes or --modes.")
@click.option("--pictures/--no-pictures", default=True, hidden=True)
def bench_command(
    names: tuple[str, ...],
    examples: int,
    sizes: str | None,
    modes: str | None,
    against: str | None,
    rounds: int,
    folder: Path | None,
    pictures: bool,
) -> int:
    """Measure how long each step of a run takes.

    Without --sizes, --modes or --against you see every step of a run, beside the time it takes to import the
    frameworks and to call the stacks alone. With one of them you see only the times that it asks for.

    The exit code is 3 if a contract cannot run in one of the modes, or if the revision cannot be timed.
    """
    asked, wanted = _sizes(sizes), parse_modes(modes) if modes else ()
    contracts = REGISTRY.select(names)
    by_size = bool(sizes or modes) and not against
    check_sizes(contracts, asked or SIZES)
    if folder:
        if pictures and by_size:
            require_matplotlib("costs")
        folder.mkdir(parents=True, exist_ok=True)
    frameworks = _frameworks(wanted)
    found = Benchmark(environment_of(frameworks))
    if against:
        with progress("timing in turn", 2 * rounds) as advance:
            ratios = compare_with(against, names, asked or REVISION_SIZES, wanted, rounds, advance)
        found = replace(found, revisions=ratios)
    if by_size:
        timed, refused = _time(contracts, frameworks, asked or SIZES)
        found = replace(found, sizes=timed, refused=refused)
    if not (against or by_size):
        found = replace(found, suite=bench(contracts, frameworks, examples))
    out = console()
    if found.suite:
        out.print(suite_tables(found.suite))
    if found.revisions:
        out.print(revisions_table(found.revisions))
    if found.sizes or found.refused:
        out.print(sizes_table(found.sizes, found.refused), soft_wrap=True)
    if folder:
        write_benchmark(folder / FILE, found)
        drawn = draw_sizes(folder, found.sizes) if pictures and found.sizes else []
        for path in (folder / FILE, *drawn):
            out.print(f"benchmark: {path}", soft_wrap=True)
    return exit_code(unchecked=bool(found.refused))


def _frameworks(modes: Sequence[str]) -> tuple[Here, ...]:
    """Every framework in every one of the modes that it has, as it runs by itself for none."""
    if not modes:
        return load()
    return tuple(
        framework
        for name, stack in MIRRORED.items()
        for mode in modes
        if mode in modes_of(stack.framework)
        for framework in load([name], mode)
    )


def _time(
    contracts: Sequence[Contract], frameworks: Sequence[Here], sizes: Sequence[int]
) -> tuple[tuple[Timed, ...], tuple[Refused, ...]]:
    with progress("timing", len(contracts) * len(frameworks) * len(sizes)) as advance:
        found = list(time_sizes(contracts, frameworks, sizes, advance))
    timed = tuple(one for one in found if isinstance(one, Timed))
    return timed, tuple(one for one in found if isinstance(one, Refused))


def _sizes(text: str | None) -> tuple[int, ...]:
    """Sizes from `16,64`. Raises UsageError for anything else."""
    words = text.split(",") if text else []
    for word in words:
        if not word.isdecimal() or len(word) > 4 or not 8 <= int(word) <= LARGEST:
            raise UsageError(f"sizes: expected whole numbers from 8 to {LARGEST} with commas between, got '{word}'")
    return tuple(dict.fromkeys(int(word) for word in words))
