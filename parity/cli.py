"""The `parity` command.

Exit codes: 0 all agree; 1 a disagreement or a failed check; 2 wrong usage; 3 the check could not be made. Whatever is
not foreseen is 3: nothing that was not checked counts as passed.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from parity.bench import bench
from parity.cases import parse_case, parse_precisions
from parity.contract import Contract, UsageError
from parity.contracts import REGISTRY
from parity.datasets import DatasetError, read_dataset
from parity.frameworks import ADAPTERS, load
from parity.frameworks.base import Framework, FrameworkMissing
from parity.mirror import mirror_faults
from parity.report.bench import bench_tables
from parity.report.error_map import MatplotlibMissing, require_matplotlib, write_error_maps
from parity.report.messages import describe
from parity.report.stages import explanation, unjudged
from parity.report.terminal import console, summary_line, verdict_table
from parity.results import environment, write_results
from parity.run import ContractRun, Plan, run
from parity.stages import trees_of

AGREE, DISAGREE, USAGE, NOT_CHECKED = 0, 1, 2, 3

RESULTS = "results.json"

REPEATED = ("data", "precision", "mode", "device", "stacks")
"""Options of `parity run` that decide what a case says, and so are part of the line that reproduces it."""


_CIRCUMSTANCES = (
    click.option("--data", type=click.Path(path_type=Path), help="Judge on the exposures of this .npz."),
    click.option("--precision", default="f32,f64", show_default=True, help="f32, f64 or both."),
    click.option("--mode", type=click.Choice(["graph", "eager"]), help="How TensorFlow runs  [default: graph]"),
    click.option("--device", default="cpu", show_default=True, type=click.Choice(["cpu", "cuda"])),
    click.option("--stack", "stacks", multiple=True, type=click.Choice(list(ADAPTERS)), help="One stack alone."),
)


def _under_circumstances(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say on what, in which precision and where the stacks run."""
    for option in reversed(_CIRCUMSTANCES):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ptycho-parity")
def cli() -> None:
    """Hold the TensorFlow and PyTorch stacks to one oracle, and to each other."""


