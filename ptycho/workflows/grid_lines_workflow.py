"""Writes simulated training and test sets of line objects on a scan grid.

    python -m ptycho.workflows.grid_lines_workflow --N 64 --gridsize 1 --output-dir DIR

writes DIR/datasets/N64/gs1/train.npz and test.npz, whose keys are in `ptycho_exposures.datafile`. NumPy alone: no
framework is imported. Exit codes: 0 written; 2 wrong usage; 3 a file that cannot be read or written. To add an option,
add a field to `GridLinesConfig` and a row here.
"""

import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

import click

from ptycho.workflows.probes import SIMULATED, ComplexArray, make_probe, prepare_probe, read_probe
from ptycho.workflows.simulation import GRIDSIZES, SIZES, SPLITS, GridLinesConfig, prepare_specimens, simulate
from ptycho_exposures.datafile import GridLinesData, write_datafiles
from ptycho_exposures.npz import DataError

WRITTEN, USAGE, NOT_WRITTEN = 0, 2, 3
"""Exit codes."""

_DEFAULTS: Final = GridLinesConfig(N=SIZES[0])


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def dataset_paths(output_dir: Path, N: int, gridsize: int) -> dict[str, Path]:
    """Where data sets lie, by split: datasets/N64/gs1/train.npz under the output folder, and test.npz beside it."""
    folder = output_dir / "datasets" / f"N{N}" / f"gs{gridsize}"
    return {split: folder / f"{split}.npz" for split in SPLITS}


def build_datasets(config: GridLinesConfig, probe: str = SIMULATED[0]) -> dict[str, GridLinesData]:
    """Simulate the data sets of a configuration, by split, with a bar where the standard error is a terminal.

    Args:
        config: what to simulate.
        probe: the name of a simulated one, or of an .npz file that holds `probeGuess`.

    Raises:
        ValueError: a probe that does not fit, or more light than can be drawn.
        DataError: a probe that cannot be read.
    """
    prepared = prepare_probe(_probe(probe, config.N), config.N)
    specimens = prepare_specimens(config)
    with _progress("exposing", sum(len(one.scan.true) for one in specimens)) as advance:
        return simulate(config, specimens, prepared, Path(probe).name, advance)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--N", "N", default=_DEFAULTS.N, help=f"Make patterns of this many pixels a side, {_listed(SIZES)}.")
@click.option(
    "--gridsize", default=_DEFAULTS.gridsize, help=f"Put this many patches a side into a group, {_listed(GRIDSIZES)}."
)
@click.option(
    "--output-dir",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the data sets below this folder.",
)
@click.option("--object-size", default=_DEFAULTS.object_size, help="Make objects of this many pixels a side.")
@click.option(
    "--step-train", default=_DEFAULTS.step_train, help="Move this many pixels between groups of the training set."
)
@click.option("--step-test", default=_DEFAULTS.step_test, help="Move this many pixels between groups of the test set.")
@click.option(
    "--offset", default=_DEFAULTS.offset, help="Put this many pixels between patches of a group (only with gridsize 2)."
)
@click.option("--jitter", default=_DEFAULTS.jitter, help="Move each patch off its grid by up to this many pixels.")
@click.option("--nphotons", default=_DEFAULTS.nphotons, help="Expose the mean pattern to this many photons.")
@click.option("--phase-span", default=_DEFAULTS.phase_span, help="Let the phase span this many radians.")
@click.option(
    "--probe",
    default=SIMULATED[0],
    metavar="NAME|FILE",
    help=f"Use this probe: {', '.join(SIMULATED)}, or the probeGuess of an .npz file.",
)
@click.option("--seed", default=_DEFAULTS.seed, help="Draw objects, jitter and noise from this seed.")
def grid_lines_command(
    N: int,
    gridsize: int,
    output_dir: Path,
    object_size: int,
    step_train: int,
    step_test: int,
    offset: int,
    jitter: int,
    nphotons: float,
    phase_span: float,
    probe: str,
    seed: int,
) -> None:
    """Simulate a training and a test set of line objects.

    The command scans two objects under one probe, and writes datasets/N…/gs…/{train,test}.npz below DIR.

    The same options give the same bytes. Files that are there are replaced, both or neither.
    """
    config = GridLinesConfig(
        N, gridsize, object_size, step_train, step_test, offset, jitter, nphotons, phase_span, seed
    )
    data = build_datasets(config, probe)
    paths = dataset_paths(output_dir, N, gridsize)
    said = [f"{path}: {_described(data[split])}" for split, path in paths.items()]
    write_datafiles({paths[split]: data[split] for split in SPLITS})  # and nothing that takes long comes after it
    click.echo("\n".join(said))


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code."""
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: Sequence[str] | None) -> int:
    try:
        grid_lines_command.main(args=arguments, prog_name="grid_lines_workflow", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE
    except DataError as error:
        return _failed(NOT_WRITTEN, str(error))
    except ValueError as error:
        return _failed(USAGE, str(error))
    except OSError as error:
        return _failed(NOT_WRITTEN, f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except MemoryError:
        return _failed(NOT_WRITTEN, "out of memory; nothing was written")
    except (KeyboardInterrupt, click.Abort):
        return _failed(NOT_WRITTEN, "interrupted; nothing was written")
    except Exception:
        traceback.print_exc()
        return _failed(NOT_WRITTEN, "a fault of the workflow, not of how it was called")
    return WRITTEN


def _failed(code: int, message: str) -> int:
    click.echo(f"grid_lines_workflow: {message}", err=True)
    return code


def _probe(name: str, N: int) -> ComplexArray:
    """The probe of that name; with the ending of an archive, the one in the file."""
    return read_probe(name) if Path(name).suffix == ".npz" else make_probe(name, N)


def _described(data: GridLinesData) -> str:
    """How much there is of what, and how bright."""
    groups, N, _, patches = data.diffraction.shape
    of = f" groups of {patches}" if patches > 1 else " patterns"
    M = len(data.object)
    return f"{groups:,}{of}, {N} × {N}, of an object {M} × {M}, {data.nphotons:.4g} photons each"


@contextmanager
def _progress(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on the standard error while the block lasts; what it gives is called with the number of steps taken."""
    # Imported here, so that --help and a refusal do not wait for it.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    err = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(description, total=total)
        yield lambda steps: bar.advance(task, steps)


if __name__ == "__main__":
    main()
