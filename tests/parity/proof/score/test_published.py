"""The score that is published is that of the catalogue as it is, and nothing in it was missed."""

import pytest

from parity.faults import CATALOGUE, REWRITES
from parity.proof.score.page import page
from parity.proof.score.result import Score
from parity.proof.score.session import ROOT
from parity.proof.score.stored import read_score


@pytest.fixture(scope="module")
def published() -> Score:
    return read_score(ROOT / "docs" / "score.json")


def test_it_has_every_defect_in_each_of_its_stacks_and_no_other(published: Score) -> None:
    scored = {(score.defect, score.stack) for score in published.defects}
    assert scored == {(name, stack) for name, defect in CATALOGUE.items() for stack in defect.stacks}


def test_it_has_every_rewrite_in_each_of_its_stacks_and_no_other(published: Score) -> None:
    scored = {(score.rewrite, score.stack) for score in published.rewrites}
    assert scored == {(name, stack) for name, rewrite in REWRITES.items() for stack in rewrite.stacks}


def test_no_defect_was_missed_or_blamed_on_another_side(published: Score) -> None:
    assert published.missed == ()
    assert published.misattributed == ()


def test_nothing_that_is_right_raised_an_alarm(published: Score) -> None:
    assert published.false_alarms == ()


def test_every_explanation_is_judged_by_what_is_right_now(published: Score) -> None:
    asked = {s.defect: s.explained.right for s in published.defects if s.explained}
    assert asked == {name: defect.right_diagnoses for name, defect in CATALOGUE.items()}


def test_the_page_says_what_the_file_says(published: Score) -> None:
    assert (ROOT / "docs" / "score.md").read_text() == page(published)
