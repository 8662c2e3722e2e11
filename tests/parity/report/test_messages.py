"""The message of a failure, to the letter."""

from typing import Any

import numpy as np
import pytest

from parity.contracts.contract import Quota
from parity.contracts.declared import REGISTRY
from parity.faults.diagnosis import Diagnosis
from parity.judging.measurement import PAIR, Measurement
from parity.judging.quantity import gradient_of, law_of, result_of
from parity.judging.verdict import judge
from parity.report.messages import describe, labelled

MAE, FAR_FIELD = REGISTRY["losses.mae"], REGISTRY["optics.far_field_amplitude"]

WRONG: dict[str, Any] = {
    "ratio": 155_000.4,
    "index": (0, 1, 3, 2),
    "got": "1042.1",
    "expected": "1011.0",
    "error": 31.1,
    "allowed": 0.0002,
    "elements": 64,
    "epsilon": 1e-6,
}


def found(stack: str = "torch", case: str = "odd/17", precision: str = "f64", **numbers: Any) -> Measurement:
    defaults: dict[str, Any] = {"quantity": result_of("amplitude"), "elements": 64, "epsilon": 1e-6}
    return Measurement(FAR_FIELD.name, case, precision, stack=stack, **defaults | numbers)


def message(*measurements: Measurement, **options: Any) -> str:
    return describe(FAR_FIELD, judge(FAR_FIELD.name, measurements, Quota()), **options)


def test_a_disagreement() -> None:
    assert message(
        found(**WRONG),
        found(**WRONG | {"ratio": 12.5, "precision": "f32"}),
        found("tensorflow", case="even/0"),
        found("tensorflow"),
    ) == (
        "optics.far_field_amplitude: torch disagrees with the oracle (tensorflow agrees), case odd/17\n"
        "  torch, amplitude in float64: 1042.1 at group 0, patch 1, row 3, column 2, oracle 1011.0: "
        "error 31.1, allowed 0.0002 (155,000 times the bound)\n"
        "  float32 and float64: the mathematics differs; amplitude; 1 of 2 examples\n"
        "  reproduce: parity run optics.far_field_amplitude --case odd/17\n"
        "  keep it: parity golden promote optics.far_field_amplitude --case odd/17 --reason 'why it is kept'"
    )


def test_a_disagreement_in_float32_alone_in_a_gradient_of_one_stack_that_was_run_alone() -> None:
    gradient = WRONG | {
        "quantity": gradient_of("exit_waves"),
        "index": (0, 1, 2, 3, 4),
        "ratio": 1.5,
        "precision": "f32",
    }
    assert message(found(**gradient), found()) == (
        "optics.far_field_amplitude: torch disagrees with the oracle, case odd/17\n"
        "  torch, ∂/∂exit_waves in float32: 1042.1 at group 0, patch 1, mode 2, row 3, column 4, oracle 1011.0: "
        "error 31.1, allowed 0.0002 (1.5 times the bound)\n"
        "  float32 alone: the rounding differs, not the mathematics; ∂/∂exit_waves; 1 of 1 examples\n"
        "  reproduce: parity run optics.far_field_amplitude --case odd/17\n"
        "  keep it: parity golden promote optics.far_field_amplitude --case odd/17 --reason 'why it is kept'"
    )


def test_float32_says_nothing_of_the_mathematics_where_float64_was_not_run() -> None:
    text = message(found(**WRONG | {"precision": "f32"}))
    assert "\n  float32, and float64 was not run: the rounding differs, or the mathematics; amplitude; " in text


def test_a_fault() -> None:
    assert message(found(fault="raised ValueError: no"), found("tensorflow")) == (
        "optics.far_field_amplitude: torch disagrees with the oracle (tensorflow agrees), case odd/17\n"
        "  torch, amplitude in float64: raised ValueError: no\n"
        "  float64: the mathematics differs; amplitude; 1 of 1 examples\n"
        "  reproduce: parity run optics.far_field_amplitude --case odd/17\n"
        "  keep it: parity golden promote optics.far_field_amplitude --case odd/17 --precision f64 "
        "--reason 'why it is kept'"
    )


@pytest.mark.parametrize(
    ("pair", "headline"),
    [
        (
            0.5,
            "tensorflow and torch disagree with the oracle and agree with each other: "
            "the same mistake in both, or the oracle is wrong",
        ),
        (155_000.0, "tensorflow and torch disagree with the oracle"),
    ],
)
def test_both_disagree(pair: float, headline: str) -> None:
    text = message(found(**WRONG), found("tensorflow", **WRONG), found(PAIR, ratio=pair))
    assert text.splitlines()[0] == f"optics.far_field_amplitude: {headline}, case odd/17"


def test_the_stacks_disagree_with_each_other_alone() -> None:
    assert message(found(ratio=0.9), found("tensorflow", ratio=0.9), found(PAIR, ratio=1.2)) == (
        "optics.far_field_amplitude: tensorflow and torch disagree with each other\n"
        "  amplitude, case odd/17: the stacks are too far apart, each within its own bound\n"
        "  reproduce: parity run optics.far_field_amplitude"
    )


