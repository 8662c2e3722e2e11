"""The summary: the verdict first, what is long folded, nothing taken for a mark, and never beyond its limit."""

import re
from typing import Any

import pytest

from parity.report.content import Place, Remark, Weight
from parity.report.markdown import LEAST, LIMIT, summary


def test_the_verdict_then_what_does_not_agree_then_the_counts(report: Any, held: Any) -> None:
    lines = summary(report(held(), held("losses.poisson_nll", torch=3.0))).splitlines()
    assert lines[0] == "## 1 of 2 contracts does not agree: losses.poisson\\_nll"
    assert lines[2].startswith("| contract | verdict |")
    assert lines[4].startswith("| `losses.poisson_nll` | torch disagrees | 5 | 0.50 | 3.00 |")
    assert lines[6] == "1 contract agrees on 5 examples."
    assert "Again: `parity run losses`" in lines


def test_messages_stages_and_the_plan_are_folded(report: Any, held: Any) -> None:
    failed = held(
        torch=3.0, message="losses.mae: torch <disagrees>\n  far off", stages="a\n  tree", reason="it changed"
    )
    text = summary(report(failed))
    assert (
        "<details><summary>losses.mae: torch &lt;disagrees&gt;</summary>\n\n```text\n"
        "losses.mae: torch <disagrees>\n  far off\n```\n\n</details>\n"
    ) in text
    assert "<summary>losses.mae: its stages</summary>\n\n```text\na\n  tree\n```\n\n</details>\n" in text
    assert "<summary>What was asked, and why</summary>\n\n- `losses.mae`: it changed\n\n</details>\n" in text


def test_remarks_the_gravest_first_with_their_places(report: Any) -> None:
    remarks = (
        Remark(Weight.NOTED, "drift", "a\nb", (Place("a.py", 1), Place("b.py", 2))),
        Remark(Weight.FAILED, "weakened", "more allowed"),
    )
    text = summary(report(remarks=remarks))
    assert text.index("**failed: weakened**") < text.index("**noted: drift**")
    assert "```text\na\nb\na.py:1, b.py:2\n```" in text


def test_nothing_is_taken_for_a_mark(report: Any, held: Any) -> None:
    evil = "a | *b* `c` <d> @e ```` [f](g) #1"
    text = summary(
        report(
            held(torch=3.0, message=f"x\n{evil}", reason=evil),
            environment={evil: evil},
            remarks=(Remark(Weight.FAILED, evil, evil),),
        )
    )
    escaped = "a \\| \\*b\\* \\`c\\` \\<d\\> \\@e \\`\\`\\`\\` \\[f\\](g) \\#1"
    assert f"**failed: {escaped}**" in text
    assert f"- `losses.mae`: {escaped}" in text
    assert f"`````text\n{evil}\n`````" in text


def long(held: Any, number: int) -> list[Any]:
    message = "\n".join(["losses.mae: torch disagrees", *("ψ… " * 20 for _ in range(100))])
    return [held(torch=3.0, message=message, stages=message) for _ in range(number)]


@pytest.mark.parametrize("limit", [LEAST, LEAST + 1, LEAST + 2, LEAST + 3, 10_000, 65_536, 100_001])
def test_it_never_exceeds_its_limit_and_says_what_is_cut(report: Any, held: Any, limit: int) -> None:
    text = summary(report(*long(held, 10)), limit)
    assert len(text.encode()) <= limit
    assert text.count("<details>") == text.count("</details>")
    assert len(re.findall("^```", text, re.MULTILINE)) % 2 == 0
    assert text.splitlines()[0].startswith("## 10 of 10 contracts do not agree")
    assert text.splitlines()[-1].startswith(f"Cut to {limit:,} bytes: ")
    assert "left out. The HTML report has all of it." in text.splitlines()[-1]


def test_most_of_the_limit_is_used(report: Any, held: Any) -> None:
    assert len(summary(report(*long(held, 40)), 65_536).encode()) > 60_000


def test_what_fits_is_whole(report: Any, held: Any) -> None:
    text = summary(report(*long(held, 3)))
    assert "left out" not in text
    assert text.count("ψ… ") == 2 * 3 * 100 * 20


def test_1_mebibyte_is_the_limit(report: Any, held: Any) -> None:
    text = summary(report(*long(held, 100)))
    assert LIMIT - 10_000 < len(text.encode()) <= LIMIT == 1024 * 1024


def test_titles_and_lines_of_any_length_find_room(report: Any, held: Any) -> None:
    remarks = tuple(Remark(Weight.FAILED, "𝜓" * 10_000, "𝜓" * 10_000) for _ in range(9))
    failed = held(torch=3.0, message="𝜓" * 100_000, reason="r" * 10_000)
    for limit in (LEAST, 2 * LEAST, LIMIT):
        assert len(summary(report(failed, remarks=remarks), limit).encode()) <= limit


def test_a_limit_that_would_leave_no_room() -> None:
    from parity.report.content import Report

    with pytest.raises(ValueError, match="limit: expected at least 4096 bytes, got 10"):
        summary(Report("parity run", "", ()), 10)
