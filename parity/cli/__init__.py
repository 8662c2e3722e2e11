"""The `parity` command: a module for each of its commands, and here what holds for all of them.

Exit codes: 0 all agree; 1 a disagreement or a failed check; 2 wrong usage; 3 the check could not be made. Whatever is
not foreseen is 3: nothing that was not checked counts as passed.
"""

# ruff: noqa: E402, I001  # before anything is imported that a file of the working folder could stand in for

from __future__ import annotations

from parity._ground.search import forget_working_folder, libraries_first

libraries_first()

import importlib
import os
import re
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from parity._ground import streams
from parity.cli.apart import Stopped, apart, is_possible
from parity._ground.codes import AGREE, DISAGREE, NOT_CHECKED, USAGE
from parity._ground.errors import CheckNotMade, UsageError

SAFE_PATH = "PYTHONSAFEPATH"
"""Where this is set, Python does not look for modules in the working folder: no process that is begun here does."""

COMPLETION = "_PARITY_COMPLETE"
"""Where this is set, a shell asks Click how a word could go on."""

RESULTS = "results.json"
"""The file that a run is stored in."""

COMMANDS = {
    "run": "run:run_command",
    "check": "check:check_command",
    "merge": "merge:merge_command",
    "explain": "explain:explain_command",
    "report": "report:report_command",
    "baseline": "baseline:baseline_group",
    "bench": "bench:bench_command",
    "bindings": "bindings:bindings_group",
    "contracts": "contracts:contracts_group",
    "defects": "defects:defects_group",
    "divergences": "divergences:divergences_group",
    "golden": "golden:golden_group",
    "init": "init:init_command",
    "mutants": "mutants:mutants_group",
    "pipeline": "pipeline:pipeline_command",
    "preflight": "preflight:preflight_command",
    "samplers": "samplers:samplers_command",
    "table": "table:table_command",
    "trajectory": "trajectory:trajectory_command",
    "transplant": "transplant:transplant_command",
}
"""Where each command is, `module:name`. It is imported when it is called: one alone starts sooner."""

OWN = (
    "bench",
    "defects",
    "mutants",
    "pipeline",
    "preflight",
    "samplers",
    "trajectory",
    "transplant",
)
"""The commands that are about the stacks of this repository, and of no subject."""

__all__ = ["AGREE", "DISAGREE", "NOT_CHECKED", "RESULTS", "USAGE", "cli", "main"]


class _Commands(click.Group):
    """Commands that are imported when they are asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name].split(":")
        command: click.Command = getattr(importlib.import_module(f"parity.cli.{module}"), attribute)
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, and what is left of the arguments; UsageError for one that says nothing of declared subjects."""
        name, command, left = super().resolve_command(context, args)
        _require_words(left)
        if name in OWN and not {"-h", "--help"} & set(left):
            _require_own(name)
        return name, command, left


def _require_words(given: Sequence[str]) -> None:
    """Raise UsageError for a blank: there is no option of which it says anything, and as a path it is here."""
    for number, word in enumerate(given):
        option, _, value = word.rpartition("=") if word.startswith("--") and "=" in word else ("", "", word)
        if not value.strip():
            before = given[number - 1] if number else ""
            where = option or (before if before.startswith("-") else f"argument {number + 1}")
            raise UsageError(f"{where}: expected something to be said, got {value!r}")


def _require_own(command: str) -> None:
    from parity.stacks import declared

    subjects = declared()
    if subjects:
        others = ", ".join(name for name in sorted(COMMANDS) if name not in OWN)
        raise UsageError(
            f"parity {command} is about the stacks of ptycho-parity, and this repository declares subjects: "
            f"{', '.join(subjects)}; there are: {others}"
        )


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ptycho-parity")
def cli() -> None:
    """Hold the TensorFlow and PyTorch stacks to one oracle, and to each other.

    The exit code is 0 if all agree, 1 if something disagrees, 2 if you called the command wrongly, and 3 if something
    could not be checked.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code.

    Without `arguments` it is the one that was typed: it runs in a process of its own, and this one says its code.
    """
    if arguments is not None:
        sys.exit(_code_when_told(arguments))
    if sys.flags.optimize:
        _run_unoptimised()
    try:
        streams.fill_closed()
    except CheckNotMade as error:
        click.echo(f"parity: {error}", err=True)
        sys.exit(NOT_CHECKED)
    if is_possible():
        apart(_typed)
    sys.exit(_typed())


