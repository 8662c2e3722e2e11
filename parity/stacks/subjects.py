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

import json
import math
import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from parity._ground.errors import UsageError
from parity.contracts.cases.domain import Domain
from parity.contracts.contract import did_you_mean
from parity.stacks.base import PAIR

FRAMEWORKS = ("tensorflow", "torch", "numpy", "jax")
"""What a subject can be written in."""

GLOBAL_STATE = ("default dtype", "error state", "grad mode", "threads", "determinism")
"""State of a process on which results depend, and which some packages change when they are imported."""

_TABLES = {"pyproject.toml": ("tool", "parity"), "parity.toml": ()}
"""The files that can declare subjects, each with the keys that lead to the harness's own table in it."""

_SUBJECTS = "subjects"
_TAKEN = {PAIR: "two stacks", "oracle": "what all stacks are held to"}
_TAKEN |= dict.fromkeys(("inputs", "cotangents", "bounds"), "a part of a golden")
_NAME = re.compile(r"[a-z0-9_-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST = 80


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


def subject(name: str, start: Path) -> Subject:
    """The subject of this name, as seen from a folder. Raises UsageError as `subjects_in`, and for an unknown name."""
    known = subjects_in(start)
    if name in known:
        return known[name]
    if not known:
        raise UsageError(f"unknown subject '{name}'; no {' or '.join(_TABLES)} declares any in {start} or above it")
    raise UsageError(f"unknown subject '{name}'{did_you_mean(name, known)}")


def subjects_in(start: Path) -> Mapping[str, Subject]:
    """The subjects of the nearest file that declares any, by name, in the order of the file.

    The search begins in the folder `start` and ends at the root of its git checkout, or of the file system; where no
    file declares a subject, there are none.

    Raises UsageError where `start` is no folder, where both files of a folder declare subjects, where a file on the way
    cannot be read or is no TOML, and where a declaration is wrong: a key is unknown or missing, or a value is not what
    its key asks for, such as a path to nothing or a frame outside the domain.
    """
    if not start.is_dir():
        raise UsageError(f"{start}: expected a folder, to find subjects in or above it, got none")
    folder = start.resolve()
    for here in (folder, *folder.parents):
        tables = [found for name in _TABLES if (found := _declarations(here / name))]
        if len(tables) > 1:
            files = " and ".join(str(here / name) for name in _TABLES)
            raise UsageError(f"{files}: expected subjects in one of the two, got some in both")
        if tables:
            ((place, table),) = tables
            return {name: _subject(place.at(name), name, value) for name, value in table.items()}
        if (here / ".git").exists():
            break
    return {}


@dataclass(frozen=True, slots=True)
class _Key:
    """A key in a file, for saying what is wrong there."""

    file: Path
    key: str = ""

    def __str__(self) -> str:
        return f"{self.file}: {self.key}" if self.key else str(self.file)

    def at(self, key: str) -> _Key:
        return _Key(self.file, f"{self.key}.{_printable(key)}" if self.key else _printable(key))

    def item(self, number: int) -> _Key:
        return _Key(self.file, f"{self.key}[{number}]")

    def error(self, expected: str, got: str) -> UsageError:
        return UsageError(f"{self}: expected {expected}, got {got}")


_Reader: TypeAlias = Callable[[_Key, Any], Any]
"""From a value of the file to that of a field. Raises UsageError if it is not what the key asks for."""


def _declarations(file: Path) -> tuple[_Key, dict[str, Any]] | None:
    """The subjects' table of a file, unread, and its place; None where there is no such file or it declares none."""
    document = _parsed(file)
    if document is None:
        return None
    place, table = _Key(file), document
    for key in _TABLES[file.name]:
        place = place.at(key)
        table = _as_table(place, table.get(key, {}))
    _require_known(place, table, (_SUBJECTS,))
    place = place.at(_SUBJECTS)
    subjects = _as_table(place, table.get(_SUBJECTS, {}))
    return (place, subjects) if subjects else None


def _parsed(file: Path) -> dict[str, Any] | None:
    """What a file of TOML says; None where there is no such file."""
    try:
        text = file.read_bytes().decode()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{file}: expected a file that can be read, got: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{file}: expected TOML in UTF-8, got another byte in line {line}") from error
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        said = str(error).replace("at end of document", f"at line {text.count(chr(10)) + 1}, where it ends")
        raise UsageError(f"{file}: expected TOML, got: {said}") from error


def _subject(place: _Key, name: str, value: Any) -> Subject:
    if not _NAME.fullmatch(name):
        raise place.error("a name of a-z, 0-9, _ and -", _shown(name))
    if name in _TAKEN:
        raise UsageError(f"{place}: expected another name than '{name}', which stands for {_TAKEN[name]}")
    given = _table(place, value, _SUBJECT, ("framework", "package"))
    ways = [key for key in ("mirror", "bindings") if key in given]
    if len(ways) != 1:
        raise place.error("either 'mirror = true' or 'bindings'", "both" if ways else "neither")
    given.pop("mirror", None)
    root = place.file.parent
    unless_given: dict[str, Any] = {"python": Path(sys.executable), "path": (root,)}
    read = Subject(name=name, root=root, file=place.file, **unless_given | given)
    _require_in_domain(place.at("shapes"), read)
    return read


def _require_in_domain(place: _Key, read: Subject) -> None:
    for number, (height, width) in enumerate(read.shapes):
        if read.domain.square and height != width:
            raise place.item(number).error("equal sides, as domain.square asks", f"[{height}, {width}]")
        if read.domain.even and (height % 2 or width % 2):
            raise place.item(number).error("even sides, as domain.even asks", f"[{height}, {width}]")


def _table(place: _Key, value: Any, readers: Mapping[str, _Reader], required: Sequence[str] = ()) -> dict[str, Any]:
    """A table whose keys each have a reader."""
    table = _as_table(place, value)
    _require_known(place, table, readers)
    for key in required:
        if key not in table:
            raise place.error(f"to find the key '{key}'", f"only {', '.join(table)}" if table else "an empty table")
    return {key: readers[key](place.at(key), entry) for key, entry in table.items()}


def _as_table(place: _Key, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise place.error("a table", _shown(value))
    return value


def _require_known(place: _Key, table: Mapping[str, Any], known: Iterable[str]) -> None:
    for key in table:
        if key not in known:
            raise UsageError(f"{place}: unknown key {_shown(key)}{did_you_mean(key, known)}")


def _shown(value: Any) -> str:
    """A value about as the file has it, on one line and not too long; text whole, but with escapes."""
    if isinstance(value, str):
        return f"'{_printable(value)}'"
    text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _printable(text: str) -> str:
    """Text with what no terminal can show, or would obey, escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _that(expected: str, is_right: Callable[[Any], bool]) -> _Reader:
    """Takes a value as it is, if it is right."""

    def read(place: _Key, value: Any) -> Any:
        if not is_right(value):
            raise place.error(expected, _shown(value))
        return value

    return read


def _one_of(words: Sequence[str]) -> _Reader:
    expected = f"{', '.join(repr(word) for word in words[:-1])} or {words[-1]!r}"
    return _that(expected, lambda value: isinstance(value, str) and value in words)


def _list_of(reader: _Reader, expected: str, least: int = 0) -> _Reader:
    """Takes a list, each entry by `reader`, as a tuple."""

    def read(place: _Key, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) < least:
            raise place.error(expected, _shown(value))
        return tuple(reader(place.item(number), entry) for number, entry in enumerate(value))

    return read


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0  # true is no number


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < math.inf


def _is_dotted(value: Any) -> bool:
    return isinstance(value, str) and all(part.isidentifier() for part in value.split("."))


def _frame(place: _Key, value: Any) -> tuple[int, int]:
    if not (isinstance(value, list) and len(value) == 2 and all(map(_is_count, value))):
        raise place.error("two positive integers, rows and columns", _shown(value))
    return value[0], value[1]


def _text(place: _Key, value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise place.error("text", _shown(value))
    return value


def _path(expected: str, is_one: Callable[[Path], bool], *, resolved: bool = True) -> _Reader:
    """Takes a path, relative to the file's folder, to something that is there; `resolved` follows its links."""

    def read(place: _Key, value: Any) -> Path:
        path = place.file.parent / _text(place, value)
        try:
            instead = "" if is_one(path) else "is none" if path.exists() else "is not there"
        except OSError as error:
            instead = f"cannot be reached: {error.strerror}"
        if instead:
            raise place.error(expected, f"{_shown(value)}, and {_printable(str(path))} {instead}")
        return path.resolve() if resolved else path

    return read


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _environment(place: _Key, value: Any) -> dict[str, str]:
    table = _as_table(place, value)
    for name in table:
        if not _VARIABLE.fullmatch(name):
            raise place.error("names of environment variables", _shown(name))
    return {name: _text(place.at(name), entry) for name, entry in table.items()}


def _domain(place: _Key, value: Any) -> Domain:
    return Domain(**_table(place, value, _DOMAIN))


_TRUE_OR_FALSE = _that("true or false", lambda value: isinstance(value, bool))
_COUNT = _that("a positive integer", _is_count)

_DOMAIN: Mapping[str, _Reader] = {
    "square": _TRUE_OR_FALSE,
    "even": _TRUE_OR_FALSE,
    "modes": _list_of(_COUNT, "a list of numbers of modes"),
    "batch": _COUNT,
}
_SUBJECT: Mapping[str, _Reader] = {
    "framework": _one_of(FRAMEWORKS),
    "package": _that("the name of a package", _is_dotted),
    "mirror": _that("true, or no such key", lambda value: value is True),
    "bindings": _path("a file of bindings", Path.is_file),
    "python": _path("an interpreter that can be run", _is_program, resolved=False),
    "path": _list_of(_path("a folder", Path.is_dir), "a list of one folder or more", least=1),
    "domain": _domain,
    "shapes": _list_of(_frame, "a list of frames, such as [[16, 16]]"),
    "stubs": _list_of(_that("the name of a module", _is_dotted), "a list of modules"),
    "environment": _environment,
    "accepts": _list_of(_one_of(GLOBAL_STATE), "a list of what the import may change"),
    "limit": _that("a positive number of seconds", _is_time),
}
"""By key, what reads its value."""
