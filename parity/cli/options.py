"""Options that several commands have, and how they are written again in a command that is to be pasted."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from parity._ground import environment
from parity._ground.environment import IN_PROCESS
from parity.cli.numbers import AT_LEAST_ONE, COUNT, PROCESSES, SECONDS
from parity.contracts.contract import did_you_mean
from parity.judging.shards import Shard
from parity.stacks import MIRRORED, declared, engaged
from parity.stacks.base import Framework
from parity.stacks.seat import LIMIT

Command = TypeVar("Command", bound=Callable[..., Any])

REPEATED = ("data", "precision", "mode", "device", "stacks")
"""Options of `parity run` that decide what a case says, and so are part of the lines that reproduce and explain it."""


class SubjectName(click.ParamType[str]):
    """The name of a stack that can be held: a subject where the repository declares some, else one of the two here."""

    name = "subject"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        known = declared() or MIRRORED
        if value not in known:
            self.fail(f"unknown stack '{value}'{did_you_mean(value, known)}", parameter, context)
        return value


precision_option = click.option(
    "--precision",
    default="f32,f64",
    show_default=True,
    help="Run in f32, in f64, or in both as f32,f64; a subject in wide, too.",
)
device_option = click.option(
    "--device",
    default="cpu",
    show_default=True,
    type=click.Choice(["cpu", "cuda"]),
    help="Run the stacks on this device.",
)


def number_option(
    name: str, default: int, what: str, numbers: click.IntRange = AT_LEAST_ONE
) -> Callable[[Command], Command]:
    """An option that takes a whole number."""
    return click.option(name, default=default, show_default=True, type=numbers, help=what)


EXAMPLES = "Draw this many examples of each contract, after one of each stratum."
examples_option = number_option("--examples", 30, EXAMPLES, COUNT)

data_option = click.option("--data", type=click.Path(path_type=Path), help="Take the exposures from this .npz file.")
stacks_option = click.option(
    "--stack",
    "--subject",
    "stacks",
    multiple=True,
    type=SubjectName(),
    metavar="NAME",
    help="Take this stack alone: torch or tensorflow, or a subject that your repository declares.",
)

in_process_option = click.option(
    "--in-process",
    is_flag=True,
    envvar=IN_PROCESS,
    show_envvar=True,
    help="Run the stacks in this process, where a debugger finds them, and without a limit.",
)
limit_option = click.option(
    "--limit",
    metavar="SECONDS",
    type=SECONDS,
    help=f"Stop a stack that takes longer than this for a contract.  [default: {LIMIT:g}, or as it is declared]",
)

_CIRCUMSTANCES = (
    data_option,
    precision_option,
    click.option(
        "--mode",
        metavar="MODE,...",
        help="Run the stacks in these modes. TensorFlow has graph (the default), eager and xla; torch has eager "
        "(the default) and compiled.",
    ),
    device_option,
    stacks_option,
    in_process_option,
)


def under_circumstances(command: Command) -> Command:
    """Give a command the options that say on what, in which precision and where the stacks run."""
    for option in reversed(_CIRCUMSTANCES):
        command = option(command)
    return command


def _shard(context: click.Context, parameter: click.Parameter, given: str | None) -> Shard | None:
    try:
        return None if given is None else Shard.parse(given)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


jobs_option = number_option("--jobs", 1, "Hold this many contracts at once, each with processes of its own.", PROCESSES)

_SHARING = (
    jobs_option,
    limit_option,
    click.option("--shard", metavar="I/N", callback=_shard, help="Run part I of N; `parity merge` joins the parts."),
)


def sharing(command: Command) -> Command:
    """Give a command the options that share its work out among processes and machines."""
    for option in reversed(_SHARING):
        command = option(command)
    return command


def engage(
    names: Sequence[str],
    mode: str | None = None,
    device: str = "cpu",
    limit: float | None = None,
    *,
    in_process: bool | None = None,
) -> tuple[Framework, ...]:
    """The stacks of these names, all of them for none, until the command ends; see `parity.stacks.engaged`.

    Without `in_process` the environment says where they run. Returns when all are ready.
    """
    where = environment.in_process() if in_process is None else in_process
    stacks = engaged(names, mode, device, limit, where)
    frameworks = click.get_current_context().with_resource(stacks)
    for framework in frameworks:
        framework.require()
    return frameworks


def journal_option(what: str) -> Callable[[Command], Command]:
    """The option that names the file in which a command keeps what it has, and from which it goes on."""
    kept = f"Keep the {what} in this file, and go on from there."
    return click.option("--journal", type=click.Path(path_type=Path, dir_okay=False), help=kept)


def report_option(what: str) -> Callable[[Command], Command]:
    """The option that names a folder for what a command writes, as `folder`."""
    return click.option("--report", "folder", type=click.Path(path_type=Path), callback=_folder, help=what)


def _folder(context: click.Context, parameter: click.Parameter, given: Path | None) -> Path | None:
    if given and given.exists() and not given.is_dir():
        raise click.BadParameter(f"expected a folder, got a file: {given}")
    return given


def not_default(context: click.Context) -> list[str]:
    """Those of `REPEATED` that were given, as they are written."""
    return _written(context, lambda parameter: parameter.name in REPEATED)


def command_line(context: click.Context) -> str:
    """The command as it was given, to be pasted into a shell; where its report went is no part of it."""
    words = _written(context, lambda parameter: parameter.name != "folder")
    return shlex.join([*context.command_path.split(), *words])


def _written(context: click.Context, wanted: Callable[[click.Parameter], bool]) -> list[str]:
    """The wanted arguments and options that were given, as they are written."""
    written: list[str] = []
    for parameter in context.command.params:
        if wanted(parameter) and context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE:
            given = context.params[parameter.name or ""]
            for value in given if isinstance(given, tuple) else (given,):
                written += [*([parameter.opts[0]] if isinstance(parameter, click.Option) else []), str(value)]
    return written
