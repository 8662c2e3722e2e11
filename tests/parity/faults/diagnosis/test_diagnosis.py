"""What is said of a stack that is wrong: the right cause where it can be found, and nothing where it cannot."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from parity.contracts.cases.case import forced
from parity.contracts.changes import Change, given, replaced, returning
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
from parity.faults.diagnosis import Diagnosis, diagnose, diagnose_example, diagnoses
from parity.faults.injection import injected
from parity.judging.measurement import Measurement
from parity.judging.run import Plan, run
from parity.judging.truth import Truth
from parity.physics.precision import FLOAT32, FLOAT64
from parity.stacks.base import Framework

EXAMPLES = 2

Diagnosed = Callable[..., Diagnosis]


def held(contract: Contract, stacks: tuple[Framework, ...], precisions: tuple[Any, ...]) -> tuple[Measurement, ...]:
    return next(run(Plan((contract,), EXAMPLES, precisions), stacks)).measurements


@pytest.fixture
def diagnosed(stacks: tuple[Framework, ...]) -> Diagnosed:
    """Makes a defect in a stack, runs its contract, and asks why that fails."""

    def of(target: str, change: Change, at: str = "", stack: str = "torch", precisions: Any = (FLOAT64,)) -> Diagnosis:
        framework = next(framework for framework in stacks if framework.name == stack)
        with injected(Fault(target, "trial", "a trial", change, at), stack):
            return diagnose(REGISTRY[target], framework, held(REGISTRY[target], (framework,), precisions))

    return of


@pytest.mark.parametrize(
    ("target", "change", "cause"),
    [
        (
            "losses.poisson_nll",
            given(observed=lambda xp, x: xp.sqrt(x)),
            "observed enters unsquared (an amplitude where an intensity is meant)",
        ),
        ("losses.poisson_nll", given(predicted=lambda xp, x: xp.detach(x)), "predicted is detached"),
        ("optics.illuminate", given(probe=lambda xp, x: xp.conj(x)), "conjugate of probe"),
        (
            "optics.far_field_amplitude",
            given(exit_waves=lambda xp, x: xp.sum(x, 2, True)),
            "the modes are summed coherently",
        ),
        (
            "patches.translate",
            given(positions=lambda xp, x: xp.flip(x, -1)),
            "x and y of the positions are exchanged",
        ),
        ("losses.mae", returning(lambda xp, mae, a: 0 * mae), "the result is 0"),
    ],
)
@pytest.mark.parametrize("stack", ["tensorflow", "torch"])
def test_a_known_mistake_is_named(diagnosed: Diagnosed, target: str, change: Change, cause: str, stack: str) -> None:
    assert diagnosed(target, change, stack=stack).cause == cause


@pytest.mark.parametrize(
    ("target", "change", "words"),
    [
        (
            "losses.poisson_nll",
            returning(lambda xp, nll, a: nll * (1 + 1e-5)),
            "the result is 1 + 1e-05 times what it should be",
        ),
        ("losses.mae", given(predicted=lambda xp, x: 1.3 * x), "predicted enters times 1.3"),
        ("losses.mae", returning(lambda xp, mae, a: mae + 0.25), "1/4 is added to the result"),
        (
            "optics.far_field_amplitude",
            returning(lambda xp, a, _: xp.roll(a, 1, -2)),
            "the result is rolled by 1 rows and 0 columns",
        ),
        (
            "optics.far_field_amplitude",
            returning(lambda xp, a, _: xp.minimum(a, 1.0)),
            "the result is kept at most 1",
        ),
        ("patches.translate", given(positions=lambda xp, r: r + 0.3), "0.3 is added to positions"),
    ],
)
def test_a_parameter_is_read_off_and_said(diagnosed: Diagnosed, target: str, change: Change, words: str) -> None:
    assert diagnosed(target, change).words == words


@pytest.mark.parametrize("stack", ["tensorflow", "torch"])
@pytest.mark.parametrize(("dtype", "named"), [("float16", "float16"), ("float32", "float32")])
def test_a_narrow_intermediate_is_named_as_a_fact(diagnosed: Diagnosed, stack: str, dtype: str, named: str) -> None:
    change = given(observed=lambda xp, x: xp.through(x, dtype))
    assert diagnosed("losses.mae", change, stack=stack).cause == f"an intermediate is {named}"


@pytest.mark.parametrize(
    "change",
    [
        returning(lambda xp, a, _: a * (1 + 1e-5 * xp.sin(37 * a))),
        returning(lambda xp, a, _: 1.001 * xp.roll(a * a, 1, -1)),
    ],
    ids=["noise that depends on the content", "three mistakes at once"],
)
def test_what_nobody_could_name_is_unexplained(diagnosed: Diagnosed, change: Change) -> None:
    found = diagnosed("optics.far_field_amplitude", change)
    assert found.cause is None
    assert found.words == "unexplained"


def test_an_entry_that_is_wrong_alone_is_explained_through_itself(diagnosed: Diagnosed) -> None:
    found = diagnosed("losses.absolute_error", given(predicted=lambda xp, x: xp.square(x)), at="model.absolute_error")
    assert found.cause == "predicted enters squared (an intensity where an amplitude is meant)"


def test_a_composition_is_explained_by_the_stage_that_is_wrong_in_itself(diagnosed: Diagnosed) -> None:
    found = diagnosed("forward.predict_amplitude", given(probe=lambda xp, x: xp.conj(x)), at="optics.illuminate")
    assert found == Diagnosis("torch", "conjugate of probe", "", "optics.illuminate")
    assert found.words == "optics.illuminate: conjugate of probe"


def test_an_error_is_said_to_be_one(diagnosed: Diagnosed) -> None:
    def raising(xp: Any, x: Any) -> Any:
        raise ArithmeticError("no light")

    assert diagnosed("losses.mae", given(observed=raising)).cause == "it raises an error"


def test_a_missing_axis_is_seen(diagnosed: Diagnosed) -> None:
    squeezed = returning(lambda xp, waves, a: xp.reshape(waves, [n for n in waves.shape if n != 1]))
    assert diagnosed("optics.illuminate", squeezed).cause == "an axis of size one is missing"


def test_a_missing_sum_is_seen(diagnosed: Diagnosed) -> None:
    by_row = replaced(lambda xp, a: xp.sum(xp.square(xp.abs(a.probe)), -1))
    of_patches = replaced(lambda xp, a: xp.sum(xp.square(a.amplitude), -1))
    assert diagnosed("patches.probe_weight", by_row).cause is None
    assert diagnosed("scaling.count_photons", of_patches).cause == "the result is not summed over all its axes"


def test_what_fails_in_float32_alone_is_explained_there(diagnosed: Diagnosed) -> None:
    change = given(observed=lambda xp, x: xp.through(x, "bfloat16") if str(x.dtype).endswith("float32") else x)
    found = diagnosed("losses.mae", change, precisions=(FLOAT32, FLOAT64))
    assert found.cause == "an intermediate is bfloat16"


def test_what_has_no_digits_in_float64_is_explained_in_float32(diagnosed: Diagnosed) -> None:
    halved = returning(lambda xp, mae, a: xp.cast(mae / 2, "float32"))
    found = diagnosed("losses.mae", halved, precisions=(FLOAT32, FLOAT64))
    assert found.detail == "the result is 0.5 times what it should be"


def test_single_precision_inside_double_is_a_cause_where_it_explains_the_size(diagnosed: Diagnosed) -> None:
    found = diagnosed("losses.mae", given(observed=lambda xp, x: xp.through(x, "float32")))
    assert found.cause == "an intermediate is float32"
    assert found.detail.startswith("single precision inside double: an intermediate is float32 (")


@pytest.mark.parametrize("size", [1e-3, 0.5])
def test_single_precision_inside_double_is_no_cause_of_a_larger_error(diagnosed: Diagnosed, size: float) -> None:
    shifted = given(observed=lambda xp, x: xp.through(x, "float32") + size)
    assert diagnosed("losses.mae", shifted).cause != "an intermediate is float32"


def test_a_common_gain_without_a_single_failing_example_is_called_a_factor(stacks: tuple[Framework, ...]) -> None:
    framework = next(framework for framework in stacks if framework.name == "torch")
    found = diagnose(REGISTRY["losses.mae"], framework, held(REGISTRY["losses.mae"], (framework,), (FLOAT32,)))
    assert found.cause == "the result is off by a constant factor"


def test_every_stack_that_disagrees_is_diagnosed(stacks: tuple[Framework, ...]) -> None:
    contract = REGISTRY["losses.mae"]
    with injected(Fault("losses.mae", "trial", "a trial", returning(lambda xp, mae, a: 2 * mae)), "torch"):
        measurements = held(contract, stacks, (FLOAT64,))
        found = diagnoses(contract, stacks, ("torch",), measurements)
    assert [diagnosis.stack for diagnosis in found] == ["torch"]
    assert found[0].words == "the result is 2 times what it should be"


def example(contract: Contract) -> Truth:
    """An example of a contract, as one that no case has is asked about."""
    case = next(forced(contract))
    return replace(Truth.of(case, case.inputs(), FLOAT64), case="no case")


@pytest.mark.parametrize(
    ("target", "stage"), [("losses.mae", ""), ("forward.training_objective", "losses.training_loss")]
)
def test_an_example_that_no_case_has_is_explained_where_the_stack_is_wrong(
    target: str, stage: str, stacks: tuple[Framework, ...]
) -> None:
    framework, truth = stacks[0], example(REGISTRY[target])
    assert diagnose_example(truth, framework, REGISTRY) is None
    defect = Fault("losses.mae", "trial", "a trial", given(predicted=lambda xp, x: xp.square(x)))
    with injected(defect, framework.name):
        found = diagnose_example(truth, framework, REGISTRY)
    assert found is not None
    assert (found.stack, found.stage) == (framework.name, stage)
    assert found.cause is not None
