"""What is installed: versions, and which spectral convolution the generators use."""

from __future__ import annotations

import importlib.util
import platform
from importlib import metadata

from parity._ground.repository import ROOT
from parity.contracts.mirror import MIRRORS
from parity.gate.preflight.findings import PreflightFinding, PreflightOutcome
from parity.gate.preflight.places import places

PACKAGES = (
    ("ptycho-parity",),
    ("numpy",),
    ("scipy",),
    ("torch",),
    ("tensorflow-cpu", "tensorflow"),
    ("neuraloperator",),
    ("lightning",),
)
"""Distributions that results depend on, each with the other names that it is installed under."""

NEURALOPERATOR = "neuralop"
"""The module of the neuraloperator package."""

FALLBACK = "_FallbackSpectralConv2d"
"""The class of `ptycho_torch` that stands in for it."""


def versions() -> list[PreflightFinding]:
    """The interpreter and each package, as it is installed."""
    interpreter = f"{platform.python_version()} on {platform.system()}, {platform.machine()}"
    return [PreflightFinding("python", PreflightOutcome.NOTED, interpreter), *(_version(names) for names in PACKAGES)]


def _version(names: tuple[str, ...]) -> PreflightFinding:
    for name in names:
        try:
            return PreflightFinding(name, PreflightOutcome.NOTED, metadata.version(name))
        except metadata.PackageNotFoundError:
            continue
    return PreflightFinding(" or ".join(names), PreflightOutcome.NOTED, "not installed")


def spectral_convolution() -> PreflightFinding:
    """Which implementation a generator's spectral convolution is: neuraloperator's where it is installed."""
    subject = "spectral convolution"
    spec = importlib.util.find_spec(NEURALOPERATOR)
    if spec is not None:
        return PreflightFinding(subject, PreflightOutcome.NOTED, f"neuraloperator, {spec.origin}")
    defined = places(MIRRORS["ptycho_torch"], FALLBACK) if "ptycho_torch" in MIRRORS else []
    where = ", ".join(place.relative_to(ROOT) for place in defined)
    return PreflightFinding(
        subject, PreflightOutcome.NOTED, f"the fallback {FALLBACK}, {where or 'which is not in ptycho_torch'}"
    )
