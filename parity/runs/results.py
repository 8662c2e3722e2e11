"""Results as a file: every measurement, so that a stored run can be judged again by other rules."""

from __future__ import annotations

import json
import math
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from parity._ground.document import DocumentError, decoded, read_object
from parity._ground.errors import CheckNotMade
from parity.judging.measurement import Measurement
from parity.judging.omission import Omission
from parity.judging.run import ContractRun, NotChecked
from parity.judging.verdict import Outcome
from parity.runs.completeness import Incomplete, counted, require_all_contracts, require_complete, require_possible_plan
from parity.runs.scope import Asked
from parity.stacks.base import Framework
from ptycho_exposures.checks import printable
from ptycho_exposures.files import write_atomically

FORMAT = 3
"""Raised when a reader of older files would misread a newer one: from 3 on, what was asked is there, or missed."""


class ResultsError(CheckNotMade, ValueError):
    """A results file that cannot be read; the message names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a results file holds: measurements and seconds by contract, and why other contracts were not checked."""

    path: Path
    environment: Mapping[str, str]
    asked: Asked
    measurements: Mapping[str, tuple[Measurement, ...]]
    seconds: Mapping[str, float]
    not_checked: Mapping[str, str] = field(default_factory=dict)
    omissions: Mapping[str, tuple[Omission, ...]] = field(default_factory=dict)


def environment(frameworks: Sequence[Framework]) -> dict[str, str]:
    """What the numbers depend on: versions, platform, and how each framework ran."""
    return environment_of({f.name: f.description for f in frameworks})


def environment_of(descriptions: Mapping[str, str]) -> dict[str, str]:
    """The same of frameworks that ran in other processes, described there."""
    return {
        "ptycho-parity": metadata.version("ptycho-parity"),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "numpy": np.__version__,
        **descriptions,
    }


def write_results(
    path: Path,
    runs: Iterable[ContractRun],
    environment: Mapping[str, str],
    asked: Asked,
    not_checked: Iterable[NotChecked] = (),
    unbound: Sequence[str] = (),
) -> None:
    """Write the runs as JSON, atomically. Raises OSError if the file cannot be written."""
    content = {
        "format": FORMAT,
        "environment": dict(environment),
        "asked": {**asdict(asked), "shard": asked.shard and str(asked.shard)},
        "contracts": {
            run.verdict.contract: {
                "outcome": run.verdict.outcome,
                "reason": run.verdict.reason,
                "seconds": round(run.seconds, 3),
                "counts": counted(run.measurements),
                "measurements": [{**asdict(m), "quantity": m.quantity.text} for m in run.measurements],
                "omissions": [asdict(omission) for omission in run.omissions],
            }
            for run in runs
        },
        "not_checked": {one.contract: one.reason for one in not_checked},
        **({"not_bound": list(unbound)} if unbound else {}),
    }
    write_atomically(path, json.dumps(_encoded(content), allow_nan=False, ensure_ascii=False).encode())


def read_results(path: Path) -> dict[str, list[Measurement]]:
    """The measurements of a whole run by contract.

    Raises ResultsError for a file that holds none, or not all: of a shard, or where something was not checked.
    """
    stored = read_stored(path)
    if stored.asked.shard:
        raise ResultsError(f"{path}: expected a whole run, got shard {stored.asked.shard}; parity merge unites them")
    for contract, reason in stored.not_checked.items():
        raise ResultsError(f"{path}: expected all contracts checked, got {contract}: {reason}")
    return {name: list(measurements) for name, measurements in stored.measurements.items()}


def read_stored(path: Path) -> Stored:
    """Everything in a results file, whole or not.

    Raises ResultsError for a file that holds none, that lacks something that was asked without saying why, or that has
    what nobody can have found.
    """
    try:
        content = read_object(path, "stored results", FORMAT)
        file = decoded(_File, {"not_bound": [], **content})
        asked = file.asked
        require_possible_plan(asked)
        require_all_contracts(asked, file.contracts, file.not_checked, file.not_bound)
        for name, contract in file.contracts.items():
            require_complete(name, contract.measurements, contract.omissions, contract.counts, asked)
    except (DocumentError, Incomplete) as error:
        raise ResultsError(f"{printable(str(path))}: {error}") from error
    return Stored(
        path=path,
        environment=file.environment,
        asked=asked,
        measurements={name: contract.measurements for name, contract in file.contracts.items()},
        seconds={name: contract.seconds for name, contract in file.contracts.items()},
        not_checked=file.not_checked,
        omissions={name: contract.omissions for name, contract in file.contracts.items()},
    )


@dataclass(frozen=True, slots=True)
class _HeldContract:
    outcome: Outcome
    reason: str
    seconds: float
    counts: Mapping[str, Mapping[str, Mapping[str, int]]]
    measurements: tuple[Measurement, ...]
    omissions: tuple[Omission, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.seconds < math.inf:
            raise ValueError(f"seconds: expected a number of at least 0, got {self.seconds}")


@dataclass(frozen=True, slots=True)
class _File:
    format: int
    environment: Mapping[str, str]
    asked: Asked
    contracts: Mapping[str, _HeldContract]
    not_checked: Mapping[str, str]
    not_bound: tuple[str, ...]


def _encoded(value: Any) -> Any:
    """As JSON has it: infinities are words, and text has nothing in it that a terminal would obey."""
    match value:
        case float() if not math.isfinite(value):
            return repr(value)
        case str():
            return printable(value)
        case dict():
            return {_encoded(key): _encoded(item) for key, item in value.items()}
        case list() | tuple():
            return [_encoded(item) for item in value]
    return value
