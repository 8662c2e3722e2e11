"""Whole pipelines: what agrees, what a defect in one stack comes to, and what is left open."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity._ground.errors import CheckNotMade, UsageError
from parity.faults import CATALOGUE
from parity.faults.injection import injected, replaced_in
from parity.judging.quantity import result_of
from parity.judging.verdict import Outcome
from parity.physics.precision import FLOAT32, FLOAT64
from parity.physics.weights import WeightsError
from parity.runs.pipeline.holding import Held, PipelineQuestion, PipelineResult, hold
from parity.runs.pipeline.steps import PipelineStep
from parity.stacks.base import Framework
from ptycho_exposures.groupedscan import GroupedScan

Stacks = tuple[Framework, ...]
Experiment = Weights = Callable[..., Path]
PACKAGES = {"tensorflow": "ptycho", "torch": "ptycho_torch"}


def outcomes(answer: PipelineResult) -> list[Outcome]:
    return [held.verdict.outcome for held in answer.steps]


def off(answer: PipelineResult) -> list[PipelineStep]:
    return [held.step for held in answer.steps if held.verdict.outcome is Outcome.DISAGREE]


def that(goes_wrong: Callable[[GroupedScan], None]) -> Callable[[type[GroupedScan]], type[GroupedScan]]:
    """The reader of one stack's loader, with which something goes wrong once a file is read."""

    def wrong(right: type[GroupedScan]) -> type[GroupedScan]:
        class Wrong(right):
            def __init__(self, *arguments: Any, **options: Any) -> None:
                super().__init__(*arguments, **options)
                goes_wrong(self)

        return Wrong

    return wrong


def doubles(scan: GroupedScan) -> None:
    scan.normalization *= 2


def rounds_up(scan: GroupedScan) -> None:
    scan.normalization = float(np.nextafter(scan.normalization, 1))


def turns_groups(scan: GroupedScan) -> None:
    scan.groups = scan.groups[:, ::-1].copy()


def at(answer: PipelineResult, step: PipelineStep) -> Held:
    return next(held for held in answer.steps if held.step is step)


@pytest.fixture
def asked(experiment: Experiment, narrow: Weights) -> PipelineQuestion:
    """One group of one exposure of an experiment."""
    return PipelineQuestion(experiment(), groups=1, weights=narrow())


@pytest.mark.parametrize("gridsize", [1, 2])
def test_simulated_data_agree(gridsize: int, simulated: Callable[[int], Path], narrow: Weights, stacks: Stacks) -> None:
    question = PipelineQuestion(simulated(gridsize), groups=2, weights=narrow(64, gridsize))
    answer = hold(question, stacks, (FLOAT32, FLOAT64))
    assert outcomes(answer) == [Outcome.AGREE] * len(PipelineStep)
    assert (answer.size, answer.gridsize, answer.tried) == (64, gridsize, 2)
    assert at(answer, PipelineStep.LOAD).arrays == 5
    assert [set(held.verdict.worst) for held in answer.steps] == [{"tensorflow", "torch"}] * len(PipelineStep)
    assert not any(held.left_open for held in answer.steps if held.step.is_reading)


@pytest.mark.parametrize(("dtype", "gridsize"), [("float32", 1), ("float64", 2), ("uint16", 1), ("uint16", 2)])
def test_experiments_agree(dtype: str, gridsize: int, experiment: Experiment, narrow: Weights, stacks: Stacks) -> None:
    question = PipelineQuestion(experiment(dtype), gridsize, 2, seed=3, weights=narrow(16, gridsize))
    answer = hold(question, stacks, (FLOAT32, FLOAT64))
    assert outcomes(answer) == [Outcome.AGREE] * len(PipelineStep)
    assert (answer.gridsize, answer.groups) == (gridsize, 9)


def test_both_stacks_draw_the_network_of_the_patterns_where_no_weights_are_given(
    asked: PipelineQuestion, stacks: Stacks
) -> None:
    answer = hold(replace(asked, weights=None), stacks, (FLOAT64,))
    assert outcomes(answer) == [Outcome.AGREE] * len(PipelineStep)
    assert answer.parameters > 500_000


def test_a_network_that_is_drawn_leaves_no_gradient_open_behind_a_symmetric_probe(
    simulated: Callable[[int], Path], stacks: Stacks
) -> None:
    """Patches that are all but constant would leave lines of the detector dark, where ∂NLL/∂Â has no limit."""
    answer = hold(PipelineQuestion(simulated(1), groups=1), stacks, (FLOAT64,))
    assert outcomes(answer) == [Outcome.AGREE] * len(PipelineStep)
    assert at(answer, PipelineStep.GRADIENT).verdict.epsilon < 1e-7


