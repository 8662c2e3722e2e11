"""Unit facts: each declared one holds in both stacks, and breaks where the stack does."""

from dataclasses import replace

import pytest

from parity.contracts.cases.case import Case, forced
from parity.contracts.contract import Contract, Fact, Inputs, Law, Trial
from parity.contracts.declared import REGISTRY
from parity.contracts.declared.batch import batch_facts
from parity.faults import KNOWN, Fault
from parity.faults.changes import Arguments, Change, given, returning
from parity.faults.injection import injected
from parity.faults.namespace import Namespace, Tensor
from parity.judging.laws import examine_facts
from parity.judging.measurement import Measurement
from parity.judging.quantity import law_of
from parity.physics.precision import FLOAT64, PRECISIONS, Precision
from parity.stacks.base import Framework

Stacks = tuple[Framework, ...]

FACTS = [(contract.name, fact.statement) for contract in REGISTRY.values() for fact in contract.facts]
ALONE, REVERSED = (fact.statement for fact in batch_facts("patches"))
BATCHED = [name for name, statement in FACTS if statement == ALONE]


def of_name(stacks: Stacks, name: str) -> Framework:
    return next(stack for stack in stacks if stack.name == name)


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


def _with_the_mean_of_all_groups(xp: Namespace, x: Tensor, a: Arguments) -> Tensor:
    """Groups see each other, but not their order: in reverse, the results are still in reverse."""
    return x + xp.mean(x, 0, keepdims=True)


def _weighted_by_place(xp: Namespace, x: Tensor, a: Arguments) -> Tensor:
    """By 1 in the last place, so that the last group without the others comes out as it does with them."""
    places = xp.arange(xp.shape(x)[0], x)
    return xp.scaled(x, xp.reshape(1 + xp.max(places) - places, (-1, *[1] * (len(x.shape) - 1))))


BROKEN_BATCH = {ALONE: returning(_with_the_mean_of_all_groups), REVERSED: returning(_weighted_by_place)}

