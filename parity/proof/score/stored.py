"""A score as JSON, a line for each defect: what has changed shows in a diff."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from parity._ground.document import DocumentError, decoded, read_object
from parity._ground.errors import CheckNotMade
from parity.proof.score.result import ContractScore, DefectScore, Explained, RewriteScore, Score, ScoreRun, Seen
from ptycho_exposures.checks import printable

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
    head = {
        "examples": run.examples,
        "seconds": run.seconds,
        "environment": dict(run.environment),
        "sources": run.sources,
    }
    return _with_arrays(head, contracts=map(_contract_lines, run.contracts))


def _run(stored: Mapping[str, Any]) -> ScoreRun:
    contracts = tuple(_contract(contract) for contract in stored["contracts"])
    return ScoreRun(contracts, stored["examples"], stored["seconds"], stored["environment"], stored["sources"])


def _contract_lines(contract: ContractScore) -> str:
    head = {
        "contract": contract.contract,
        "examples": contract.examples,
        "agrees": contract.agrees,
        "epsilon": contract.epsilon,
        "pooled": contract.pooled,
        "alarms": _packed(contract.alarms),
    }
    return _with_arrays(
        head,
        defects=(_line(_packed_defect(defect)) for defect in contract.defects),
        rewrites=(_line(asdict(rewrite)) for rewrite in contract.rewrites),
    )


def _with_arrays(head: Mapping[str, Any], **arrays: Iterable[str]) -> str:
    """An object of one line, but for arrays whose elements have a line each."""
    parts = [f'"{name}": [\n{lines}\n]' for name, elements in arrays.items() if (lines := ",\n".join(elements))]
    empty = [f'"{name}": []' for name in arrays if not any(part.startswith(f'"{name}"') for part in parts)]
    return "{" + ", ".join([_line(head)[1:-1], *parts, *empty]) + "}"


def _line(content: Mapping[str, Any]) -> str:
    return json.dumps(content, allow_nan=False, ensure_ascii=False)


def _packed_defect(defect: DefectScore) -> dict[str, Any]:
    first = defect.any_column.first
    return {
        "defect": defect.defect,
        "stack": defect.stack,
        "caught": defect.caught,
        "sided": defect.sided,
        "any": _packed({"": defect.any_column})[""],
        "seen": _packed(defect.seen, first),
        "baselines": _packed(defect.baselines, first),
        "explained": defect.explained and [defect.explained.cause, list(defect.explained.right)],
        "pytest": defect.pytest,
    }


def _defect(stored: Mapping[str, Any]) -> DefectScore:
    explained = stored["explained"]
    any_column = Seen(*stored["any"])
    return DefectScore(
        defect=stored["defect"],
        stack=stored["stack"],
        caught=stored["caught"],
        sided=stored["sided"],
        any_column=any_column,
        seen=_unpacked(stored["seen"], any_column.first),
        baselines=_unpacked(stored["baselines"], any_column.first),
        explained=explained and Explained(explained[0], tuple(explained[1])),
        pytest=stored["pytest"],
    )


def _contract(stored: Mapping[str, Any]) -> ContractScore:
    return ContractScore(
        contract=stored["contract"],
        examples=stored["examples"],
        agrees=stored["agrees"],
        epsilon=stored["epsilon"],
        pooled=stored["pooled"],
        alarms=_unpacked(stored["alarms"]),
        defects=tuple(_defect(defect) for defect in stored["defects"]),
        rewrites=tuple(RewriteScore(**rewrite) for rewrite in stored["rewrites"]),
    )


def _packed(seen: Mapping[str, Seen], first: str | None = None) -> dict[str, list[Any]]:
    """The numbers, and the first example where it is neither `first` nor none."""
    return {name: [s.caught, s.tried, *([s.first] if s.first and s.first != first else [])] for name, s in seen.items()}


def _unpacked(stored: Mapping[str, Any], first: str = "") -> dict[str, Seen]:
    return {
        name: Seen(caught, tried, where[0] if where else first if caught else "")
        for name, (caught, tried, *where) in stored.items()
    }
