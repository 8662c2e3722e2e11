"""The score that is published is that of the catalogue as it is, and nothing in it was missed."""

import pytest

from parity._ground.repository import ROOT
from parity.proof.score.page import summary
from parity.proof.score.result import Score
from parity.proof.score.run import stale
from parity.proof.score.stored import read_score


@pytest.fixture(scope="module")
def published() -> Score:
    return read_score(ROOT / "docs" / "score.json")


def test_its_rows_are_those_of_the_defects_and_rewrites_of_now_marked_by_what_is_right_now(published):
    names = stale(published)
    assert not names, f"to bring the score up to date: parity defects score {' '.join(names)} --write"


def test_every_cause_was_asked_and_nothing_was_missed_blamed_on_another_side_or_flagged_wrongly(published):
    assert published.explained == published.defects
    assert (published.missed, published.misattributed, published.false_alarms) == ((), (), ())


def test_the_page_says_what_the_file_says(published):
    assert (ROOT / "docs" / "score.md").read_text() == summary(published)
