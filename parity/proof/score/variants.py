"""Other ways to execute the same stacks, which must stay silent: modes, threads, libraries.

What an execution depends on is read when a framework starts, so each variant runs in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from parity._environment import TORCH_ONEDNN, TORCH_THREADS
from parity.contracts.declared import REGISTRY
from parity.judging.measurement import Measurement
from parity.judging.verdict import judge
from parity.runs.results import read_results

USUAL: Mapping[str, str] = MappingProxyType(
    {
        TORCH_THREADS: "1",
        TORCH_ONEDNN: "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_ENABLE_ONEDNN_OPTS": "1",
    }
)
"""The environment of every variant, but for what it changes."""


class VariantError(Exception):
    """A variant that could not be run; the message says what its process said last."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One stack, a mode of its framework, and what is other than usual in its environment."""

    name: str
    stack: str
    mode: str
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


VARIANTS: tuple[Variant, ...] = (
    Variant("tensorflow graph", "tensorflow", "graph"),
    Variant("tensorflow eager", "tensorflow", "eager"),
    Variant("tensorflow xla", "tensorflow", "xla"),
    Variant("tensorflow 2 threads", "tensorflow", "graph", MappingProxyType({"TF_NUM_INTRAOP_THREADS": "2"})),
    Variant("tensorflow without oneDNN", "tensorflow", "graph", MappingProxyType({"TF_ENABLE_ONEDNN_OPTS": "0"})),
    Variant("torch eager", "torch", "eager"),
    Variant("torch 2 threads", "torch", "eager", MappingProxyType({TORCH_THREADS: "2"})),
    Variant("torch without oneDNN", "torch", "eager", MappingProxyType({TORCH_ONEDNN: "0"})),
)


@dataclass(frozen=True, slots=True)
class VariantRun:
    """What a variant was found to do: cases tried, contracts that do not agree, and the worst error.

    `worst` is in units of the bound, infinite for a fault, and `where` says of what.
    """

    variant: Variant
    examples: int
    failures: tuple[str, ...]
    worst: float
    where: str


def run_variant(
    variant: Variant, contracts: Sequence[str] = (), examples: int = 0, precisions: str = "f32,f64"
) -> VariantRun:
    """Run contracts, all of them by default, on their strata and `examples` more, in a process of their own.

    Raises VariantError if that process ends with anything but a verdict.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "parity", "run", *contracts, "--stack", variant.stack, "--mode", variant.mode]
        command += ["--examples", str(examples), "--precision", precisions, "--report", folder]
        ended = subprocess.run(
            command, env={**os.environ, **USUAL, **variant.environment}, capture_output=True, text=True, check=False
        )
        if ended.returncode not in (0, 1):
            said = next(reversed((ended.stderr or ended.stdout).strip().splitlines()), "nothing")
            raise VariantError(f"{variant.name} could not be run, exit code {ended.returncode}: {said}")
        return _found(variant, read_results(Path(folder) / "results.json"))


def _found(variant: Variant, measured: Mapping[str, Sequence[Measurement]]) -> VariantRun:
    verdicts = [judge(name, measurements, REGISTRY[name].quota) for name, measurements in measured.items()]
    every = [measurement for measurements in measured.values() for measurement in measurements]
    worst = max(every, key=_size, default=None)
    return VariantRun(
        variant,
        examples=sum(verdict.examples for verdict in verdicts),
        failures=tuple(verdict.contract for verdict in verdicts if not verdict.agrees),
        worst=_size(worst) if worst else 0.0,
        where=f"{worst.contract}, {worst.quantity} in {worst.precision}, case {worst.case}" if worst else "",
    )


def _size(measurement: Measurement) -> float:
    return float("inf") if measurement.fault else measurement.ratio
