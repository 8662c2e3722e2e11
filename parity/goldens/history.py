"""`history.jsonl`: what every regeneration of the goldens changed, and why; one line each, the oldest first.

A line is canonical JSON: `commit` (of the code that made it; empty outside a repository), `date`, `goldens` (how many
were written), `largest` (the array that moved farthest: `array`, `golden`, and by how many `bounds`, to three digits,
or null where that cannot be said; null where goldens were made new or none moved), `nature`, `reason` and `versions`.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from parity.goldens.difference import GoldenDiff
from parity.goldens.drift import Nature
from parity.goldens.errors import GoldenError
from parity.goldens.manifest import HISTORY

_COMMIT = re.compile(r"([0-9a-f]{40}([0-9a-f]{24})?)?")
_LINE = {
    "commit": str,
    "date": str,
    "goldens": int,
    "largest": dict | None,
    "nature": str,
    "reason": str,
    "versions": dict,
}
_LARGEST = {"array": str, "bounds": float | None, "golden": str}


@dataclass(frozen=True, slots=True)
class Largest:
    """The array that moved farthest, by how many of its bounds: infinitely many where that cannot be said."""

    bounds: float
    golden: str
    array: str


@dataclass(frozen=True, slots=True)
class Regeneration:
    """One regeneration."""

    date: str
    commit: str
    reason: str
    goldens: int
    largest: Largest | None
    nature: Nature
    versions: Mapping[str, str]


def regeneration_of(
    difference: GoldenDiff, *, date: datetime.date, commit: str, reason: str, goldens: int, versions: Mapping[str, str]
) -> Regeneration:
    """The entry of a regeneration that made this difference and wrote so many goldens."""
    moved = difference.largest
    largest = None if moved is None else Largest(_rounded(moved.bounds), moved.golden, moved.array)
    return Regeneration(date.isoformat(), commit, reason, goldens, largest, difference.nature, dict(versions))


def read_history(content: bytes) -> tuple[Regeneration, ...]:
    """The entries of `history.jsonl`. Raises GoldenError, which names the line, for anything else."""
    if not content:
        return ()
    *lines, last = content.split(b"\n")
    if last:
        raise GoldenError(f"{HISTORY}: line {len(lines) + 1}: expected a line to end, got no newline")
    return tuple(_entry(line, f"{HISTORY}: line {number}") for number, line in enumerate(lines, start=1))


def version_changes(old: Regeneration, new: Regeneration) -> list[str]:
    """Which packages have another version than at the regeneration before, as `numpy 2.3.1 → 2.4.0`."""
    versions = {name: (old.versions.get(name, "none"), new.versions.get(name, "none")) for name in _names(old, new)}
    return [f"{name} {before} → {after}" for name, (before, after) in versions.items() if before != after]


def appended(content: bytes, entry: Regeneration) -> bytes:
    """The history with one entry more. Raises GoldenError where the history or the entry is none."""
    entries = read_history(content)
    line = _line(entry)
    _entry(line, f"{HISTORY}: line {len(entries) + 1}")
    return content + line + b"\n"


def _names(old: Regeneration, new: Regeneration) -> list[str]:
    return sorted(old.versions.keys() | new.versions.keys())


def _line(entry: Regeneration) -> bytes:
    largest = entry.largest and {
        "array": entry.largest.array,
        "bounds": _rounded(entry.largest.bounds) if math.isfinite(entry.largest.bounds) else None,
        "golden": entry.largest.golden,
    }
    line = {
        "commit": entry.commit,
        "date": entry.date,
        "goldens": entry.goldens,
        "largest": largest,
        "nature": str(entry.nature),
        "reason": entry.reason,
        "versions": dict(entry.versions),
    }
    # A lone surrogate is no text: nothing that is read back is spelt so.
    return json.dumps(line, sort_keys=True, ensure_ascii=False).encode(errors="surrogatepass")


def _entry(line: bytes, where: str) -> Regeneration:
    try:
        found = json.loads(line.decode(), parse_constant=_refused)
    except (RecursionError, ValueError) as error:
        raise GoldenError(f"{where}: expected JSON, got {type(error).__name__}: {error}") from error
    _check_types(found, _LINE, where)
    if found["largest"] is not None:
        _check_types(found["largest"], _LARGEST, f"{where}: largest")
    _check_values(found, where)
    largest = found["largest"] and Largest(
        math.inf if found["largest"]["bounds"] is None else float(found["largest"]["bounds"]),
        found["largest"]["golden"],
        found["largest"]["array"],
    )
    fields = {key: found[key] for key in ("date", "commit", "reason", "goldens", "versions")}
    entry = Regeneration(**fields, largest=largest, nature=Nature(found["nature"]))
    if _line(entry) != line:
        raise GoldenError(f"{where}: expected canonical JSON, got another spelling of it")
    return entry


def _check_types(found: Any, expected: Mapping[str, Any], where: str) -> None:
    if not isinstance(found, dict) or found.keys() != expected.keys():
        raise GoldenError(f"{where}: expected {', '.join(expected)}, got {str(found)[:200]}")
    for key, value in found.items():
        if not isinstance(value, expected[key]) or isinstance(value, bool):
            raise GoldenError(f"{where}: {key}: expected another type, got {str(value)[:200]}")


def _check_values(found: Mapping[str, Any], where: str) -> None:
    try:
        date = datetime.date.fromisoformat(found["date"]).isoformat()
    except ValueError:
        date = ""
    size = (found["largest"] or {}).get("bounds") or 0
    for key, holds, expected in (
        ("date", date == found["date"], "YYYY-MM-DD"),
        ("commit", _COMMIT.fullmatch(found["commit"]), "40 or 64 hexadecimal digits, or none"),
        ("goldens", found["goldens"] >= 0, "at least 0"),
        ("reason", found["reason"].strip(), "a reason"),
        ("nature", found["nature"] in list(Nature), f"one of {', '.join(Nature)}"),
        ("versions", all(isinstance(text, str) for text in found["versions"].values()), "a version by package"),
        ("largest", size >= 0, "bounds of at least 0 or null"),
    ):
        if not holds:
            raise GoldenError(f"{where}: {key}: expected {expected}, got {str(found[key])[:200]}")


def _rounded(bounds: float) -> float:
    """To three digits: more differ from one machine to the next."""
    return float(f"{bounds:.3g}")


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no number in JSON")
