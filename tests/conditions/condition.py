"""A condition that a command may meet, with the exit code and the words that are right.

A condition is a function that arranges a place and runs one command there. Each module of this folder whose name is
that of a kind holds some, `test_conditions.py` tries them all, and `python -m tests.conditions` writes their table.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from parity._ground.repository import ROOT
from tests.clones import Clone, copied_checkout, copied_stranger

Done = subprocess.CompletedProcess[str]

LIMIT = 300
"""Seconds after which a command has hung."""


@dataclass(frozen=True)
class Place:
    """An empty folder, in which a condition is arranged."""

    folder: Path

    def checkout(self) -> Clone:
        """This checkout, committed."""
        return copied_checkout(self.folder / "checkout")

    def stranger(self) -> Clone:
        """A stranger's project that declares a subject, committed."""
        return copied_stranger(self.folder / "project")

    def parity(
        self,
        *arguments: str | bytes,
        root: Path = ROOT,
        cwd: Path | None = None,
        python: Sequence[str] = (),
        environment: Mapping[str, str | None] | None = None,
    ) -> Done:
        """The command of the harness in `root`, called in `cwd`; a variable that is None is not set."""
        command = [sys.executable, *python, "-m", "parity", *arguments]
        return self.process(command, root=root, cwd=cwd, environment=environment)

    def shell(self, line: str, root: Path = ROOT) -> Done:
        """A line of Bash, in which `parity` is the command of the harness in `root`."""
        said = f'parity() {{ "{sys.executable}" -m parity "$@"; }}; {line}'
        return self.process(["bash", "-c", said], root=root)

    def process(
        self,
        command: Sequence[str | bytes],
        *,
        root: Path = ROOT,
        cwd: Path | None = None,
        environment: Mapping[str, str | None] | None = None,
    ) -> Done:
        """Any command, in the folder or in `cwd`. Raises TimeoutExpired where it hangs."""
        variables = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})}
        return subprocess.run(
            command,
            cwd=cwd or self.folder,
            env={name: value for name, value in variables.items() if value is not None},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=LIMIT,
            check=False,
        )


@dataclass(frozen=True)
class Condition:
    """`title` says in a few words, as a row of a table does, what is so; `says` is a part of what the command says."""

    name: str
    title: str
    code: int
    says: str
    arrange: Callable[[Place], Done]


CONDITIONS: dict[str, Condition] = {}
"""All of them, by name."""


def condition(title: str, code: int, says: str) -> Callable[[Callable[[Place], Done]], Callable[[Place], Done]]:
    """Declare a function to arrange a condition, whose command ends with `code` and says `says`."""

    def declare(arrange: Callable[[Place], Done]) -> Callable[[Place], Done]:
        kind = arrange.__module__.rpartition(".")[2]
        name = f"{kind}/{arrange.__name__}"
        assert name not in CONDITIONS, f"declared twice: {name}"
        CONDITIONS[name] = Condition(name, title, code, says, arrange)
        return arrange

    return declare


def sentence(done: Done, place: Place, says: str) -> str:
    """The line that says `says`, or the last where that goes over several, without this machine's folders."""
    lines = [line.strip() for line in (*done.stdout.splitlines(), *done.stderr.splitlines()) if line.strip()]
    said = next((line for line in lines if says and says in line), lines[-1] if lines else "")
    for folder, name in ((place.folder, "…"), (ROOT, "…")):
        said = said.replace(str(folder), name)
    return said