def test_float32_alone_decides_no_gradient_and_passes_none(asked: PipelineQuestion, stacks: Stacks) -> None:
    answer = hold(asked, stacks, (FLOAT32,))
    assert off(answer) == []
    assert at(answer, PipelineStep.GRADIENT).verdict.outcome in (Outcome.UNDECIDED, Outcome.UNINFORMATIVE)


@pytest.mark.parametrize("stack", PACKAGES)
def test_a_defect_in_a_loader_is_found_at_its_step_and_what_follows_inherits_it(
    stack: str, asked: PipelineQuestion, stacks: Stacks
) -> None:
    with replaced_in(PACKAGES[stack], "dataloader.GroupedScan", that(doubles)):
        answer = hold(asked, stacks, (FLOAT64,))
    assert off(answer) == [PipelineStep.NORMALISE, PipelineStep.PREDICT, PipelineStep.LOSS, PipelineStep.GRADIENT]
    assert {held.verdict.sides for held in answer.steps[2:]} == {(stack,)}
    assert [d.cause for d in at(answer, PipelineStep.NORMALISE).diagnoses] == ["HW stands for HW/4"]
    assert [held.inherits for held in answer.steps[3:]] == [(stack,)] * 3


def test_what_a_loader_does_to_every_exposure_is_explained_where_a_file_has_groups_too(
    simulated: Callable[[int], Path], narrow: Weights, stacks: Stacks
) -> None:
    question = PipelineQuestion(simulated(2), groups=1, weights=narrow(64, 2))
    with replaced_in("ptycho_torch", "dataloader.GroupedScan", that(doubles)):
        answer = hold(question, stacks, (FLOAT64,))
    assert [d.cause for d in at(answer, PipelineStep.NORMALISE).diagnoses] == ["HW stands for HW/4"]


def test_a_loader_whose_last_bit_is_another_is_not_that_of_the_other_stack(
    asked: PipelineQuestion, stacks: Stacks
) -> None:
    with replaced_in("ptycho", "dataloader.GroupedScan", that(rounds_up)):
        answer = hold(asked, stacks, (FLOAT64,))
    assert off(answer) == [PipelineStep.NORMALISE]
    assert at(answer, PipelineStep.NORMALISE).verdict.sides == ()
    said = "normalization: the loaders give different bits, each within its own bound"
    assert at(answer, PipelineStep.NORMALISE).verdict.reason == said


def test_groups_of_another_order_are_found(experiment: Experiment, narrow: Weights, stacks: Stacks) -> None:
    question = PipelineQuestion(experiment("uint16"), 2, 1, weights=narrow(16, 2))
    with replaced_in("ptycho_torch", "dataloader.GroupedScan", that(turns_groups)):
        answer = hold(question, stacks, (FLOAT64,))
    assert off(answer)[0] is PipelineStep.GROUP
    assert at(answer, PipelineStep.GROUP).verdict.sides == ("torch",)
    assert at(answer, PipelineStep.GROUP).verdict.failures[0].quantity == result_of("groups")


@pytest.mark.parametrize(
    ("defect", "stack", "first", "cause"),
    [
        ("losses.poisson_nll/observed-unsquared", "tensorflow", PipelineStep.LOSS, "losses.training_loss"),
        ("optics.illuminate/object-conjugated", "torch", PipelineStep.PREDICT, "optics.illuminate"),
    ],
)
def test_a_defect_in_a_stack_is_found_at_its_step_and_explained_by_its_stage(
    defect: str, stack: str, first: PipelineStep, cause: str, asked: PipelineQuestion, stacks: Stacks
) -> None:
    with injected(CATALOGUE[defect], stack):
        answer = hold(asked, stacks, (FLOAT64,))
    assert off(answer)[0] is first
    (diagnosis,) = at(answer, first).diagnoses
    assert (diagnosis.stack, diagnosis.stage) == (stack, cause)
    assert diagnosis.cause


