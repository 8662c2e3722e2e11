"""The verdict on a whole report in a sentence, and the order of what is in it."""

from typing import Any

import pytest

from parity.report.content import Remark, Report, Weight
from parity.report.overview import cells, columns, gravest_first, headline, off_first, stacks_of


def test_all_agree(report: Any) -> None:
    assert headline(report()) == "1 contract agrees on 5 examples"


def test_what_does_not_agree_is_named_and_first(report: Any, held: Any) -> None:
    made = report(held(), held("losses.poisson_nll", torch=3.0))
    assert headline(made) == "1 of 2 contracts does not agree: losses.poisson_nll"
    assert [one.run.verdict.contract for one in off_first(made)] == ["losses.poisson_nll", "losses.mae"]


def test_of_many_the_first_are_named(report: Any, held: Any) -> None:
    assert headline(report(*[held(torch=3.0)] * 8)).endswith(": " + ", ".join(["losses.mae"] * 5) + " and 3 more")


def test_nothing_was_tried() -> None:
    assert headline(Report("parity run", "", ())) == "no contract was tried"


def test_what_could_not_be_checked_comes_before_what_is_wrong(report: Any, held: Any) -> None:
    remarks = tuple(Remark(weight, f"it {weight}", "") for weight in reversed(Weight))
    made = report(held(torch=3.0), remarks=remarks)
    assert headline(made) == (
        "1 thing could not be checked: it not checked; 1 of 1 contract does not agree: losses.mae; "
        "1 check failed: it failed"
    )
    assert [remark.weight for remark in gravest_first(made)] == [Weight.NOT_CHECKED, Weight.FAILED, Weight.NOTED]


@pytest.mark.parametrize("weight", [Weight.NOT_CHECKED, Weight.FAILED])
def test_a_remark_alone_is_enough_not_to_agree(report: Any, weight: Weight) -> None:
    assert "agrees" not in headline(report(remarks=(Remark(weight, "a shard", "is missing"),)))


def test_a_row_has_a_cell_for_every_column(report: Any, held: Any) -> None:
    made = report(held(torch=3.0))
    assert stacks_of(made) == ("tensorflow", "torch")
    row = dict(zip(columns(made), cells(made.contracts[0], stacks_of(made)), strict=True))
    assert row == {
        "contract": "losses.mae",
        "verdict": "torch disagrees",
        "examples": "5",
        "tensorflow": "0.50",
        "torch": "3.00",
        "float64 gap": "–",
        "ε_min": "1e-06",
        "seconds": "1.2",
    }
