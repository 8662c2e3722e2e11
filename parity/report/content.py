"""What a report says of a run or a check, whatever form it is then written in.

Everything here is text, numbers and bytes: it was gathered where the frameworks are, perhaps in another process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from parity._ground.codes import AGREE, DISAGREE, NOT_CHECKED, exit_code
from parity.contracts.cases.case import Coordinates
from parity.judging.run import ContractRun
from parity.judging.verdict import UNJUDGED, Outcome


class Weight(StrEnum):
    """What a remark means for the whole: a failed check, one that could not be made, or something worth reading."""

    FAILED = "failed"
    NOT_CHECKED = "not checked"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file of the repository, its path relative to the top."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say that is no contract's verdict: a golden that drifted, a contract that was weakened."""

    weight: Weight
    title: str
    text: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """An error map as PNG, and what it shows."""

    caption: str
    png: bytes


@dataclass(frozen=True, slots=True)
class ContractReport:
    """One contract that was held, in `omitted` what was not asked of it, in `terms` to which conventions it was held.

    `reason` says why it was asked, `places` are the changed lines that lead to it. A failure has the `message` that
    `parity run` prints, the `stages` that `parity explain` prints, and `pictures` of the worst case: error maps;
    `not_shown` says what of these is missing, and why. `causes` are those that were found, by stack. `coordinates` are
    those of every case by name.
    """

    run: ContractRun
    equation: str = ""
    coordinates: Mapping[str, Coordinates] = field(default_factory=dict)
    reason: str = ""
    places: tuple[Place, ...] = ()
    message: str = ""
    stages: str = ""
    pictures: tuple[Picture, ...] = ()
    not_shown: str = ""
    omitted: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    causes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run or check; `command` is the line that repeats it."""

    title: str
    command: str
    contracts: tuple[ContractReport, ...]
    remarks: tuple[Remark, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def weight(self) -> Weight | None:
        """The gravest thing in it; None where all that was asked agrees."""
        code = exit_code(wrong=self.has_failed, unchecked=self.is_unchecked)
        return {AGREE: None, DISAGREE: Weight.FAILED, NOT_CHECKED: Weight.NOT_CHECKED}[code]

    @property
    def has_failed(self) -> bool:
        """Whether a contract disagrees, or another check failed."""
        return self._has(Weight.FAILED) or Outcome.DISAGREE in self._outcomes

    @property
    def is_unchecked(self) -> bool:
        """Whether something could not be checked: not at all, or not so that a verdict can be given."""
        return self._has(Weight.NOT_CHECKED) or any(outcome in UNJUDGED for outcome in self._outcomes)

    @property
    def _outcomes(self) -> tuple[Outcome, ...]:
        return tuple(held.run.verdict.outcome for held in self.contracts)

    def _has(self, weight: Weight) -> bool:
        return any(remark.weight is weight for remark in self.remarks)
