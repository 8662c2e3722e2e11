"""The baseline of a repository: disagreements that are known, frozen in a file, so that a change of them is seen.

It lies beside the file that declares the stacks. Each row is one quantity of one stack in one precision: the cause that
was found, and an interval for the worst error in units of its bound. The seeds fix the cases, so that the same code has
the same error up to the rounding of a machine: the interval is a factor of `MARGIN` to either side. Where nothing could
be compared the size is ∞.

A baseline accepts nothing: what it freezes is wrong until somebody mends it. What is meant is a divergence.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from parity._ground.errors import UsageError
from parity.contracts.contract import did_you_mean
from parity.contracts.declared import REGISTRY
from parity.judging.measurement import Measurement
from parity.judging.possible import Asking
from parity.judging.quantity import Quantity
from parity.judging.verdict import Outcome, Verdict
from parity.physics.precision import ALL_PRECISIONS
from parity.report.content import ContractReport
from parity.report.terminal import in_bounds
from parity.stacks import declaring
from parity.stacks.declaration import Key, Reader, list_of, number, one_of, parsed, shown, table_of, text, that
from ptycho_exposures.files import write_atomically

BASELINE = "parity-baseline.toml"

MARGIN = 2.0
"""How many times as large, or as small, as it was an error may be."""

_DIGITS = 3


class Where(NamedTuple):
    """A quantity of a stack in a precision."""

    contract: str
    stack: str
    precision: str
    quantity: str

    def __str__(self) -> str:
        return f"{self.contract}: {self.stack} in {self.precision}, {self.quantity}"


@dataclass(frozen=True, slots=True)
class Failing:
    """What was found there: the worst error in units of its bound, and its cause, "" where none is known."""

    size: float
    cause: str


Disagreements: TypeAlias = Mapping[Where, Failing]


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """What is frozen there; `reason` is why it was frozen after the others."""

    cause: str
    low: float
    high: float
    reason: str = ""

    def change(self, found: Failing, *, sizes: bool = True) -> str:
        """How what was found differs; "" where it does not."""
        if found.cause != self.cause:
            return f"expected {_as_cause(self.cause)}, got {_as_cause(found.cause)}"
        if sizes and not self.low <= found.size <= self.high:
            expected = (
                in_bounds(self.low) if self.low == self.high else f"{in_bounds(self.low)} to {in_bounds(self.high)}"
            )
            return f"expected {expected} times the bound, got {in_bounds(found.size)}"
        return ""


@dataclass(frozen=True, slots=True)
class Extent:
    """The contracts, stacks and precisions of which something was found, or might have been."""

    contracts: Collection[str]
    stacks: Collection[str]
    precisions: Collection[str]

    def has(self, where: Where) -> bool:
        """Whether a quantity was asked about."""
        return where.contract in self.contracts and where.stack in self.stacks and where.precision in self.precisions


@dataclass(frozen=True, slots=True)
class FrozenDisagreements:
    """A baseline: the frozen rows, and with how many examples and in which precisions they were found."""

    examples: int
    precisions: tuple[str, ...]
    rows: Mapping[Where, FrozenRow]

    def changes(self, found: Disagreements, asked: Extent, *, whole: bool = True) -> dict[Where, str]:
        """A sentence for each quantity that is not as it was frozen.

        `whole` says that the cases are those that it was frozen with: of others, sizes and what is gone say nothing.
        """
        said = {
            where: self.rows[where].change(one, sizes=whole) if where in self.rows else _new(one)
            for where, one in found.items()
        }
        gone = [where for where in self.rows if whole and asked.has(where) and where not in found]
        said |= dict.fromkeys(gone, "is gone; take it out: parity baseline write")
        return {where: f"{where}: {said[where]}" for where in sorted(said) if said[where]}

    def refrozen(self, found: Disagreements, asked: Extent, reason: str = "") -> FrozenDisagreements:
        """With what was found in place of what was asked about; a row that still holds is left as it is."""
        rows = {where: row for where, row in self.rows.items() if not asked.has(where)}
        for where, one in found.items():
            row = self.rows.get(where)
            rows[where] = row if row and not row.change(one) else _frozen(one, reason)
        return replace(self, rows=rows)


def baseline_file() -> Path:
    """Where the baseline of the repository around the working folder is, or would be."""
    found = declaring(Path.cwd())
    if found is None:
        raise UsageError(f"expected a repository that declares subjects in {Path.cwd()} or above it, got none")
    return found[0].file.parent / BASELINE


def disagreements(reports: Iterable[ContractReport]) -> dict[Where, Failing]:
    """What disagrees, by its place."""
    found: dict[Where, Failing] = {}
    for report in reports:
        verdict = report.run.verdict
        if verdict.outcome is Outcome.DISAGREE:
            for where, size, fault in _off(verdict, report.run.measurements):
                cause = "; ".join(filter(None, (report.causes.get(where.stack, ""), fault)))
                known = found.setdefault(where, Failing(size, cause))
                found[where] = replace(known, size=max(known.size, size))
    return found


def changes_in(held: ContractReport, stacks: Collection[str]) -> list[str] | None:
    """How a disagreement differs from the baseline, whatever the cases; None if nothing disagrees, or without one."""
    found = disagreements([held])
    baseline = read_baseline(baseline_file()) if found else None
    if baseline is None:
        return None
    asked = Extent((held.run.verdict.contract,), stacks, held.run.verdict.precisions)
    return list(baseline.changes(found, asked, whole=False).values())


def _off(verdict: Verdict, measurements: Iterable[Measurement]) -> Iterator[tuple[Where, float, str]]:
    """Each failure with its size, and what made comparison impossible; then gains, and what is off between stacks."""
    for m in verdict.failures:
        yield Where(m.contract, m.stack, m.precision, m.quantity.text), *_size(m)
    off = [gain for gain in verdict.gains if not gain.agrees]
    for gain in off:
        size = min(abs(gain.low), abs(gain.high)) / gain.allowed
        yield Where(verdict.contract, gain.stack, "f32", gain.quantity.text), size, "a common gain error"
    for m in () if verdict.failures or off else measurements:
        if m.is_of_pair and not m.agrees:
            yield Where(m.contract, m.stack, m.precision, m.quantity.text), *_size(m)


def _size(m: Measurement) -> tuple[float, str]:
    if m.fault is None:
        return m.ratio, ""
    words = m.fault.replace(":", "").replace(",", "").split()
    return math.inf, " ".join(words[:2])


def _new(found: Failing) -> str:
    return f"is new: {in_bounds(found.size)} times the bound, {_as_cause(found.cause)}"


def _as_cause(cause: str) -> str:
    return f"the cause '{cause}'" if cause else "no known cause"


def _frozen(found: Failing, reason: str) -> FrozenRow:
    low, high = (float(f"{found.size * factor:.{_DIGITS}g}") for factor in (1 / MARGIN, MARGIN))
    return FrozenRow(found.cause, low, high, reason)


def write_baseline(file: Path, baseline: FrozenDisagreements) -> None:
    """Write it, rows in order, so that a change is a change of few lines."""
    precisions = ", ".join(map(json.dumps, baseline.precisions))
    lines = [
        "# Known disagreements, written by `parity baseline write`; `parity baseline check` fails if one changes.",
        f"examples = {baseline.examples}",
        f"precisions = [{precisions}]",
    ]
    for where, row in sorted(baseline.rows.items()):
        lines += ["", "[[disagreements]]"]
        lines += [f"{key} = {_written(value)}" for key, value in zip(_WHERE, where, strict=True)]
        lines += [f"cause = {_written(row.cause)}", f"low = {row.low!r}", f"high = {row.high!r}"]
        lines += [f"reason = {_written(row.reason)}"] if row.reason else []
    write_atomically(file, ("\n".join(lines) + "\n").encode())


def _written(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_baseline(file: Path) -> FrozenDisagreements | None:
    """The baseline in a file, None where there is no such file. Raises UsageError, with the key, for what is none."""
    document = parsed(file)
    if document is None:
        return None
    place = Key(file)
    given = table_of(place, document, _BASELINE, ("examples", "precisions"))
    rows: dict[Where, FrozenRow] = {}
    for number_of_row, (where, row) in enumerate(given.get("disagreements", ())):
        here = place.at("disagreements").item(number_of_row)
        if where in rows:
            raise here.error("one row for a quantity", f"another for {where}")
        if where.precision not in given["precisions"]:
            raise here.at("precision").error(f"one of {', '.join(given['precisions'])}", where.precision)
        if not Asking.of(REGISTRY[where.contract]).has(Quantity.parse(where.quantity or "?"), where.stack):
            raise here.at("quantity").error(f"one of {where.contract}", shown(where.quantity))
        rows[where] = row
    return FrozenDisagreements(given["examples"], given["precisions"], rows)


def _row(place: Key, value: Any) -> tuple[Where, FrozenRow]:
    given = table_of(place, value, _ROW, (*_WHERE, "cause", "low", "high"))
    row = FrozenRow(given["cause"], given["low"], given["high"], given.get("reason", ""))
    if not 0 <= row.low <= row.high:
        raise place.error("an interval of sizes, from a lower to a higher", f"{row.low:g} to {row.high:g}")
    return Where(*(given[key] for key in _WHERE)), row


def _contract(place: Key, value: Any) -> str:
    name = text(place, value)
    if name not in REGISTRY:
        raise UsageError(f"{place}: unknown contract {shown(name)}{did_you_mean(name, REGISTRY)}")
    return name


_WHERE = ("contract", "subject", "precision", "quantity")
_ROW: Mapping[str, Reader] = {
    **dict.fromkeys((*_WHERE, "cause", "reason"), text),
    **dict.fromkeys(("low", "high"), number),
    "contract": _contract,
    "precision": one_of(tuple(ALL_PRECISIONS)),
}
_BASELINE: Mapping[str, Reader] = {
    "examples": that("a number of examples", lambda value: type(value) is int and 0 <= value < 10**6),
    "precisions": list_of(one_of(tuple(ALL_PRECISIONS)), "a list of precisions, such as ['f32', 'f64']", least=1),
    "disagreements": list_of(_row, "a list of tables"),
}
