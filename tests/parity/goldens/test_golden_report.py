import importlib.util
import math
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from parity.goldens.difference import GoldenDiff
from parity.goldens.drift import Drift, Nature
from parity.goldens.history import Largest, Regeneration
from parity.goldens.history_picture import draw_history
from parity.goldens.tables import ListedGolden, difference_summary, drift_table, golden_table, history_table
from parity.physics.precision import FLOAT64
from parity.report.pictures import MatplotlibMissing
from parity.report.terminal import plain

factory = runpy.run_path(str(Path(__file__).with_name("factory.py")))
TODAY = "2026-12-01"
ROUNDED = Drift("losses.mae/even-0", "torch/value/mae", Nature.ROUNDING, 0.0213, 2.0, 6.84)
MEANT = Drift("probe.crop/even-1", "bounds/value/probe", Nature.SEMANTIC, 0.5, 1e15, 0.3, "wider by ×1.5")
GONE = Drift("probe.crop/even-2", "torch/value/probe", Nature.SEMANTIC, math.inf, math.inf, 0.0, "gone")
FILLED = Drift("losses.mae/even-3", "tensorflow/value/mae", Nature.ADDED, math.inf, math.inf, 0.0, "new")
FIRST = Regeneration("2026-01-05", "ab" * 20, "the first", 120, None, Nature.ADDED, {"numpy": "2.1", "torch": "2.6"})
SECOND = Regeneration(
    "2026-02-11",
    "",
    "torch [2.7]",
    3,
    Largest(0.02, "losses.mae/even-0", "torch/value/mae"),
    Nature.ROUNDING,
    {"numpy": "2.1", "torch": "2.7"},
)
THIRD = replace(SECOND, largest=Largest(math.inf, "a.b/even-0", "inputs/x"), nature=Nature.SEMANTIC, reason="anew")


def rows(renderable):
    """The lines of a table as words, without what is below it."""
    lines = [line.split() for line in plain(renderable).splitlines()]
    return lines[: next(i for i, line in enumerate(lines) if line[:2] in (["×", "bound:"], ["days:", "since"]))]


def difference(*drifts, added=(), removed=()):
    return GoldenDiff(tuple(added), tuple(removed), {drift.golden: (drift,) for drift in drifts})


def test_what_changed_is_listed_the_worst_first():
    assert rows(drift_table([ROUNDED, FILLED, MEANT, GONE])) == [
        ["golden", "array", "×", "bound", "ulps", "digits", "left", "nature", "note"],
        ["probe.crop/even-2", "torch/value/probe", "–", "–", "0.0", "semantic", "gone"],
        ["probe.crop/even-1", "bounds/value/probe", "0.5", "1.0e+15", "0.3", "semantic", *MEANT.note.split()],
        ["losses.mae/even-3", "tensorflow/value/mae", "–", "–", "0.0", "added", "new"],
        ["losses.mae/even-0", "torch/value/mae", "0.021", "2", "6.8", "rounding"],
    ]


def test_what_is_not_shown_is_counted():
    many = [replace(ROUNDED, golden=f"losses.mae/even-{i}") for i in range(1200)]
    listed = rows(drift_table(many, most=2))
    assert listed[-1] == ["and", "1,198", "more"]
    assert len(listed) == 4
    assert "more" not in plain(drift_table(many[:20]))
    assert plain(drift_table([])) == "nothing changed\n"


@pytest.mark.parametrize(
    ("drifts", "added", "removed", "said"),
    [
        ([], (), (), "no golden changed"),
        ([ROUNDED], (), (), "1 golden changed by rounding alone, at most 0.021 of the bound"),
        (
            [ROUNDED, replace(ROUNDED, golden="a.b/even-0", bounds=1.5), replace(ROUNDED, golden="a.b/even-1")],
            (),
            (),
            "3 goldens changed by rounding alone, at most 1.5 of the bound",
        ),
        (
            [ROUNDED, MEANT, GONE],
            (),
            (),
            "semantic: probe.crop/even-1, probe.crop/even-2; "
            "1 golden changed by rounding alone, at most 0.021 of the bound",
        ),
        ([], ("a", "b"), ("c",), "removed: c; 2 goldens added: a, b"),
        ([FILLED], (), (), "outputs added to 1 golden: losses.mae/even-3"),
        ([], tuple("abcde"), (), "5 goldens added: a, b, c and 2 more"),
    ],
)
def test_what_changed_is_said_in_one_line(drifts, added, removed, said):
    assert difference_summary(difference(*drifts, added=added, removed=removed)).plain == said


