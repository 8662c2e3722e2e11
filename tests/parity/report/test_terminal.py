"""The table of a run."""

from typing import Any

import numpy as np
import pytest

from parity.judging.run import NotChecked
from parity.judging.shards import Shard
from parity.judging.verdict import Outcome, Verdict
from parity.report.terminal import not_checked_lines, plain, summary_line, verdict_table


def verdict(outcome: Outcome = Outcome.AGREE, **fields: Any) -> Verdict:
    defaults: dict[str, Any] = {
        "contract": "losses.mae",
        "examples": 44,
        "worst": {"torch": 0.25, "tensorflow": 0.125},
        "gap": 3.3e-16,
        "epsilon": 1.2e-6,
    }
    return Verdict(outcome=outcome, **defaults | fields)


def table(*verdicts: Verdict) -> list[list[str]]:
    """The cells of each row, split where two blanks part them."""
    lines = plain(verdict_table(verdicts)).splitlines()[: len(verdicts) + 1]
    return [[cell for cell in line.split("  ") if cell.strip()] for line in lines]


def cells(one: Verdict) -> list[str]:
    return [cell.strip() for cell in table(one)[1]]


def test_a_row_a_contract() -> None:
    assert cells(verdict()) == ["losses.mae", "44", "0.12", "0.25", "3.3e-16", "1e-06", "agree"]
    assert len(table(verdict(), verdict())) == 3


def test_a_stack_that_was_not_run_has_no_column() -> None:
    assert cells(verdict(worst={"torch": 0.25})) == ["losses.mae", "44", "0.25", "3.3e-16", "1e-06", "agree"]


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"gap": None}, "–"),
        ({"epsilon": 1e-38}, "exact"),
        ({"worst": {"torch": 99.994, "tensorflow": 0.0}}, "99.99"),
        ({"worst": {"torch": 123456.0, "tensorflow": 0.0}}, "1.2e+05"),
        ({"worst": {"torch": np.inf, "tensorflow": 0.0}}, "inf"),
    ],
)
def test_numbers_for_people(fields: dict[str, Any], shown: str) -> None:
    assert shown in cells(verdict(**fields))


@pytest.mark.parametrize(
    ("outcome", "fields", "word"),
    [
        (Outcome.AGREE, {}, "agree"),
        (Outcome.UNDECIDED, {}, "undecided"),
        (Outcome.UNINFORMATIVE, {}, "uninformative"),
        (Outcome.DISAGREE, {"sides": ("torch",)}, "torch disagrees"),
        (Outcome.DISAGREE, {"sides": ("torch", "tensorflow")}, "tensorflow and torch disagree"),
        (Outcome.DISAGREE, {"sides": ("torch", "tensorflow"), "alike": True}, "both disagree alike"),
        (Outcome.DISAGREE, {}, "the stacks disagree"),
    ],
)
def test_the_verdict_in_a_word(outcome: Outcome, fields: dict[str, Any], word: str) -> None:
    assert cells(verdict(outcome, **fields))[-1] == word


@pytest.mark.parametrize(
    ("verdicts", "line"),
    [
        ([], "no contract was tried"),
        ([verdict(examples=1)], "1 contract agrees on 1 example"),
        ([verdict(examples=1000), verdict()], "2 contracts agree on 1,044 examples"),
        ([verdict(), verdict(Outcome.UNDECIDED, contract="losses.x")], "1 of 2 contracts do not agree: losses.x"),
    ],
)
def test_the_run_in_a_line(verdicts: list[Verdict], line: str) -> None:
    assert summary_line(verdicts) == line


def test_plain_text_has_no_colours() -> None:
    assert "\x1b" not in plain(verdict_table([verdict(Outcome.DISAGREE, sides=("torch",))]))


def test_what_was_not_checked_is_named_with_the_reason() -> None:
    lost = [NotChecked("losses.x", "took longer than the limit of 60 s")]
    assert not_checked_lines(lost) == ("losses.x: not checked: took longer than the limit of 60 s",)
    assert summary_line([], lost) == "1 of 1 contract not checked: losses.x"
    assert summary_line([verdict(examples=1)], lost) == (
        "1 contract agrees on 1 example; 1 of 2 contracts not checked: losses.x"
    )


def test_a_shard_says_that_it_is_one() -> None:
    line = "shard 2/3: 1 contract without a failure on 44 examples; only parity merge judges all of them"
    assert summary_line([verdict()], shard=Shard(2, 3)) == line
    assert summary_line([], shard=Shard(3, 3)) == "shard 3/3 has no example, and nothing was checked"
    off = summary_line([verdict(Outcome.DISAGREE)], shard=Shard(2, 3))
    assert off == "1 of 1 contracts do not agree: losses.mae"
