"""Workflow commands: what is said of which line, escaped as GitHub has it, and never more than it shows."""

from dataclasses import replace
from typing import Any

from parity.judging.verdict import Outcome
from parity.report.content import Place, Remark, Weight
from parity.report.github import MOST, commands


def test_a_failure_is_an_error_on_the_lines_that_lead_to_it(report: Any, held: Any) -> None:
    failed = held(torch=3.0, message="off by 100 %\r\nfar", places=(Place("a,b:c.py", 3), Place("d.py", 4)))
    title = "title=losses.mae%3A torch disagrees::off by 100 %25%0D%0Afar"
    assert commands(report(failed)) == (f"::error file=a%2Cb%3Ac.py,line=3,{title}\n::error file=d.py,line=4,{title}\n")


def test_without_a_line_it_is_said_of_the_whole(report: Any, held: Any) -> None:
    assert commands(report(held(torch=3.0, message="off"))) == "::error title=losses.mae%3A torch disagrees::off\n"


def test_nothing_to_say(report: Any) -> None:
    assert commands(report()) == ""


def test_kinds(report: Any, held: Any) -> None:
    made = held()
    undecided = replace(made.run.verdict, outcome=Outcome.UNDECIDED, reason="no bound")
    remarks = tuple(Remark(weight, weight.value, "text") for weight in Weight)
    said = commands(report(replace(made, run=replace(made.run, verdict=undecided)), remarks=remarks))
    assert sorted(said.splitlines()) == [
        "::error title=failed::text",
        "::error title=not checked::text",
        "::notice title=noted::text",
        "::warning title=losses.mae%3A undecided::no bound",
    ]


def test_at_most_ten_of_a_kind_and_the_last_says_how_many_more(report: Any) -> None:
    remarks = [Remark(Weight.FAILED, f"check {n}", "text") for n in range(MOST + 3)]
    lines = commands(report(remarks=tuple(remarks))).splitlines()
    assert len(lines) == MOST == 10
    assert lines[-2] == "::error title=check 8::text"
    assert lines[-1] == "::error title=4 more errors::check 9%0Acheck 10%0Acheck 11%0Acheck 12"
    assert len(commands(report(remarks=tuple(remarks[:MOST]))).splitlines()) == MOST
    assert "more" not in commands(report(remarks=tuple(remarks[:MOST])))


def test_every_failure_has_its_first_line_before_one_has_its_second(report: Any, held: Any) -> None:
    many = tuple(Place("a.py", line) for line in range(1, 30))
    first, second = held(torch=3.0, places=many), held("losses.poisson_nll", torch=3.0, places=many)
    lines = commands(report(first, second)).splitlines()
    assert [line.partition("title=")[0] for line in lines[:4]] == [
        f"::error file=a.py,line={line}," for line in (1, 1, 2, 2)
    ]
    assert lines[-1].startswith("::error title=49 more errors::losses.")
