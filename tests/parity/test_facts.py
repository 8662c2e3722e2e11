"""Unit facts: each declared one holds in both stacks, and breaks where the stack does."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from parity.cases import Case
from parity.contracts import REGISTRY
from parity.facts import examine_facts
from parity.frameworks.base import Framework
from parity.measure import Measurement
from parity.precision import FLOAT64, PRECISIONS, Precision
from ptycho_torch import losses, optics, probe, scaling

Function = Callable[..., Any]
Stacks = tuple[Framework, ...]
MODULES = {"losses": losses, "optics": optics, "probe": probe, "scaling": scaling}
FACTS = [(contract.name, fact.statement) for contract in REGISTRY.values() for fact in contract.facts]


def examined(name: str, framework: Framework, precision: Precision) -> list[Measurement]:
    contract = REGISTRY[name]
    case = Case(contract, contract.stratum("many"), 0)
    return list(examine_facts(case, case.inputs(), framework, precision))


@pytest.mark.parametrize("name", dict(FACTS))
def test_every_fact_holds_in_both_stacks(name: str, stacks: Stacks) -> None:
    for framework in stacks:
        for precision in PRECISIONS.values():
            measurements = examined(name, framework, precision)
            assert [m.quantity for m in measurements] == [fact.statement for fact in REGISTRY[name].facts]
            assert all(m.agrees for m in measurements), measurements


def observation_not_squared(nll: Function) -> Function:
    return lambda predicted, observed, full: nll(predicted, observed.sqrt(), full)


def squared(error: Function) -> Function:
    return lambda predicted, observed: error(predicted.square(), observed.square())


def of_twice_the_observation(error: Function) -> Function:
    return lambda predicted, observed: error(predicted, 2 * observed)


BROKEN: dict[tuple[str, str], Callable[[Function], Function]] = {
    ("losses.poisson_nll", "least at Â = A"): observation_not_squared,
    ("losses.poisson_nll", "∂NLL/∂Â = 0 at Â = A"): observation_not_squared,
    ("losses.absolute_error", "|2Â − 2A| = 2·|Â − A|"): squared,
    ("losses.absolute_error", "|A − A| = 0"): of_twice_the_observation,
    ("losses.mae", "mae(2Â, 2A) = 2·mae(Â, A)"): squared,
    ("losses.mae", "mae(A, A) = 0"): of_twice_the_observation,
    ("losses.total_variation", "0 for a constant object"): lambda variation: (
        lambda patches: variation(torch.nn.functional.pad(patches, (1, 1)))
    ),
    ("losses.complex_mae", "0 at O = T"): lambda error: lambda patches, target: error(patches, target.conj()),
    ("optics.combine_complex", "|O| = a"): lambda combine: lambda amplitude, phase: torch.complex(amplitude, phase),
    ("optics.far_field_amplitude", "Σ Â² = Σ_p Σ |ψ_p|²"): lambda far: lambda exit_waves: 2 * far(exit_waves),
    ("optics.far_field_amplitude", "a phase on one mode changes nothing"): lambda far: (
        lambda exit_waves: far(exit_waves.sum(dim=2, keepdim=True))
    ),
    ("probe.orthogonal_modes", "each mode has its share of the energy"): lambda modes: (
        lambda probe, powers: modes(probe, powers.square())
    ),
    ("probe.orthogonal_modes", "⟨p_i, p_j⟩ = 0"): lambda modes: (
        lambda probe, powers: modes(probe, powers) + modes(probe, powers).roll(1, dims=0)
    ),
    ("probe.normalize", "the scale of p is forgotten"): lambda normalize: (
        lambda probe, probe_scale: probe / probe_scale
    ),
    ("probe.normalize", "mean |mask·p| = 1 / probe_scale"): lambda normalize: (
        lambda probe, probe_scale: normalize(probe, probe_scale.square())
    ),
    ("scaling.count_photons", "twice the amplitude, four times the photons"): lambda count: (
        lambda amplitude: amplitude.sum(dim=(-2, -1))
    ),
    ("scaling.scale_nphotons", "the mean pattern of s·a has nphotons photons"): lambda scale: (
        lambda amplitude, nphotons: scale(amplitude, nphotons).square()
    ),
    ("scaling.normalize_amplitude", "the scale of X is forgotten"): lambda normalize: lambda amplitude: 1 * amplitude,
    ("scaling.normalize_amplitude", "the mean square is 1/4"): lambda normalize: (
        lambda amplitude: 2 * normalize(amplitude)
    ),
    ("scaling.apply_intensity_scale", "w = 0 changes nothing"): lambda apply: (
        lambda amplitude, log_scale: apply(amplitude, log_scale + 1)
    ),
    ("scaling.remove_intensity_scale", "w = 0 changes nothing"): lambda remove: (
        lambda amplitude, log_scale: remove(amplitude, log_scale + 1)
    ),
}


@pytest.mark.parametrize(("name", "statement"), FACTS)
def test_a_broken_stack_breaks_the_fact(
    name: str, statement: str, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, function = name.split(".")
    right = getattr(MODULES[module], function)
    monkeypatch.setattr(MODULES[module], function, BROKEN[name, statement](right))
    (pytorch,) = (framework for framework in stacks if framework.name == "torch")
    (found,) = (m for m in examined(name, pytorch, FLOAT64) if m.quantity == statement)
    assert found.fault is None
    assert not found.agrees


def test_what_no_law_can_be_asked_of_is_a_fault(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    (pytorch,) = (framework for framework in stacks if framework.name == "torch")
    right = losses.mae
    monkeypatch.setattr(losses, "mae", lambda predicted, observed: right(predicted, observed)[None])
    faults = {m.fault for m in examined("losses.mae", pytorch, FLOAT64)}
    assert faults == {"returned shape (1,), expected ()"}


def test_a_gradient_without_a_path_is_a_fault_of_the_fact_that_asks_for_it(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pytorch,) = (framework for framework in stacks if framework.name == "torch")
    right = losses.poisson_nll
    monkeypatch.setattr(
        losses, "poisson_nll", lambda predicted, observed, full: right(predicted.detach(), observed, full)
    )
    least, stationary = examined("losses.poisson_nll", pytorch, FLOAT64)
    assert least.agrees
    assert stationary.fault == "has no gradient with respect to predicted"
