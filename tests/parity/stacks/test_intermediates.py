"""Narrow intermediates: none in what is right, and seen in either stack where there is one."""

import pytest

from parity.contracts.cases.case import forced, sweep
from parity.contracts.changes import given
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
from parity.faults.injection import injected
from parity.judging.truth import Truth
from parity.physics.precision import FLOAT32, FLOAT64, Precision
from parity.stacks.base import Framework, Intermediate


def truth_of(name: str, precision: Precision) -> Truth:
    case = next(forced(REGISTRY[name]))
    return Truth.of(case, case.inputs(), precision)


def seen(framework: Framework, truth: Truth) -> tuple[Intermediate, ...]:
    return framework.narrow_intermediates(truth.contract, truth.inputs, truth.precision, truth.cotangents or None)


@pytest.mark.parametrize("precision", [FLOAT32, FLOAT64], ids=lambda precision: precision.name)
@pytest.mark.parametrize("name", ["losses.training_loss", "optics.far_field_amplitude", "patches.translate"])
def test_the_stacks_compute_in_the_working_precision_throughout(
    stacks: tuple[Framework, ...], name: str, precision: Precision
) -> None:
    truth = truth_of(name, precision)
    assert [seen(framework, truth) for framework in stacks] == [(), ()]


@pytest.mark.parametrize("stack", ["tensorflow", "torch"])
def test_a_complex64_step_of_a_complex128_computation_is_seen_with_its_operation(
    stacks: tuple[Framework, ...], stack: str
) -> None:
    framework = next(framework for framework in stacks if framework.name == stack)
    change = given(exit_waves=lambda xp, x: xp.cast_like(xp.cast(x, "complex64"), x))
    with injected(Fault("optics.far_field_amplitude", "trial", "a trial", change), stack):
        found = seen(framework, truth_of("optics.far_field_amplitude", FLOAT64))
    assert [intermediate.dtype for intermediate in found] == ["float32"]
    assert found[0].operation in ("Cast", "_to_copy")


def test_nothing_is_said_of_a_stack_that_raises(stacks: tuple[Framework, ...]) -> None:
    def raising(xp: object, x: object) -> object:
        raise ArithmeticError("no light")

    framework = next(framework for framework in stacks if framework.name == "torch")
    with injected(Fault("losses.mae", "trial", "a trial", given(observed=raising)), "torch"):
        assert seen(framework, truth_of("losses.mae", FLOAT64)) == ()


def test_nothing_is_said_of_variables_that_cannot_be_lifted_out_of_a_trace(stacks: tuple[Framework, ...]) -> None:
    framework = next(framework for framework in stacks if framework.name == "tensorflow")
    contract = REGISTRY["training.sgd_step"]
    # TensorFlow writes as many as 128 numbers into a trace as they are.
    case = next(case for case in sweep(contract, 40) if case.inputs()["parameters"].size > 128)
    (entry,) = contract.entries_of("tensorflow", case.inputs(), FLOAT64)
    truth = Truth.of(case, case.inputs(), FLOAT64)
    assert framework.narrow_intermediates(contract, truth.inputs, FLOAT64, truth.cotangents, entry) == ()
