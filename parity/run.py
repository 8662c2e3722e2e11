"""Contracts × cases × precisions × stacks → measurements."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from parity.cases import Case, forced, parse_case, sweep
from parity.contract import Contract, UsageError
from parity.datasets import Dataset
from parity.examination import examine
from parity.frameworks.base import Framework
from parity.judge import Verdict, judge
from parity.measure import Measurement
from parity.precision import FLOAT32, FLOAT64, Precision


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: contracts, how many examples of each besides the strata, in which precisions, on what data."""

    contracts: tuple[Contract, ...]
    examples: int = 30
    precisions: tuple[Precision, ...] = (FLOAT32, FLOAT64)
    case: str | None = None
    dataset: Dataset | None = None

    def check(self) -> None:
        """Raise UsageError for a case or a frame that some contract does not have, before anything slow begins."""
        for contract in self.contracts:
            self.cases(contract)
            if not self.takes(contract):
                raise UsageError(
                    f"{contract.name}: expected frames whose sides are multiples of {contract.divisor}, "
                    f"got {self.frame} in the data set"
                )

    def takes(self, contract: Contract) -> bool:
        """Whether a contract can be asked about the data set, if there is one."""
        return contract.takes(self.frame)

    @property
    def frame(self) -> tuple[int, ...]:
        """The sides of the data set's patterns; () without one."""
        return self.dataset.diffraction.shape[1:] if self.dataset else ()

    def cases(self, contract: Contract) -> tuple[Case, ...]:
        if self.case is not None:
            return (parse_case(contract, self.case, self.dataset),)
        return tuple(sweep(contract, self.examples, self.dataset))


@dataclass(frozen=True, slots=True)
class ContractRun:
    """All measurements of one contract, the verdict on them, and the seconds they took."""

    verdict: Verdict
    measurements: tuple[Measurement, ...]
    seconds: float


def run(
    plan: Plan, frameworks: Sequence[Framework], advance: Callable[[Case], None] = lambda case: None
) -> Iterator[ContractRun]:
    """Run a plan, a contract at a time; `advance` is told of every case that is done."""
    for contract in plan.contracts:
        started = time.perf_counter()
        measurements: list[Measurement] = []
        facts_at = {case.name for case in forced(contract, plan.dataset)} | {plan.case}
        for case in plan.cases(contract):
            measurements += examine(case, frameworks, plan.precisions, with_facts=case.name in facts_at)
            advance(case)
        verdict = judge(contract.name, measurements, contract.quota)
        yield ContractRun(verdict, tuple(measurements), time.perf_counter() - started)