BROKEN: dict[tuple[str, str], str | Change] = {
    ("losses.poisson_nll", "least at Â = A"): "observed-unsquared",
    ("losses.poisson_nll", "∂NLL/∂Â = 0 at Â = A"): "observed-unsquared",
    ("losses.absolute_error", "|2Â − 2A| = 2·|Â − A|"): "both-squared",
    ("losses.absolute_error", "|A − A| = 0"): "observed-squared",
    ("losses.mae", "mae(2Â, 2A) = 2·mae(Â, A)"): "both-squared",
    ("losses.mae", "mae(A, A) = 0"): "observed-squared",
    ("losses.total_variation", "0 for a constant object"): "result-plus-1e-3",
    ("losses.complex_mae", "0 at O = T"): "target-conjugated",
    ("optics.combine_complex", "|O| = a"): "phase-as-imaginary-part",
    ("optics.far_field_amplitude", "Σ Â² = Σ_p Σ |ψ_p|²"): "no-norm",
    ("optics.far_field_amplitude", "a phase on one mode changes nothing"): "coherent-modes",
    ("probe.orthogonal_modes", "each mode has its share of the energy"): "amplitudes",
    ("probe.orthogonal_modes", "⟨p_i, p_j⟩ = 0"): "oblique",
    ("probe.normalize", "the scale of p is forgotten"): "unnormalised",
    ("probe.normalize", "mean |mask·p| = 1 / probe_scale"): "scale-twice",
    ("scaling.count_photons", "twice the amplitude, four times the photons"): "amplitude-unsquared",
    ("scaling.scale_nphotons", "the mean pattern of s·a has nphotons photons"): "root-missing",
    ("scaling.normalize_amplitude", "the scale of X is forgotten"): "root-missing",
    ("scaling.normalize_amplitude", "the mean square is 1/4"): "gain-1e-3",
    ("scaling.apply_intensity_scale", "w = 0 changes nothing"): "log-scale-as-1",
    ("scaling.remove_intensity_scale", "w = 0 changes nothing"): "log-scale-as-1",
    ("patches.translate", "r = 0 changes nothing"): "positions-half-a-pixel-off",
    ("patches.extract_patches", "r = 0 gives the middle of the canvas"): "positions-half-a-pixel-off",
    ("patches.reassemble_patches", "twice the patches, twice the canvas"): "result-plus-1e-3",
    ("patches.relative_positions", "a group moved as a whole has the same relative positions"): "no-mean",
    ("networks.convolve", "an impulse shows the kernel"): "turned",
    ("networks.rectify", "rectify(4x) = 4·rectify(x)"): "softplus",
    ("networks.max_pool", "the maximum of 2 × 2 copies of a pixel is the pixel"): "result-plus-1e-3",
    ("networks.max_pool", "a last odd row or column changes nothing"): "second-pixel",
    ("networks.upsample", "every pixel comes four times"): "interpolated",
    ("networks.encoder_block", "features and biases times 4, result times 4"): "softplus",
    ("networks.decoder_block", "features and biases times 4, result times 4"): "softplus",
    ("networks.autoencode@32", "|O| ≤ 1"): "result-times-root-hw",
    ("networks.autoencode@32", "nothing around the middle"): "result-rows-shifted",
    ("networks.spectral_convolve", "features times 4, result times 4"): "result-plus-1e-3",
    ("networks.spectral_convolve", "moved around the frame, the result moves alike"): "result-upside-down",
    ("networks.spectral_convolve", "all frequencies as they are: the features"): "norm-on-neither-side",
    ("dataloader.neighbour_groups", "a scan twice as large has the same groups"): given(scan=lambda xp, x: xp.sin(x)),
    ("dataloader.group_positions", "a scan twice as large has positions twice as large"): "result-plus-1e-3",
    ("dataloader.group_amplitudes", "the scale of the exposures is forgotten"): "not-normalised",
    ("training.sgd_step", "no gradient and no memory of one: no step"): "result-parameters-gain-1e-3",
    ("training.adam_step", "no gradient and no memory of one: no step"): "result-parameters-gain-1e-3",
    ("forward.predict_amplitude", "Â(w) = e^w·Â(0)"): "log-scale-as-0",
    **{(name, statement): BROKEN_BATCH[statement] for name, statement in FACTS if statement in BROKEN_BATCH},
}
"""What breaks each law of a contract: the name of a fault of its, or a change of this file."""


def broken(name: str, statement: str) -> Fault:
    fault = BROKEN[name, statement]
    return KNOWN[f"{name}/{fault}"] if isinstance(fault, str) else Fault(name, "broken", "broken", fault)


def test_there_is_a_broken_stack_for_every_fact_and_for_nothing_else() -> None:
    assert BROKEN.keys() == set(FACTS)


@pytest.mark.parametrize(("name", "statement"), FACTS)
@pytest.mark.parametrize("stack", ["torch", "tensorflow"])
def test_a_broken_stack_breaks_the_fact(stack: str, name: str, statement: str, stacks: Stacks) -> None:
    with injected(broken(name, statement), stack):
        measurements = examined(name, of_name(stacks, stack), FLOAT64, statement)
    (found,) = (m for m in measurements if m.quantity == law_of(statement))
    assert found.fault is None
    assert not found.agrees


def test_what_no_law_can_be_asked_of_is_a_fault(stacks: Stacks) -> None:
    of_one_axis = Fault("losses.mae", "", "", returning(lambda xp, mae, a: xp.reshape(mae, (1,))))
    with injected(of_one_axis, "torch"):
        measurements = examined("losses.mae", of_name(stacks, "torch"), FLOAT64)
    assert {m.fault for m in measurements} == {"returned shape (1,), expected ()"}


def test_a_gradient_without_a_path_is_a_fault_of_the_fact_that_asks_for_it(stacks: Stacks) -> None:
    with injected(KNOWN["losses.poisson_nll/predicted-detached"], "torch"):
        least, stationary = examined("losses.poisson_nll", of_name(stacks, "torch"), FLOAT64)
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
