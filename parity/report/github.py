"""A report as GitHub's workflow commands: remarks that GitHub shows on the lines of a change.

An error is what is wrong, a warning what cannot be judged, a notice what is worth reading. What could not be checked is
an error: nothing that was not checked may look harmless.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from parity.judging.verdict import Outcome
from parity.report.content import Place, Report, Weight
from parity.report.overview import off_first
from parity.report.terminal import verdict_in_words

MOST = 10
"""Annotations of a kind that GitHub takes from one step; it drops the others without a word."""

ERROR, WARNING, NOTICE = "error", "warning", "notice"

_KINDS = {Weight.FAILED: ERROR, Weight.NOT_CHECKED: ERROR, Weight.NOTED: NOTICE}


@dataclass(frozen=True, slots=True)
class Annotation:
    """One remark, on a line if it has one."""

    kind: str
    title: str
    message: str
    place: Place | None = None

    @property
    def command(self) -> str:
        """The workflow command that makes GitHub show the annotation."""
        where = {"file": self.place.file, "line": str(self.place.line)} if self.place else {}
        properties = ",".join(f"{name}={_property(value)}" for name, value in (where | {"title": self.title}).items())
        return f"::{self.kind} {properties}::{_data(self.message)}"


def commands(report: Report) -> str:
    """The workflow commands of a report, a line for each, "" if there is nothing to say.

    At most `MOST` of a kind, the last of which says how many more there are: what has several places has its first one
    before anything has its second.
    """
    kinds: dict[str, list[Annotation]] = defaultdict(list)
    for turn in zip_longest(*map(_placed, _annotations(report))):
        for annotation in filter(None, turn):
            kinds[annotation.kind].append(annotation)
    shown = [annotation.command for found in kinds.values() for annotation in _most(found)]
    return "".join(f"{command}\n" for command in shown)


def _annotations(report: Report) -> Iterator[tuple[Annotation, tuple[Place, ...]]]:
    """Every remark of a report without its places, and its places."""
    for held in off_first(report):
        verdict = held.run.verdict
        if verdict.agrees:
            continue
        kind = NOTICE if held.is_known else ERROR if verdict.outcome is Outcome.DISAGREE else WARNING
        title = f"{verdict.contract}: {verdict_in_words(verdict)}"
        yield Annotation(kind, title, held.message or verdict.reason or title), held.places
    for remark in report.remarks:
        yield Annotation(_KINDS[remark.weight], remark.title, remark.text), remark.places


def _placed(said: tuple[Annotation, tuple[Place, ...]]) -> list[Annotation]:
    """An annotation for each place, or one without a place."""
    found, places = said
    return [Annotation(found.kind, found.title, found.message, place) for place in places or (None,)]


def _most(found: list[Annotation]) -> list[Annotation]:
    """At most as many annotations as GitHub shows; the last one counts those that are left out."""
    if len(found) <= MOST:
        return found
    more = len(found) - MOST + 1
    title = f"{more} more {found[0].kind}s"
    left = dict.fromkeys(annotation.title for annotation in found[MOST - 1 :])
    return [*found[: MOST - 1], Annotation(found[0].kind, title, "\n".join(left))]


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
