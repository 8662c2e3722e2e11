"""A check from beginning to end: what can be said without running anything, then every contract that is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from parity.contracts.declared import REGISTRY
from parity.contracts.mirror import line_of, mirror_faults
from parity.gate.check.abroad import nothing_bound, standing_abroad, with_base
from parity.gate.check.asking import Asked
from parity.gate.check.declarations import DeclarationsUnreadable, declared_at, declared_in, weakened
from parity.gate.check.goldens import golden_remarks
from parity.gate.check.harness import judges_otherwise
from parity.gate.check.judged import WORKING_TREE
from parity.gate.check.loosening import being_compared
from parity.gate.check.planning import PlannedContract
from parity.gate.check.question import (
    SAMPLERS,
    Answer,
    AnyQuestion,
    ContractQuestion,
    SamplersQuestion,
    SubjectQuestion,
)
from parity.gate.check.text import title_of
from parity.gate.impact import Changes, Impact, Reason
from parity.gate.impact.mapping import GOLDENS
from parity.goldens.errors import GoldenError
from parity.judging.divergences.faults import divergence_faults
from parity.judging.divergences.registry import accepted_in, registered
from parity.report.content import ContractReport, Place, Remark, Report, Weight
from parity.report.terminal import verdict_in_words
from parity.runs.workers import Lost
from parity.stacks.subjects import Subject


@dataclass(frozen=True, slots=True)
class Terms:
    """How a check is made: `accepted` is why a weaker harness is meant, `in_depth` asks for pictures of failures.

    `command` is the line that repeats it, `judged` what lies in the folder, in words.
    """

    command: str
    judged: str = WORKING_TREE
    accepted: str = ""
    in_depth: bool = False


def check(
    changes: Changes,
    impact: Impact,
    plan: Sequence[PlannedContract],
    asked: Asked,
    terms: Terms,
    subjects: Sequence[Subject] = (),
    advance: Callable[[str], None] = lambda said: None,
) -> Report:
    """Make a check, of the stacks of this repository, or of `subjects`.

    `advance` is told of every contract that is done, in a line if it does not agree.

    A contract that could not be held is a remark of the gravest weight, never a pass.
    """
    started = time.perf_counter()
    reports: dict[str, ContractReport] = {}
    found: dict[str, list[Remark]] = {}
    environment: dict[str, str] = {}
    reasons = {one.contract: one.reasons for one in plan}
    questions: list[AnyQuestion] = [SamplersQuestion()] if impact.samplers else []
    goldens = (subjects[0].root if subjects else changes.root) / GOLDENS
    sighted = not subjects and not impact.unreadable and judges_otherwise(changes)
    questions += [_question(one, goldens, changes.base, terms, sighted, abroad=bool(subjects)) for one in plan]
    with being_compared(changes.root, changes.base, sighted) as compared:
        for question, answered in asked(questions):
            name = question.contract
            places = _places(reasons.get(name, impact.samplers))
            if isinstance(answered, Lost):
                said = f"{name}: {answered.reason.removeprefix(f'{name}: ')}"
                found[name] = [Remark(Weight.NOT_CHECKED, f"{name} was not checked", said, places)]
            else:
                if answered.report:
                    reports[name] = replace(answered.report, places=places)
                found[name] = [replace(remark, places=places) for remark in answered.remarks]
                environment |= answered.descriptions
            advance(_in_a_line(answered, name))
        looser = list(_less(compared, terms.accepted))
    remarks = [remark for name in (*reasons, SAMPLERS) for remark in found.get(name, ())]
    declaring = (subjects[0].file if subjects else changes.root / "pyproject.toml").relative_to(changes.root)
    remarks += _divergences_off(reasons, reports.values(), Place(declaring.as_posix(), 1))
    if subjects:
        reports |= with_base(changes, subjects, reports)
        remarks += standing_abroad(changes, subjects)
        remarks += nothing_bound(impact, subjects) if not reports else ()
    else:
        remarks += [*standing(changes, impact, terms.accepted), *looser]
    remarks += _goldens_changed(changes, goldens)
    return Report(
        title=title_of(changes, terms.judged),
        command=terms.command,
        contracts=tuple(replace(reports[one.contract], reason=one.why) for one in plan if one.contract in reports),
        remarks=tuple(remarks),
        environment=environment,
        seconds=time.perf_counter() - started,
    )


def _divergences_off(asked: Mapping[str, object], reports: Iterable[ContractReport], place: Place) -> Iterator[Remark]:
    """What is wrong with the accepted divergences of what was asked, or with all where all was."""
    entries = accepted_in(asked) if REGISTRY.keys() - asked.keys() else registered()
    runs = [held.run for held in reports]
    measurements, omissions = [m for run in runs for m in run.measurements], [o for run in runs for o in run.omissions]
    for said in divergence_faults(entries, measurements, REGISTRY, omissions):
        yield Remark(Weight.FAILED, "an accepted divergence is off", said, (place,))


def standing(changes: Changes, impact: Impact, accepted: str) -> Iterator[Remark]:
    """What is said of a change without running a stack."""
    if not changes.files:
        return
    for reason in impact.unreadable:
        said = f"{reason.file}, line {reason.line}: {reason.what}; nothing was asked"
        yield Remark(Weight.FAILED, f"{reason.file} is no Python", said, (Place(reason.file, reason.line),))
    for fault in () if impact.unreadable else mirror_faults(REGISTRY):
        yield Remark(Weight.FAILED, "the mirror rule is broken", fault, _mirror_places(fault))
    yield from _weaker(changes, accepted)


def _goldens_changed(changes: Changes, folder: Path) -> Iterator[Remark]:
    place = folder.relative_to(changes.root).as_posix()
    if any(change.path.startswith(f"{place}/") for change in changes.files):
        try:
            yield from golden_remarks(folder, changes.base, place)
        except GoldenError as error:
            yield Remark(Weight.NOT_CHECKED, "the goldens are not whole", str(error))


def _weaker(changes: Changes, accepted: str) -> Iterator[Remark]:
    """What the harness promises no longer; failed unless somebody says why."""
    if not any(change.path.startswith("parity/") for change in changes.files):
        return
    yield from _less(lambda: weakened(declared_at(changes.root, changes.base), declared_in(changes.root)), accepted)


def _less(compared: Callable[[], Iterable[tuple[str, str]]], accepted: str) -> Iterator[Remark]:
    """What of the harness is less than the base's, contract by contract; failed unless somebody says why."""
    try:
        found = list(compared())
    except DeclarationsUnreadable as error:
        title = "the contracts cannot be compared with the base's"
        if accepted:
            yield Remark(Weight.NOTED, title, f"{error}; accepted: {accepted}")
        else:
            yield Remark(Weight.NOT_CHECKED, title, f"{error}; if it is meant, say why: --accept-weaker REASON")
        return
    for contract, what in found:
        places = (Place(f"parity/contracts/declared/{contract.split('.')[0]}.py", 1),) if contract in REGISTRY else ()
        title = f"{contract} is weaker than it was"
        if accepted:
            yield Remark(Weight.NOTED, title, f"{what}; accepted: {accepted}", places)
        else:
            yield Remark(Weight.FAILED, title, f"{what}; if it is meant, say why: --accept-weaker REASON", places)


