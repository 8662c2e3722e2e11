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

from parity._ground.errors import CheckNotMade
from parity.judging.measurement import Gain, Measurement
from parity.judging.omission import Omission, Omitted
from parity.judging.quantity import Quantity
from parity.judging.run import ContractRun, NotChecked
from parity.judging.shards import parse_shard
from parity.runs.scope import Asked
from parity.stacks.base import Framework
from ptycho_exposures.files import write_atomically

FORMAT = 2
"""Raised when a reader of older files would misread a newer one: from 2 on, not all that was asked need be there."""


class ResultsError(CheckNotMade, ValueError):
    """A results file that cannot be read; the message names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a results file holds: measurements and seconds by contract, and why other contracts were not checked.

    `asked` is None where whoever wrote it did not say.
    """

    path: Path
    environment: Mapping[str, str]
    measurements: Mapping[str, tuple[Measurement, ...]]
    seconds: Mapping[str, float]
    not_checked: Mapping[str, str] = field(default_factory=dict)
    omissions: Mapping[str, tuple[Omission, ...]] = field(default_factory=dict)
    asked: Asked | None = None


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
    asked: Asked | None = None,
    not_checked: Iterable[NotChecked] = (),
    unbound: Sequence[str] = (),
) -> None:
    """Write the runs as JSON, atomically. Raises OSError if the file cannot be written."""
    content = {
        "format": FORMAT,
        "environment": dict(environment),
        "asked": asked and _stored(asked),
        "contracts": {
            run.verdict.contract: {
                "outcome": run.verdict.outcome,
                "reason": run.verdict.reason,
                "seconds": round(run.seconds, 3),
                "measurements": [_encoded({**asdict(m), "quantity": m.quantity.text}) for m in run.measurements],
                **({"omissions": [asdict(omission) for omission in run.omissions]} if run.omissions else {}),
            }
            for run in runs
        },
        "not_checked": {one.contract: one.reason for one in not_checked},
        **({"not_bound": list(unbound)} if unbound else {}),
    }
    write_atomically(path, json.dumps(content, allow_nan=False, ensure_ascii=False).encode())


def read_results(path: Path) -> dict[str, list[Measurement]]:
    """The measurements of a whole run by contract.

    Raises ResultsError for a file that holds none, or not all: of a shard, or where something was not checked.
    """
    stored = read_stored(path)
    if stored.asked and stored.asked.shard:
        raise ResultsError(f"{path}: expected a whole run, got shard {stored.asked.shard}; parity merge unites them")
    for contract, reason in stored.not_checked.items():
        raise ResultsError(f"{path}: expected all contracts checked, got {contract}: {reason}")
    return {name: list(measurements) for name, measurements in stored.measurements.items()}


def read_stored(path: Path) -> Stored:
    """Everything in a results file, whole or not. Raises ResultsError for a file that holds none."""
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise ResultsError(f"{path}: expected results of format {FORMAT}, got {content['format']}")
        contracts = content["contracts"].items()
        return Stored(
            path=path,
            environment=dict(content["environment"]),
            measurements={name: tuple(_decoded(m) for m in contract["measurements"]) for name, contract in contracts},
            seconds={name: float(contract["seconds"]) for name, contract in contracts},
            not_checked=dict(content["not_checked"]),
            omissions={name: tuple(_omission(o) for o in c.get("omissions", ())) for name, c in contracts},
            asked=None if content["asked"] is None else _asked(content["asked"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ResultsError):
            raise
        raise ResultsError(f"{path}: expected stored results, got {type(error).__name__}: {error}") from error


def _omission(stored: dict[str, Any]) -> Omission:
    return Omission(**{**stored, "omitted": Omitted(stored["omitted"])})


def _stored(asked: Asked) -> dict[str, Any]:
    return {**asdict(asked), "shard": asked.shard and str(asked.shard)}


def _asked(stored: dict[str, Any]) -> Asked:
    return Asked(
        cases={contract: tuple(cases) for contract, cases in stored["cases"].items()},
        precisions=tuple(stored["precisions"]),
        data=stored["data"],
        sources=stored["sources"],
        options=tuple(stored["options"]),
        shard=None if stored["shard"] is None else parse_shard(stored["shard"]),
    )


def _encoded(value: Any) -> Any:
    """JSON has no infinities: they are written as words."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, dict):
        return {key: _encoded(item) for key, item in value.items()}
    return value


_NUMBERS = ("ratio", "error", "allowed", "gap", "epsilon")


def _decoded(stored: dict[str, Any]) -> Measurement:
    numbers = {name: float(stored[name]) for name in _NUMBERS}
    gains = {name: Gain(*(float(stored[name][part]) for part in ("moment", "weight"))) for name in ("gain", "witness")}
    divergence = stored.get("divergence")  # results from before there were any have none
    return Measurement(
        **{
            **stored,
            **numbers,
            **gains,
            "quantity": Quantity.parse(stored["quantity"]),
            "index": tuple(stored["index"]),
            "divergence": None if divergence is None else float(divergence),
        }
    )