def test_a_prediction_that_is_off_where_the_loss_is_right_is_no_inheritance(
    asked: PipelineQuestion, stacks: Stacks
) -> None:
    def doubled_when_called_by_name(right: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given, **named: right(*given, **named) * (2 if named else 1)

    with replaced_in("ptycho_torch", "forward.predict_amplitude", doubled_when_called_by_name):
        answer = hold(asked, stacks, (FLOAT64,))
    assert off(answer) == [PipelineStep.PREDICT, PipelineStep.LOSS]
    assert {m.quantity.text for m in at(answer, PipelineStep.LOSS).verdict.failures} == {"nll", "mae"}
    assert at(answer, PipelineStep.PREDICT).inherits == ()
    assert [d.cause for d in at(answer, PipelineStep.PREDICT).diagnoses] == [None]


def refused(*arguments: Any, **options: Any) -> Any:
    raise ValueError("gridsize: expected another")


def test_a_loader_that_alone_refuses_a_file_is_wrong_and_the_other_goes_on(
    asked: PipelineQuestion, stacks: Stacks
) -> None:
    with replaced_in("ptycho_torch", "dataloader.GroupedScan", lambda right: refused):
        answer = hold(asked, stacks, (FLOAT64,))
    assert off(answer) == [PipelineStep.LOAD]
    (failure,) = at(answer, PipelineStep.LOAD).verdict.failures
    assert (failure.stack, failure.fault) == ("torch", "raised ValueError: gridsize: expected another")
    assert [d.words for d in at(answer, PipelineStep.LOAD).diagnoses] == ["it raises an error"]
    assert set(at(answer, PipelineStep.GRADIENT).verdict.worst) == {"tensorflow"}


@pytest.mark.parametrize(
    ("address", "step", "quantity"),
    [
        ("dataloader._laid_out", PipelineStep.NORMALISE, "images"),
        ("networks.autoencode", PipelineStep.PREDICT, "patches"),
    ],
)
def test_a_stack_that_loses_an_axis_goes_no_further(
    address: str, step: PipelineStep, quantity: str, asked: PipelineQuestion, stacks: Stacks
) -> None:
    def squeezed(right: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(*given: Any, **named: Any) -> Any:
            array = right(*given, **named)
            return array[..., 0] if array.ndim == 4 and array.shape[1] > 1 else array

        return wrong

    with replaced_in("ptycho", address, squeezed):
        answer = hold(asked, stacks, (FLOAT64,))
    assert off(answer)[0] is step
    (failure,) = at(answer, step).verdict.failures[:1]
    assert (failure.stack, failure.quantity.text) == ("tensorflow", quantity)
    assert failure.fault == "returned shape (1, 16, 16), expected (1, 1, 16, 16)"
    assert set(at(answer, PipelineStep.GRADIENT).verdict.worst) == {"torch"}


def test_a_gradient_that_is_missing_is_found(asked: PipelineQuestion, stacks: Stacks) -> None:
    def detached(right: Callable[..., Any]) -> Callable[..., Any]:
        return lambda amplitude, log_scale: right(amplitude, log_scale.detach())

    with replaced_in("ptycho_torch", "scaling.apply_intensity_scale", detached):
        answer = hold(asked, stacks, (FLOAT64,))
    assert off(answer) == [PipelineStep.GRADIENT]
    assert {m.quantity.text for m in at(answer, PipelineStep.GRADIENT).verdict.failures} == {"∂/∂log_scale"}


def test_what_no_loader_takes_cannot_be_checked(experiment: Experiment, stacks: Stacks) -> None:
    for changed, sentence in (
        ({"probeGuess": None}, "scan.npz: probeGuess: expected to find this key, got only diffraction, xcoords"),
        ({"diffraction": np.full((9, 16, 16), np.nan)}, "expected a finite, non-negative amplitude, got nan at exp"),
        ({"probeGuess": np.zeros((16, 16), complex)}, "probeGuess: expected some light, got only zeros"),
        ({"intensity_scale": np.array(0.0)}, "intensity_scale: expected a positive number, got 0.0"),
    ):
        with pytest.raises(CheckNotMade, match=sentence):
            hold(PipelineQuestion(experiment(**changed)), stacks, (FLOAT64,))
    with pytest.raises(CheckNotMade, match=r"diffraction: expected square patterns whose side .* got 12 × 12"):
        hold(PipelineQuestion(experiment(size=12)), stacks, (FLOAT64,))


def test_what_does_not_go_with_the_file_is_wrong_usage(
    asked: PipelineQuestion, narrow: Weights, simulated: Callable[[int], Path], stacks: Stacks
) -> None:
    with pytest.raises(UsageError, match="gridsize: expected groups of at most the 9 exposures of"):
        hold(replace(asked, gridsize=4), stacks, (FLOAT64,))
    with pytest.raises(UsageError, match=r"gridsize: expected 2, that of the groups in .*, got 3"):
        hold(PipelineQuestion(simulated(2), 3), stacks, (FLOAT64,))
    with pytest.raises(UsageError, match=r"expected weights for patterns of 16 × 16 and gridsize 1, .* gridsize 2"):
        hold(replace(asked, weights=narrow(16, 2)), stacks, (FLOAT64,))
    with pytest.raises(WeightsError, match="expected a file, got none"):
        hold(replace(asked, weights=asked.path.with_name("none.pt")), stacks, (FLOAT64,))
