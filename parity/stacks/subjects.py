"""The subjects that a repository declares: the stacks under test, and where and how to run them.

A subject is a table `[tool.parity.subjects.NAME]` in pyproject.toml, or `[subjects.NAME]` in parity.toml:

| key | value |
|---|---|
| `framework` | one of `FRAMEWORKS`, which decides on the layout of the arrays |
| `package` | the package under test, such as `ptycho_torch` |
| `mirror` or `bindings` | `true` if contract `losses.mae` is `PACKAGE.losses.mae`, or else the file of the bindings |
| `python`, `path` | the interpreter, and the folders in which it finds the package; the harness's own, and `["."]` |
| `domain` | which inputs it claims to do: `square`, `even`, `modes`, `batch`; all |
| `shapes` | the frames that are asked, such as `[[16, 16], [32, 32]]`; any |
| `stubs` | modules that its code imports and never uses |
| `environment` | variables for its process |
| `accepts` | what of `GLOBAL_STATE` its import may change |
| `limit` | the seconds that a contract may take; any |

The first two and one of `mirror` and `bindings` must be given; what holds for the others where they are not stands last
in their row. Paths are relative to the file. Nothing is imported or run here. A new key is a field of `Subject`, a row
of `_SUBJECT` and a row above.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from parity._ground.errors import UsageError
from parity.contracts.cases.domain import Domain
from parity.contracts.contract import did_you_mean
from parity.stacks.base import PAIR
from parity.stacks.declaration import (
    SUBJECTS,
    TABLES,
    TRUE_OR_FALSE,
    Key,
    Reader,
    as_table,
    list_of,
    nearest,
    one_of,
    path_to,
    shown,
    table_of,
    text,
    that,
)
from parity.stacks.worker import ENGINES, STATE

FRAMEWORKS = tuple(ENGINES)
"""What a subject can be written in, in the order of import: torch before TensorFlow."""

GLOBAL_STATE = tuple(STATE)
"""State of a process on which results depend, and which some packages change when they are imported."""

_TAKEN = {PAIR: "two stacks", "oracle": "what all stacks are held to"}
_TAKEN |= dict.fromkeys(("inputs", "cotangents", "bounds"), "a part of a golden")
_NAME = re.compile(r"[a-z0-9_-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Subject:
    """A stack under test, as a file declares it; the paths were there when it was read."""

    name: str
    framework: str
    package: str
    root: Path
    """The folder of the file that declares it."""
    file: Path
    """The file that declares it."""
    python: Path
    """The interpreter, through the links by which it was named, which tell a virtual environment from its base."""
    path: tuple[Path, ...]
    """The folders in which the interpreter finds the package."""
    bindings: Path | None = None
    """The file with a function for each contract that is bound; None where the package mirrors the contracts' names."""
    domain: Domain = field(default_factory=Domain)
    shapes: tuple[tuple[int, int], ...] = ()
    """Rows and columns of the frames that are asked, in pixels; any where there are none."""
    stubs: tuple[str, ...] = ()
    """Modules that its code imports and never uses."""
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Variables for its process."""
    accepts: tuple[str, ...] = ()
    """What of `GLOBAL_STATE` its import may change."""
    limit: float | None = None
    """The seconds that a contract may take; None for any time."""

    @property
    def claimed(self) -> Domain:
        """Which inputs it claims to do, of the frames that are asked."""
        return replace(self.domain, shapes=self.shapes)


def subject(name: str, start: Path) -> Subject:
    """The subject of this name, as seen from a folder. Raises UsageError as `subjects_in`, and for an unknown name."""
    known = subjects_in(start)
    if name in known:
        return known[name]
    if not known:
        raise UsageError(f"unknown subject '{name}'; no {' or '.join(TABLES)} declares any in {start} or above it")
    raise UsageError(f"unknown subject '{name}'{did_you_mean(name, known)}")


def subjects_in(start: Path) -> Mapping[str, Subject]:
    """The subjects of the nearest file that declares any, by name, in the order of the file; none where there is none.

    Raises UsageError as `nearest` does, and where a declaration is wrong: a key is unknown or missing, or a value is
    not what its key asks for, such as a path to nothing or a frame outside the domain.
    """
    found = nearest(start)
    if found is None:
        return {}
    place, table = found[0].at(SUBJECTS), as_table(found[0].at(SUBJECTS), found[1][SUBJECTS])
    return {name: _subject(place.at(name), name, value) for name, value in table.items()}


def _subject(place: Key, name: str, value: Any) -> Subject:
    if not _NAME.fullmatch(name):
        raise place.error("a name of a-z, 0-9, _ and -", shown(name))
    if name in _TAKEN:
        raise UsageError(f"{place}: expected another name than '{name}', which stands for {_TAKEN[name]}")
    given = table_of(place, value, _SUBJECT, ("framework", "package"))
    ways = [key for key in ("mirror", "bindings") if key in given]
    if len(ways) != 1:
        raise place.error("either 'mirror = true' or 'bindings'", "both" if ways else "neither")
    given.pop("mirror", None)
    root = place.file.parent
    unless_given: dict[str, Any] = {"python": Path(sys.executable), "path": (root,)}
    read = Subject(name=name, root=root, file=place.file, **unless_given | given)
    _require_in_domain(place.at("shapes"), read)
    return read


def _require_in_domain(place: Key, read: Subject) -> None:
    for number, (height, width) in enumerate(read.shapes):
        if read.domain.square and height != width:
            raise place.item(number).error("equal sides, as domain.square asks", f"[{height}, {width}]")
        if read.domain.even and (height % 2 or width % 2):
            raise place.item(number).error("even sides, as domain.even asks", f"[{height}, {width}]")


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0  # true is no number


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < math.inf


def _is_dotted(value: Any) -> bool:
    return isinstance(value, str) and all(part.isidentifier() for part in value.split("."))


def _frame(place: Key, value: Any) -> tuple[int, int]:
    if not (isinstance(value, list) and len(value) == 2 and all(map(_is_count, value))):
        raise place.error("two positive integers, rows and columns", shown(value))
    return value[0], value[1]


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _environment(place: Key, value: Any) -> dict[str, str]:
    table = as_table(place, value)
    for name in table:
        if not _VARIABLE.fullmatch(name):
            raise place.error("names of environment variables", shown(name))
    return {name: text(place.at(name), entry) for name, entry in table.items()}


def _domain(place: Key, value: Any) -> Domain:
    return Domain(**table_of(place, value, _DOMAIN))


_COUNT = that("a positive integer", _is_count)

_DOMAIN: Mapping[str, Reader] = {
    "square": TRUE_OR_FALSE,
    "even": TRUE_OR_FALSE,
    "modes": list_of(_COUNT, "a list of numbers of modes"),
    "batch": _COUNT,
}
_SUBJECT: Mapping[str, Reader] = {
    "framework": one_of(FRAMEWORKS),
    "package": that("the name of a package", _is_dotted),
    "mirror": that("true, or no such key", lambda value: value is True),
    "bindings": path_to("a file of bindings", Path.is_file),
    "python": path_to("an interpreter that can be run", _is_program, resolved=False),
    "path": list_of(path_to("a folder", Path.is_dir), "a list of one folder or more", least=1),
    "domain": _domain,
    "shapes": list_of(_frame, "a list of frames, such as [[16, 16]]"),
    "stubs": list_of(that("the name of a module", _is_dotted), "a list of modules"),
    "environment": _environment,
    "accepts": list_of(one_of(GLOBAL_STATE), "a list of what the import may change"),
    "limit": that("a positive number of seconds", _is_time),
}
"""By key, what reads its value."""
