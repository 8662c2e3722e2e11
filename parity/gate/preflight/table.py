"""The table of a preflight, and its verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from parity.gate.preflight.findings import PreflightFinding, PreflightOutcome
from parity.report.terminal import bare_table, counted

_STYLES = {
    PreflightOutcome.PASSED: "green",
    PreflightOutcome.FAILED: "bold red",
    PreflightOutcome.NOT_CHECKED: "yellow",
    PreflightOutcome.NOTED: "dim",
}


def preflight_table(sections: Mapping[str, Sequence[PreflightFinding]]) -> RenderableType:
    """Each section with its findings, a row each; then the verdict."""
    blocks: list[RenderableType] = []
    for title, findings in sections.items():
        table = bare_table(title, "", "")
        for finding in findings:
            outcome = "" if finding.outcome is PreflightOutcome.NOTED else str(finding.outcome)
            table.add_row(finding.subject, Text(outcome, _STYLES[finding.outcome]), Text(finding.text))
        blocks += [table, Text()]
    return Group(*blocks, Text(verdict(sections)))


def verdict(sections: Mapping[str, Sequence[PreflightFinding]]) -> str:
    """What all of it comes to, in one line; what is wrong by its name and section."""
    found = [(one, title) for title, findings in sections.items() for one in findings]
    said = []
    for outcome in (PreflightOutcome.NOT_CHECKED, PreflightOutcome.FAILED):
        names = [f"{one.subject} ({title})" for one, title in found if one.outcome is outcome]
        said += [f"{outcome}: {', '.join(names)}"] if names else []
    passed = sum(one.outcome is PreflightOutcome.PASSED for one, _ in found)
    return "; ".join(said) or f"{counted(passed, 'check')} passed"
