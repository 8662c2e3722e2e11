"""A JSON document that somebody names, read and held to the types that a reader wants.

JSON is taken strictly: UTF-8, each key once, numbers that a float can hold. A value is what its type says, and no more:
true is no number, a key that nothing reads is refused, and text has nothing in it that a terminal would obey. What is
wrong is a `DocumentError`: the place in the document, what was expected and what came.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from ptycho_exposures.checks import printable
from ptycho_exposures.opening import NoRegularFile, read_whole

MEMORY = 40
"""How many bytes of memory a byte of a document may take once it is read."""

_LONGEST = 80
_WORDS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
"""JSON has no infinities: they are written as words."""


class DocumentError(ValueError):
    """What is wrong with a document, and where in it; to be read after the name of the file and a colon."""

    def __init__(self, said: str, place: str = "") -> None:
        super().__init__(f"{place}: {said}" if place else said)
        self.said, self.place = said, place

    def below(self, key: str) -> DocumentError:
        """The same, seen from a place that has it under a key."""
        return DocumentError(
            self.said, f"{key}{'' if self.place.startswith('[') or not self.place else '.'}{self.place}"
        )


def read_document(path: Path, kind: str) -> Any:
    """What a JSON document says; `kind` is what it is to hold. Raises DocumentError for what is none."""
    try:
        content = read_whole(path, MEMORY)
    except NoRegularFile as error:
        raise DocumentError(f"expected {kind}, got {error.strerror}") from error
    if not content:
        raise DocumentError(f"expected {kind}, got an empty file")
    try:
        return json.loads(
            content.decode(), parse_float=_finite, parse_constant=_no_number, object_pairs_hook=_each_key_once
        )
    except UnicodeDecodeError as error:
        raise DocumentError(f"expected {kind}, got a file that is not in UTF-8, from byte {error.start} on") from error
    except RecursionError as error:
        raise DocumentError(f"expected {kind}, got JSON that is nested too deeply") from error
    except ValueError as error:
        raise DocumentError(f"expected {kind}, got {printable(str(error))}") from error


def read_object(path: Path, kind: str, form: int) -> dict[str, Any]:
    """The object that a JSON document is, of a kind in this format. Raises DocumentError for what is none."""
    content = read_document(path, kind)
    if not isinstance(content, dict):
        raise DocumentError(f"expected {kind}, got {shown(content)}")
    if type(content.get("format")) is not int or content["format"] != form:
        raise DocumentError(f"expected {kind} of format {form}, got {shown(content.get('format'))}")
    return as_object(content)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{shortened(text)}, a number that is too large")
    return number


def _no_number(word: str) -> float:
    raise ValueError(f"{word}, which is no number in JSON")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {shown(next(key for key in keys if keys.count(key) > 1))} twice")
    return found


Decoder: TypeAlias = Callable[[Any], Any]
"""From a value of a document to one of a type. Raises DocumentError."""


def decoded(kind: Any, value: Any, place: str = "") -> Any:
    """The value as one of a type: text, a number, a flag, an enumeration, a tuple, a mapping, a dataclass, or None.

    A type with a class method `parse` is read from text by that. Raises DocumentError, which begins with `place`.
    """
    try:
        return _decoder(kind)(value)
    except DocumentError as error:
        raise (error.below(place) if place else error) from None


@cache
def _decoder(kind: Any) -> Decoder:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (inner,) = (_decoder(one) for one in arguments if one is not NoneType)
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        return _each(_decoder(arguments[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _values(_decoder(arguments[1]))
    if kind in _PLAIN:
        return _PLAIN[kind]
    if hasattr(kind, "parse"):
        return _parsed(kind.parse)
    if issubclass(kind, StrEnum):
        return _word(kind)
    return _fields(kind)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise DocumentError(f"expected text, got {shown(value)}")
    if not value.isprintable():
        raise DocumentError(f"expected text that can be printed, got {shown(value)}")
    return value


def _number(value: Any) -> float:
    kind = type(value)
    if kind is float:
        return float(value)
    if kind is int and abs(value) < 2**1023:
        return float(value)
    if kind is str and value in _WORDS:
        return _WORDS[value]
    raise DocumentError(f"expected a number, got {shown(value)}")


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise DocumentError(f"expected a whole number of at least 0, got {shown(value)}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise DocumentError(f"expected true or false, got {shown(value)}")
    return value


_PLAIN: Mapping[Any, Decoder] = {str: _text, float: _number, int: _count, bool: _flag}


def _each(inner: Decoder) -> Decoder:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise DocumentError(f"expected a list, got {shown(value)}")
        found = []
        for number, one in enumerate(value):
            try:
                found.append(inner(one))
            except DocumentError as error:
                raise error.below(f"[{number}]") from None
        return tuple(found)

    return read


def as_object(value: Any) -> dict[str, Any]:
    """An object of a document, unread, whose keys can be printed."""
    if not isinstance(value, dict):
        raise DocumentError(f"expected an object, got {shown(value)}")
    for key in value:
        _text(key)
    return value


def _values(inner: Decoder) -> Decoder:
    def read(value: Any) -> dict[str, Any]:
        return {key: _under(key, inner, one) for key, one in as_object(value).items()}

    return read


def _under(key: str, inner: Decoder, value: Any) -> Any:
    try:
        return inner(value)
    except DocumentError as error:
        raise error.below(key) from None


def _parsed(parse: Callable[[str], Any]) -> Decoder:
    def read(value: Any) -> Any:
        try:
            return parse(_text(value))
        except DocumentError:
            raise
        except ValueError as error:
            raise DocumentError(printable(str(error))) from error

    return read


def _word(kind: type[StrEnum]) -> Decoder:
    words = {one.value: one for one in kind}

    def read(value: Any) -> StrEnum:
        if not isinstance(value, str) or value not in words:
            raise DocumentError(f"expected one of {', '.join(words)}, got {shown(value)}")
        return words[value]

    return read


def _fields(kind: Any) -> Decoder:
    hints = get_type_hints(kind)
    inner = {each.name: _decoder(hints[each.name]) for each in dataclasses.fields(kind) if each.init}

    def read(value: Any) -> Any:
        given = as_object(value)
        if given.keys() != inner.keys():
            require_keys(given, inner)
        try:
            return kind(**{name: _under(name, inner[name], one) for name, one in given.items()})
        except DocumentError:
            raise
        except ValueError as error:
            raise DocumentError(printable(str(error))) from error

    return read


def require_keys(given: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise DocumentError where an object has other keys than these."""
    for key in wanted:
        if key not in given:
            raise DocumentError(f"expected the key {key}, got {', '.join(given) or 'none'}"[:400])
    for key in given:
        if key not in wanted:
            raise DocumentError(f"expected no key {shown(key)}, got one")


def shown(value: Any) -> str:
    """A value about as the document has it, in one line and not too long."""
    try:
        return shortened(printable(json.dumps(value, ensure_ascii=False)))
    except (RecursionError, ValueError):  # nested too deeply, more digits than Python writes
        return "a number of many digits" if isinstance(value, int) else "a value that is nested too deeply"


def shortened(text: str) -> str:
    """The beginning of a text that is too long for a message."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
