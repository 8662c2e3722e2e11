"""A baseline is written and read without loss, says each way in which something changed, and is read strictly."""

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from parity._ground.errors import UsageError
from parity.contracts.contract import Quota
from parity.judging.measurement import PAIR, Measurement
from parity.judging.quantity import result_of
from parity.judging.run import ContractRun
from parity.judging.verdict import judge
from parity.report.content import ContractReport
from parity.runs.baseline import (
    Extent,
    Failing,
    FrozenDisagreements,
    Where,
    disagreements,
    read_baseline,
    write_baseline,
)

MAE = Where("losses.mae", "mine", "f32", "mae")
GRADIENT = MAE._replace(quantity="∂/∂observed")
FOUND = {MAE: Failing(1234.5, "a sum stands for the mean"), GRADIENT: Failing(inf, "raised RuntimeError")}
ASKED = Extent(("losses.mae",), ("mine",), ("f32",))
NOTHING = FrozenDisagreements(30, ("f32", "f64"), {})
BASELINE = NOTHING.refrozen(FOUND, ASKED)


def test_what_is_written_is_read_again_and_is_sorted(tmp_path: Path) -> None:
    other = BASELINE.refrozen({GRADIENT: FOUND[GRADIENT], MAE: replace(FOUND[MAE], cause='"\\é')}, ASKED, "why not")
    for baseline in (NOTHING, BASELINE, other):
        write_baseline(tmp_path / "a.toml", baseline)
        assert read_baseline(tmp_path / "a.toml") == baseline
        write_baseline(tmp_path / "b.toml", replace(baseline, rows=dict(reversed(baseline.rows.items()))))
        assert (tmp_path / "a.toml").read_text() == (tmp_path / "b.toml").read_text()
    assert 'low = 617.0\nhigh = 2470.0\nreason = "why not"\n' in (tmp_path / "a.toml").read_text()
    assert read_baseline(tmp_path / "c.toml") is None


@pytest.mark.parametrize(
    ("found", "sentences"),
    [
        (FOUND, []),
        (FOUND | {MAE: Failing(2400.0, "a sum stands for the mean")}, []),
        (
            FOUND | {MAE: Failing(9000.0, "a sum stands for the mean")},
            ["expected 6.2e+02 to 2.5e+03 times the bound, got 9.0e+03"],
        ),
        (FOUND | {MAE: Failing(1234.5, "")}, ["expected the cause 'a sum stands for the mean', got no known cause"]),
        (
            FOUND | {GRADIENT: Failing(8.0, "raised RuntimeError")},
            ["expected inf times the bound, got 8.00"],
        ),
        ({MAE: FOUND[MAE]}, ["is gone; take it out: parity baseline write"]),
        (FOUND | {MAE._replace(quantity="x"): Failing(3.0, "")}, ["is new: 3.00 times the bound, no known cause"]),
    ],
)
def test_every_change_is_a_sentence(found: Mapping[Where, Failing], sentences: list[str]) -> None:
    changes = BASELINE.changes(found, ASKED)
    assert [said.removeprefix(f"{where}: ") for where, said in changes.items()] == sentences


def test_of_other_cases_neither_sizes_nor_what_is_gone_are_compared() -> None:
    assert not BASELINE.changes({MAE: replace(FOUND[MAE], size=1e9)}, ASKED, whole=False)
    assert BASELINE.changes({MAE: replace(FOUND[MAE], cause="")}, ASKED, whole=False)


def test_what_was_not_asked_is_neither_gone_nor_taken_out() -> None:
    for asked in (
        replace(ASKED, contracts=()),
        replace(ASKED, stacks=("theirs",)),
        replace(ASKED, precisions=("f64",)),
    ):
        assert not BASELINE.changes({}, asked)
        assert BASELINE.refrozen({}, asked) == BASELINE
    assert BASELINE.refrozen({}, ASKED).rows == {}


def test_a_row_that_holds_is_left_as_it_is() -> None:
    again = BASELINE.refrozen({where: replace(seen, size=seen.size * 1.1) for where, seen in FOUND.items()}, ASKED, "r")
    assert again == BASELINE


def test_disagreements_are_the_worst_of_each_quantity_with_their_cause() -> None:
    one = Measurement("losses.mae", "even/0", "f64", result_of("mae"), "mine", ratio=3.0, elements=1)
    found = [
        one,
        replace(one, case="odd/0", ratio=5.0),
        replace(one, precision="f32", fault="returned float32, expected float64"),
        replace(one, stack="other"),
    ]

    def seen(*measurements: Measurement) -> dict[Where, Failing]:
        verdict = judge("losses.mae", measurements, Quota(any_precision=True))
        return disagreements([ContractReport(ContractRun(verdict, measurements, 0.0), causes={"mine": "a cause"})])

    in_double = Where("losses.mae", "mine", "f64", "mae")
    assert seen(*found) == {
        in_double: Failing(5.0, "a cause"),
        in_double._replace(precision="f32"): Failing(inf, "a cause; returned float32"),
        in_double._replace(stack="other"): Failing(3.0, ""),
    }
    assert seen(replace(one, ratio=0.5, epsilon=0.0)) == {}
    apart = replace(one, stack=PAIR, ratio=2.0)
    assert seen(replace(one, ratio=0.5), apart) == {in_double._replace(stack=PAIR): Failing(2.0, "")}


ROW = '[[disagreements]]\ncontract = "losses.mae"\nsubject = "b"\nprecision = "f32"\nquantity = "mae"\n'
ROW += 'cause = ""\nlow = 1\nhigh = 2\n'
HEAD = 'examples = 30\nprecisions = ["f32"]\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected to find the key 'examples', got an empty table"),
        ("examples = -1\nprecisions = []\n", "examples: expected a number of examples, got -1"),
        ('examples = 1\nprecisions = ["f16"]\n', "precisions[0]: expected 'f32', 'f64' or 'wide', got 'f16'"),
        (HEAD + "more = 1\n", "unknown key 'more'; there are: disagreements, examples, precisions"),
        (HEAD + ROW + "size = 3\n", "disagreements[0]: unknown key 'size'; there are: "),
        (HEAD + ROW.replace("high = 2", "high = 0.5"), "disagreements[0]: expected an interval of sizes, from a lower"),
        (HEAD + ROW.replace("low = 1\n", ""), "disagreements[0]: expected to find the key 'low', got only contract, "),
        (HEAD + ROW + ROW, "disagreements[1]: expected one row for a quantity, got another for losses.mae: b in f32, "),
        (HEAD + ROW.replace("mae", "mea", 1), "disagreements[0].contract: unknown contract 'losses.mea'; did you mean"),
        (HEAD + ROW.replace("f32", "f64"), "disagreements[0].precision: expected one of f32, got f64"),
        (HEAD + ROW.replace('"mae"', '"nll"'), "disagreements[0].quantity: expected one of losses.mae, got 'nll'"),
        (HEAD.replace("30", "9" * 30), "examples: expected a number of examples, got 9999"),
        (HEAD + "[[disagreements", "expected TOML, got: "),
    ],
)
def test_what_is_no_baseline_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "parity-baseline.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as raised:
        read_baseline(file)
    assert str(raised.value).startswith(f"{file}: {said}")