@cli.command("run")
@click.argument("names", nargs=-1, metavar="[CONTRACT]...")
@click.option("--examples", default=30, show_default=True, type=click.IntRange(min=0), help="Besides the strata.")
@click.option("--case", metavar="STRATUM/SEED", help="One case alone, such as odd/17.")
@_under_circumstances
@click.option("--report", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write results.json here.")
def run_command(
    names: tuple[str, ...],
    examples: int,
    case: str | None,
    data: Path | None,
    precision: str,
    mode: str | None,
    device: str,
    stacks: tuple[str, ...],
    folder: Path | None,
) -> int:
    """Simulate exposures, run them through both stacks and the oracle, judge, and say who is wrong.

    CONTRACT is a name such as losses.poisson_nll, or a file of them such as losses; all of them by default.
    """
    plan = Plan(
        contracts=REGISTRY.select(names),
        examples=examples,
        precisions=parse_precisions(precision),
        case=case,
        dataset=read_dataset(data) if data else None,
    )
    plan.check()
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    frameworks = load(stacks or tuple(ADAPTERS), mode, device)
    out = console()
    out.print(Text(" · ".join(f.description for f in frameworks), "dim"))
    runs = _run_with_progress(plan, frameworks)
    out.print(verdict_table(r.verdict for r in runs))
    _print_failures(out, plan, runs, _not_default(click.get_current_context()))
    out.print(summary_line(r.verdict for r in runs))
    if folder:
        write_results(folder / RESULTS, runs, environment(frameworks))
        out.print(f"results: {folder / RESULTS}", soft_wrap=True)
    return AGREE if all(r.verdict.agrees for r in runs) else DISAGREE


@cli.command("explain")
@click.argument("name", metavar="CONTRACT")
@click.option("--case", required=True, metavar="STRATUM/SEED", help="The case, such as odd/17.")
@_under_circumstances
@click.option("--report", "folder", type=click.Path(path_type=Path, file_okay=False), help="Draw error maps into this.")
def explain_command(
    name: str,
    case: str,
    data: Path | None,
    precision: str,
    mode: str | None,
    device: str,
    stacks: tuple[str, ...],
    folder: Path | None,
) -> int:
    """Say which stage of a composition first goes wrong in one case, forward or backward, and by how much.

    Each stage is run on what its own stack made of the stages before, and on what the oracle gives it: one that is off
    on the latter is wrong in itself, another inherits.
    """
    chosen = parse_case(REGISTRY[name], case, read_dataset(data) if data else None)
    precisions = parse_precisions(precision)
    if folder:
        require_matplotlib()
        folder.mkdir(parents=True, exist_ok=True)
    frameworks = load(stacks or tuple(ADAPTERS), mode, device)
    trees = trees_of(chosen, frameworks, precisions, REGISTRY)
    out = console()
    out.print(explanation(trees))
    out.print()
    for path in write_error_maps(folder, trees) if folder else ():
        out.print(f"error map: {path}", soft_wrap=True)
    out.print(Text(" · ".join(f.description for f in frameworks), "dim"))
    if not all(tree.agrees for tree in trees):
        return DISAGREE
    return NOT_CHECKED if unjudged(trees) else AGREE


@cli.command("bench")
@click.argument("names", nargs=-1, metavar="[CONTRACT]...")
@click.option("--examples", default=30, show_default=True, type=click.IntRange(min=0), help="Besides the strata.")
def bench_command(names: tuple[str, ...], examples: int) -> int:
    """Time every step of a run beside importing the frameworks and calling the stacks alone."""
    contracts = REGISTRY.select(names)
    console().print(bench_tables(bench(contracts, load(), examples)))
    return AGREE


@cli.group("contracts")
def contracts_group() -> None:
    """What is held equal."""


@contracts_group.command("list")
def list_contracts() -> int:
    """Every contract with its equation; and what the mirror rule finds amiss."""
    out = console()
    table = Table("contract", "equation", box=None, pad_edge=False, header_style="bold")
    for contract in REGISTRY.values():
        table.add_row(contract.name, Text(contract.equation))
    out.print(table)
    faults = mirror_faults(REGISTRY)
    for fault in faults:
        out.print(fault, style="red", markup=False)
    return DISAGREE if faults else AGREE


@contracts_group.command("show")
@click.argument("name")
def show_contract(name: str) -> int:
    """One contract: equation, kinds, strata, facts and quotas, from its declaration."""
    _print_contract(console(), REGISTRY[name])
    return AGREE


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code."""
    sys.exit(_exit_code(arguments))


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
    except (FrameworkMissing, MatplotlibMissing, DatasetError, OSError) as error:
        click.echo(f"parity: {error}", err=True)
        return NOT_CHECKED
    except (KeyboardInterrupt, click.Abort):
        click.echo("parity: interrupted; nothing was judged", err=True)
        return NOT_CHECKED
    except Exception:
        traceback.print_exc()
        click.echo("parity: the check could not be made: a fault of the harness, not of a stack", err=True)
        return NOT_CHECKED


def _run_with_progress(plan: Plan, frameworks: Sequence[Framework]) -> list[ContractRun]:
    err = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        total = sum(len(plan.cases(contract)) for contract in plan.contracts)
        task = progress.add_task("simulating and judging", total=total)
        return list(run(plan, frameworks, lambda case: progress.advance(task)))


def _not_default(context: click.Context) -> list[str]:
    """Those of `REPEATED` that were given, as they are written."""
    written: list[str] = []
    for option in context.command.params:
        if option.name in REPEATED and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            given = context.params[option.name]
            for value in given if isinstance(given, tuple) else (given,):
                written += [option.opts[0], str(value)]
    return written


def _print_failures(out: Console, plan: Plan, runs: Sequence[ContractRun], options: Sequence[str]) -> None:
    for contract, result in zip(plan.contracts, runs, strict=True):
        if not result.verdict.agrees:
            out.print()
            out.print(describe(contract, result.verdict, options), markup=False, highlight=False, soft_wrap=True)
    out.print()


def _print_contract(out: Console, contract: Contract) -> None:
    out.print(Text.assemble((contract.name, "bold"), "   ", contract.equation))
    table = Table("", "name", "kind", "axes", "unit", "", box=None, pad_edge=False, header_style="bold")
    for argument in contract.arguments:
        table.add_row(
            "argument",
            argument.name,
            argument.kind.name,
            argument.kind.shape_words,
            argument.kind.unit,
            "differentiable" if argument.differentiable else "",
        )
    for result in contract.results:
        table.add_row("result", result.name, result.kind.name, result.kind.shape_words, result.kind.unit, "")
    out.print(table)
    for title, rows in (
        ("strata", [(s.name, s.shows) for s in contract.strata]),
        ("facts", [(f.statement, "") for f in contract.facts]),
        (
            "quotas",
            [
                ("undecided", f"{contract.quota.undecided:.1%} of the elements"),
                ("uninformative", f"{contract.quota.uninformative:.1%} of the examples"),
            ],
        ),
    ):
        listing = Table(title if rows else f"no {title}", "", box=None, pad_edge=False, header_style="bold")
        for row in rows:
            listing.add_row(*row)
        out.print()
        out.print(listing)