def _question(
    asked: PlannedContract, goldens: Path, seed: str, terms: Terms, sighted: bool, abroad: bool
) -> AnyQuestion:
    if abroad:
        return SubjectQuestion(asked.contract, asked.touched, asked.examples, goldens, terms.in_depth)
    # What only uses what is touched is asked in one precision, and little of it.
    sighted = sighted and bool(asked.touched or asked.examples)
    return ContractQuestion(asked.contract, asked.touched, asked.examples, goldens, terms.in_depth, seed, sighted)


def _in_a_line(answered: Answer | Lost, name: str) -> str:
    """What is wrong with a contract, before the whole is said; "" where nothing is."""
    if isinstance(answered, Lost):
        return f"{name}: not checked"
    verdict = answered.report.run.verdict if answered.report else None
    known = answered.report is not None and answered.report.is_known
    return "" if verdict is None or verdict.agrees or known else f"{name}: {verdict_in_words(verdict)}"


def _places(reasons: Sequence[Reason]) -> tuple[Place, ...]:
    return tuple(dict.fromkeys(Place(reason.file, reason.line) for reason in reasons))


def _mirror_places(fault: str) -> tuple[Place, ...]:
    """Where the definition stands that a fault begins with the address of, or the file that lacks it."""
    address = fault.partition(":")[0].partition("@")[0]
    path = Path(*address.split(".")[:-1]).with_suffix(".py")
    return (Place(path.as_posix(), line_of(address)),)
