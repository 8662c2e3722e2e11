"""What is skipped is declared, what the gate could have run fails there, and each stage finds what it is to run."""

import re
import subprocess
from pathlib import Path

import pytest

from parity._ground.repository import ROOT
from tests.skips import BROWSER, OTHER_STAGES, PROCESS_TABLE

TEST = """
import pytest

{mark}
def test_it():
    {body}
"""
WHOLE_FILE = "pytest.skip('it is cold', allow_module_level=True)"


def skipped(reason: str) -> str:
    return TEST.format(mark="", body=f"pytest.skip({reason!r})")


ENDS = [
    ("declared", skipped(PROCESS_TABLE.reason), {}, {"skipped": 1}),
    ("declared, in the gate", skipped(PROCESS_TABLE.reason), {"CI": "true"}, {"skipped": 1}),
    ("a browser", skipped(BROWSER.reason), {}, {"skipped": 1}),
    ("a browser, in the gate", skipped(BROWSER.reason), {"CI": "true"}, {"failed": 1}),
    ("a browser, which it lacks", skipped(BROWSER.reason), {"CI": "true", "GATE_LACKS": "browser"}, {"skipped": 1}),
    ("undeclared", skipped("it is cold"), {}, {"failed": 1}),
    ("undeclared, by a mark", TEST.format(mark="@pytest.mark.skip", body="pass"), {}, {"errors": 1}),
    ("undeclared, of a whole file", f"import pytest\n{WHOLE_FILE}", {}, {"errors": 1}),
    ("expected to fail", TEST.format(mark="@pytest.mark.xfail", body="assert False"), {}, {"failed": 1}),
]


@pytest.mark.parametrize(("source", "variables", "ends"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_a_skip_is_declared_and_is_none_in_the_gate(pytester, monkeypatch, source, variables, ends) -> None:
    for name in ("CI", "GATE_LACKS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    pytester.makepyfile(source)
    pytester.runpytest_inprocess("-p", "tests.skips", "-p", "no:parity").assert_outcomes(**ends)


def test_what_was_not_run_is_said_in_a_line(pytester) -> None:
    pytester.makepyfile(skipped(PROCESS_TABLE.reason))
    pytester.makeini("[pytest]\nmarkers = commits")
    found = pytester.runpytest_inprocess("-p", "tests.skips", "-p", "no:parity", "-m", "not commits")
    found.stdout.fnmatch_lines([f"not run: 1 for want of: {PROCESS_TABLE.reason} (run on Linux); make commits"])


def test_without_parameters_a_test_is_a_fault(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.getini("empty_parameter_set_mark") == "fail_at_collect"


def test_what_one_stage_leaves_to_another_lies_where_that_looks() -> None:
    stages = (*OTHER_STAGES, "goldens")
    lines = subprocess.run(
        ["make", "--dry-run", "--assume-old=.venv/.ready", *stages],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    looks = {mark: folders.split() for mark, folders in re.findall(r"-m (\w+) ([\w/. ]+)$", lines, flags=re.MULTILINE)}
    assert sorted(looks) == sorted((*OTHER_STAGES, "golden"))
    strays = [
        f"{path}: {mark}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for mark in re.findall(r"pytest\.mark\.(\w+)", path.read_text(encoding="utf-8"))
        if mark in looks and not any(path.is_relative_to(ROOT / folder) for folder in looks[mark])
    ]
    assert strays == [f"{Path(ROOT, 'tests/parity/testing/test_pytest_plugin.py')}: golden"]  # in what it writes
