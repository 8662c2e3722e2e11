"""A benchmark as a file: what was timed, and on what it was timed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from parity._ground.document import DocumentError, decoded, read_object
from parity._ground.errors import CheckNotMade
from parity.proof.bench.sizes import Compared, Refused, Timed
from parity.proof.bench.suite import BenchReport
from parity.runs.results import environment
from parity.stacks.base import Framework
from ptycho_exposures.files import write_atomically

FORMAT = 1
"""Raised when a reader of older files would misread a newer one."""


class BenchError(CheckNotMade):
    """A benchmark that could not be made or read; the message says of which and why."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """All that one command timed; what was not asked for is empty."""

    environment: Mapping[str, str]
    suite: BenchReport | None = None
    sizes: tuple[Timed, ...] = ()
    refused: tuple[Refused, ...] = ()
    revisions: tuple[Compared, ...] = ()


def environment_of(frameworks: Iterable[Framework]) -> dict[str, str]:
    """What the seconds depend on; a line for every mode of a framework."""
    return environment(()) | {f"{f.name} {f.mode}": f.description for f in frameworks}


def write_benchmark(path: Path, benchmark: Benchmark) -> None:
    """Write it as JSON, atomically. Raises OSError if the file cannot be written."""
    content = {"format": FORMAT, **asdict(benchmark)}
    write_atomically(path, json.dumps(content, allow_nan=False, ensure_ascii=False, indent=1).encode())


def read_sizes(path: Path) -> tuple[Timed, ...]:
    """The examples that were timed by size. Raises BenchError for a file that is no benchmark."""
    try:
        content = read_object(path, "a stored benchmark", FORMAT)
        timed: tuple[Timed, ...] = decoded(tuple[Timed, ...], content.get("sizes"), "sizes")
        return timed
    except DocumentError as error:
        raise BenchError(f"{path}: {error}") from error
