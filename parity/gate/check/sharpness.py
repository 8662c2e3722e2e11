"""A sample of the defects aimed at a contract, made: a change after which one passes has blinded the harness."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from parity.contracts.cases.case import forced
from parity.contracts.contract import Contract
from parity.contracts.fault import Fault
from parity.faults import CATALOGUE
from parity.faults.made import MADE
from parity.judging.examine import PreparedExample, prepare
from parity.judging.run import Plan, run_one
from parity.physics.precision import FLOAT32, FLOAT64
from parity.stacks.base import Framework

Made = tuple[Fault, str]
"""A defect, and the stack that it is made in."""

POOLED = "gain-1e-6"
"""Shows in all examples together, which are more than a sample takes."""


def sample(contract: Contract, stacks: Sequence[str], most: int, seed: str) -> tuple[Made, ...]:
    """At most so many defects of a contract in each stack: with the same seed the same ones, with another others."""
    aimed = [d for d in CATALOGUE.values() if d.target == contract.name and d.name != POOLED]

    def lot(defect: Fault, stack: str) -> bytes:
        return hashlib.sha256(f"{seed} {defect.full_name} {stack}".encode()).digest()

    return tuple(
        (defect, stack)
        for stack in stacks
        for defect in sorted((d for d in aimed if stack in d.stacks), key=lambda d: lot(d, stack))[:most]
    )


def unnoticed(contract: Contract, made: Sequence[Made], frameworks: Mapping[str, Framework]) -> Iterator[str]:
    """A sentence for each of these defects that the contract no longer notices, or that can no longer be made."""
    left = list(made)
    for example in (one for case in forced(contract) for one in prepare(case, (FLOAT64, FLOAT32))):
        if not left:
            return
        for defect, stack in tuple(left):
            try:
                seen = _shows(example, defect, frameworks[stack])
            except LookupError as error:
                yield f"{defect.full_name}, made in {stack}, cannot be made any more: {error}"
                seen = True
            if seen:
                left.remove((defect, stack))
    for defect, stack in left:
        if _passes(contract, defect, frameworks[stack]):
            yield f"{defect.full_name}, made in {stack}, is no longer noticed"


def _shows(example: PreparedExample, defect: Fault, framework: Framework) -> bool:
    """Whether a defect shows in one example."""
    with framework.within(MADE, defect.full_name, framework.name):
        measured = example.hold(framework).measurements
    return not all(measurement.agrees for measurement in measured)


def _passes(contract: Contract, defect: Fault, framework: Framework) -> bool:
    """Whether a defect passes all that a run asks of the strata: facts and common gains are asked last, being dear."""
    with framework.within(MADE, defect.full_name, framework.name):
        return run_one(Plan((contract,), examples=0), (framework,)).verdict.agrees
