"""Whether all that a contract is held by still sees: every result, gradient and law, in each stack and precision.

Asked where the harness itself has changed. What is made in a stack is so wrong that nobody can overlook it, and each
comparison has to notice it by itself; each also has to have been made when the contract was held.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from parity.contracts.cases.case import Case, forced, precisions_of
from parity.contracts.contract import Contract, Quota, has_readings
from parity.faults.made import BROKEN, SPOILED
from parity.judging.examine import PreparedExample, prepare
from parity.judging.laws import examine_facts
from parity.judging.measurement import Measurement
from parity.judging.quantity import Quantity, QuantityKind, gradient_of, law_of, result_of
from parity.judging.run import ContractRun
from parity.judging.verdict import judge
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT32, FLOAT64
from parity.stacks import STACKS
from parity.stacks.base import Framework

PLAIN = 2.0
"""An error of so many bounds is to be noticed."""

_MANY = {QuantityKind.RESULT: "results", QuantityKind.GRADIENT: "gradients", QuantityKind.LAW: "laws"}


class Sight(NamedTuple):
    """One comparison that a contract is held by."""

    stack: str
    precision: str
    quantity: Quantity

    def __str__(self) -> str:
        return f"{self.quantity.text} in {self.precision} of {self.stack}"


@dataclass(slots=True)
class Sights:
    """The comparisons of a contract: all that there are, those that were to notice something, those that did."""

    there: dict[Sight, None] = field(default_factory=dict)
    asked: dict[Sight, None] = field(default_factory=dict)
    seen: set[Sight] = field(default_factory=set)

    def wanted(self, sights: Iterable[Sight]) -> bool:
        """Ask these, unless they have seen; whether there are any."""
        left = [sight for sight in sights if sight not in self.seen]
        self.asked |= dict.fromkeys(left)
        return bool(left)

    def note(self, measurements: Iterable[Measurement]) -> None:
        """Take in what was measured where something is wrong: what is judged to be wrong by itself was seen."""
        for one in measurements:
            if one.stack in judge(one.contract, [one], Quota(), whole=False).sides:
                self.seen.add(Sight(one.stack, one.precision, one.quantity))


def sights_of(contract: Contract, frameworks: Mapping[str, Framework]) -> Sights:
    """Make what nobody can overlook, in the first case of each stratum until all has been seen that can be."""
    found = Sights()
    for case in forced(contract):
        found.there |= dict.fromkeys(_there(case))
        for example in prepare(case, _PRECISIONS):
            precision, quantities = example.truth.precision, example.truth.quantities
            plain = [quantity for quantity, bounded in quantities.items() if _is_plain(quantity, bounded)]
            for stack in STACKS:
                if found.wanted(Sight(stack, precision.name, q) for q in plain) and stack in frameworks:
                    with frameworks[stack].within(SPOILED, contract.name, stack):
                        found.note(example.hold(frameworks[stack]).measurements)
                if precision is FLOAT64:
                    _try_laws(example, found, stack, frameworks.get(stack))
    return found


_PRECISIONS = (FLOAT64, FLOAT32)


def _there(case: Case) -> Iterator[Sight]:
    """What a case is to be held by, as the contract says: whoever judges it has no say."""
    contract, inputs = case.contract, case.inputs()
    gradients = [] if has_readings(inputs) else [gradient_of(one.name) for one in contract.differentiable]
    laws = [law_of(fact.statement) for fact in contract.facts if fact.applies(inputs)]
    for precision in precisions_of(inputs, _PRECISIONS):
        results = [result_of(one.name) for one in contract.results]
        for quantity in (*results, *gradients, *(laws if precision is FLOAT64 else ())):
            yield from (Sight(stack, precision.name, quantity) for stack in STACKS)


def _try_laws(example: PreparedExample, found: Sights, stack: str, framework: Framework | None) -> None:
    contract, truth = example.case.contract, example.truth
    for fact in contract.facts:
        sight = Sight(stack, truth.precision.name, law_of(fact.statement))
        if fact.applies(truth.inputs) and found.wanted([sight]) and framework:
            with framework.within(BROKEN, contract.name, fact.statement, stack):
                measured = examine_facts(example.case, truth.inputs, framework, truth.precision)
                found.note(one for one in measured if isinstance(one, Measurement) and one.quantity == sight.quantity)


def _is_plain(quantity: Quantity, bounded: Bounded) -> bool:
    """Whether what is made of it is far beyond its bound somewhere."""
    with np.errstate(all="ignore"):
        error = np.abs(2 * bounded.value) if quantity.is_gradient else np.abs(1 - 2 * bounded.value)
        beyond = np.isfinite(error) & np.isfinite(bounded.allowed) & (error > PLAIN * bounded.allowed)
    return bool(beyond.any())


def blind(contract: Contract, sights: Sights, result: ContractRun) -> Iterator[str]:
    """What is no longer noticed, and what was not compared when the contract was held."""
    unseen = [sight for sight in sights.asked if sight not in sights.seen]
    if unseen:
        yield f"what is wrong is no longer noticed: {_in_words(unseen, sights.asked)}"
    made = {Sight(m.stack, m.precision, m.quantity) for m in result.measurements}
    missing = [sight for sight in sights.there if sight not in made]
    if missing:
        yield f"not everything is compared any more: {_in_words(missing, sights.there)}"
    cases = {measurement.case for measurement in result.measurements}
    strata = [stratum.name for stratum in contract.strata if f"{stratum.name}/0" not in cases]
    if strata:
        yield f"not every stratum is tried any more: {', '.join(strata)}"


def _in_words(some: Collection[Sight], of: Collection[Sight]) -> str:
    """The sights, and of what sort there is none among the others."""
    first = [str(sight) for sight in list(some)[:2]]
    more = [f"and {len(some) - 2} more"] if len(some) > 2 else []
    others = _shares(sight for sight in of if sight not in some)
    whole = [
        f"nothing at all is noticed {words}" for words, share in _shares(some).items() if share and not others[words]
    ]
    if len(some) == len(of):
        whole = ["nothing at all is noticed"]
    return "; ".join([", ".join([*first, *more]), *whole])


def _shares(sights: Iterable[Sight]) -> Mapping[str, list[Sight]]:
    """By what they have in common, in words."""
    sights = list(sights)
    of_kinds = {f"of {many}": [s for s in sights if s.quantity.kind is kind] for kind, many in _MANY.items()}
    of_stacks = {f"in {stack}": [s for s in sights if s.stack == stack] for stack in STACKS}
    of_precisions = {f"in {p.name}": [s for s in sights if s.precision == p.name] for p in (FLOAT32, FLOAT64)}
    return {**of_kinds, **of_stacks, **of_precisions}
