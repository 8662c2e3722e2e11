"""Changed goldens and their line of history, in the place of the old."""

from dataclasses import replace

import pytest

from parity.contracts.declared import REGISTRY
from parity.goldens import manifest, provenance
from parity.goldens import publish as publishing
from parity.goldens.drift import Nature
from parity.goldens.errors import GoldenError
from parity.goldens.folder import GoldenSet
from parity.goldens.history import read_history
from parity.goldens.manifest import faults
from parity.goldens.publish import publish
from parity.goldens.record import encode
from parity.goldens.regenerate import regenerate

MAE = REGISTRY["losses.mae"]


@pytest.fixture(autouse=True)
def _one_day(monkeypatch) -> None:
    monkeypatch.setattr(publishing, "today", lambda: "2031-02-03")


def test_the_first_goldens_make_a_folder_with_a_history_of_one_line(tmp_path, frozen, stamp) -> None:
    folder = tmp_path / "fixtures" / "golden"
    golden = frozen("losses.mae")
    difference = publish(folder, GoldenSet.empty(), {golden.name: golden}, stamp)
    assert difference.added == ("losses.mae/even-0",)
    assert faults(folder) == []
    stored = GoldenSet.read(folder)
    assert stored.names == ("losses.mae/even-0",)
    assert encode(stored.golden("losses.mae/even-0")) == encode(golden)
    (entry,) = read_history(stored.history)
    assert (entry.date, entry.commit, entry.reason, entry.goldens) == (
        "2031-02-03",
        stamp.commit,
        "the first goldens",
        1,
    )
    assert entry.nature is Nature.ADDED
    assert entry.largest is None
    assert entry.versions == provenance.versions(stamp.frameworks)


def test_what_is_written_is_what_was_asked_for(fixtures, stamp, break_torch, snapshot) -> None:
    old, before = GoldenSet.read(fixtures), snapshot(fixtures)
    break_torch(1 + 2**-22)
    later = replace(stamp, reason="rounded anew")
    new = regenerate(old.golden("losses.mae/even-0"), MAE, later).new
    difference = publish(fixtures, old, {new.name: new}, later)
    after = snapshot(fixtures)
    assert {name for name in before if before[name] != after[name]} == {
        "history.jsonl",
        "losses.mae/even-0.npz",
        "manifest.json",
    }
    assert after.keys() == before.keys()
    first, second = read_history(GoldenSet.read(fixtures).history)
    assert first.reason == "the first goldens"
    assert second.nature is Nature.ROUNDING
    assert second.largest is not None
    assert difference.largest is not None
    assert second.largest.golden == "losses.mae/even-0"
    assert second.largest.bounds == float(f"{difference.largest.bounds:.3g}")


def test_where_nothing_changed_nothing_is_touched(fixtures, stamp, snapshot) -> None:
    before = snapshot(fixtures)
    difference = publish(fixtures, GoldenSet.read(fixtures), {}, stamp)
    assert difference.nature is Nature.SAME
    assert snapshot(fixtures) == before


def test_goldens_are_taken_away_and_the_history_says_so(fixtures, stamp) -> None:
    later = replace(stamp, reason="no longer needed")
    difference = publish(fixtures, GoldenSet.read(fixtures), {}, later, removed=["losses.mae/even-0"])
    assert difference.removed == ("losses.mae/even-0",)
    stored = GoldenSet.read(fixtures)
    assert stored.names == ("optics.far_field_amplitude/odd-0", "scaling.count_photons/readings-0.f64")
    assert not (fixtures / "losses.mae").exists()
    entry = read_history(stored.history)[-1]
    assert (entry.goldens, entry.reason, entry.nature) == (0, "no longer needed", Nature.SEMANTIC)


def test_a_set_that_changed_meanwhile_is_left_alone(fixtures, frozen, stamp, snapshot) -> None:
    old = GoldenSet.read(fixtures)
    publish(fixtures, old, {}, stamp, removed=["scaling.count_photons/readings-0.f64"])
    before = snapshot(fixtures)
    with pytest.raises(GoldenError, match="changed while it was recomputed; nothing was written"):
        publish(fixtures, old, {}, stamp, removed=["losses.mae/even-0"])
    assert snapshot(fixtures) == before


def test_a_set_that_would_be_too_large_is_not_written(fixtures, frozen, stamp, snapshot, monkeypatch) -> None:
    old, before = GoldenSet.read(fixtures), snapshot(fixtures)
    monkeypatch.setattr(manifest, "MOST_BYTES", sum(len(content) for content in old.files.values()))
    another = replace(frozen("losses.mae"), seed=99)
    with pytest.raises(GoldenError, match="expected at most"):
        publish(fixtures, old, {another.name: another}, stamp)
    assert snapshot(fixtures) == before


def test_a_golden_that_would_not_be_read_again_is_not_written(fixtures, frozen, stamp, snapshot) -> None:
    old, before = GoldenSet.read(fixtures), snapshot(fixtures)
    golden = frozen("losses.mae")
    unjudged = replace(golden, seed=99, bounds={q: -bound for q, bound in golden.bounds.items()})
    with pytest.raises(GoldenError, match="expected bounds of shape"):
        publish(fixtures, old, {unjudged.name: unjudged}, stamp)
    assert snapshot(fixtures) == before
