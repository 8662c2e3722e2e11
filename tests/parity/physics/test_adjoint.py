"""⟨Jv, w⟩ = ⟨v, Jᵀw⟩ for every differentiable contract, all inputs moved at once, in sizes and strata that users have.

`test_against_mpmath` holds single elements of small cases to the equations; here the oracle's two functions are held to
each other. Jv is a central difference in double precision, and the two ways in which it errs are known rather than
guessed: the oracle's own bound says how far the differenced values are off, the rounding of the moved inputs included,
and halving the step says what the truncation is. The inner product is the real one, Re Σ v̄·g.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.contracts.cases.case import Case, forced
from parity.contracts.cases.families.canvases import CanvasSpec, Shift
from parity.contracts.cases.families.exposures import READINGS
from parity.contracts.cases.families.losses import EXTINCT
from parity.contracts.contract import Inputs
from parity.contracts.declared import REGISTRY
from parity.judging.expectation import bounded_gradients, bounded_values
from parity.judging.measurement import INFORMATIVE
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT64

STEP = 2.0**-28
"""Relative to the input: short enough to step over no kink, and a power of two, which rounds nothing."""

CASES = [
    case
    for contract in REGISTRY.values()
    for case in forced(contract)
    if contract.differentiable and case.stratum not in (*READINGS, *EXTINCT)
]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and how far it may be off."""

    value: float
    error: float

    def times(self, factor: float) -> Estimate:
        return Estimate(factor * self.value, abs(factor) * self.error)

    def minus(self, other: Estimate) -> Estimate:
        return Estimate(self.value - other.value, self.error + other.error)


def inner(v: NDArray[Any], g: Bounded) -> Estimate:
    """Re Σ v̄·g."""
    return Estimate(float(np.sum(np.conj(v) * g.value).real), float(np.sum(np.abs(v) * g.allowed)))


def direction(case: Case, argument: str, x: NDArray[Any]) -> NDArray[Any]:
    """Random, and in proportion to the input, so that it keeps its sign and its zeros."""
    random = case.spec.generator(f"direction of {argument}")
    turn = 1j * random.standard_normal(x.shape) if np.iscomplexobj(x) else 0.0
    return np.asarray(x * (random.uniform(-1, 1, x.shape) + turn))


def kinked(case: Case) -> tuple[str, ...]:
    """Arguments at which the case is not differentiable: every subgradient is right there, and none is the slope."""
    spec = case.spec
    return ("positions",) if isinstance(spec, CanvasSpec) and spec.shift in (Shift.WHOLE, Shift.NONE) else ()


def moved(case: Case, inputs: Inputs, directions: Inputs, step: float) -> dict[str, Any]:
    """The oracle's arguments, the differentiable ones a step away and correctly rounded there."""

    def argument(name: str, static: bool) -> Any:
        x = inputs[name]
        if static:
            return x.item()
        if name not in directions:
            return Bounded.exact(x, FLOAT64)
        there = np.asarray(x + step * directions[name])
        return Bounded(there, np.abs(there), FLOAT64)

    return {a.name: argument(a.name, a.kind.static) for a in case.contract.arguments}


def slope(case: Case, inputs: Inputs, directions: Inputs, cotangent: NDArray[Any], step: float) -> Estimate:
    """⟨Jv, w⟩ by a central difference, which is in error by its truncation beside what it says."""
    ahead, behind = (
        inner(cotangent, case.contract.oracle()(**moved(case, inputs, directions, distance)))
        for distance in (step, -step)
    )
    return ahead.minus(behind).times(1 / (2 * step))


def extrapolated(coarse: Estimate, fine: Estimate) -> Estimate:
    """Richardson: what is left of the truncation is less than what the extrapolation took away."""
    limit = fine.times(4 / 3).minus(coarse.times(1 / 3))
    return Estimate(limit.value, limit.error + abs(limit.value - fine.value))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.contract.name}-{case.name}")
def test_the_product_with_the_jacobian_is_the_adjoint_of_the_product_with_its_transpose(case):
    inputs = case.inputs()
    (result,) = case.contract.results
    value = bounded_values(case.contract, inputs, FLOAT64)[result.name].value
    cotangents = case.cotangents({result.name: value})
    gradients = bounded_gradients(case.contract, inputs, cotangents, FLOAT64)
    directions = {name: direction(case, name, inputs[name]) for name in gradients if name not in kinked(case)}
    forward = extrapolated(
        *(slope(case, inputs, directions, cotangents[result.name], step) for step in (STEP, STEP / 2))
    )
    pulled = [inner(along, gradients[name]) for name, along in directions.items()]
    allowed = forward.error + sum(product.error for product in pulled)
    assert abs(forward.value - sum(product.value for product in pulled)) <= allowed
    largest = sum(np.linalg.norm(along) * np.linalg.norm(gradients[n].value) for n, along in directions.items())
    assert allowed <= INFORMATIVE * largest or not largest
