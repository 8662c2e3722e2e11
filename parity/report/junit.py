"""A report as JUnit XML, for build servers: a test case for each contract, and for each check that failed."""

from __future__ import annotations

import re

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite
from junitparser.junitparser import SystemOut

from parity.report.content import ContractReport, Remark, Report, Weight
from parity.report.terminal import verdict_in_words

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no way to write: an escape of a terminal's colours, half a surrogate pair."""


def junit(report: Report) -> bytes:
    """A report as JUnit XML in UTF-8.

    A contract that does not agree is a failure, with its message. What could not be checked is an error, never skipped:
    a build server takes what is skipped for passed. A note is in the suite's output.
    """
    suite = TestSuite(_writable(report.title))
    for name, value in report.environment.items():
        suite.add_property(_writable(name), _writable(value))
    suite.add_testcases([*map(_contract, report.contracts), *_remarks(report)])
    suite.time = round(report.seconds, 3)
    noted = [_text(remark) for remark in report.remarks if remark.weight is Weight.NOTED]
    if noted:
        suite.append(SystemOut("\n\n".join(noted)))
    xml = JUnitXml(_writable(report.title))
    xml.add_testsuite(suite)
    xml.update_statistics()
    return bytes(xml.tostring())


def _contract(held: ContractReport) -> TestCase:
    verdict = held.run.verdict
    file, _, function = verdict.contract.partition(".")
    case = TestCase(_writable(function), _writable(f"parity.{file}"), round(held.run.seconds, 3))
    if not verdict.agrees:
        message = _writable(held.message or f"{verdict.contract}: {verdict_in_words(verdict)}\n{verdict.reason}")
        failure = Failure(message.splitlines()[0], str(verdict.outcome))
        failure.text = message
        case.result = [failure]
    if held.omitted or held.terms:
        case.system_out = _writable("\n".join([*(f"held to: {line}" for line in held.terms), *held.omitted]))
    return case


def _remarks(report: Report) -> list[TestCase]:
    """A test case for each check that failed or could not be made."""
    cases = []
    for remark in report.remarks:
        if remark.weight is Weight.NOTED:
            continue
        case = TestCase(_writable(remark.title), "parity.remarks", 0.0)
        kind = Error if remark.weight is Weight.NOT_CHECKED else Failure
        result = kind(_writable(remark.title), str(remark.weight))
        result.text = _text(remark)
        case.result = [result]
        cases.append(case)
    return cases


def _text(remark: Remark) -> str:
    places = [f"{place.file}:{place.line}" for place in remark.places]
    return _writable("\n".join([f"{remark.title}: {remark.text}", *places]))


def _writable(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
