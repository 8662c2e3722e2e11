"""What odd commands are made of: Click's own tree, values by the type of an option, and a folder of odd files."""

import os
import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from parity import cli
from parity.cli.numbers import Finite
from parity.cli.options import SubjectName
from parity.contracts.declared import REGISTRY

HEAD = shutil.which("head")

ODD = (
    "", " ", "\t\n", "-", "--", "x", "0", "é·×", "\udcff\udc80", "a" * 5000, "../../..", "%s{0}\\", "[red]", "\x1b[31m",
)  # fmt: skip
NUMBERS = (
    "0", "1", "-1", "2", "1e3", "nan", "inf", "-inf", "1e999", "1e-320", "9" * 25, "9" * 5000, "1_0", "٣", "1.5",
)  # fmt: skip
PATHS = (
    "empty", "folder", "text.json", "results.json", "deep.json", "zeros.npz", "fifo", "dangling", "loop", "missing",
    "missing/below", "text.json/below", ".", "/", "..", "/dev/null", "/dev/full", "read-only/new", "n" * 300,
    "\udcff.npz", "empty.toml", "weights.pt", "weights.npz", "fixtures", "x=results.json", "~", "new", "new.npz",
)  # fmt: skip
WORDS = {
    "names": ("losses.mae", "losses", "probe.disk", "losses.mae/predicted-squared", "losses.mae/even-0", "mae", "all"),
    "required": ("losses.mae", "losses"),
    "case": ("odd/17", "even/0", "odd", "odd/", "/1", "odd/-1", "measured/0", "odd/1/2", f"odd/{'9' * 5000}"),
    "precision": ("f32", "f64", "f32,f64", "wide", "f32,f32", ",", "f16", "F32"),
    "mode": ("eager", "graph", "xla,compiled", "graph,eager", ",", "fast"),
    "modes": ("eager", "graph,compiled", "fast", ","),
    "sizes": ("16", "16,64", "7", "16,,", "9" * 5000, "-16"),
    "shard": ("1/2", "2/2", "0/0", "3/2", "1/", "1/1/1", "-1/2"),
    "base": ("HEAD", "main", "no-such-branch", "-x", "HEAD~1000000"),
    "against": ("HEAD", "no-such-branch", "--all"),
    "package": ("mine", "mine.optics", "ptycho", 'a"b', "1a", "a-b"),
    "subject": ("mine", "a b", 'x"]', "é"),
    "old": ("HEAD", "fixtures", "missing"),
    "new": ("HEAD", "fixtures", "folder"),
    "reason": ("it is so", "two\nlines"),
    "files": ("ptycho/losses.py", "ptycho_torch/optics.py", "missing.py", "text.json", "/etc/passwd"),
    "results": ("results.json", "a=results.json", "=", "x=", "folder"),
}  # fmt: skip
"""By name of an option or argument, what is right there, and what is nearly."""

ENVIRONMENTS: tuple[dict[str, str | None], ...] = (
    {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"PYTHONIOENCODING": "utf-16"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"COLUMNS": "abc"}, {"COLUMNS": "0"},
    {"COLUMNS": "1", "TERM": "dumb"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, {"HOME": None}, {"TMPDIR": "/nowhere"},
    {"OMP_NUM_THREADS": "9" * 11}, {"OMP_NUM_THREADS": "abc"}, {"OMP_NUM_THREADS": ""}, {"PYTHONOPTIMIZE": "2"},
    {"PYTHONWARNINGS": "error"}, {"PYTHONDEVMODE": "1"}, {"PARITY_IN_PROCESS": "maybe"}, {"CI": "1"},
    {"PATH": "/nowhere"}, {"GITHUB_BASE_REF": "\udcff"}, {"GITHUB_STEP_SUMMARY": "/nowhere/page"}, {},
)  # fmt: skip
REDIRECTIONS = (
    "", "", "</dev/null", ">&-", "2>&-", "<&-", ">/dev/full", "2>/dev/full", "| true", f"2>&1 | {HEAD} -c 1",
)  # fmt: skip


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command by its words; a new one is drawn without being named here."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found
        yield from commands(found, (*path, name))


COMMANDS = dict(commands(cli.cli))


def drawn(seed: int) -> list[str]:
    """The arguments of an input."""
    draw = random.Random(seed)
    path = draw.choice(sorted(COMMANDS))
    words = list(path)
    if draw.random() < 0.02:
        return [*words, draw.choice(("--help", "--version", "--no-such-option", *ODD))]
    for parameter in COMMANDS[path].params:
        is_argument = isinstance(parameter, click.Argument)
        wanted = parameter.required or is_argument
        if draw.random() > (0.95 if wanted else 0.25):
            continue
        for _ in range(draw.choice((1, 1, 1, 2)) if is_argument and parameter.nargs < 0 else 1):
            words += _given(draw, parameter)
        if not is_argument and draw.random() < 0.05:
            words += _given(draw, parameter)
    return words


def _given(draw: random.Random, parameter: click.Parameter) -> list[str]:
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return [draw.choice(parameter.opts)]
    value = draw.choice(ODD) if draw.random() < 0.15 else draw.choice(_values(parameter))
    if isinstance(parameter, click.Argument):
        return [value]
    option = draw.choice(parameter.opts)
    return [f"{option}={value}"] if draw.random() < 0.3 else [option, value]


def _values(parameter: click.Parameter) -> Sequence[str]:
    match parameter.type:
        case click.Choice(choices=choices):
            return [*map(str, choices), "none"]
        case Finite() | click.IntRange():
            return NUMBERS
        case SubjectName():
            return ("torch", "tensorflow", "nobody")
        case click.Path():
            return PATHS
    return WORDS.get(parameter.name or "", [*REGISTRY][:3])


def furnish(folder: Path) -> None:
    """Fill a folder with what paths may lead to."""
    for name in ("folder", "fixtures", "read-only"):
        (folder / name).mkdir()
    (folder / "read-only").chmod(0o500)
    contents = {
        "empty": b"", "text.json": b"no JSON", "results.json": b"{}", "deep.json": b"[" * 10**5, "empty.toml": b"",
        "zeros.npz": bytes(1000), "weights.pt": b"PK\3\4", "weights.npz": b"PK\5\6" + bytes(18),
        ".#losses.py": b"", "losses.py~": b"(", "4913": b"", ".DS_Store": bytes(9),
    }  # fmt: skip
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    os.mkfifo(folder / "fifo")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
