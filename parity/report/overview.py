"""What every written form of a report begins with: the verdict on the whole, and the contracts in order."""

from __future__ import annotations

from parity.report.content import ContractReport, Remark, Report, Weight
from parity.report.terminal import counted, epsilon_in_words, gap_in_words, in_bounds, stacks_in, verdict_in_words

NAMED = 5
"""How many contracts, or remarks, a verdict names; of the rest it gives the number."""

WORDS = {
    None: "agree",
    Weight.FAILED: "disagree",
    Weight.NOT_CHECKED: "not checked",
}
"""The weight of a whole report in a word."""


def headline(report: Report) -> str:
    """The verdict on the whole in one sentence, without a full stop; what could not be checked outweighs all."""
    unchecked, failed = (
        [remark.title for remark in report.remarks if remark.weight is weight]
        for weight in (Weight.NOT_CHECKED, Weight.FAILED)
    )
    every = [held for held in report.contracts if not held.run.verdict.agrees]
    off, known = ([held.run.verdict.contract for held in every if held.is_known is known] for known in (False, True))
    parts = []
    if unchecked:
        parts.append(f"{counted(len(unchecked), 'thing')} could not be checked: {_named(unchecked)}")
    if off:
        verb = "does" if len(off) == 1 else "do"
        parts.append(f"{len(off)} of {counted(len(report.contracts), 'contract')} {verb} not agree: {_named(off)}")
    if failed:
        parts.append(f"{counted(len(failed), 'check')} failed: {_named(failed)}")
    said = "; ".join(parts) or agreement(report)
    return f"{said}; {_named(known)}: as in the baseline" if known else said


def agreement(report: Report) -> str:
    """How many contracts agree, on how many examples."""
    agreeing = [held.run.verdict for held in report.contracts if held.run.verdict.agrees]
    if not report.contracts:
        return "no contract was tried"
    verb = "agrees" if len(agreeing) == 1 else "agree"
    examples = sum(verdict.examples for verdict in agreeing)
    return f"{counted(len(agreeing), 'contract')} {verb} on {counted(examples, 'example')}"


def off_first(report: Report) -> tuple[ContractReport, ...]:
    """The contracts in their order, those that do not agree before the others."""
    return tuple(sorted(report.contracts, key=lambda held: held.run.verdict.agrees))


def gravest_first(report: Report) -> tuple[Remark, ...]:
    """The remarks: what could not be checked, what failed, what is noted."""
    order = (Weight.NOT_CHECKED, Weight.FAILED, Weight.NOTED)
    return tuple(sorted(report.remarks, key=lambda remark: order.index(remark.weight)))


def stacks_of(report: Report) -> tuple[str, ...]:
    """The stacks that were run, in the order of all tables."""
    return stacks_in(held.run.verdict for held in report.contracts)


def columns(report: Report) -> tuple[str, ...]:
    """The headings of the table of contracts; `cells` gives a row."""
    return ("contract", "verdict", "examples", *stacks_of(report), "float64 gap", "ε_min", "seconds")


def cells(held: ContractReport, stacks: tuple[str, ...]) -> tuple[str, ...]:
    """A row of the table of contracts."""
    verdict = held.run.verdict
    return (
        verdict.contract,
        verdict_in_words(verdict),
        f"{verdict.examples:,}",
        *(in_bounds(verdict.worst.get(stack)) for stack in stacks),
        gap_in_words(verdict.gap),
        epsilon_in_words(verdict.epsilon),
        f"{held.run.seconds:.1f}",
    )


def _named(names: list[str]) -> str:
    """The first of them, and how many more."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
