"""The shares that the page on diagnosis gives are those of the published score."""

import re

from parity._ground.repository import ROOT
from parity.proof.score.result import DefectScore
from parity.proof.score.stored import read_score

PAGE = " ".join((ROOT / "docs" / "diagnosis.md").read_text(encoding="utf-8").split())


def right_of(rows: list[DefectScore]) -> int:
    return sum(row.explained.is_right for row in rows)


def test_its_shares_are_those_of_the_published_score():
    rows = [row for contract in read_score(ROOT / "docs" / "score.json").contracts for row in contract.defects]
    rows = [row for row in rows if row.explained]
    with_a_cause = [row for row in rows if row.explained.right]
    no_gain = [row for row in with_a_cause if "/gain-" not in row.defect]
    without = [row for row in rows if not row.explained.right]
    misnamed = [row for row in with_a_cause if row.explained.cause and not row.explained.is_right]
    found = re.search(
        r"([\d,]+) defects, in either stack, have a right explanation, and the cause named first was right for "
        r"([\d,]+) of them \(([\d.]+) %; ([\d,]+) of ([\d,]+), or ([\d.]+) %, without the gains",
        PAGE,
    )
    assert found is not None
    assert found.groups() == (
        f"{len(with_a_cause):,}",
        f"{right_of(with_a_cause):,}",
        f"{100 * right_of(with_a_cause) / len(with_a_cause):.1f}",
        f"{right_of(no_gain):,}",
        f"{len(no_gain):,}",
        f"{100 * right_of(no_gain) / len(no_gain):.1f}",
    )
    assert (
        f"Another {len(without)} nobody could be expected to explain, and all of these were called unexplained" in PAGE
    )
    assert right_of(without) == len(without)
    assert f"said `unexplained` but for {len(misnamed)} defects" in PAGE
