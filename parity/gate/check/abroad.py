"""What a check says of a stranger's repository beside the verdicts: what is bound no longer, and what the base did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from parity._ground.errors import CheckNotMade
from parity.contracts.declared import REGISTRY
from parity.gate.impact import Changes, Impact
from parity.gate.impact.tracing import BaseUntraced, base_of
from parity.judging.run import NotChecked, Plan
from parity.judging.verdict import Outcome
from parity.physics.precision import ALL_PRECISIONS
from parity.report.content import ContractReport, Place, Remark, Weight
from parity.runs.isolation import hold
from parity.stacks.bindings import declared_in
from parity.stacks.foreign import Foreign
from parity.stacks.subjects import Subject


def standing_abroad(changes: Changes, subjects: Sequence[Subject]) -> Iterator[Remark]:
    """The contracts that a subject binds no longer."""
    for subject in subjects:
        for change in changes.files:
            file = changes.root / change.path
            if file == subject.bindings and change.old is not None:
                now = declared_in(file, change.new or b"")
                for name in declared_in(file, change.old):
                    if name not in now:
                        said = f"{subject.name} binds it no longer, so that it was not held to it"
                        yield Remark(Weight.NOTED, f"{name} is not bound any more", said, (Place(change.path, 1),))


def nothing_bound(impact: Impact, subjects: Sequence[Subject]) -> Iterator[Remark]:
    """That all was to be asked, and nothing is bound."""
    if impact.everything:
        names = " and ".join(subject.name for subject in subjects)
        yield Remark(Weight.NOT_CHECKED, "nothing was checked", f"no contract is bound by {names}")


def with_base(
    changes: Changes, subjects: Sequence[Subject], reports: Mapping[str, ContractReport]
) -> dict[str, ContractReport]:
    """The reports of what disagrees, with a sentence on whether the base does so in the same case."""
    off = {name: held for name, held in reports.items() if held.run.verdict.outcome is Outcome.DISAGREE}
    off = {name: held for name, held in off.items() if held.run.verdict.failures}
    if not off:
        return {}
    with ExitStack() as stack:
        try:
            _, theirs = stack.enter_context(base_of(changes, subjects))
        except BaseUntraced:
            return {}
        frameworks = [Foreign(subject) for subject in theirs]
        for framework in frameworks:
            stack.callback(framework.end)
        return {
            name: replace(held, message=f"{held.message}\n  {_at_base(held, frameworks)}") for name, held in off.items()
        }


def _at_base(held: ContractReport, frameworks: Sequence[Foreign]) -> str:
    """Of every stack that disagrees, whether it did so in its worst case."""
    verdict = held.run.verdict
    worst = {m.stack: m.case for m in reversed(verdict.failures) if m.stack in (verdict.sides or verdict.worst)}
    precisions = tuple(ALL_PRECISIONS[name] for name in verdict.precisions)
    said = []
    for stack, case in worst.items():
        plan = Plan((REGISTRY[verdict.contract],), case=case, precisions=precisions)
        try:
            found = hold(plan, frameworks).found
        except CheckNotMade as error:
            return f"the base could not be held: {error}"
        off = any(isinstance(one, ContractReport) and stack in one.run.verdict.sides for one in found)
        lost = [one.reason for one in found if isinstance(one, NotChecked)]
        could = "disagreed in {}, too" if off else "did not disagree in {}"
        said.append(f"{stack} {f'could not be held ({lost[0]})' if lost else could.format(case)}")
    return f"at the base, {' and '.join(said)}"
