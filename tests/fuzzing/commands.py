"""Commands with odd options in odd places: whatever comes, an exit code, a sentence, and nothing elsewhere.

    python -m tests.fuzzing.commands 10000        tells codes, faults, and what took longest

A number is an input, the same on every machine: a command of Click's own tree, options and arguments by their types,
and a folder full of odd files. Frameworks and processes of stacks are cut off where they would begin, as if none were
installed, so that an input takes milliseconds; one in `SHARE` is a process of its own, in a damaged environment.
"""

import contextlib
import io
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from parity import cli
from parity._ground.repository import ROOT
from parity.stacks.base import FrameworkMissing
from tests.fuzzing.grammar import ENVIRONMENTS, REDIRECTIONS, drawn, furnish

SHARE = 50
"""One input in so many is a process of its own."""

LIMIT = 30
"""Seconds after which a command has hung."""

MEMORY = 2**31

FRAMEWORKS = ("torch", "tensorflow", "keras", "lightning", "jax")

CUTS = (
    "parity.stacks.here.Here.__init__",
    "parity.stacks.remote.Remote.__init__",
    "parity.runs.workers.Crew.__init__",
)
"""Where a framework, or a process, would begin."""

SLOW = f"it took longer than {LIMIT} s"


@dataclass(frozen=True)
class Fault:
    """What went wrong with an input."""

    seed: int
    arguments: Sequence[str]
    said: str

    def __str__(self) -> str:
        shown = " ".join(word if len(word) < 80 else f"{word[:20]}…({len(word)})" for word in self.arguments)
        return f"{self.seed}: parity {shown!r}: {self.said}"


class Watch:
    """What is written outside a folder, by Python, while it is watched."""

    def __init__(self) -> None:
        self.folder: str | None = None
        self.written: list[str] = []
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.folder is None or event not in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink"):
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            return
        path = arguments[1] if event in ("os.rename", "os.symlink") else arguments[0]
        if isinstance(path, str | bytes | os.PathLike):
            file = Path(os.fsdecode(path)).absolute()
            if event == "os.mkdir" and file.exists():
                return
            place = file if os.fsdecode(path) == self.folder else Path(os.path.realpath(file.parent))
            if not place.is_relative_to(self.folder) and place != Path("/dev") and place.name != "__pycache__":
                self.written.append(f"{event} {os.fsdecode(path)}")


class _Absent:
    """Finds none of the frameworks."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in FRAMEWORKS:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)


def _cut(*_: object, **__: object) -> None:
    raise FrameworkMissing("frameworks are cut off")


def _late(*_: object) -> None:
    raise TimeoutError(SLOW)


@contextlib.contextmanager
def seam(folder: Path) -> Iterator[None]:
    """No framework, no process of a stack, and the folder to work in."""
    with contextlib.ExitStack() as cut, contextlib.chdir(folder):
        cut.enter_context(mock.patch.object(tempfile, "tempdir", str(folder)))
        for place in CUTS:
            cut.enter_context(mock.patch(place, _cut))
        cut.enter_context(mock.patch.dict(sys.modules))
        for name in FRAMEWORKS:
            sys.modules.pop(name, None)
        cut.enter_context(mock.patch.object(sys, "meta_path", [_Absent(), *sys.meta_path]))
        yield


def called(arguments: Sequence[str], encoding: str) -> tuple[int, str]:
    """Exit code and all that is said of a command in this process, cut off after `LIMIT` seconds."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding, "backslashreplace") for _ in range(2)]
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(LIMIT)
    try:
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
            cli.main(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else -1
    finally:
        signal.alarm(0)
    for stream in streams:
        stream.flush()
    said = [stream.buffer.getvalue().decode(encoding, "replace") for stream in streams]  # type: ignore[attr-defined]
    return code, "".join(said)


def process(seed: int, arguments: Sequence[str], folder: Path) -> tuple[int, str, int]:
    """The same of a process of its own, in a damaged environment; and the code of whoever reads it."""
    draw = random.Random(f"process {seed}")
    damage, redirection = draw.choice(ENVIRONMENTS), draw.choice(REDIRECTIONS)
    broken = folder / "broken"
    broken.mkdir(exist_ok=True)
    for name in FRAMEWORKS:
        (broken / f"{name}.py").write_text("raise ImportError('libcuda.so.1: cannot open shared object file')\n")
    variables = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{broken}", "PYTHONDONTWRITEBYTECODE": "1", **damage}
    line = f'set -o pipefail; "$0" -m parity "$@" {redirection}'
    done = subprocess.run(
        ["/bin/bash", "-c", line, sys.executable, *arguments],
        cwd=folder,
        env={name: value for name, value in variables.items() if value is not None},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=2 * LIMIT,
        check=False,
    )
    said = (done.stdout + done.stderr).decode(errors="backslashreplace")
    silent = any(sign in redirection for sign in ("2>", "true"))
    return done.returncode, said or ("…" if silent else ""), 0


@contextlib.contextmanager
def bounded_memory() -> Iterator[None]:
    """At most `MEMORY` more than there is: a file without an end is read to the end of this."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def fault_of(code: int, said: str) -> str | None:
    """What is wrong with how a command ended."""
    if code not in (0, 1, 2, 3):
        return f"exit code {code}: {said[-300:]}"
    for words in ("Traceback", "a fault of the harness", "out of memory", SLOW):
        if words in said:
            return said[-600:]
    return "no word said" if code and not said.strip() else None


@dataclass
class Tally:
    """What became of inputs."""

    codes: Counter[int]
    faults: list[Fault]
    longest: tuple[float, int] = (0.0, -1)


def fuzz(seeds: Sequence[int], share: int = SHARE) -> Tally:
    """Try each input; a folder serves many."""
    tally, watch = Tally(Counter(), []), Watch()
    for start in range(0, len(seeds), 200):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name).resolve()
            furnish(folder)
            for seed in seeds[start : start + 200]:
                _try(seed, folder, tally, watch, share)
    return tally


def _try(seed: int, folder: Path, tally: Tally, watch: Watch, share: int) -> None:
    arguments, began = drawn(seed), time.monotonic()
    watch.written.clear()
    try:
        if seed % share == share - 1:
            code, said, _ = process(seed, arguments, folder)
        else:
            encoding = random.Random(f"encoding {seed}").choice(("utf-8", "utf-8", "ascii", "latin-1"))
            with seam(folder), bounded_memory():
                watch.folder = str(folder)
                code, said = called(arguments, encoding)
    except (Exception, KeyboardInterrupt) as error:
        code, said = -1, f"{type(error).__name__}: {error}"
    finally:
        watch.folder = None
    tally.codes[code] += 1
    tally.longest = max(tally.longest, (time.monotonic() - began, seed))
    fault = fault_of(code, said) or (f"written outside: {watch.written}" if watch.written else None)
    if fault:
        tally.faults.append(Fault(seed, arguments, fault))


if __name__ == "__main__":
    first, _, last = sys.argv[1].rpartition("-")
    found = fuzz(range(int(first or 0), int(last)))
    for one in found.faults:
        print(one)  # noqa: T201
    print(f"codes {dict(found.codes)}, faults {len(found.faults)}, longest {found.longest}")  # noqa: T201
