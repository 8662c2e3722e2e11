"""Results as a file: every measurement, so that a stored run can be judged again by other rules."""

from __future__ import annotations

import json
import math
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from parity.files import write_atomically
from parity.frameworks.base import Framework
from parity.measure import Gain, Measurement
from parity.run import ContractRun

FORMAT = 1
"""Raised when a reader of older files would misread a newer one."""


class ResultsError(ValueError):
    """A results file that cannot be read; the message names the file and what is wrong with it."""


def environment(frameworks: Sequence[Framework]) -> dict[str, str]:
    """What the numbers depend on: versions, platform, and how each framework ran."""
    return {
        "ptycho-parity": metadata.version("ptycho-parity"),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "numpy": np.__version__,
        **{f.name: f.description for f in frameworks},
    }


def write_results(path: Path, runs: Iterable[ContractRun], environment: Mapping[str, str]) -> None:
    """Write the runs as JSON, atomically. Raises OSError if the file cannot be written."""
    content = {
        "format": FORMAT,
        "environment": dict(environment),
        "contracts": {
            run.verdict.contract: {
                "outcome": run.verdict.outcome,
                "reason": run.verdict.reason,
                "seconds": round(run.seconds, 3),
                "measurements": [_encoded(asdict(m)) for m in run.measurements],
            }
            for run in runs
        },
    }
    write_atomically(path, json.dumps(content, allow_nan=False, ensure_ascii=False).encode())


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored run: the measurements of each contract, and the seconds they took, by its name; and on what it ran."""

    measurements: Mapping[str, Sequence[Measurement]]
    seconds: Mapping[str, float]
    environment: Mapping[str, str]


def read_results(path: Path) -> dict[str, list[Measurement]]:
    """The measurements of a stored run by contract. Raises ResultsError for a file that holds none."""
    return {name: list(measurements) for name, measurements in read_stored(path).measurements.items()}


def read_stored(path: Path) -> Stored:
    """A stored run. Raises ResultsError for a file that holds none, OSError for one that cannot be read."""
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise ResultsError(f"{path}: expected results of format {FORMAT}, got {content['format']}")
        contracts = content["contracts"]
        return Stored(
            measurements={name: [_decoded(m) for m in stored["measurements"]] for name, stored in contracts.items()},
            seconds={name: float(stored["seconds"]) for name, stored in contracts.items()},
            environment={str(name): str(value) for name, value in content["environment"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ResultsError):
            raise
        raise ResultsError(f"{path}: expected stored results, got {type(error).__name__}: {error}") from error


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
    return Measurement(**{**stored, **numbers, **gains, "index": tuple(stored["index"])})
