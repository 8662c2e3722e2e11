"""Reading what a repository declares: the file, its tables, and values that say where they stand.

A repository declares in `[tool.parity]` of its pyproject.toml, or in its parity.toml. `nearest` finds the nearest
file; `Key` is a place in it, which every error begins with; a `Reader` makes of a value what a field wants. What can be
declared is not here: `subjects.py` has the stacks under test, `parity.judging.divergences` what is accepted of them.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from parity._ground.errors import UsageError
from parity._ground.text import text_if_any
from parity.contracts.contract import did_you_mean
from ptycho_exposures.checks import printable

TABLES = {"pyproject.toml": ("tool", "parity"), "parity.toml": ()}
"""The files that can declare something, each with the keys that lead to the harness's own table in it."""

SUBJECTS, DIVERGENCES = "subjects", "divergences"
"""What can be declared."""

_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Key:
    """A key in a file, for saying what is wrong there."""

    file: Path
    key: str = ""

    def __str__(self) -> str:
        file = printable(str(self.file))
        return f"{file}: {self.key}" if self.key else file

    def at(self, key: str) -> Key:
        return Key(self.file, f"{self.key}.{printable(key)}" if self.key else printable(key))

    def item(self, number: int) -> Key:
        return Key(self.file, f"{self.key}[{number}]")

    def error(self, expected: str, got: str) -> UsageError:
        return UsageError(f"{self}: expected {expected}, got {got}")


Reader: TypeAlias = Callable[[Key, Any], Any]
"""From a value of the file to that of a field. Raises UsageError if it is not what the key asks for."""


def nearest(start: Path) -> tuple[Key, Mapping[str, Any]] | None:
    """The harness's table of the nearest file that declares subjects, unread, and its place; None where there is none.

    The search begins in the folder `start` and ends at the root of its git checkout, or of the file system.

    Raises UsageError where `start` is no folder, where both files of a folder declare something, where a file on the
    way cannot be read or is no TOML, where it has a key that nothing reads, or declares something but no subject.
    """
    if not start.is_dir():
        raise UsageError(f"{start}: expected a folder, to find subjects in or above it, got none")
    folder = start.resolve()
    for here in (folder, *folder.parents):
        tables = [found for name in TABLES if (found := _declarations(here / name))]
        if len(tables) > 1:
            files = " and ".join(str(here / name) for name in TABLES)
            raise UsageError(f"{files}: expected subjects in one of the two, got some in both")
        if tables:
            return tables[0]
        if (here / ".git").exists():
            break
    return None


def _declarations(file: Path) -> tuple[Key, dict[str, Any]] | None:
    """The harness's table of a file, and its place; None where there is no such file or nothing in the table."""
    document = parsed(file)
    if document is None:
        return None
    place, table = Key(file), document
    for key in TABLES[file.name]:
        place = place.at(key)
        table = as_table(place, table.get(key, {}))
    require_known(place, table, (SUBJECTS, DIVERGENCES))
    if not as_table(place.at(SUBJECTS), table.get(SUBJECTS, {})):
        if table.get(DIVERGENCES):
            raise place.at(DIVERGENCES).error("subjects beside them, of which something is accepted", "none")
        return None
    return place, table


def parsed(file: Path) -> dict[str, Any] | None:
    """What a file of TOML says; None where there is no such file."""
    written = text_if_any(file, "TOML")
    if written is None:
        return None
    try:
        return tomllib.loads(written)
    except (ValueError, RecursionError) as error:
        said = str(error).replace("at end of document", f"at line {written.count(chr(10)) + 1}, where it ends")
        raise UsageError(f"{printable(str(file))}: expected TOML, got: {printable(said)}") from error


def table_of(place: Key, value: Any, readers: Mapping[str, Reader], required: Sequence[str] = ()) -> dict[str, Any]:
    """A table whose keys each have a reader."""
    table = as_table(place, value)
    require_known(place, table, readers)
    for key in required:
        if key not in table:
            raise place.error(f"to find the key '{key}'", f"only {', '.join(table)}" if table else "an empty table")
    return {key: readers[key](place.at(key), entry) for key, entry in table.items()}


def as_table(place: Key, value: Any) -> dict[str, Any]:
    """A table, unread."""
    if not isinstance(value, dict):
        raise place.error("a table", shown(value))
    return value


def require_known(place: Key, table: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse a key that nothing reads."""
    for key in table:
        if key not in known:
            raise UsageError(f"{place}: unknown key {shown(key)}{did_you_mean(key, known)}")


def shown(value: Any) -> str:
    """A value about as the file has it, on one line and not too long; text whole, but with escapes."""
    if isinstance(value, str):
        return f"'{printable(value)}'"
    text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def that(expected: str, is_right: Callable[[Any], bool]) -> Reader:
    """Takes a value as it is, if it is right."""

    def read(place: Key, value: Any) -> Any:
        if not is_right(value):
            raise place.error(expected, shown(value))
        return value

    return read


def one_of(words: Sequence[str]) -> Reader:
    """Takes one of some words."""
    expected = f"{', '.join(repr(word) for word in words[:-1])} or {words[-1]!r}"
    return that(expected, lambda value: isinstance(value, str) and value in words)


def list_of(reader: Reader, expected: str, least: int = 0) -> Reader:
    """Takes a list, each entry by `reader`, as a tuple."""

    def read(place: Key, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) < least:
            raise place.error(expected, shown(value))
        return tuple(reader(place.item(number), entry) for number, entry in enumerate(value))

    return read


def text(place: Key, value: Any) -> str:
    """Takes text."""
    if not isinstance(value, str) or "\0" in value:
        raise place.error("text", shown(value))
    return value


def path_to(expected: str, is_one: Callable[[Path], bool], *, resolved: bool = True) -> Reader:
    """Takes a path, relative to the file's folder, to something that is there; `resolved` follows its links."""

    def read(place: Key, value: Any) -> Path:
        path = place.file.parent / text(place, value)
        try:
            instead = "" if is_one(path) else "is none" if path.exists() else "is not there"
        except OSError as error:
            instead = f"cannot be reached: {error.strerror}"
        if instead:
            raise place.error(expected, f"{shown(value)}, and {printable(str(path))} {instead}")
        return path.resolve() if resolved else path

    return read


def number(place: Key, value: Any) -> float:
    """Takes a number, infinity among them."""
    if type(value) not in (int, float) or math.isnan(value):  # true is no number
        raise place.error("a number", shown(value))
    return float(value)


TRUE_OR_FALSE = that("true or false", lambda value: isinstance(value, bool))
