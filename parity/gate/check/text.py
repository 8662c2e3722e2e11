"""A check for a terminal: what will be asked and why, then what came of it; and the forms that others read."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from parity.gate.check.planning import PlannedContract
from parity.gate.impact import Changes
from parity.report.content import ContractReport, Remark, Report, Weight
from parity.report.github import commands
from parity.report.junit import junit
from parity.report.overview import headline
from parity.report.terminal import bare_table, counted, plain, verdict_table

_STYLES = {Weight.FAILED: "bold red", Weight.NOT_CHECKED: "yellow", Weight.NOTED: "cyan"}
_MOST_PATHS = 3


def title_of(changes: Changes, judged: str) -> str:
    """How much has changed, since when, and in what."""
    return f"{counted(len(changes.files), 'changed file')} since {changes.base[:12]}, in {judged}"


def planned(
    changes: Changes,
    plan: Sequence[PlannedContract],
    aside: Mapping[str, str],
    all_because: str,
    judged: str,
    abroad: bool = False,
) -> RenderableType:
    """What will be asked, a row a contract with the reason, or one for all; and the files that nothing depends on."""
    parts: list[RenderableType] = [Text(title_of(changes, judged), "bold")]
    if not changes.files:
        return Group(*parts, Text("nothing has changed: there is nothing to check"))
    if all_because:
        everything = "all contracts that are bound" if abroad else f"all {len(plan)} contracts"
        parts.append(Text(f"{everything}: {all_because}"))
    elif plan:
        table = bare_table("contract", "asked because")
        for one in plan:
            drawn = f"{counted(one.examples, 'draw')} and its strata" if one.examples else "its strata"
            table.add_row(one.contract, f"{one.why} ({drawn})")
        parts.append(table)
    for why in dict.fromkeys(aside.values()):
        paths = [path for path, reason in aside.items() if reason == why]
        more = f" and {len(paths) - _MOST_PATHS} more" if len(paths) > _MOST_PATHS else ""
        parts.append(Text(f"not asked about: {', '.join(paths[:_MOST_PATHS])}{more} ({why})", "dim"))
    if not plan:
        parts.append(Text("nothing that a contract depends on has changed"))
    return Group(*parts, Text())


def checked(report: Report) -> RenderableType:
    """What came of it: the table, the messages, what else is to be said, and the verdict last."""
    parts: list[RenderableType] = []
    if report.contracts:
        parts += [verdict_table(held.run.verdict for held in report.contracts), Text()]
    for held in report.contracts:
        if held.message:
            parts += [Text(held.message), Text()]
    parts += [Text(f"not asked: {line}", "yellow") for held in report.contracts for line in held.omitted]
    for remark in report.remarks:
        where = ", ".join(f"{place.file}:{place.line}" for place in remark.places)
        said = Text.assemble((f"{remark.title}", _STYLES[remark.weight]), f" ({remark.weight})")
        parts += [
            said,
            *(Text(f"  {line}") for line in remark.text.splitlines()),
            *([Text(f"  {where}")] if where else []),
        ]
        parts.append(Text())
    style = "bold green" if report.weight is None else _STYLES[report.weight]
    return Group(*parts, Text(f"{headline(report)} ({report.seconds:.1f} s)", style))


def as_json(report: Report) -> str:
    """The verdicts and everything that was said, for programs; infinities are written as words."""
    content = {
        "format": 1,
        "title": report.title,
        "verdict": report.weight or "agree",
        "headline": headline(report),
        "seconds": round(report.seconds, 1),
        "contracts": [_contract(held) for held in report.contracts],
        "remarks": [_remark(remark) for remark in report.remarks],
        "environment": dict(report.environment),
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": lambda report: plain(checked(report)),
    "github": commands,
    "json": as_json,
    "junit": lambda report: junit(report).decode(),
}


def _contract(held: ContractReport) -> dict[str, Any]:
    verdict = held.run.verdict
    return {
        "contract": verdict.contract,
        "asked_because": held.reason,
        "outcome": verdict.outcome,
        "sides": list(verdict.sides),
        "examples": verdict.examples,
        "precisions": list(verdict.precisions),
        "worst": {stack: _number(ratio) for stack, ratio in verdict.worst.items()},
        "message": held.message,
        "not_asked": list(held.omitted),
        "seconds": round(held.run.seconds, 3),
    }


def _remark(remark: Remark) -> dict[str, Any]:
    places = [{"file": place.file, "line": place.line} for place in remark.places]
    return {"weight": remark.weight, "title": remark.title, "text": remark.text, "places": places}


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else repr(value)
