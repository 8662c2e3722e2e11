"""A score as data: its totals, its file, its page."""

from dataclasses import replace

import numpy as np
import pytest

from parity.judging.quantity import gradient_of, result_of
from parity.physics.precision import FLOAT32
from parity.proof.score.baselines import BASELINES, Baseline
from parity.proof.score.page import page, summary, totals
from parity.proof.score.result import (
    ContractScore,
    DefectScore,
    Explained,
    RewriteScore,
    Score,
    ScoreRun,
    Seen,
    accuracy,
    mean_share,
)
from parity.proof.score.stored import ScoreError, encoded, read_score

CAUGHT = DefectScore(
    "losses.mae/a",
    "torch",
    caught=True,
    sided=True,
    any_column=Seen(2, 4, "odd/0"),
    seen={"float32": Seen(0, 4), "float64": Seen(2, 4, "odd/0"), "gradient": Seen(1, 4, "even/0")},
    baselines={BASELINES[0].name: Seen(1, 4, "odd/0"), BASELINES[1].name: Seen(0, 4)},
    explained=Explained("is off", ("is off", "is wrong")),
)
MISSED = replace(
    CAUGHT, stack="tensorflow", caught=False, sided=False, any_column=Seen(0, 4), seen={"float32": Seen(0, 4)},
    baselines={BASELINES[0].name: Seen(0, 4)}, explained=Explained(None, ("is off",)), pytest=0,
)  # fmt: skip
SILENT, LOUD = RewriteScore("losses.mae/b", "torch", True), RewriteScore("losses.mae/b", "tensorflow", False, "why")


def score_of(*defects: DefectScore, rewrites: tuple[RewriteScore, ...] = (), agrees: bool = True) -> Score:
    alarms = {baseline.name: Seen(1, 4, "dark/0") for baseline in BASELINES}
    contract = ContractScore("losses.mae", 4, agrees, 1e-6, None, alarms, defects, rewrites)
    return Score((ScoreRun((contract,), examples=20, seconds=7, environment={"python": "3.11"}, sources="a1"),))


def test_a_score_holds_where_all_is_caught_and_nothing_else_is():
    assert score_of(CAUGHT, rewrites=(SILENT,)).holds
    wrong = (
        score_of(CAUGHT, MISSED),
        score_of(replace(CAUGHT, sided=False)),
        score_of(CAUGHT, rewrites=(LOUD,)),
        score_of(CAUGHT, agrees=False),
    )
    assert not any(score.holds for score in wrong)


def test_what_went_wrong_is_named():
    score = score_of(CAUGHT, MISSED, rewrites=(SILENT, LOUD), agrees=False)
    assert score.missed == (MISSED,)
    assert score.misattributed == ()
    assert score.false_alarms == ("losses.mae", "losses.mae/b in tensorflow")
    said = totals(score)
    assert "missed: losses.mae/a in tensorflow\n" in said
    assert "false alarms: losses.mae, losses.mae/b in tensorflow\n" in said


def test_seen_counts_the_examples_and_names_the_first():
    assert Seen.among({"even/0": False, "odd/0": True, "odd/1": True}) == Seen(2, 3, "odd/0")
    assert Seen.among({"even/0": False}) == Seen(0, 1)
    assert Seen.among({}).share == 0
    assert mean_share([Seen(2, 4), Seen(4, 4)]) == 0.75
    assert mean_share([]) == 0


@pytest.mark.parametrize(
    ("cause", "right", "is_right"),
    [("a", ("a", "b"), True), ("c", ("a", "b"), False), (None, ("a",), False), (None, (), True), ("a", (), False)],
)
def test_an_explanation_is_right_if_it_is_one_of_those_and_none_if_there_is_none(cause, right, is_right):
    assert Explained(cause, right).is_right is is_right


def test_accuracy_counts_only_what_was_asked():
    assert accuracy([CAUGHT, MISSED, replace(CAUGHT, explained=None)]) == (1, 2)


def test_a_stored_score_comes_back_as_it_was(tmp_path):
    for score in (score_of(CAUGHT, MISSED, rewrites=(SILENT, LOUD)), score_of(), Score(())):
        (tmp_path / "score.json").write_bytes(encoded(score))
        assert read_score(tmp_path / "score.json") == score
        lines = encoded(score).decode().splitlines()  # each defect has one of its own
        assert sum('"defect": "losses.mae/a"' in line for line in lines) == len(score.defects)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 0, "runs": []}', '{"format": 2}'])
def test_a_file_that_holds_no_score_is_refused_by_name(tmp_path, content):
    path = tmp_path / "score.json"
    path.write_text(content)
    with pytest.raises(ScoreError, match=r"score\.json: expected a score"):
        read_score(path)


def test_the_page_has_totals_first_and_a_row_for_each_defect():
    text = page(score_of(MISSED, CAUGHT, rewrites=(SILENT,)))
    headings = ("What a tol", "Causes", "Explained wrongly", "By contract", "Defect by", "Made by")
    parts = ["| defects caught | 1 of 2 (50.0%) |", *(f"## {heading}" for heading in headings)]
    assert sorted(parts, key=text.index) == parts
    matrix = text.partition("## Defect by defect")[2]
    assert matrix.count("losses.mae/a") == 1
    assert "| `losses.mae/a` | · | – / 2/4 | – / 1/4 | · / – |\n" in matrix


MAE = result_of("mae")


@pytest.mark.parametrize(
    ("got", "fires"),
    [
        ({MAE: np.float32([1.0, 2.0])}, False),
        ({MAE: np.float32([1.0, 2.00001])}, False),
        ({MAE: np.float32([1.0, 2.1])}, True),
        ({MAE: np.float32([1.0, np.nan])}, True),
        ({MAE: np.float32([[1.0, 2.0]])}, True),
        ({MAE: np.float64([1.0, 2.0])}, True),
        ({}, True),
        (None, True),
        ({MAE: np.float32([1.0, 2.0]), gradient_of("x"): np.float32(9)}, False),
    ],
)
def test_a_tolerance_fires_on_values_that_it_does_not_hold(got, fires):
    baseline = Baseline("torch.testing.assert_close", FLOAT32, 1e-4, 0.0, same_dtype=True)
    expected = {result_of("mae"): np.float32([1.0, 2.0]), gradient_of("x"): np.float32(1)}
    assert baseline.fires(got, expected) is fires


def test_the_summary_has_the_totals_and_says_how_to_print_the_rest():
    text = summary(score_of(MISSED, CAUGHT, rewrites=(SILENT,)))
    assert "| defects caught | 1 of 2 (50.0%) |" in text
    assert "`parity defects score --stored` prints the rest" in text
    assert "losses.mae/a` |" not in text
    assert "| 1 | 7 | `a1` | python 3.11 |" in text


def scored(name: str) -> ContractScore:
    return ContractScore(name, 4, True, None, None, {})


def test_a_later_run_takes_the_place_of_what_it_scored_and_the_rest_stays():
    first = ScoreRun((scored("optics.illuminate"), scored("losses.mae")), 20, 7, {}, "a1")
    later = ScoreRun((scored("losses.mae"),), 20, 2, {}, "b2")
    both = Score((first,)).updated([later])
    assert [run.sources for run in both.runs] == ["a1", "b2"]
    assert [contract.contract for contract in both.contracts] == ["optics.illuminate", "losses.mae"]
    assert both.seconds == 9
    assert "| `optics.illuminate` | 7 | `a1` |" in summary(both)
    assert "| `losses.mae` | 2 | `b2` |" in summary(both)
    assert Score((later,)).updated([later]).runs == (later,)
