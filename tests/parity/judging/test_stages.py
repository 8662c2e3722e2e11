"""The stage tree names the right place: single wrong stages, pairs that cancel, compositions that are miswired.

Whether a defect does anything on a case is not asked of the tree: the damaged function is called beside the right one
of the same stack, on inputs that a walk of this file's own leads to.
"""

import importlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from parity.contracts.cases.case import Case, parse_case
from parity.contracts.cases.families.canvases import MERGED, SHAPES, SHIFTS, UNCONSTRAINED, CanvasSpec
from parity.contracts.contract import Contract, Stage
from parity.contracts.declared import REGISTRY
from parity.faults.changes import Change, Kinds, detached, given, giving, returning
from parity.faults.namespace import Namespace, namespace_of
from parity.judging.expectation import bounded_gradients, bounded_values
from parity.judging.stage_tree import Tree
from parity.judging.stages import stage_tree, stages_of, trees_of
from parity.physics.precision import FLOAT32, FLOAT64, PRECISIONS, Precision
from parity.stacks import STACKS
from parity.stacks.base import Framework, StackError

Stacks = tuple[Framework, ...]

PREDICTION, OBJECTIVE = REGISTRY["forward.predict_amplitude"], REGISTRY["forward.training_objective"]
BOTH = (FLOAT64, FLOAT32)