def test_a_golden_is_named_once_by_the_most_serious_of_its_changes():
    both = GoldenDiff(
        (), (), {"a.b/even-0": (replace(MEANT, golden="a.b/even-0"), replace(ROUNDED, golden="a.b/even-0"))}
    )
    assert difference_summary(both).plain == "semantic: a.b/even-0"


def test_goldens_are_listed_with_age_outputs_and_reason():
    dated = factory["golden"](contract="a.b", seed=7)
    old = factory["golden"](precision=FLOAT64, outputs={}, proof={}, provenance={"reason": "no [date]"})
    listed = [ListedGolden(old, 12_345), ListedGolden(dated, 600)]
    text = plain(golden_table(listed, ["probe.x", "a.b", "losses.y"], TODAY, 12_945))
    assert rows(golden_table(listed, [], TODAY, 12_945)) == [
        ["contract", "golden", "precision", "kB", "days", "outputs", "tells", "last", "change"],
        ["a.b", "even-7", "float32", "0.6", "8", "torch", "1", "made", "up"],
        ["losses.mae", "even-0", "float64", "12.3", "–", "none", "0", "no", "[date]"],
    ]
    assert text.splitlines()[-2:] == [
        "2 goldens, 0.01 MB of the 8 MB that they may take",
        "2 contracts without a golden: probe.x, losses.y",
    ]


def test_the_room_is_that_of_the_whole_set():
    assert "1 golden, 7.50 MB of the 8 MB" in plain(
        golden_table([ListedGolden(factory["golden"](), 9)], [], TODAY, total=7_500_000)
    )


def test_the_history_is_listed_with_versions_that_changed():
    assert [" ".join(words) for words in rows(history_table([FIRST, SECOND, THIRD]))] == [
        "date commit goldens × bound nature moved farthest versions reason",
        "2026-01-05 ababababab 120 – added – – the first",
        "2026-02-11 – 3 0.02 rounding losses.mae/even-0 torch/value/mae torch 2.6 → 2.7 torch [2.7]",
        "2026-02-11 – 3 – semantic a.b/even-0 inputs/x – anew",
    ]
    assert plain(history_table([])) == "nothing was regenerated yet\n"


def test_the_history_is_drawn_with_the_same_bytes_each_time(tmp_path):
    entries = [FIRST, SECOND, THIRD, replace(SECOND, largest=None, nature=Nature.SAME)] * 10
    once, again = (draw_history(tmp_path / folder, entries) for folder in ("once", "again"))
    assert [path.name for path in once] == ["golden-history.png", "golden-history.svg"]
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]
    assert once[0].read_bytes().startswith(b"\x89PNG")


def test_every_kind_of_regeneration_has_its_mark(tmp_path):
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none"}):
        svg = draw_history(tmp_path, [FIRST, SECOND, THIRD])[1].read_text()
    for said in ("2026-01-05", "torch 2.6 → 2.7", "made new", "rounding", "semantic, not to be compared"):
        assert f">{said}</text>" in svg


def test_a_history_without_entries_cannot_be_drawn(tmp_path):
    with pytest.raises(ValueError, match=r"^entries: expected at least one regeneration, got none$"):
        draw_history(tmp_path, [])


def test_without_matplotlib_what_to_install_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MatplotlibMissing, match=r"pip install 'ptycho-parity\[report\]'"):
        draw_history(tmp_path / "new", [FIRST])
    assert not (tmp_path / "new").exists()
