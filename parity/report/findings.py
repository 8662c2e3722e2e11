"""What a run found, each disagreement in the words of whoever has explained it, in Markdown.

The words stand in a file of TOML; every number comes from the run:

| key of the file | value |
|---|---|
| `package` | the package and its version |
| `folder` | the folder in which the commands are typed |
| `finding` | tables with the keys of `Finding` |
| `by_hand` | tables with the keys of `ByHand` |

An explanation of what did not show is refused, and what nobody has explained is listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parity._ground.errors import UsageError
from parity.contracts.declared import REGISTRY
from parity.judging.measurement import Measurement
from parity.judging.quantity import QuantityKind
from parity.judging.verdict import judge
from parity.physics.precision import ALL_PRECISIONS, FLOAT32, FLOAT64, WIDENED
from parity.report.messages import finding as measured
from parity.report.messages import reproduce
from parity.stacks.declaration import Key, Reader, list_of, one_of, parsed, table_of, text

_TELLING = (WIDENED.name, FLOAT64.name, FLOAT32.name)
"""The precisions, that in which a failure tells most of the mathematics first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An explanation of what contracts show in subjects, in some precisions or in all.

    Of the failures, that of `case` and `quantity` is shown, or else the one that tells most.
    """

    contracts: tuple[str, ...]
    subjects: tuple[str, ...]
    title: str
    words: str = ""
    precisions: tuple[str, ...] = ()
    case: str = ""
    quantity: str = ""

    def explains(self, failure: Measurement) -> bool:
        return (
            failure.contract in self.contracts
            and failure.stack in self.subjects
            and (not self.precisions or failure.precision in self.precisions)
        )

    def shows(self, failure: Measurement) -> bool:
        return self.case in ("", failure.case) and self.quantity in ("", failure.quantity.text)


@dataclass(frozen=True, slots=True)
class ByHand:
    """Something that no contract asks: a few lines of Python that show it, and what they print."""

    title: str
    code: str
    prints: str


@dataclass(frozen=True, slots=True)
class Explanations:
    """A file of explanations."""

    file: Path
    package: str
    folder: str
    finding: tuple[Finding, ...] = ()
    by_hand: tuple[ByHand, ...] = ()


def read_explanations(file: Path) -> Explanations:
    """What a file explains. Raises UsageError, with the key, for a file that cannot be read, or says something else."""
    document = parsed(file)
    if document is None:
        raise UsageError(f"{file}: expected a file of findings, got none")
    return Explanations(file, **table_of(Key(file), document, _FILE, ("package", "folder")))


def _contract(place: Key, value: Any) -> str:
    return REGISTRY[text(place, value)].name


def _finding(place: Key, value: Any) -> Finding:
    return Finding(**table_of(place, value, _FINDING, ("contracts", "subjects", "title")))


def _by_hand(place: Key, value: Any) -> ByHand:
    return ByHand(**table_of(place, value, _BY_HAND, tuple(_BY_HAND)))


_BY_HAND: Mapping[str, Reader] = dict.fromkeys(("title", "code", "prints"), text)
_FINDING: Mapping[str, Reader] = {
    "contracts": list_of(_contract, "a list of contracts", least=1),
    "subjects": list_of(text, "a list of subjects", least=1),
    "precisions": list_of(one_of(tuple(ALL_PRECISIONS)), "a list of precisions, such as ['f64']"),
    **dict.fromkeys(("title", "words", "case", "quantity"), text),
}
_FILE: Mapping[str, Reader] = {
    "package": text,
    "folder": text,
    "finding": list_of(_finding, "a list of tables"),
    "by_hand": list_of(_by_hand, "a list of tables"),
}


def findings(explained: Sequence[Explanations], measurements: Mapping[str, Sequence[Measurement]]) -> str:
    """All findings, by package, and what nobody has explained.

    Raises UsageError for an explanation of what did not show.
    """
    failures = [failure for name, found in measurements.items() for failure in _failures(name, found)]
    told = [line for one in explained for line in _section(one, failures)]
    known = [finding for one in explained for finding in one.finding]
    left = [failure for failure in failures if not any(finding.explains(failure) for finding in known)]
    groups = dict.fromkeys((failure.contract, failure.stack) for failure in left)
    if groups:
        told += ["", "## Not explained", ""]
        told += [_line([f for f in left if (f.contract, f.stack) == group]) for group in groups]
    return "\n".join([*told, ""])


def _failures(contract: str, found: Sequence[Measurement]) -> Sequence[Measurement]:
    return judge(contract, found, REGISTRY[contract].quota).failures


def _section(explained: Explanations, failures: Sequence[Measurement]) -> Iterator[str]:
    yield from ("", f"## {explained.package}", "", f"Type the commands in {explained.folder}.")
    for finding in explained.finding:
        yield from ("", f"### {finding.title}", *(["", finding.words.strip()] if finding.words else []))
        for contract in finding.contracts:
            yield from ("", f"`{contract}`: {REGISTRY[contract].equation}", "")
            for subject in finding.subjects:
                yield _line(_shown(explained, finding, contract, subject, failures))
    for one in explained.by_hand:
        yield from ("", f"### {one.title}", "", "No contract asks for it. These lines", "")
        yield from ("```python", one.code.strip(), "```", "", "print", "", "```", one.prints.strip(), "```")


def _shown(
    explained: Explanations, finding: Finding, contract: str, subject: str, failures: Sequence[Measurement]
) -> Sequence[Measurement]:
    """The failures that a finding explains, in a contract and a subject. Raises UsageError where there are none."""
    shown = [
        f for f in failures if finding.explains(f) and finding.shows(f) and (f.contract, f.stack) == (contract, subject)
    ]
    if not shown:
        where = ", ".join(filter(None, (f"{contract} in {subject}", finding.quantity, finding.case)))
        raise UsageError(f"{explained.file}: '{finding.title}' explains {where}, where the run shows no such failure")
    return shown


def _least_telling(failure: Measurement) -> tuple[int, bool, bool, float]:
    """Numbers tell more than a fault, and a result more than its gradients and laws."""
    is_result = failure.quantity.kind is QuantityKind.RESULT
    return _TELLING.index(failure.precision), failure.fault is not None, not is_result, -failure.ratio


def _line(failures: Sequence[Measurement]) -> str:
    """The failure that tells most, and the command that shows it."""
    failure = min(failures, key=_least_telling)
    contract = REGISTRY[failure.contract]
    options = ("--precision", failure.precision, "--subject", failure.stack)
    of_largest = f", {failure.gap:.1e} of the largest value" if failure.gap else ""
    return f"- `{reproduce(contract.name, failure.case, options)}`: {measured(contract, failure)}{of_largest}"