@dataclass(frozen=True, slots=True)
class Defect:
    """A wrong stage."""

    name: str
    function: str
    change: Change

    @property
    def stage(self) -> str:
        """What the composition calls the stage's result."""
        return RESULTS[self.function]

    def make(self, stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
        xp, (module, function) = namespace_of(stack), self.function.split(".")
        target = importlib.import_module(f"{xp.package}.{module}")
        wrong = self.change(xp, getattr(target, function), Kinds.at(self.function))
        monkeypatch.setattr(target, function, wrong)


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


def gain(factor: float) -> Change:
    return returning(lambda xp, result, a: result * factor)


def half_a_pixel(xp: Namespace, waves: Any) -> Any:
    """A ramp that moves the far field by half a pixel."""
    rows = waves.shape[-2]
    turns = xp.reshape(xp.arange(rows, waves) * (math.pi / rows), (rows, 1))
    return waves * xp.complex(xp.cos(turns), xp.sin(turns))


def real_alone(xp: Namespace, x: Any) -> Any:
    return xp.complex(xp.real(x), xp.detach(xp.imag(x)))


def negated(xp: Namespace, x: Any) -> Any:
    return -x


def conjugated(xp: Namespace, x: Any) -> Any:
    return xp.conj(x)


def exchanged(xp: Namespace, positions: Any) -> Any:
    return xp.flip(positions, -1)


def reversed_modes(xp: Namespace, probe: Any) -> Any:
    return xp.flip(probe, 0)


WEIGHTS = (
    *(
        Defect("soft", f"patches.{kind}_weight", returning(lambda xp, m, a: m + 0.1))
        for kind in ("central", "probe", "uniform")
    ),
    *(
        Defect("a pixel off", f"patches.{kind}_weight", returning(lambda xp, m, a: xp.roll(m, 1, 0)))
        for kind in ("central", "probe")
    ),
    *(Defect("gain 1e-3", f"patches.{kind}_weight", gain(1.001)) for kind in ("central", "uniform")),
    Defect("the modulus, not its square", "patches.probe_weight", returning(lambda xp, m, a: xp.sqrt(m))),
    Defect("no gradient", "patches.probe_weight", detached("probe")),
)
UNWEIGHTED_DENOMINATOR = giving(
    lambda xp, a: {"patches": xp.scaled(a.patches, a.weight), "weight": xp.ones_like(a.weight)}
)
MERGING = (
    Defect("sign of the positions", "patches.reassemble_patches", given(positions=negated)),
    Defect("x and y exchanged", "patches.reassemble_patches", given(positions=exchanged)),
    Defect("unweighted denominator", "patches.reassemble_patches", UNWEIGHTED_DENOMINATOR),
    Defect("soft weight", "patches.reassemble_patches", given(weight=lambda xp, m: m + 0.05)),
    Defect("conjugated", "patches.reassemble_patches", given(patches=conjugated)),
    Defect("gain 1e-4", "patches.reassemble_patches", gain(1.0001)),
    Defect("no gradient of the weight", "patches.reassemble_patches", detached("weight")),
    Defect("no gradient of the positions", "patches.reassemble_patches", detached("positions")),
)
CUTTING = (
    Defect("sign of the positions", "patches.extract_patches", given(positions=negated)),
    Defect("x and y exchanged", "patches.extract_patches", given(positions=exchanged)),
    Defect("a pixel off", "patches.extract_patches", given(canvas=lambda xp, x: xp.roll(x, 1, -2))),
    Defect("conjugated", "patches.extract_patches", given(canvas=conjugated)),
    Defect("gain 1e-5", "patches.extract_patches", gain(1.00001)),
    Defect("no gradient of the positions", "patches.extract_patches", detached("positions")),
    Defect("no gradient of the canvas", "patches.extract_patches", detached("canvas")),
)
LIGHTING = (
    Defect("conjugated probe", "optics.illuminate", given(probe=conjugated)),
    Defect("conjugated object", "optics.illuminate", given(patches=conjugated)),
    Defect("modes in reverse order", "optics.illuminate", given(probe=reversed_modes)),
    Defect("gain 1e-5", "optics.illuminate", gain(1.00001)),
    Defect("no gradient of the probe", "optics.illuminate", detached("probe")),
    Defect("no gradient of the imaginary part", "optics.illuminate", given(patches=real_alone)),
)
PROPAGATION = (
    Defect("no fftshift", "optics.far_field_amplitude", returning(lambda xp, x, a: xp.ifftshift(x))),
    Defect("ifftshift", "optics.far_field_amplitude", returning(lambda xp, x, a: xp.ifftshift(xp.ifftshift(x)))),
    Defect("half a pixel off", "optics.far_field_amplitude", given(exit_waves=half_a_pixel)),
    Defect("inverse transform", "optics.far_field_amplitude", given(exit_waves=conjugated)),
    Defect("no 1/N²", "optics.far_field_amplitude", returning(lambda xp, x, a: x * math.sqrt(math.prod(x.shape[-2:])))),
    Defect("gain 1e-4", "optics.far_field_amplitude", gain(1.0001)),
    Defect("half the gradient", "optics.far_field_amplitude", given(exit_waves=real_alone)),
)
SCALING = (
    Defect("e^-w", "scaling.apply_intensity_scale", given(log_scale=negated)),
    Defect("no e^w", "scaling.apply_intensity_scale", given(log_scale=lambda xp, w: 0 * w)),
    Defect("e^2w", "scaling.apply_intensity_scale", given(log_scale=lambda xp, w: 2 * w)),
    Defect("gain 1e-3", "scaling.apply_intensity_scale", gain(1.001)),
    Defect("gain 1e-5", "scaling.apply_intensity_scale", gain(1.00001)),
    Defect("no gradient of the scale", "scaling.apply_intensity_scale", detached("log_scale")),
    Defect("no gradient of the amplitude", "scaling.apply_intensity_scale", detached("amplitude")),
)
DEFECTS = {"weight": WEIGHTS, "canvas": MERGING, "views": CUTTING} | {
    "exit_waves": LIGHTING,
    "amplitude": PROPAGATION,
    "predicted": SCALING,
}
ON_PATCHES_ALONE = ("exit_waves", "amplitude", "predicted")

MERGED_CASES = (
    "even/0 f64",
    "odd/0 f32",
    "oblong/0 f64",
    "many/0 f32",
    "probe-weighted/1 f64",
    "central/0 f64",
    "near-whole/1 f32",
    "uniform/1 f64",
    "oblong/1 f64",
    "whole-shifts/0 f64",
)
UNMERGED_CASES = ("unconstrained/0 f64", "unconstrained/1 f32")


STRATA = {stratum.name: stratum for stratum in (*SHAPES, *SHIFTS, *MERGED, *UNCONSTRAINED)}
"""With every weight, whichever of them the composition's own strata try."""


def case_of(text: str) -> tuple[Case, Precision]:
    """The case and precision written `stratum/seed precision`."""
    case, precision = text.split()
    stratum, seed = case.split("/")
    return Case(PREDICTION, STRATA[stratum], int(seed)), PRECISIONS[precision]


def has_stage(defect: Defect, case: Case) -> bool:
    """Whether the defect's function is a stage of the case at all: only one of the weights is."""
    spec = case.spec
    assert isinstance(spec, CanvasSpec)
    return defect.stage != "weight" or defect.function == f"patches.{spec.weighting}_weight"


def of_name(stacks: Stacks, name: str) -> Framework:
    return next(stack for stack in stacks if stack.name == name)


def tree(stack: Framework, case: Case, precision: Precision = FLOAT64) -> Tree:
    (found,) = trees_of(case, (stack,), (precision,), REGISTRY)
    return found


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


def changes_something(stack: Framework, defect: Defect, case: Case, precision: Precision) -> bool:
    """Whether a value or a gradient of the damaged function is farther from the right one's than its bound."""
    contract = REGISTRY[defect.function]
    inputs = next(given for stage, given in walk(PREDICTION, case, precision) if stage.contract == defect.function)
    inputs = {name: precision.round(x) for name, x in inputs.items()}
    bounds = dict(bounded_values(contract, inputs, precision))
    cotangents = replace(case, contract=contract).cotangents({name: x.value for name, x in bounds.items()})
    bounds |= bounded_gradients(contract, inputs, cotangents, precision)

    def outcome() -> dict[str, Any]:
        found = stack.evaluate(contract, inputs, precision, cotangents if contract.differentiable else None)
        return {**found.values, **found.gradients}

    right = outcome()
    with pytest.MonkeyPatch.context() as monkeypatch:
        defect.make(stack.name, monkeypatch)
        try:
            wrong = outcome()
        except StackError:
            return True
    return any(
        np.any(np.abs(wrong.get(name, 0) - right.get(name, 0)) > bound.allowed) for name, bound in bounds.items()
    )


@pytest.mark.parametrize("stage", DEFECTS)
@pytest.mark.parametrize("stack", STACKS)
def test_a_single_wrong_stage_is_named(
    stack: str, stage: str, stacks: Stacks, record_property: Callable[[str, object], None]
) -> None:
    framework = of_name(stacks, stack)
    alone = UNMERGED_CASES if stage in ON_PATCHES_ALONE else ()
    named, idle, missed = 0, 0, []
    for start, defect in enumerate(DEFECTS[stage]):
        merged = [case for case in MERGED_CASES if has_stage(defect, case_of(case)[0])]
        turned = merged[start % len(merged) :] + merged[: start % len(merged)]
        # TensorFlow without a trace is slow, and the more so where patches are merged.
        enough = (1 if alone else 2) if stack == "torch" else 0 if alone and start % 3 else 1
        tried = 0
        for text in (*alone, *turned):
            case, precision = case_of(text)
            if tried == enough + len(alone):
                break
            if not changes_something(framework, defect, case, precision):
                idle += 1
                continue
            tried += 1
            with pytest.MonkeyPatch.context() as monkeypatch:
                defect.make(stack, monkeypatch)
                found = tree(framework, case, precision)
            wrong = [step.stage.result for step in found.wrong]
            if first_of(found) == stage and wrong == [stage]:
                named += 1
            else:
                missed.append((defect.name, text, first_of(found), wrong))
        assert tried, f"{defect.name} changes nothing"
    share = named / (named + len(missed))
    told = f"{stack}, {stage}: {named} of {named + len(missed)} named ({share:.1%}); without effect: {idle}"
    record_property("named", told)
    print(told)  # noqa: T201
    assert share >= 0.95, missed


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("precision", BOTH, ids=lambda p: p.name)
def test_where_nothing_is_wrong_everything_agrees(stack: str, precision: Precision, stacks: Stacks) -> None:
    framework = of_name(stacks, stack)
    for stratum in PREDICTION.strata:
        found = tree(framework, Case(PREDICTION, stratum, 0), precision)
        assert found.agrees, stratum.name
        assert (found.first, found.wrong, found.inheriting) == (None, (), ())
        assert not any((found.compensates, found.bypasses, found.is_miswired))


PAIRS = {
    "a canvas whose origin is a pixel off": (
        Defect("", "patches.reassemble_patches", returning(lambda xp, x, a: xp.roll(x, 1, -2))),
        Defect("", "patches.extract_patches", given(canvas=lambda xp, x: xp.roll(x, -1, -2))),
    ),
    "conjugated waves and the inverse transform": (
        Defect("", "optics.illuminate", returning(lambda xp, waves, a: xp.conj(waves))),
        Defect("", "optics.far_field_amplitude", given(exit_waves=conjugated)),
    ),
    "1/N where the light falls": (
        Defect("", "optics.illuminate", gain(1 / 8)),
        Defect("", "optics.far_field_amplitude", gain(8)),
    ),
    "e^-w, and e^2w before": (
        Defect("", "optics.far_field_amplitude", gain(4)),
        Defect("", "scaling.apply_intensity_scale", gain(1 / 4)),
    ),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("stack", STACKS)
def test_two_errors_that_cancel_are_both_listed(
    stack: str, pair: tuple[Defect, Defect], stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    for defect in pair:
        defect.make(stack, monkeypatch)
    found = tree(of_name(stacks, stack), case_of("many/0 f64")[0])
    assert all(reading.agrees for reading in found.whole)
    assert found.compensates
    assert not found.bypasses
    assert [step.stage.result for step in found.wrong] == [defect.stage for defect in pair]


SIGNS = (
    Defect("", "patches.reassemble_patches", given(positions=negated)),
    Defect("", "patches.extract_patches", given(positions=negated)),
)


@pytest.mark.parametrize("stack", STACKS)
def test_two_signs_of_the_positions_cancel_for_one_patch_at_whole_pixels(
    stack: str, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is put in the opposite place and looked for there; where its neighbours lie does not matter to it."""
    for defect in SIGNS:
        defect.make(stack, monkeypatch)
    case, _ = case_of("single/0 f64")
    inputs = case.inputs() | {"positions": np.array([[[1.0, -1.0]]])}
    cotangent = np.random.default_rng(0).standard_normal((1, 1, 8, 8))
    found = stage_tree(PREDICTION, case.name, inputs, cotangent, of_name(stacks, stack), FLOAT64, REGISTRY)
    assert found.compensates
    assert [step.stage.result for step in found.wrong_forward] == ["canvas", "views"]


@pytest.mark.parametrize("stack", STACKS)
def test_two_signs_of_the_positions_do_not_cancel_for_patches_that_overlap(
    stack: str, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their places are point-reflected and they themselves are not: other parts of them come to overlap."""
    for defect in SIGNS:
        defect.make(stack, monkeypatch)
    found = tree(of_name(stacks, stack), case_of("many/0 f64")[0])
    assert not found.whole[0].agrees
    assert not found.compensates
    assert first_of(found) == "canvas"
    assert [step.stage.result for step in found.wrong] == ["canvas", "views"]


def test_an_error_that_does_not_reach_the_end_is_found(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    Defect("", "optics.illuminate", given(probe=reversed_modes)).make("torch", monkeypatch)
    found = tree(of_name(stacks, "torch"), case_of("many/0 f64")[0])
    assert found.whole[0].agrees
    assert found.compensates
    assert [step.stage.result for step in found.wrong] == ["exit_waves"]


MISWIRED = {
    "negative positions": given(positions=negated),
    "no scale": given(log_scale=lambda xp, w: 0 * w),
    "no gradient of the probe": detached("probe"),
}


@pytest.mark.parametrize("change", MISWIRED.values(), ids=MISWIRED)
@pytest.mark.parametrize("stack", STACKS)
def test_a_composition_that_does_not_do_what_its_stages_do(
    stack: str, change: Any, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    Defect("", "forward.predict_amplitude", change).make(stack, monkeypatch)
    found = tree(of_name(stacks, stack), case_of("many/0 f64")[0])
    assert found.is_miswired
    assert not found.agrees
    assert (found.first, found.wrong, found.inheriting) == (None, (), ())


def test_a_wrong_stage_that_the_composition_does_not_go_through(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The composition has taken the function for itself, before it was changed."""
    from ptycho_torch import forward, optics

    right = type(optics)("optics of its own")
    right.illuminate, right.far_field_amplitude = optics.illuminate, optics.far_field_amplitude
    monkeypatch.setattr(forward, "optics", right)
    Defect("", "optics.illuminate", gain(2.0)).make("torch", monkeypatch)
    found = tree(of_name(stacks, "torch"), case_of("many/0 f64")[0])
    assert found.bypasses
    assert not found.compensates
    assert [step.stage.result for step in found.wrong] == ["exit_waves"]


BACKWARD = [defect for defects in DEFECTS.values() for defect in defects if "gradient" in defect.name]


@pytest.mark.parametrize("defect", BACKWARD, ids=lambda d: f"{d.stage}: {d.name}")
def test_a_gradient_that_is_cut_is_marked_backwards(
    defect: Defect, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    defect.make("torch", monkeypatch)
    found = tree(of_name(stacks, "torch"), case_of("probe-weighted/0 f64")[0])
    assert (found.first_forward, found.wrong_forward) == (None, ())
    assert first_of(found) == defect.stage
    assert found.whole[0].agrees
    assert not found.compensates


def test_stages_of_a_stage_are_looked_into(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    Defect("", "optics.far_field_amplitude", gain(1.00001)).make("torch", monkeypatch)
    found = tree(of_name(stacks, "torch"), parse_case(OBJECTIVE, "even/0"))
    assert first_of(found) == "predicted"
    within = found.steps[0].within
    assert within
    assert first_of(within) == "amplitude"
    assert [step.stage.result for step in within.wrong] == ["amplitude"]


def test_a_stage_that_raises_is_named_and_those_after_it_inherit(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> Any:
        raise RuntimeError("out of patience")

    monkeypatch.setattr("ptycho_torch.patches.extract_patches", refuse)
    found = tree(of_name(stacks, "torch"), case_of("many/0 f64")[0])
    assert first_of(found) == "views"
    assert found.wrong[0].fed.measurement.fault == "raised RuntimeError: out of patience"
    assert [step.stage.result for step in found.wrong] == ["views"]
    later = [step for step in found.steps if step.stage.result in ("exit_waves", "amplitude", "predicted")]
    assert all(step.free.measurement.fault == "was given nothing by an earlier stage" for step in later)


@pytest.mark.parametrize("lost", [lambda x: x[0], lambda x: x[..., 1:]], ids=["an axis", "a column"])
def test_a_stage_that_returns_another_shape_is_named(
    lost: Callable[[Any], Any], stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    Defect("", "patches.extract_patches", returning(lambda xp, x, a: lost(x))).make("torch", monkeypatch)
    found = tree(of_name(stacks, "torch"), case_of("many/0 f64")[0])
    assert first_of(found) == "views"
    assert "returned shape" in str(found.wrong[0].fed.measurement.fault)
    assert [step.stage.result for step in found.wrong] == ["views"]


def test_what_is_no_composition_is_a_tree_of_itself_alone(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = REGISTRY["losses.mae"]
    case = parse_case(contract, "even/0")
    right = tree(of_name(stacks, "torch"), case)
    assert right.agrees
    assert (right.steps, len(right.whole)) == ((), 3)
    Defect("", "losses.mae", gain(1.001)).make("torch", monkeypatch)
    wrong = tree(of_name(stacks, "torch"), case)
    assert not any((wrong.agrees, wrong.is_miswired, wrong.compensates, wrong.bypasses))


def test_every_result_of_a_function_is_read(stacks: Stacks) -> None:
    found = tree(of_name(stacks, "torch"), parse_case(REGISTRY["training.adam_step"], "first/0"))
    assert [reading.measurement.quantity.text for reading in found.whole] == [
        "parameters",
        "first_moment",
        "second_moment",
    ]


def test_the_readings_of_a_detector_are_tried_in_the_one_precision_they_have(stacks: Stacks) -> None:
    found = trees_of(parse_case(REGISTRY["scaling.count_photons"], "readings/0"), stacks, BOTH, REGISTRY)
    assert [(t.stack, t.precision, t.agrees) for t in found] == [("torch", "f64", True), ("tensorflow", "f64", True)]
