"""A score as JSON, a line for each defect: what has changed shows in a diff."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from parity._ground.document import DocumentError, decoded, read_object
from parity._ground.errors import CheckNotMade
from parity.proof.score.result import ContractScore, DefectScore, Explained, RewriteScore, Score, ScoreRun, Seen
from ptycho_exposures.checks import printable

T = TypeVar("T", ScoreRun, ContractScore, DefectScore)

FORMAT = 2
"""Raised when a reader of older files would misread a newer one."""


class ScoreError(CheckNotMade, ValueError):
    """A file that holds no score; the message names it and says what is wrong with it."""


def encoded(score: Score) -> bytes:
    """The score as JSON, the same bytes for the same score."""
    return _with_arrays({"format": FORMAT}, runs=map(_run_lines, score.runs)).encode() + b"\n"


def read_score(path: Path) -> Score:
    """The score in a file. Raises ScoreError for one that holds none."""
    try:
        content = read_object(path, "a score", FORMAT)
        runs = [asdict(_run(stored)) for stored in content["runs"]]
        return Score(decoded(tuple[ScoreRun, ...], runs, "runs"))
    except DocumentError as error:
        raise ScoreError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ScoreError(f"{path}: expected a score, got {type(error).__name__}: {printable(str(error))}") from error


def _run_lines(run: ScoreRun) -> str:
    return _with_arrays(_fields(run, "contracts"), contracts=map(_contract_lines, run.contracts))


def _contract_lines(contract: ContractScore) -> str:
    return _with_arrays(
        _fields(contract, "defects", "rewrites") | {"alarms": _packed(contract.alarms)},
        defects=(_line(_packed_defect(defect)) for defect in contract.defects),
        rewrites=(_line(asdict(rewrite)) for rewrite in contract.rewrites),
    )


def _packed_defect(defect: DefectScore) -> dict[str, Any]:
    first, explained = defect.any_column.first, defect.explained
    packed = _fields(defect) | {
        "any_column": _packed({"": defect.any_column})[""],
        "seen": _packed(defect.seen, first),
        "baselines": _packed(defect.baselines, first),
        "explained": explained and [explained.cause, list(explained.right)],
    }
    return {"any" if name == "any_column" else name: value for name, value in packed.items()}


def _fields(record: ScoreRun | ContractScore | DefectScore, *left_out: str) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record) if field.name not in left_out}


def _with_arrays(head: Mapping[str, Any], **arrays: Iterable[str]) -> str:
    """An object of one line, but for arrays whose elements have a line each; those that are empty come last."""
    lines = {name: ",\n".join(elements) for name, elements in arrays.items()}
    parts = [f'"{name}": [\n{told}\n]' for name, told in lines.items() if told]
    empty = [f'"{name}": []' for name, told in lines.items() if not told]
    return "{" + ", ".join([_line(head)[1:-1], *parts, *empty]) + "}"


def _line(content: Mapping[str, Any]) -> str:
    return json.dumps(content, allow_nan=False, ensure_ascii=False)


def _run(stored: Mapping[str, Any]) -> ScoreRun:
    return _read(ScoreRun, stored, contracts=tuple(map(_contract, stored["contracts"])))


def _contract(stored: Mapping[str, Any]) -> ContractScore:
    return _read(
        ContractScore,
        stored,
        alarms=_unpacked(stored["alarms"]),
        defects=tuple(map(_defect, stored["defects"])),
        rewrites=tuple(RewriteScore(**rewrite) for rewrite in stored["rewrites"]),
    )


def _defect(stored: Mapping[str, Any]) -> DefectScore:
    any_column, explained = Seen(*stored["any"]), stored["explained"]
    return _read(
        DefectScore,
        stored,
        any_column=any_column,
        seen=_unpacked(stored["seen"], any_column.first),
        baselines=_unpacked(stored["baselines"], any_column.first),
        explained=explained and Explained(explained[0], tuple(explained[1])),
    )


def _read(kind: type[T], stored: Mapping[str, Any], **made: Any) -> T:
    """A record of what is stored, which must have every field, but for those that are made of it."""
    return kind(**made, **{field.name: stored[field.name] for field in fields(kind) if field.name not in made})


def _packed(seen: Mapping[str, Seen], first: str | None = None) -> dict[str, list[Any]]:
    """The numbers, and the first example where it is neither `first` nor none."""
    return {name: [s.caught, s.tried, *([s.first] if s.first and s.first != first else [])] for name, s in seen.items()}


def _unpacked(stored: Mapping[str, Any], first: str = "") -> dict[str, Seen]:
    return {
        name: Seen(caught, tried, where[0] if where else first if caught else "")
        for name, (caught, tried, *where) in stored.items()
    }
