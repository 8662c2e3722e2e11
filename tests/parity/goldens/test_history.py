import datetime
import json
import math
from dataclasses import replace

import pytest

from parity.goldens.difference import GoldenDiff
from parity.goldens.drift import Drift, Nature
from parity.goldens.errors import GoldenError
from parity.goldens.history import Largest, Regeneration, appended, read_history, regeneration_of, version_changes

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ENTRY = Regeneration(
    date="2026-11-23",
    commit=COMMIT,
    reason="torch 2.13 fuses ε into the root",
    goldens=3,
    largest=Largest(0.02, "losses.mae/even-0", "torch/value/mae"),
    nature=Nature.ROUNDING,
    versions={"torch": "2.13.0", "numpy": "2.4.0"},
)
LINE = (
    f'{{"commit": "{COMMIT}", "date": "2026-11-23", "goldens": 3, "largest": {{"array": "torch/value/mae", '
    '"bounds": 0.02, "golden": "losses.mae/even-0"}, "nature": "rounding", '
    '"reason": "torch 2.13 fuses ε into the root", "versions": {"numpy": "2.4.0", "torch": "2.13.0"}}\n'
)


def entry_after(*drifts, added=(), removed=()):
    difference = GoldenDiff(tuple(added), tuple(removed), {drift.golden: (drift,) for drift in drifts})
    return regeneration_of(
        difference, date=datetime.date(2026, 11, 23), commit=COMMIT, reason="r", goldens=1, versions={}
    )


def drift(golden, bounds, nature=Nature.ROUNDING):
    return Drift(golden, "torch/value/mae", nature, bounds, 1.0, 7.0)


def test_a_line_is_canonical():
    assert appended(b"", ENTRY) == LINE.encode()


def test_what_was_appended_is_read_in_order():
    made_new = replace(ENTRY, largest=None, nature=Nature.ADDED, commit="")
    beyond = replace(ENTRY, largest=Largest(math.inf, "a/b-1", "inputs/observed"), nature=Nature.SEMANTIC)
    content = b""
    for entry in (made_new, ENTRY, beyond):
        content = appended(content, entry)
    assert read_history(content) == (made_new, ENTRY, beyond)
    assert b'"bounds": null' in content
    assert read_history(b"") == ()


def test_three_digits_of_the_largest_change_are_kept():
    assert entry_after(drift("a", 0.0123456)).largest.bounds == 0.0123
    assert entry_after(drift("a", 98765.4)).largest.bounds == 98800.0
    long = replace(ENTRY, largest=replace(ENTRY.largest, bounds=0.0200001))
    assert appended(b"", long) == LINE.encode()


def test_the_array_that_moved_farthest_is_kept_whatever_its_nature():
    entry = entry_after(drift("a", 1.5), drift("b", 1e-6, Nature.SEMANTIC), drift("c", math.inf, Nature.ADDED))
    assert entry.largest == Largest(1.5, "a", "torch/value/mae")
    assert entry.nature is Nature.SEMANTIC
    assert (entry.date, entry.commit, entry.goldens) == ("2026-11-23", COMMIT, 1)


def test_what_was_made_new_has_not_moved():
    assert entry_after(added=["a"]).largest is None
    assert entry_after(added=["a"]).nature is Nature.ADDED
    assert entry_after(removed=["a"]).nature is Nature.SEMANTIC


def test_versions_that_changed_are_told():
    new = replace(ENTRY, versions={"torch": "2.14.0", "numpy": "2.4.0", "scipy": "1.18.0"})
    assert version_changes(ENTRY, new) == ["scipy none → 1.18.0", "torch 2.13.0 → 2.14.0"]
    assert version_changes(ENTRY, ENTRY) == []


def changed(**changes):
    return (json.dumps({**json.loads(LINE), **changes}, sort_keys=True, ensure_ascii=False) + "\n").encode()


def largest(bounds):
    return {**json.loads(LINE)["largest"], "bounds": bounds}


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"\xff\n",
        b"[]\n",
        b"null\n",
        b"{}\n",
        b"[" * 100_000 + b"\n",
        b"9" * 10_000 + b"\n",
        LINE.encode().replace(b"\n", b"\r\n"),
        LINE.encode().replace(b": 3", b":3"),
        LINE.encode().replace(b"3,", b"3, "),
        LINE.encode().replace("ε".encode(), b"\\u03b5"),
        LINE.encode().replace("ε".encode(), b"\\ud800"),
        LINE.encode().replace(b'"goldens": 3', b'"goldens": 3, "goldens": 3'),
        LINE.encode().replace(b"0.02", b"NaN"),
        LINE.encode().replace(b"0.02", b"Infinity"),
        LINE.encode().replace(b"0.02", b"1e999"),
        LINE.encode().replace(b"0.02", b"0.0200"),
        changed(more=1),
        changed(date="20261123"),
        changed(date="2026-02-30"),
        changed(date=20261123),
        changed(commit="HEAD"),
        changed(commit=COMMIT + "0"),
        changed(goldens=-1),
        changed(goldens=True),
        changed(goldens=3.0),
        changed(reason=" "),
        changed(reason=None),
        changed(nature="better"),
        changed(versions={"numpy": 2}),
        changed(versions=["numpy"]),
        changed(largest={}),
        changed(largest=[]),
        changed(largest=largest(-1.0)),
        changed(largest=largest(2)),
        changed(largest=largest("0.02")),
        changed(largest=largest(0.02001)),
    ],
)
def test_a_line_that_is_none_is_refused_by_its_number(line):
    with pytest.raises(GoldenError, match=r"^history\.jsonl: line 2: .*expected .*, got "):
        read_history(LINE.encode() + line)


def test_a_line_that_was_cut_is_refused():
    with pytest.raises(GoldenError, match=r"^history\.jsonl: line 2: expected a line to end, got no newline$"):
        read_history(LINE.encode() + LINE.encode()[:-1])
    for content in (LINE.encode()[:-1], b"{"):
        with pytest.raises(GoldenError, match="line 1"):
            appended(content, ENTRY)


@pytest.mark.parametrize(
    "wrong",
    [{"reason": ""}, {"commit": "HEAD"}, {"date": "today"}, {"reason": "\ud800"}, {"goldens": -1}],
)
def test_no_entry_is_written_that_could_not_be_read(wrong):
    with pytest.raises(GoldenError, match=r"^history\.jsonl: line 2: "):
        appended(LINE.encode(), replace(ENTRY, **wrong))


def test_a_reason_of_several_lines_stays_in_one():
    spoken = replace(ENTRY, reason="one\ntwo\u2028three\x85four")
    content = appended(LINE.encode(), spoken)
    assert read_history(content) == (ENTRY, spoken)
