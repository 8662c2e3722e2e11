"""Stored inputs through a stack as it is now: held to the stored oracle, and to what the other stack once returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parity.contracts.contract import Contract, Quota
from parity.goldens.errors import GoldenError
from parity.goldens.freeze import is_in_its_terms, require_cotangents, require_current
from parity.goldens.record import Golden, listed
from parity.judging.measurement import Measurement, distance, fault_of
from parity.judging.quantity import Arrays, gradients_of, results_of
from parity.judging.truth import Truth
from parity.judging.verdict import Verdict, judge
from parity.stacks.base import Framework

ALONE = Quota(undecided=1.0, uninformative=1.0)
"""A golden stands alone: its proof, not a share of many, says that it informs."""


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """A golden replayed.

    `held_to` says by stack which other stack's stored outputs it was compared with; `moved` how far its own have moved
    since they were stored, in units of the bound: `None` where none are.
    """

    golden: Golden
    verdict: Verdict
    held_to: Mapping[str, tuple[str, ...]]
    moved: Mapping[str, float | None]


def replay(golden: Golden, contract: Contract, frameworks: Sequence[Framework]) -> Replay:
    """Judge the stacks that bind its contract on a golden; nothing of it is computed anew but what they return.

    Raises GoldenError where the contract no longer fits the golden.
    """
    truth = stored_truth(golden, contract)
    measurements: list[Measurement] = []
    held_to: dict[str, tuple[str, ...]] = {}
    moved: dict[str, float | None] = {}
    for framework in (one for one in frameworks if one.binds(contract)):
        arrays, measured, _ = truth.hold(framework)
        measurements += measured
        comparable = golden.outputs if is_in_its_terms(framework, contract) else {}
        others = {stack: stored for stack, stored in comparable.items() if stack != framework.name}
        held_to[framework.name] = tuple(others)
        own = comparable.get(framework.name)
        moved[framework.name] = None if arrays is None or own is None else _moved(truth, arrays, own)
        for stack, stored in others.items():
            measurements += truth.pairs({framework.name: arrays or {}, stack: stored})
    return Replay(golden, judge(contract.name, measurements, ALONE), held_to, moved)


def stored_truth(golden: Golden, contract: Contract) -> Truth:
    """What the golden says of its inputs. Raises GoldenError where the contract has other results or gradients now."""
    require_current(golden, contract)
    truth = golden.truth
    results = results_of(contract)
    expected = {*results, *(gradients_of(contract) if golden.cotangents else ())}
    if expected != truth.keys():
        raise GoldenError(
            f"{golden.name}: expected {listed(expected)}, as {contract.name} has them, "
            f"got {listed(truth)}; `parity golden regen` brings it up to date"
        )
    require_cotangents(golden, {result.name: golden.oracle[result] for result in results})
    return Truth(contract, golden.case, golden.precision, golden.inputs, golden.cotangents, truth)


def _moved(truth: Truth, now: Arrays, stored: Arrays) -> float:
    """The largest step of an output since it was stored, in units of the bound."""
    steps = (
        distance(now[quantity], stored[quantity], truth.quantities[quantity].allowed).ratio
        for quantity in now.keys() & stored.keys()
        if fault_of(now[quantity], truth.quantities[quantity]) is None
    )
    return max(steps, default=0.0)
