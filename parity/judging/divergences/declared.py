"""The divergences that a repository accepts, as it declares them beside its subjects.

An entry is a table `[[tool.parity.divergences]]` in pyproject.toml, or `[[divergences]]` in parity.toml. Its keys are
the fields of `Divergence`; `kind` is one of the words of `KINDS`, whose own fields are further keys, each read by type.
A field that is a function is written `"FILE.py:FUNCTION"`, relative to the file. That file says what a user expects, in
the oracle's arithmetic, so that it is loaded here, where the oracle is, and never where a stack runs.

A new kind is a row of `KINDS`.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import runpy
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import cache, wraps
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from parity._ground.errors import CheckNotMade, UsageError
from parity.contracts.contract import did_you_mean
from parity.judging.divergences.base import Difference, Divergence
from parity.judging.divergences.factors import PositiveFactor, Reduction
from parity.judging.divergences.formulas import AnotherFormula, OwnRule
from parity.judging.divergences.gauge import Gauge
from parity.judging.divergences.inexact import InexactArgument
from parity.judging.divergences.subdomain import SubDomain
from parity.judging.divergences.terms import ConstantTerm, KnownTerm
from parity.stacks.declaration import (
    DIVERGENCES,
    Key,
    Reader,
    as_table,
    list_of,
    number,
    one_of,
    shown,
    table_of,
    text,
    that,
)

KINDS: Mapping[str, type[Difference]] = {
    "constant term": ConstantTerm,
    "known term": KnownTerm,
    "positive factor": PositiveFactor,
    "reduction": Reduction,
    "gauge": Gauge,
    "sub-domain": SubDomain,
    "inexact argument": InexactArgument,
    "another formula": AnotherFormula,
    "a rule of its own": OwnRule,
}
"""The kinds by the words that a file has for them."""


def read_divergences(place: Key, table: Mapping[str, Any]) -> tuple[Divergence, ...]:
    """The entries of a repository's table, in order. Raises UsageError, with the key, for whatever is wrong in it."""
    return list_of(_entry, "a list of tables")(place.at(DIVERGENCES), table.get(DIVERGENCES, []))


def _entry(place: Key, value: Any) -> Divergence:
    table = as_table(place, value)
    if "kind" not in table:
        raise place.error("to find the key 'kind'", f"only {', '.join(table)}" if table else "an empty table")
    kind = KINDS[_KIND(place.at("kind"), table["kind"])]
    own, needed = _fields(kind)
    given = table_of(place, table, {**_ENTRY, "kind": _KIND, **own}, (*_REQUIRED, *needed))
    of_kind = {name: given.pop(name) for name in own if name in given}
    return Divergence(**{**given, "kind": kind(**of_kind)})


def _fields(kind: Any) -> tuple[dict[str, Reader], tuple[str, ...]]:
    """What reads each field of a kind, and the fields that must be given."""
    types, fields = get_type_hints(kind), dataclasses.fields(kind)
    missing = dataclasses.MISSING
    needed = tuple(f.name for f in fields if f.default is missing and f.default_factory is missing)
    return {f.name: _reader(types[f.name]) for f in fields}, needed


def _reader(of: Any) -> Reader:
    """What reads a value of a type."""
    if get_origin(of) in (Union, UnionType):
        (of,) = (one for one in get_args(of) if one is not NoneType)
    if get_origin(of) is Callable:
        return _function
    if issubclass(of, StrEnum):
        words = one_of([word.value for word in of])
        return lambda place, value: of(words(place, value))
    return {str: text, float: number}[of]


def _function(place: Key, value: Any) -> Callable[..., Any]:
    """A function of a file, which says where it stands if it raises."""
    name, _, function = text(place, value).rpartition(":")
    if not name.endswith(".py") or not function.isidentifier():
        raise place.error("a function as 'FILE.py:FUNCTION'", shown(value))
    file = place.file.parent / name
    if not file.is_file():
        raise place.error("a function of a file", f"{shown(value)}, and {file} is not there")
    found = _loaded(place, file.resolve())
    if not callable(found.get(function)):
        known = [word for word, what in found.items() if callable(what) and not word.startswith("__")]
        raise UsageError(f"{place}: unknown function '{function}' of {name}{did_you_mean(function, known)}")
    return _told(found[function], value)


def _loaded(place: Key, file: Path) -> Mapping[str, Any]:
    try:
        return _run(file)
    except (Exception, SystemExit) as error:
        raise place.error(f"Python that can be loaded in {file}", f"{type(error).__name__}: {error}") from error


@cache
def _run(file: Path) -> Mapping[str, Any]:
    return runpy.run_path(str(file))


def _told(function: Callable[..., Any], where: str) -> Callable[..., Any]:
    """The same function; what it raises is nobody's but its own."""

    @wraps(function)
    def called(*given: Any, **named: Any) -> Any:
        try:
            return function(*given, **named)
        except Exception as error:
            raise CheckNotMade(f"{where}: raised {type(error).__name__}: {error}") from error

    return called


def _reason(place: Key, value: Any) -> str:
    if not text(place, value).strip():
        raise place.error("why the difference is accepted, in words of yours", "none")
    return text(place, value)


def files_of(entry: Divergence) -> tuple[Path, ...]:
    """The files whose functions an entry has."""
    kind: Any = entry.kind
    functions = filter(callable, (getattr(kind, each.name) for each in dataclasses.fields(kind)))
    return tuple(Path(inspect.unwrap(function).__code__.co_filename) for function in functions)


def written(entry: Divergence, table: str) -> str:
    """An entry of a kind without functions as a `table` of a file, to be read again; a reason that is missing is ""."""
    kind: Any = entry.kind
    (word,) = (word for word, known in KINDS.items() if isinstance(kind, known))
    own = {f.name: getattr(kind, f.name) for f in dataclasses.fields(kind) if getattr(kind, f.name) != f.default}
    values = {"contract": entry.contract, "stack": entry.stack, "kind": word, **own}
    lines = [f"[[{table}]]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())]
    lines += [f"low = {entry.low:.4g}", f"high = {entry.high:.4g}"]
    lines += [f"reason = {json.dumps(entry.reason, ensure_ascii=False)}", f"expires = {entry.expires.isoformat()}"]
    lists = ((key, getattr(entry, key)) for key in ("quantities", "strata", "names", "breaks"))
    lines += [f"{key} = {json.dumps(words, ensure_ascii=False)}" for key, words in lists if words]
    return "\n".join(lines) + "\n"


_KIND = one_of(tuple(KINDS))
_WORD = that("a word or more", lambda value: isinstance(value, str) and bool(value.strip()))
_WORDS = list_of(_WORD, "a list of texts")
_ENTRY: Mapping[str, Reader] = {
    "contract": _WORD,
    "stack": _WORD,
    "low": number,
    "high": number,
    "reason": _reason,
    "expires": that(
        "a date, such as 2027-06-30", lambda value: isinstance(value, date) and type(value) is not datetime
    ),
    "quantities": _WORDS,
    "strata": _WORDS,
    "names": _WORDS,
    "breaks": _WORDS,
}
_REQUIRED = ("contract", "stack", "low", "high", "reason", "expires")
"""By key, what reads its value, and what must be given besides the kind."""
