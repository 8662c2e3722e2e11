"""A case becomes a golden: the oracle is asked, the stacks are run, and what is within its bounds is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.case import Case, precisions_of
from parity.contracts.contract import Contract, Inputs
from parity.goldens.errors import GoldenError
from parity.goldens.proof import proof_of, require_proof
from parity.goldens.record import Golden
from parity.judging.expectation import bounded_gradients, bounded_values
from parity.judging.measurement import Measurement
from parity.judging.quantity import by_quantity
from parity.judging.truth import Truth
from parity.physics.precision import Precision
from parity.stacks.base import Framework

MODE = "eager"
"""How TensorFlow runs on goldens: each is tried once, and a trace would cost more than it saves."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A golden without provenance, and by stack the worst of what kept its outputs out."""

    golden: Golden
    withheld: Mapping[str, Measurement]


def golden_inputs(case: Case, precision: Precision) -> tuple[Inputs, Inputs, Precision]:
    """A case's inputs and cotangents, and their precision: the one given, or float64 where readings are widened."""
    inputs = case.inputs()
    (precision,) = precisions_of(inputs, (precision,))
    truth = Truth.of(case, inputs, precision)
    static = {argument.name for argument in case.contract.arguments if argument.kind.static}
    return (
        {name: _as_stored(a if name in static else precision.round(a)) for name, a in inputs.items()},
        {name: _as_stored(precision.round(a)) for name, a in truth.cotangents.items()},
        precision,
    )


def _as_stored(array: NDArray[Any]) -> NDArray[Any]:
    """In C order, as a file has it: rounding depends on the order in which an array lies in memory."""
    return np.array(array, order="C")


def freeze(
    contract: Contract,
    stratum: str,
    seed: int,
    precision: Precision,
    inputs: Inputs,
    cotangents: Inputs,
    frameworks: Sequence[Framework],
) -> Frozen:
    """The golden of these inputs, by the oracle and the stacks as they are now.

    A stack that is not within its bounds is not frozen: what it returned is left out, and said. Raises GoldenError
    where the contract cannot be asked about the inputs, and where the golden would tell no fault from the truth.
    """
    bare = Golden(contract.name, stratum, seed, precision, inputs, cotangents, oracle={}, bounds={}, outputs={})
    truth = truth_of(bare, contract)
    outputs, withheld = {}, {}
    for framework in (one for one in frameworks if one.binds(contract)):
        held = truth.hold(framework)
        off = [m for m in held.measurements if not m.agrees]
        if off:
            withheld[framework.name] = max(off, key=lambda m: (m.fault is not None, m.ratio))
        elif held.arrays is not None and is_in_its_terms(framework, contract):
            outputs[framework.name] = held.arrays
    proof = proof_of(contract, inputs, truth.quantities)
    require_proof(bare.name, contract, proof)
    golden = replace(
        bare,
        oracle={quantity: bounded.value for quantity, bounded in truth.quantities.items()},
        bounds={quantity: bounded.allowed for quantity, bounded in truth.quantities.items()},
        outputs=outputs,
        proof=proof,
    )
    return Frozen(golden, withheld)


def is_in_its_terms(framework: Framework, contract: Contract) -> bool:
    """Whether what a stack returns is what the contract says, and can be stored beside the oracle's."""
    return framework.conventions(contract, None).contract is None


def truth_of(golden: Golden, contract: Contract) -> Truth:
    """What the oracle says now of the inputs of a golden. Raises GoldenError where it cannot be asked about them."""
    require_current(golden, contract)
    values = bounded_values(contract, golden.inputs, golden.precision)
    require_cotangents(golden, {name: bounded.value for name, bounded in values.items()})
    gradients = {}
    if golden.cotangents:
        gradients = bounded_gradients(contract, golden.inputs, golden.cotangents, golden.precision)
    quantities = by_quantity(values, gradients)
    return Truth(contract, golden.case, golden.precision, golden.inputs, golden.cotangents, quantities)


def require_current(golden: Golden, contract: Contract) -> None:
    """Raise GoldenError where a contract no longer takes the inputs of a golden, or gives what it says."""
    unknown = golden.inputs.keys() - {argument.name for argument in contract.arguments}
    if unknown:
        raise GoldenError(f"{golden.name}: expected arguments of {contract.name}, got {', '.join(sorted(unknown))}")
    try:
        contract.check(golden.inputs)
    except (TypeError, ValueError) as error:
        raise GoldenError(f"{golden.name}: {error}; `parity golden regen --inputs` makes it anew") from error
    results = {result.name for result in contract.results}
    if golden.cotangents and golden.cotangents.keys() != results:
        raise GoldenError(
            f"{golden.name}: expected cotangents of {', '.join(sorted(results))}, "
            f"got {', '.join(sorted(golden.cotangents))}; `parity golden regen --inputs` makes it anew"
        )


def require_cotangents(golden: Golden, values: Inputs) -> None:
    """Raise GoldenError for a cotangent of another shape or precision than the result that it belongs to."""
    for name, cotangent in golden.cotangents.items():
        dtype = golden.precision.dtype_like(values[name])
        if cotangent.shape != values[name].shape or cotangent.dtype != dtype or not np.isfinite(cotangent).all():
            expected = f"finite numbers in {np.dtype(dtype)}, of shape {values[name].shape}"
            got = f"{cotangent.dtype} of shape {cotangent.shape}"
            raise GoldenError(f"{golden.name}: cotangents/{name}: expected {expected}, got {got}")
