"""JUnit XML: what a build server counts, and that any message can be written."""

import xml.etree.ElementTree as ET
from typing import Any

from junitparser import Error, Failure, JUnitXml

from parity.report.content import Place, Remark, Weight
from parity.report.junit import junit


def suite(made: Any) -> Any:
    (found,) = JUnitXml.fromstring(junit(made))
    return found


def test_a_case_for_each_contract_with_its_time_and_message(report: Any, held: Any) -> None:
    found = suite(report(held(), held("losses.poisson_nll", torch=3.0)))
    agrees, fails = found
    assert (found.tests, found.failures, found.errors, found.skipped) == (2, 1, 0, 0)
    assert (agrees.classname, agrees.name, agrees.time, agrees.result) == ("parity.losses", "mae", 1.25, [])
    (failure,) = fails.result
    assert isinstance(failure, Failure)
    assert failure.type == "disagree"
    assert failure.message.startswith("losses.poisson_nll: torch disagrees with the oracle")
    assert "reproduce: parity run losses.poisson_nll --case " in failure.text


def test_what_could_not_be_checked_is_an_error_and_what_is_noted_is_no_case(report: Any) -> None:
    remarks = (
        Remark(Weight.NOT_CHECKED, "losses.mse", "its process died", (Place("a.py", 3),)),
        Remark(Weight.FAILED, "weakened", "more allowed"),
        Remark(Weight.NOTED, "drift", "by little"),
    )
    found = suite(report(remarks=remarks))
    assert (found.tests, found.failures, found.errors, found.skipped) == (3, 1, 1, 0)
    by_name = {case.name: case for case in found}
    (error,) = by_name["losses.mse"].result
    assert isinstance(error, Error)
    assert error.text == "losses.mse: its process died\na.py:3"
    assert ET.fromstring(junit(report(remarks=remarks))).findtext(".//system-out") == "drift: by little"


def test_the_environment_is_in_the_properties(report: Any) -> None:
    assert {p.name: p.value for p in suite(report()).properties()} == {"python": "3.11", "torch": "2.13"}


def test_an_undecided_contract_is_a_failure(report: Any, held: Any) -> None:
    from dataclasses import replace

    from parity.judging.verdict import Outcome

    made = held()
    verdict = replace(made.run.verdict, outcome=Outcome.UNDECIDED, reason="no bound")
    (case,) = suite(report(replace(made, run=replace(made.run, verdict=verdict))))
    assert case.result[0].text == "losses.mae: undecided\nno bound"


def test_what_xml_cannot_hold_is_replaced(report: Any, held: Any) -> None:
    (case,) = suite(report(held(torch=3.0, message="\x1b[31mred\x00 \ud800 & <b> ]]> ψ\ud83d")))
    assert case.result[0].text == "�[31mred� � & <b> ]]> ψ�"
