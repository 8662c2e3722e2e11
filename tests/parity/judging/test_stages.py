"""The stage tree names the right place: single wrong stages, pairs that cancel, compositions that are miswired.

Whether a fault does anything on a case is not asked of the tree: the damaged function is called beside the right one
of the same stack, on inputs that a walk of this file's own leads to.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from parity.contracts.cases.case import Case, parse_case
from parity.contracts.cases.families.canvases import MERGED, SHAPES, SHIFTS, UNCONSTRAINED
from parity.contracts.changes import Backward, given, returning
from parity.contracts.contract import Contract, Stage
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
from parity.faults import KNOWN
from parity.faults.injection import injected
from parity.judging.expectation import bounded_gradients, bounded_values
from parity.judging.stage_tree import Tree
from parity.judging.stages import stage_tree, stages_of, trees_of
from parity.physics.precision import FLOAT32, FLOAT64, PRECISIONS, Precision
from parity.stacks.base import Framework, StackError

Stacks = tuple[Framework, ...]

PREDICTION, OBJECTIVE = REGISTRY["forward.predict_amplitude"], REGISTRY["forward.training_objective"]
STACKS = ("torch", "tensorflow")
BOTH = (FLOAT64, FLOAT32)

RESULTS = {
    "patches.central_weight": "weight",
    "patches.uniform_weight": "weight",
    "patches.probe_weight": "weight",
    "patches.reassemble_patches": "canvas",
    "patches.extract_patches": "views",
    "optics.illuminate": "exit_waves",
    "optics.far_field_amplitude": "amplitude",
    "scaling.apply_intensity_scale": "predicted",
}
"""What the composition calls the result of each stage."""


def _of(contract: str, names: str) -> tuple[str, ...]:
    return tuple(f"{contract}/{name}" for name in names.split())


FAULTS = {
    "weight": (
        "patches.central_weight/soft",
        "patches.probe_weight/result-plus-1e-3",
        "patches.uniform_weight/result-plus-1e-3",
        "patches.central_weight/off-by-one",
        "patches.probe_weight/result-shifted",
        "patches.central_weight/gain-1e-3",
        "patches.uniform_weight/gain-1e-3",
        "patches.probe_weight/modulus",
        "patches.probe_weight/probe-detached",
    ),
    "canvas": _of(
        "patches.reassemble_patches",
        "positions-negated positions-exchanged denominator-unweighted soft-weight patches-conjugated "
        "result-gain-1e-4 weight-detached positions-detached",
    ),
    "views": _of(
        "patches.extract_patches",
        "positions-negated positions-exchanged a-pixel-off canvas-conjugated gain-1e-6 positions-detached "
        "canvas-detached",
    ),
    "exit_waves": _of(
        "optics.illuminate",
        "probe-conjugated patches-conjugated probe-modes-reordered gain-1e-6 probe-detached "
        "patches-imaginary-part-detached",
    ),
    "amplitude": _of(
        "optics.far_field_amplitude",
        "no-fftshift ifftshift half-a-pixel-off inverse no-norm result-gain-1e-4 exit-waves-gradient-halved",
    ),
    "predicted": _of(
        "scaling.apply_intensity_scale",
        "divided log-scale-as-0 twice gain-1e-3 gain-1e-6 log-scale-detached amplitude-detached",
    ),
}
"""Faults of the stages, by what the composition calls their results."""

ON_PATCHES_ALONE = ("exit_waves", "amplitude", "predicted")

MERGED_CASES = (
    *("even/0 f64", "odd/0 f32", "oblong/0 f64", "many/0 f32", "probe-weighted/1 f64", "central/0 f64"),
    *("near-whole/1 f32", "uniform/1 f64", "oblong/1 f64", "whole-shifts/0 f64"),
)
UNMERGED_CASES = ("unconstrained/0 f64", "unconstrained/1 f32")


STRATA = {stratum.name: stratum for stratum in (*SHAPES, *SHIFTS, *MERGED, *UNCONSTRAINED)}
"""With every weight, whichever of them the composition's own strata try."""


def case_of(text: str) -> tuple[Case, Precision]:
    """The case and precision written `stratum/seed precision`."""
    case, precision = text.split()
    stratum, seed = case.split("/")
    return Case(PREDICTION, STRATA[stratum], int(seed)), PRECISIONS[precision]


