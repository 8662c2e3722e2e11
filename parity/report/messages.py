"""The message of a failure: the verdict first, then number, place and limit, then what would explain it.

Then the lines that reproduce it, that say which stage of a composition it is, and that keep the case for good.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from itertools import pairwise

from parity.contracts.contract import Contract
from parity.faults.diagnosis import Diagnosis
from parity.judging.measurement import Measurement
from parity.judging.quantity import Quantity, by_quantity
from parity.judging.verdict import Outcome, Verdict
from parity.physics.kinds import Kind
from parity.physics.precision import FLOAT32, FLOAT64, PRECISIONS, WIDENED
from parity.stacks import STACKS

AXES = {
    "B": "group",
    "C": "patch",
    "P": "mode",
    "S": "mode",
    "H": "row",
    "W": "column",
    "Y": "row",
    "X": "column",
    "D": "coordinate",
    "N": "parameter",
    "F": "feature",
    "A": "patch",
    "G": "grid row",
    "g": "grid column",
    "o": "filter",
    "i": "channel",
    "k": "kernel row",
    "l": "kernel column",
}
"""What a person calls an index along each axis of a kind."""

PRECISION_WORDS = {FLOAT32.name: "float32", FLOAT64.name: "float64", WIDENED.name: "widened float64"}
"""What a person calls each precision."""


CAUSE, REPRODUCE, STAGES, KEEP = "cause", "reproduce", "stages", "keep it"
"""What the last lines of a message begin with: an explanation, and three commands."""


def describe(
    contract: Contract,
    verdict: Verdict,
    options: Sequence[str] = (),
    case: str | None = None,
    diagnoses: Sequence[Diagnosis] = (),
) -> str:
    """Everything a person needs to start looking, in a few lines: of `case`, or of the case that is worst.

    `diagnoses` are those of the stacks that disagree. `options` of `parity run` are part of the line that reproduces
    it, of the one that explains a composition, and of the one that keeps the case for good.
    """
    if not verdict.failures:
        said = headline(verdict) if verdict.outcome is Outcome.DISAGREE else verdict.outcome
        repeated = reproduce(contract.name, None, options)
        return "\n".join(
            [f"{contract.name}: {said}", f"  {verdict.reason}", *causes(diagnoses), f"  {REPRODUCE}: {repeated}"]
        )
    worst = next((m for m in verdict.failures if m.case == case), verdict.failures[0])
    precisions = {m.precision for m in verdict.failures if m.case == worst.case}
    lines = [
        f"{contract.name}: {headline(verdict)}, case {worst.case}",
        f"  {finding(contract, worst)}",
        f"  {extent(verdict)}; {_cases(verdict)}",
        *causes(diagnoses),
        f"  {REPRODUCE}: {reproduce(contract.name, worst.case, options)}",
    ]
    if contract.stages:
        lines.append(f"  {STAGES}: {explain(contract.name, worst.case, options)}")
    kept = [name for name in PRECISIONS if name in precisions]
    if kept:
        same = ("--data",) if verdict.worst.keys() <= set(STACKS) else ("--data", "--stack")
        lines.append(f"  {KEEP}: {promote(contract.name, worst.case, kept, options, same)}")
    return "\n".join(lines)


def causes(diagnoses: Sequence[Diagnosis]) -> list[str]:
    """A line for each stack that disagrees: what would explain it."""
    return [f"  {CAUSE}: {diagnosis.stack}: {diagnosis.words}" for diagnosis in diagnoses]


def labelled(line: str) -> tuple[str, str]:
    """What a line of a message begins with, "" for one that is a sentence of its own, and the rest."""
    label, colon, rest = line.strip().partition(": ")
    return (label, rest) if colon and label in (CAUSE, REPRODUCE, STAGES, KEEP) else ("", line.strip())


def reproduce(contract: str, case: str | None, options: Sequence[str] = ()) -> str:
    """The command that runs one case alone, or all of them, ready to be pasted into a shell."""
    chosen = ["--case", case] if case else []
    return shlex.join(["parity", "run", contract, *chosen, *options])


def explain(contract: str, case: str, options: Sequence[str] = ()) -> str:
    """The command that says which stage of a composition goes wrong in one case, ready to be pasted into a shell."""
    return shlex.join(["parity", "explain", contract, "--case", case, *options])


def promote(
    contract: str,
    case: str,
    precisions: Collection[str],
    options: Sequence[str] = (),
    same: Collection[str] = ("--data",),
) -> str:
    """The command that freezes a case as a golden, ready to be pasted but for the reason.

    In float32, as goldens are, unless that is not among the `precisions` in which the case fails. Of the options
    those are the `same`: for subjects `--stack` too, for a case is one of what those claim that were held.
    """
    finer = [] if FLOAT32.name in precisions else ["--precision", *precisions]
    taken_over = [word for pair in pairwise(options) if pair[0] in same for word in pair]
    chosen = ["--case", case, *finer, *taken_over, "--reason", "why it is kept"]
    return shlex.join(["parity", "golden", "promote", contract, *chosen])


def headline(verdict: Verdict, stored: Collection[str] = ()) -> str:
    """Who is wrong, and who is right; `stored` are stacks of which only stored outputs were compared."""
    if not verdict.sides:
        return f"{' and '.join(sorted({*verdict.worst, *stored}))} disagree with each other"
    if len(verdict.sides) > 1:
        together = (
            " and agree with each other: the same mistake in both, or the oracle is wrong" if verdict.alike else ""
        )
        return f"{' and '.join(sorted(verdict.sides))} disagree with the oracle{together}"
    (side,) = verdict.sides
    others = [stack for stack in verdict.worst if stack != side]
    agree = f" ({' and '.join(others)} agree{'s' if len(others) == 1 else ''})" if others else ""
    return f"{side} disagrees with the oracle{agree}"


def finding(contract: Contract, failure: Measurement) -> str:
    """Stack, quantity and place; what came, what was expected, and how far off that is."""
    return finding_of(_kind_of(contract, failure.quantity), failure)


def finding_of(kind: Kind | None, failure: Measurement) -> str:
    """The same of a quantity of some kind."""
    quantity = f"{failure.quantity} in {PRECISION_WORDS[failure.precision]}"
    if failure.fault:
        return f"{failure.stack}, {quantity}: {failure.fault}"
    place = _place(kind, failure)
    times = f"{failure.ratio:,.0f}" if 1000 <= failure.ratio < 1e9 else f"{failure.ratio:.3g}"
    taken_off = "" if failure.divergence is None else f", an accepted divergence of {failure.divergence:.4g} taken off"
    return (
        f"{failure.stack}, {quantity}: {failure.got}{place}{taken_off}, oracle {failure.expected}: "
        f"error {failure.error:.3g}, allowed {failure.allowed:.2g} ({times} times the bound)"
    )


def extent(verdict: Verdict) -> str:
    """In which precisions and quantities."""
    failing = {PRECISION_WORDS[m.precision] for m in verdict.failures}
    quantities = dict.fromkeys(m.quantity.text for m in verdict.failures)
    doubles = {FLOAT64.name, WIDENED.name} & set(verdict.precisions)
    if WIDENED.name in doubles and WIDENED.name not in {m.precision for m in verdict.failures}:
        meaning = f"{' and '.join(sorted(failing))}, and nothing once widened: single precision, not the mathematics"
    elif not doubles:
        meaning = "float32, and float64 was not run: the rounding differs, or the mathematics"
    elif failing == {"float32"}:
        meaning = "float32 alone: the rounding differs, not the mathematics"
    else:
        meaning = f"{' and '.join(sorted(failing))}: the mathematics differs"
    return f"{meaning}; {', '.join(quantities)}"


def _cases(verdict: Verdict) -> str:
    return f"{len({m.case for m in verdict.failures})} of {verdict.examples} examples"


def _place(kind: Kind | None, failure: Measurement) -> str:
    if not failure.index:
        return ""
    if kind is None or len(kind.axes) != len(failure.index):
        return f" at {failure.index}"
    return " at " + ", ".join(f"{AXES.get(axis, axis)} {i}" for axis, i in zip(kind.axes, failure.index, strict=True))


def _kind_of(contract: Contract, quantity: Quantity) -> Kind | None:
    results = {result.name: result.kind for result in contract.results}
    arguments = {argument.name: argument.kind for argument in contract.arguments}
    return by_quantity(results, arguments).get(quantity.own)
