"""`python -m ptycho_torch.diagnostics`: a command for each question.

Exit codes are those of `parity`: 0 nothing is wrong; 1 something is; 2 wrong usage; 3 it could not be found out.
"""

import json
import math
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text
from torch import nn

from ptycho_exposures.npz import DataError
from ptycho_torch.diagnostics.batches import Batch, drawn_batch, read_batch
from ptycho_torch.diagnostics.gradients import LEAST, LOSSES, GradientReport, as_json, measure_gradients
from ptycho_torch.generators import ARCHITECTURES, make_generator

SOUND, VANISHING, USAGE, NOT_MADE = range(4)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Measure a generator without training it."""


@cli.command("gradients")
@click.option(
    "--architecture",
    type=click.Choice(list(ARCHITECTURES)),
    default="fno",
    show_default=True,
    help="Measure this network.",
)
@click.option(
    "--train-npz",
    "train_npz",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take the first exposures of this data set.  [default: exposures drawn from the seed]",
)
@click.option("--size", type=click.IntRange(min=1), help="Draw patterns of this many pixels a side.  [default: 64]")
@click.option(
    "--gridsize",
    type=click.IntRange(min=1),
    help="Group this many patches a side.  [default: as in the data set, or 1]",
)
@click.option("--groups", type=click.IntRange(min=1), default=4, show_default=True, help="Take this many groups.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Draw weights and exposures from this seed.",
)
@click.option("--loss", type=click.Choice(list(LOSSES)), default="nll", show_default=True, help="Measure this loss.")
@click.option(
    "--least",
    type=click.FloatRange(min=0, max=1),
    default=LEAST,
    show_default=True,
    help="Say that a path vanishes below this share of the largest ratio.",
)
@click.option("--json", "in_json", is_flag=True, help="Print JSON.")
def gradients_command(
    architecture: str,
    train_npz: Path | None,
    size: int | None,
    gridsize: int | None,
    groups: int,
    seed: int,
    loss: str,
    least: float,
    in_json: bool,
) -> int:
    """Measure how much of a loss reaches each path of each block.

    A block has a spectral and a local path. The command changes nothing. The exit code is 1 if a path vanishes, because
    it then learns nothing beside the others.
    """
    if math.isnan(least):
        raise click.UsageError("--least: expected a share from 0 to 1, got nan")
    if train_npz and size:
        raise click.UsageError("--size: expected only without --train-npz, whose frames have a size of their own")
    batch = (
        read_batch(train_npz, gridsize, groups) if train_npz else drawn_batch(size or 64, gridsize or 1, groups, seed)
    )
    report = measure_gradients(_generator(architecture, batch, seed), batch, LOSSES[loss], least)
    if in_json:
        click.echo(json.dumps({"architecture": architecture, "seed": seed, **as_json(report)}, indent=2))
    else:
        _show(report, f"{architecture}, seed {seed}: {loss} = {report.loss:.4g}")
    return VANISHING if report.vanishing else SOUND


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code."""
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: Sequence[str] | None) -> int:
    try:
        code = cli.main(args=arguments, prog_name="python -m ptycho_torch.diagnostics", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE
    except (DataError, OSError) as error:
        click.echo(f"diagnostics: {error}", err=True)
        return NOT_MADE
    except ValueError as error:
        click.echo(f"diagnostics: {error}", err=True)
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("diagnostics: interrupted; nothing was measured", err=True)
        return NOT_MADE
    except Exception:
        traceback.print_exc()
        return NOT_MADE
    return code if isinstance(code, int) else SOUND


def _generator(architecture: str, batch: Batch, seed: int) -> nn.Module:
    patches, size = batch.observed.shape[1:3]
    try:
        return make_generator(architecture, size, math.isqrt(patches), seed)
    except ValueError as error:
        raise click.UsageError(f"{architecture} does not take these frames: {error}") from error


def _show(report: GradientReport, title: str) -> None:
    vanishing = report.vanishing
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("block", no_wrap=True)
    table.add_column("path")
    for heading in ("mean |w|", "std w", "mean |∂w|", "std ∂w", "ratio", "spectral/local"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for path in report.paths:
        balance = report.balance(path.block) if path.path == "spectral" else None
        numbers = (path.weights.mean, path.weights.std, path.gradient.mean, path.gradient.std, path.ratio)
        table.add_row(
            path.block,
            path.path,
            *(f"{number:.2e}" for number in numbers),
            "" if balance is None else f"{balance:.2e}",
            Text("vanishes", "bold red") if path in vanishing else "",
        )
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    console.print(_conclusion(report), highlight=False)


def _conclusion(report: GradientReport) -> str:
    if not report.vanishing:
        return f"{len(report.paths)} paths, none of which vanishes"
    named = ", ".join(f"{path.block} {path.path}" for path in report.vanishing)
    what = f"{len(report.vanishing)} of {len(report.paths)} paths vanish"
    return f"{what}, their ratio below {report.least:.2g} of the largest: {named}"


if __name__ == "__main__":
    main()