def test_nothing_was_checked() -> None:
    assert message() == (
        "optics.far_field_amplitude: undecided\n"
        "  no example was run\n"
        "  reproduce: parity run optics.far_field_amplitude"
    )


def test_the_case_that_was_asked_for_is_the_one_described() -> None:
    text = message(found(**WRONG), found(case="even/3", ratio=2.0), case="even/3")
    assert text.splitlines()[0].endswith("case even/3")
    assert text.splitlines()[-2].endswith("--case even/3")
    assert "promote optics.far_field_amplitude --case even/3 " in text.splitlines()[-1]


def test_a_data_set_is_part_of_the_line_that_reproduces() -> None:
    text = message(found(**WRONG, case="measured/3"), options=["--data", "scan.npz"])
    assert text.splitlines()[-2:] == [
        "  reproduce: parity run optics.far_field_amplitude --case measured/3 --data scan.npz",
        "  keep it: parity golden promote optics.far_field_amplitude --case measured/3 --precision f64 --data scan.npz "
        "--reason 'why it is kept'",
    ]


def test_a_case_is_kept_in_float32_as_goldens_are_unless_it_fails_in_float64_alone() -> None:
    both = message(found(**WRONG), found(**WRONG | {"precision": "f32"}))
    finer = message(found(**WRONG), found(precision="f32"))
    assert "--precision" not in both
    assert finer.splitlines()[-1] == (
        "  keep it: parity golden promote optics.far_field_amplitude --case odd/17 --precision f64 "
        "--reason 'why it is kept'"
    )


def test_of_the_options_of_a_run_the_data_set_alone_is_part_of_the_line_that_keeps_a_case() -> None:
    """A golden holds both stacks, eager and on a CPU, whatever failed where."""
    options = ["--stack", "torch", "--data", "my scan.npz", "--mode", "eager", "--device", "cuda"]
    text = message(found(**WRONG | {"precision": "f32"}, case="measured/3"), options=options)
    assert text.splitlines()[-1] == (
        "  keep it: parity golden promote optics.far_field_amplitude --case measured/3 --data 'my scan.npz' "
        "--reason 'why it is kept'"
    )


def test_a_case_that_does_not_fail_is_not_worth_keeping() -> None:
    apart = (found(ratio=0.9), found("tensorflow", ratio=0.9), found(PAIR, ratio=1.2))
    assert "keep it:" not in message(*apart)
    assert "keep it:" not in message()


COMPOSITION = REGISTRY["forward.predict_amplitude"]


def test_the_message_of_a_composition_has_the_line_that_asks_for_its_stages() -> None:
    verdict = judge(COMPOSITION.name, [found(**WRONG, case="measured/3")], Quota())
    text = describe(COMPOSITION, verdict, ["--data", "my scan.npz", "--stack", "torch"])
    assert text.splitlines()[-3:-1] == [
        "  reproduce: parity run forward.predict_amplitude --case measured/3 --data 'my scan.npz' --stack torch",
        "  stages: parity explain forward.predict_amplitude --case measured/3 --data 'my scan.npz' --stack torch",
    ]


def test_the_stages_are_those_of_the_case_that_was_asked_for() -> None:
    verdict = judge(COMPOSITION.name, [found(**WRONG), found(case="even/3", ratio=2.0)], Quota())
    text = describe(COMPOSITION, verdict, case="even/3")
    assert "\n  stages: parity explain forward.predict_amplitude --case even/3\n" in text


def test_no_stages_are_asked_for_where_no_case_fails() -> None:
    measured = (found(ratio=0.9), found("tensorflow", ratio=0.9), found(PAIR, ratio=1.2))
    assert "stages:" not in describe(COMPOSITION, judge(COMPOSITION.name, measured, Quota()))


@pytest.mark.parametrize(
    ("ratio", "times"), [(1.25, "1.25"), (999.0, "999"), (1000.0, "1,000"), (3e9, "3e+09"), (np.inf, "inf")]
)
def test_how_many_times_the_bound(ratio: float, times: str) -> None:
    assert f"({times} times the bound)" in message(found(**WRONG | {"ratio": ratio}))


@pytest.mark.parametrize(
    ("numbers", "place"),
    [
        ({"index": ()}, ", oracle"),
        ({"quantity": law_of("Σ Â² = Σ_p Σ |ψ_p|²"), "index": (0, 1)}, " at (0, 1), oracle"),
        (
            {"quantity": result_of("amplitude").through("model.FarField")},
            " at group 0, patch 1, row 3, column 2, oracle",
        ),
    ],
    ids=["a scalar", "a fact", "another entry"],
)
def test_a_place_is_named_where_its_axes_are_known(numbers: dict[str, Any], place: str) -> None:
    assert f"1042.1{place}" in message(found(**WRONG | numbers))


def test_lines_with_a_label_are_told_from_sentences() -> None:
    lines = message(found(**WRONG), diagnoses=(Diagnosis("torch", "squared"),)).splitlines()
    assert [labelled(line)[0] for line in lines] == ["", "", "", "cause", "reproduce", "keep it"]
    assert labelled(lines[3]) == ("cause", "torch: squared")
    assert labelled(lines[0]) == ("", lines[0])