def _run_unoptimised() -> NoReturn:
    """Begin anew as if Python had not been told to leave out assertions and docstrings: some libraries need theirs."""
    os.environ.pop("PYTHONOPTIMIZE", None)
    words, number = sys.orig_argv[1:], 0
    while number < len(words) and words[number].startswith("-") and words[number] not in ("-m", "-c"):
        word = words[number]
        words[number] = word.replace("O", "") if re.fullmatch("-[A-Za-z]+", word) else word
        number += 2 if word in ("-W", "-X") else 1
    os.execv(sys.executable, [sys.executable, *(word for word in words if word != "-")])


def _typed() -> int:
    streams.adopt()
    os.environ[SAFE_PATH] = "1"
    forget_working_folder()
    if sys.warnoptions:  # they are told, and no errors: those of a library would end the command
        warnings.resetwarnings()
        warnings.simplefilter("default")
    return _code_when_told(None)


def _code_when_told(arguments: Sequence[str] | None) -> int:
    """The code of the command, once all that it prints is written."""
    code = _exit_code(arguments)
    try:
        streams.flush()
    except CheckNotMade as error:
        click.echo(f"parity: {error}", err=True)
        return NOT_CHECKED
    return code


def _said(error: Exception) -> str:
    """What an error says; of a file, its name and what the system says of it."""
    if not isinstance(error, OSError):
        return str(error)
    if error.filename:
        return f"{error.filename}: {error.strerror}"
    return error.strerror or str(error)


def _exit_code(arguments: Sequence[str] | None) -> int:
    try:
        _require_working_folder()
        code = cli.main(args=arguments, prog_name="parity", standalone_mode=False)
        return code if isinstance(code, int) else AGREE
    except click.ClickException as error:
        error.show()
        return USAGE
    except UsageError as error:
        click.echo(f"parity: {error}", err=True)
        return USAGE
    except Stopped as stopped:
        click.echo(f"parity: ended by {stopped}; nothing was judged", err=True)
        signal.signal(stopped.number, signal.SIG_DFL)
        os.kill(os.getpid(), stopped.number)
        return NOT_CHECKED
    except BaseException as error:
        if isinstance(error, SystemExit) and COMPLETION in os.environ:  # Click's own, of a shell that completes a word
            return int(error.code or AGREE)
        click.echo(f"parity: {_reason(error)}", err=True)
        return NOT_CHECKED


def _require_working_folder() -> None:
    try:
        Path.cwd()
    except OSError as error:
        raise CheckNotMade(f"the working folder: expected one that can be read, got: {error.strerror}") from None


def _reason(error: BaseException) -> str:
    """Why the check could not be made; of what nobody foresaw, the traceback is printed too."""
    match error:
        case CheckNotMade() | OSError():
            return _said(error)
        case MemoryError():
            return "out of memory; nothing was judged"
        case KeyboardInterrupt() | click.Abort():
            return "interrupted; nothing was judged"
        case SystemExit():
            return f"code that was run ended the command by SystemExit: {error.code}; nothing was judged"
        case SyntaxError() if error.filename:
            return f"{error.filename}, line {error.lineno}: {error.msg}"
        case ImportError():
            return f"{error.name or 'a package'} cannot be imported: {error}"
        case RuntimeError() if "can't start new thread" in str(error):
            return "no further thread can be started: see `ulimit -u`"
    from parity.stacks.worker import StackError  # NumPy takes time to import

    if isinstance(error, StackError):
        return f"a stack {error}; nothing was judged"
    traceback.print_exception(error)
    return "the check could not be made: a fault of the harness, not of a stack"
