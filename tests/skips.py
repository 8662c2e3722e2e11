"""Nothing is left out in silence: for want of what a test may be skipped, and what brings that.

A test is skipped with the reason of one of `WANTS`. Any other skip is a failure, and so is an expected failure. So is,
where the variable CI is set, a skip for want of what the gate brings; GATE_LACKS names what `.ci/run` could not bring.
"""

import os
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Want:
    """What a machine may lack, and how somebody runs the tests that need it. `name` is that of what the gate brings."""

    reason: str
    remedy: str
    name: str = ""

    @property
    def brought(self) -> bool:
        """Whether the tests that need it could have run here."""
        lacking = os.environ.get("GATE_LACKS", "").split()
        return bool(self.name) and bool(os.environ.get("CI")) and self.name not in lacking


BROWSER = Want("no browser on this machine", "apt-get install chromium, and make unit", "browser")
NEURALOPERATOR = Want("neuraloperator is not installed", "make test in a fresh clone", "neuraloperator")
PROCESS_TABLE = Want("no /proc that tells which processes are left", "run on Linux")
FULL_DEVICE = Want("no device that is always full", "run on Linux")
NO_GPU = Want("a GPU, which this test must not find", "CUDA_VISIBLE_DEVICES= make unit")

WANTS = (BROWSER, NEURALOPERATOR, PROCESS_TABLE, FULL_DEVICE, NO_GPU)

OTHER_STAGES = ("commits", "external", "integration")
"""Markers of tests that `make test` leaves to a stage of the same name, for their time or their environment."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skip that should not be is a failure."""
    return _held((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """So is that of a whole file."""
    return _held((yield))


def _held(report: Any) -> Any:
    if report.outcome == "skipped":
        reason = _reason(report)
        want = next((want for want in WANTS if want.reason == reason), None)
        if hasattr(report, "wasxfail"):
            fault = f"expected to fail: {report.wasxfail}. Mend it, or say what is so and test that"
            del report.wasxfail
        elif want is None:
            fault = f"skipped for a reason that tests/skips.py does not have: {reason}"
        else:
            fault = f"skipped in the gate, which brings what it needs: {reason}" if want.brought else ""
        if fault:
            report.outcome, report.longrepr = "failed", fault
    return report


def _reason(report: Any) -> str:
    """Why a test was skipped."""
    where = report.longrepr
    return str(where[2]).removeprefix("Skipped: ") if isinstance(where, tuple) else str(where)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """What was not run, and how to run it, in a line."""
    reasons = [_reason(report) for report in terminalreporter.stats.get("skipped", ())]
    left = [
        f"{reasons.count(want.reason)} for want of: {want.reason} ({want.remedy})"
        for want in WANTS
        if want.reason in reasons
    ]
    left += [f"make {stage}" for stage in OTHER_STAGES if f"not {stage}" in config.option.markexpr]
    if left:
        terminalreporter.write_line(f"not run: {'; '.join(left)}")
