import pytest

from parity.contracts.mirror import ROOT
from parity.gate.check.goldens import golden_remarks
from parity.goldens.drift import Nature
from parity.goldens.folder import GoldenSet
from parity.goldens.manifest import HISTORY
from parity.report.content import Weight

FOLDER = ROOT / "fixtures" / "golden"


@pytest.fixture
def changed(tmp_path, monkeypatch):
    """A function that says what a check says of a set that became another."""
    now = GoldenSet.read(FOLDER)

    def remarks(was):
        monkeypatch.setattr("parity.gate.check.goldens.read_set", lambda base, folder: was)
        monkeypatch.setattr("parity.gate.check.goldens.GoldenSet.read", lambda folder: now)
        return list(golden_remarks(FOLDER, "base", "fixtures/golden"))

    return now, remarks


def without(stored, *names):
    return GoldenSet({name: content for name, content in stored.files.items() if name not in names})


def test_nothing_is_said_of_what_did_not_change(changed):
    now, remarks = changed
    assert remarks(now) == []


def test_a_golden_that_changed_without_a_line_in_the_history_has_no_reason(changed):
    now, remarks = changed
    (remark,) = remarks(without(now, f"{now.names[0]}.npz"))
    assert remark.weight is Weight.FAILED
    assert remark.title == "goldens changed without a reason"


def test_a_golden_that_changed_with_a_reason_is_shown_with_it(changed):
    now, remarks = changed
    lines = now.history.splitlines(keepends=True)
    was = GoldenSet({**without(now, f"{now.names[0]}.npz").files, HISTORY: b"".join(lines[:-1])})
    (remark,) = remarks(was)
    assert remark.weight is Weight.NOTED
    assert remark.title == f"goldens drifted: {Nature.ADDED}"
    assert remark.places[0].file == f"fixtures/golden/{HISTORY}"


def test_a_history_that_was_rewritten_is_no_reason(changed):
    now, remarks = changed
    lines = now.history.splitlines(keepends=True)
    (remark,) = remarks(GoldenSet({**now.files, HISTORY: lines[0] * (len(lines) + 1)}))
    assert (remark.weight, remark.title) == (Weight.FAILED, "the history of the goldens was rewritten")