def has_stage(fault: Fault, case: Case) -> bool:
    """Whether the fault's function is a stage of the case at all: only one of the weights is."""
    return RESULTS[fault.target] != "weight" or fault.target == f"patches.{case.spec.weighting}_weight"


def of_name(stacks: Stacks, name: str) -> Framework:
    return next(stack for stack in stacks if stack.name == name)


MANY = Case(PREDICTION, STRATA["many"], 0)


def tree(stacks: Stacks, stack: str = "torch", case: Case = MANY, precision: Precision = FLOAT64) -> Tree:
    (found,) = trees_of(case, (of_name(stacks, stack),), (precision,), REGISTRY)
    return found


def wrong_in(found: Tree) -> list[str]:
    """The stages that the tree says are wrong in themselves."""
    return [step.stage.result for step in found.wrong]


def first_of(found: Tree) -> str:
    """Where the tree says that the stack first diverges."""
    return found.first.stage.result if found.first else "nowhere"


def walk(contract: Contract, case: Case, precision: Precision) -> Iterator[tuple[Stage, dict[str, Any]]]:
    """Every stage and what it is to be given, from the oracle's plain functions."""
    inputs = case.inputs()
    known = {name: precision.round(x).astype(x.dtype) for name, x in inputs.items()}
    for stage in stages_of(contract, inputs):
        of = REGISTRY[stage.contract]
        arguments = {
            a.name: np.array(stage.sizes[a.name]) if a.name in stage.sizes else known[stage.source(a.name)]
            for a in of.arguments
        }
        yield stage, arguments
        plain = {a.name: arguments[a.name].item() if a.kind.static else arguments[a.name] for a in of.arguments}
        known[stage.result] = of.oracle()(**plain)


def changes_something(stack: Framework, fault: Fault, case: Case, precision: Precision) -> bool:
    """Whether a value or a gradient of the damaged function is farther from the right one's than its bound."""
    contract = REGISTRY[fault.target]
    inputs = next(given for stage, given in walk(PREDICTION, case, precision) if stage.contract == contract.name)
    inputs = {name: precision.round(x) for name, x in inputs.items()}
    bounds = dict(bounded_values(contract, inputs, precision))
    cotangents = replace(case, contract=contract).cotangents({name: x.value for name, x in bounds.items()})
    bounds |= bounded_gradients(contract, inputs, cotangents, precision)

    def outcome() -> dict[str, Any]:
        found = stack.evaluate(contract, inputs, precision, cotangents if contract.differentiable else None)
        return {**found.values, **found.gradients}

    right = outcome()
    with injected(fault, stack.name):
        try:
            wrong = outcome()
        except StackError:
            return True
    return any(
        np.any(np.abs(wrong.get(name, 0) - right.get(name, 0)) > bound.allowed) for name, bound in bounds.items()
    )


@pytest.mark.parametrize("stage", FAULTS)
@pytest.mark.parametrize("stack", STACKS)
def test_a_single_wrong_stage_is_named(stack, stage, stacks, record_property):
    framework = of_name(stacks, stack)
    alone = UNMERGED_CASES if stage in ON_PATCHES_ALONE else ()
    named, idle, missed = 0, 0, []
    for start, name in enumerate(FAULTS[stage]):
        fault = KNOWN[name]
        merged = [case for case in MERGED_CASES if has_stage(fault, case_of(case)[0])]
        turned = merged[start % len(merged) :] + merged[: start % len(merged)]
        # TensorFlow without a trace is slow, and the more so where patches are merged.
        enough = (1 if alone else 2) if stack == "torch" else 0 if alone and start % 3 else 1
        tried = 0
        for text in (*alone, *turned):
            case, precision = case_of(text)
            if tried == enough + len(alone):
                break
            if not changes_something(framework, fault, case, precision):
                idle += 1
                continue
            tried += 1
            with injected(fault, stack):
                found = tree(stacks, stack, case, precision)
            if first_of(found) == stage and wrong_in(found) == [stage]:
                named += 1
            else:
                missed.append((name, text, first_of(found), wrong_in(found)))
        assert tried, f"{name} changes nothing"
    share = named / (named + len(missed))
    told = f"{stack}, {stage}: {named} of {named + len(missed)} named ({share:.1%}); without effect: {idle}"
    record_property("named", told)
    print(told)  # noqa: T201
    assert share >= 0.95, missed


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("precision", BOTH, ids=lambda p: p.name)
def test_where_nothing_is_wrong_everything_agrees(stack, precision, stacks):
    for stratum in PREDICTION.strata:
        found = tree(stacks, stack, Case(PREDICTION, stratum, 0), precision)
        assert found.agrees, stratum.name
        assert (found.first, found.wrong, found.inheriting) == (None, (), ())
        assert not any((found.compensates, found.bypasses, found.is_miswired))


