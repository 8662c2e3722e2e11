"""Unit facts: each declared one holds in both stacks, and breaks where the stack does."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from parity.contracts.cases.case import Case, forced
from parity.contracts.contract import Contract, Fact, Inputs, Law, Trial
from parity.contracts.declared import REGISTRY
from parity.contracts.declared.batch import batch_facts
from parity.judging.laws import examine_facts
from parity.judging.measurement import Measurement
from parity.judging.quantity import law_of
from parity.physics.precision import FLOAT64, PRECISIONS, Precision
from parity.stacks.base import Framework
from ptycho_torch import dataloader, forward, losses, networks, optics, patches, probe, scaling, training

Function = Callable[..., Any]
Stacks = tuple[Framework, ...]
MODULES = {
    "dataloader": dataloader,
    "forward": forward,
    "losses": losses,
    "networks": networks,
    "optics": optics,
    "patches": patches,
    "probe": probe,
    "scaling": scaling,
    "training": training,
}
FACTS = [(contract.name, fact.statement) for contract in REGISTRY.values() for fact in contract.facts]
ALONE, REVERSED = (fact.statement for fact in batch_facts("patches"))
BATCHED = [name for name, statement in FACTS if statement == ALONE]


def telling_cases(contract: Contract, *statements: str) -> list[Case]:
    """As few cases as will do for these laws, or for all, to say something; of many groups where there are such."""
    left = {fact.statement for fact in contract.facts if not statements or fact.statement in statements}
    chosen: list[Case] = []
    cases = sorted(forced(contract), key=lambda case: case.stratum.name != "many")
    applying = [(case, {fact.statement for fact in contract.facts if fact.applies(case.inputs())}) for case in cases]
    while left:
        case, applies = max(applying, key=lambda found: len(found[1] & left))
        if not applies & left:
            raise LookupError(f"{contract.name} has no stratum in which {left} say anything")
        chosen.append(case)
        left -= applies
    return chosen


def examined_in(case: Case, framework: Framework, precision: Precision) -> list[Measurement]:
    return list(examine_facts(case, case.inputs(), framework, precision))


def examined(name: str, framework: Framework, precision: Precision, *statements: str) -> list[Measurement]:
    cases = telling_cases(REGISTRY[name], *statements)
    return [found for case in cases for found in examined_in(case, framework, precision)]


@pytest.mark.parametrize("name", dict(FACTS))
def test_every_fact_holds_in_both_stacks(name: str, stacks: Stacks) -> None:
    for framework in stacks:
        for precision in PRECISIONS.values():
            measurements = examined(name, framework, precision)
            assert {m.quantity.text for m in measurements} == {fact.statement for fact in REGISTRY[name].facts}
            assert all(m.agrees for m in measurements), measurements


def observation_not_squared(nll: Function) -> Function:
    return lambda predicted, observed, full: nll(predicted, observed.sqrt(), full)


def squared(error: Function) -> Function:
    return lambda predicted, observed: error(predicted.square(), observed.square())


def of_twice_the_observation(error: Function) -> Function:
    return lambda predicted, observed: error(predicted, 2 * observed)


def half_a_pixel_off(move: Function) -> Function:
    return lambda positions, **others: move(positions=positions + 0.5, **others)


def saturating(block: Function) -> Function:
    return lambda **arguments: torch.tanh(block(**arguments))


def decaying(step: Function) -> Function:
    return lambda parameters, **others: step(parameters=0.99 * parameters, **others)


def with_the_mean_of_all_groups(function: Function) -> Function:
    """Groups see each other, but not their order: in reverse, the results are still in reverse."""

    def broken(**arguments: Any) -> torch.Tensor:
        result = function(**arguments)
        return result + result.mean(dim=0, keepdim=True)

    return broken


def weighted_by_place(function: Function) -> Function:
    """By 1 in the last place, so that the last group without the others comes out as it does with them."""

    def broken(**arguments: Any) -> torch.Tensor:
        result = function(**arguments)
        weights = torch.arange(len(result), 0, -1)
        return result * weights.reshape(-1, *[1] * (result.ndim - 1))

    return broken


BROKEN_BATCH = {ALONE: with_the_mean_of_all_groups, REVERSED: weighted_by_place}

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
    ("patches.translate", "r = 0 changes nothing"): half_a_pixel_off,
    ("patches.extract_patches", "r = 0 gives the middle of the canvas"): half_a_pixel_off,
    ("patches.reassemble_patches", "twice the patches, twice the canvas"): lambda reassemble: (
        lambda patches, **others: reassemble(patches=patches.square(), **others)
    ),
    ("patches.relative_positions", "a group moved as a whole has the same relative positions"): lambda relative: (
        lambda positions: -positions
    ),
    ("networks.convolve", "an impulse shows the kernel"): lambda convolve: (
        lambda features, kernel, bias: convolve(features, kernel.flip(-2, -1), bias)
    ),
    ("networks.rectify", "rectify(4x) = 4·rectify(x)"): lambda rectify: (
        lambda features: torch.nn.functional.gelu(features)
    ),
    ("networks.max_pool", "the maximum of 2 × 2 copies of a pixel is the pixel"): lambda pool: (
        lambda features: torch.nn.functional.max_pool2d(features, 3, stride=2, padding=1)
    ),
    ("networks.max_pool", "a last odd row or column changes nothing"): lambda pool: (
        lambda features: pool(features[..., features.shape[-2] % 2 :, features.shape[-1] % 2 :])
    ),
    ("networks.upsample", "every pixel comes four times"): lambda upsample: (
        lambda features: torch.nn.functional.interpolate(features, scale_factor=2, mode="bilinear")
    ),
    ("networks.encoder_block", "features and biases times 4, result times 4"): saturating,
    ("networks.decoder_block", "features and biases times 4, result times 4"): saturating,
    ("networks.autoencode@32", "|O| ≤ 1"): lambda autoencode: lambda **arguments: 4 * autoencode(**arguments),
    ("networks.autoencode@32", "nothing around the middle"): lambda autoencode: (
        lambda **arguments: autoencode(**arguments).roll(-1, dims=-2)
    ),
    ("networks.spectral_convolve", "features times 4, result times 4"): saturating,
    ("networks.spectral_convolve", "moved around the frame, the result moves alike"): lambda convolve: (
        lambda **arguments: convolve(**arguments).flip(-1)
    ),
    ("networks.spectral_convolve", "all frequencies as they are: the features"): lambda convolve: (
        lambda **arguments: 2 * convolve(**arguments)
    ),
    ("dataloader.neighbour_groups", "a scan twice as large has the same groups"): lambda groups: (
        lambda scan, **others: groups(scan=scan.sin(), **others)
    ),
    ("dataloader.group_positions", "a scan twice as large has positions twice as large"): lambda positions: (
        lambda **arguments: positions(**arguments).square()
    ),
    ("dataloader.group_amplitudes", "the scale of the exposures is forgotten"): lambda amplitudes: (
        lambda diffraction, **others: amplitudes(diffraction=diffraction, **others) * diffraction.mean()
    ),
    ("training.sgd_step", "no gradient and no memory of one: no step"): decaying,
    ("training.adam_step", "no gradient and no memory of one: no step"): decaying,
    ("forward.predict_amplitude", "Â(w) = e^w·Â(0)"): lambda predict: (
        lambda log_scale, **others: predict(log_scale=2 * log_scale, **others)
    ),
    **{(name, statement): BROKEN_BATCH[statement] for name, statement in FACTS if statement in BROKEN_BATCH},
}


def test_there_is_a_broken_stack_for_every_fact_and_for_nothing_else() -> None:
    assert BROKEN.keys() == set(FACTS)


@pytest.mark.parametrize(("name", "statement"), FACTS)
def test_a_broken_stack_breaks_the_fact(
    name: str, statement: str, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = REGISTRY[name]
    module = MODULES[contract.module]
    right = getattr(module, contract.function)
    monkeypatch.setattr(module, contract.function, BROKEN[name, statement](right))
    (pytorch,) = (framework for framework in stacks if framework.name == "torch")
    (found,) = (m for m in examined(name, pytorch, FLOAT64, statement) if m.quantity == law_of(statement))
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


def test_a_law_is_examined_only_where_it_applies(stacks: Stacks) -> None:
    def never_asked(trial: Trial) -> Law:
        pytest.fail("a law was asked that does not apply")

    def of_a_dark_pattern(inputs: Inputs) -> bool:
        return not inputs["observed"].any()

    (case,) = telling_cases(REGISTRY["losses.mae"])
    facts = (Fact("says something of the dark alone", never_asked, of_a_dark_pattern), *case.contract.facts)
    with_another = replace(case, contract=replace(case.contract, facts=facts))
    for framework in stacks:
        measurements = examined_in(with_another, framework, FLOAT64)
        assert [m.quantity.text for m in measurements] == [fact.statement for fact in case.contract.facts]


@pytest.mark.parametrize("name", BATCHED)
def test_the_laws_of_a_batch_are_left_out_for_one_group(name: str, stacks: Stacks) -> None:
    contract = REGISTRY[name]
    case = Case(contract, contract.stratum("single"), 0)
    applying = [fact.statement for fact in contract.facts if fact.applies(case.inputs())]
    of_one_group = [statement for statement in applying if statement not in BROKEN_BATCH]
    for framework in stacks:
        assert [m.quantity.text for m in examined_in(case, framework, FLOAT64)] == of_one_group
