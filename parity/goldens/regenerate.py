"""Goldens made anew from what they hold, and what that changed. Nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parity.contracts.cases.case import Case
from parity.contracts.cases.domain import shared
from parity.contracts.cases.families.family import MEASURED
from parity.contracts.contract import Contract
from parity.goldens.drift import Drift, drifts
from parity.goldens.errors import GoldenError
from parity.goldens.freeze import freeze, golden_inputs, is_in_its_terms
from parity.goldens.provenance import SIMULATED, Stamp
from parity.goldens.record import Golden
from parity.judging.measurement import Measurement
from parity.physics.precision import Precision
from parity.stacks.base import Framework


@dataclass(frozen=True, slots=True)
class Regenerated:
    """A golden before and after, what drifted in between, and by stack the worst of what is not within its bounds.

    Where nothing drifted `new` is `old`, provenance and all.
    """

    old: Golden
    new: Golden
    drifts: Sequence[Drift]
    outside: Mapping[str, Measurement]


def regenerate(golden: Golden, contract: Contract, stamp: Stamp, resimulate: bool = False) -> Regenerated:
    """Recompute oracle, bounds, outputs and proof from the stored inputs, or from inputs that are simulated anew.

    Raises GoldenError where the contract cannot be asked about the inputs, where they no longer tell any fault from
    the truth, and where inputs are to be simulated that were measured.
    """
    inputs, cotangents, precision = golden.inputs, golden.cotangents, golden.precision
    origin = golden.provenance.get("inputs", SIMULATED)
    if resimulate:
        claimed = as_claimed(contract, stamp.frameworks)
        inputs, cotangents, precision = golden_inputs(_case_of(golden, claimed), precision)
        origin = f"SIMULATED ANEW at {stamp.commit}: {stamp.reason}"
    frozen = freeze(contract, golden.stratum, golden.seed, precision, inputs, cotangents, stamp.frameworks)
    found = drifts(golden, frozen.golden)
    new = stamp.on(frozen.golden, origin, withheld={}) if found else golden
    return Regenerated(golden, new, found, frozen.withheld)


def as_claimed(contract: Contract, frameworks: Sequence[Framework]) -> Contract:
    """The contract on what the stacks claim to do, from which cases are drawn."""
    return shared([framework.domain for framework in frameworks]).restricted(contract)[0]


def promote(case: Case, precision: Precision, stamp: Stamp, uncommitted: Mapping[str, str]) -> Golden:
    """The golden of a case. The outputs of a stack that is `uncommitted` or not within its bounds are left out.

    `uncommitted` says by stack what has changed since the commit. Raises GoldenError where the case tells no fault
    from the truth.
    """
    inputs, cotangents, precision = golden_inputs(case, precision)
    committed = [framework for framework in stamp.frameworks if framework.name not in uncommitted]
    frozen = freeze(case.contract, case.stratum.name, case.seed, precision, inputs, cotangents, committed)
    withheld = {stack: f"{changed} has uncommitted changes" for stack, changed in uncommitted.items()}
    bound = [framework for framework in committed if framework.binds(case.contract)]
    stated = [framework.name for framework in bound if not is_in_its_terms(framework, case.contract)]
    withheld |= dict.fromkeys(stated, "its binding states conventions")
    withheld |= {stack: _outside(worst) for stack, worst in frozen.withheld.items()}
    origin = f"measured: {case.dataset.path.name}" if case.dataset else SIMULATED
    return stamp.on(frozen.golden, origin, withheld)


def _outside(worst: Measurement) -> str:
    return f"{worst.quantity}: {worst.fault or f'{worst.ratio:.2g} times its bound'}"


def _case_of(golden: Golden, contract: Contract) -> Case:
    if golden.stratum == MEASURED:
        raise GoldenError(
            f"{golden.name}: expected inputs that can be simulated, got measured ones, which are kept: name the others"
        )
    return Case(contract, contract.stratum(golden.stratum), golden.seed)