NO_NORM = KNOWN["optics.far_field_amplitude/no-norm"]
PAIRS = {
    "a canvas whose origin is a pixel off": (
        Fault("patches.reassemble_patches", "", "", returning(lambda xp, x, a: xp.roll(x, 1, -2))),
        Fault("patches.extract_patches", "", "", given(canvas=lambda xp, x: xp.roll(x, -1, -2))),
    ),
    "conjugated waves and the inverse transform": (
        KNOWN["optics.illuminate/result-conjugated"],
        KNOWN["optics.far_field_amplitude/inverse"],
    ),
    "1/N where the light falls": (KNOWN["optics.illuminate/result-over-root-hw"], NO_NORM),
    "the norm of the transform in the scale": (NO_NORM, KNOWN["scaling.apply_intensity_scale/result-over-root-hw"]),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("stack", STACKS)
def test_two_errors_that_cancel_are_both_listed(stack, pair, stacks):
    with injected(pair[0], stack), injected(pair[1], stack):
        found = tree(stacks, stack)
    assert all(reading.agrees for reading in found.whole)
    assert found.compensates
    assert not found.bypasses
    assert wrong_in(found) == [RESULTS[fault.target] for fault in pair]


@contextmanager
def both_signs(stack: str) -> Iterator[None]:
    """The positions have the opposite sign where patches are put on the canvas, and where they are read off it."""
    put, read = (KNOWN[f"patches.{name}/positions-negated"] for name in ("reassemble_patches", "extract_patches"))
    with injected(put, stack), injected(read, stack):
        yield


@pytest.mark.parametrize("stack", STACKS)
def test_two_signs_of_the_positions_cancel_for_one_patch_at_whole_pixels(stack, stacks):
    """It is put in the opposite place and looked for there; where its neighbours lie does not matter to it."""
    case, _ = case_of("single/0 f64")
    inputs = case.inputs() | {"positions": np.array([[[1.0, -1.0]]])}
    cotangent = np.random.default_rng(0).standard_normal((1, 1, 8, 8))
    with both_signs(stack):
        found = stage_tree(PREDICTION, case.name, inputs, cotangent, of_name(stacks, stack), FLOAT64, REGISTRY)
    assert found.compensates
    assert [step.stage.result for step in found.wrong_forward] == ["canvas", "views"]


@pytest.mark.parametrize("stack", STACKS)
def test_two_signs_of_the_positions_do_not_cancel_for_patches_that_overlap(stack, stacks):
    """Their places are point-reflected and they themselves are not: other parts of them come to overlap."""
    with both_signs(stack):
        found = tree(stacks, stack)
    assert not found.whole[0].agrees
    assert not found.compensates
    assert first_of(found) == "canvas"
    assert wrong_in(found) == ["canvas", "views"]


def test_an_error_that_does_not_reach_the_end_is_found(stacks):
    with injected(KNOWN["optics.illuminate/probe-modes-reordered"], "torch"):
        found = tree(stacks)
    assert found.whole[0].agrees
    assert found.compensates
    assert wrong_in(found) == ["exit_waves"]


@pytest.mark.parametrize("fault", ["positions-negated", "log-scale-as-0", "probe-detached"])
@pytest.mark.parametrize("stack", STACKS)
def test_a_composition_that_does_not_do_what_its_stages_do(stack, fault, stacks):
    with injected(KNOWN[f"forward.predict_amplitude/{fault}"], stack):
        found = tree(stacks, stack)
    assert found.is_miswired
    assert not found.agrees
    assert (found.first, found.wrong, found.inheriting) == (None, (), ())


def test_a_wrong_stage_that_the_composition_does_not_go_through(stacks, monkeypatch):
    """The composition has taken the function for itself, before it was changed."""
    from ptycho_torch import forward, optics

    right = type(optics)("optics of its own")
    right.illuminate, right.far_field_amplitude = optics.illuminate, optics.far_field_amplitude
    monkeypatch.setattr(forward, "optics", right)
    with injected(KNOWN["optics.illuminate/gain-1e-3"], "torch"):
        found = tree(stacks)
    assert found.bypasses
    assert not found.compensates
    assert wrong_in(found) == ["exit_waves"]


BACKWARD = [name for names in FAULTS.values() for name in names if isinstance(KNOWN[name].change, Backward)]


@pytest.mark.parametrize("name", BACKWARD)
def test_a_gradient_that_is_cut_is_marked_backwards(name, stacks):
    fault = KNOWN[name]
    with injected(fault, "torch"):
        found = tree(stacks, "torch", case_of("probe-weighted/0 f64")[0])
    assert (found.first_forward, found.wrong_forward) == (None, ())
    assert first_of(found) == RESULTS[fault.target]
    assert found.whole[0].agrees
    assert not found.compensates


def test_stages_of_a_stage_are_looked_into(stacks):
    with injected(KNOWN["optics.far_field_amplitude/gain-1e-6"], "torch"):
        found = tree(stacks, "torch", parse_case(OBJECTIVE, "even/0"))
    assert first_of(found) == "predicted"
    within = found.steps[0].within
    assert within
    assert first_of(within) == "amplitude"
    assert [step.stage.result for step in within.wrong] == ["amplitude"]


def test_a_stage_that_raises_is_named_and_those_after_it_inherit(stacks, monkeypatch):
    def refuse(**_: Any) -> Any:
        raise RuntimeError("out of patience")

    monkeypatch.setattr("ptycho_torch.patches.extract_patches", refuse)
    found = tree(stacks)
    assert first_of(found) == "views"
    assert found.wrong[0].fed.measurement.fault == "raised RuntimeError: out of patience"
    assert wrong_in(found) == ["views"]
    later = [step for step in found.steps if step.stage.result in ("exit_waves", "amplitude", "predicted")]
    assert all(step.free.measurement.fault == "was given nothing by an earlier stage" for step in later)


@pytest.mark.parametrize("lost", [lambda x: x[0], lambda x: x[..., 1:]], ids=["an axis", "a column"])
def test_a_stage_that_returns_another_shape_is_named(lost, stacks):
    with injected(Fault("patches.extract_patches", "", "", returning(lambda xp, x, a: lost(x))), "torch"):
        found = tree(stacks)
    assert first_of(found) == "views"
    assert "returned shape" in str(found.wrong[0].fed.measurement.fault)
    assert wrong_in(found) == ["views"]


def test_what_is_no_composition_is_a_tree_of_itself_alone(stacks):
    contract = REGISTRY["losses.mae"]
    case = parse_case(contract, "even/0")
    right = tree(stacks, "torch", case)
    assert right.agrees
    assert (right.steps, len(right.whole)) == ((), 3)
    with injected(KNOWN["losses.mae/gain-1e-3"], "torch"):
        wrong = tree(stacks, "torch", case)
    assert not any((wrong.agrees, wrong.is_miswired, wrong.compensates, wrong.bypasses))


def test_every_result_of_a_function_is_read(stacks):
    found = tree(stacks, "torch", parse_case(REGISTRY["training.adam_step"], "first/0"))
    read = [reading.measurement.quantity.text for reading in found.whole]
    assert read == ["parameters", "first_moment", "second_moment"]


def test_the_readings_of_a_detector_are_tried_in_the_one_precision_they_have(stacks):
    found = trees_of(parse_case(REGISTRY["scaling.count_photons"], "readings/0"), stacks, BOTH, REGISTRY)
    assert [(t.stack, t.precision, t.agrees) for t in found] == [("torch", "f64", True), ("tensorflow", "f64", True)]
