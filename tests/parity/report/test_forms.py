"""The forms in a folder: all of them, whole or not at all."""

from pathlib import Path
from typing import Any

import pytest

from parity.report.writing import write_forms
from ptycho_exposures import files


def test_three_forms_side_by_side(report: Any, held: Any, tmp_path: Path) -> None:
    written = write_forms(tmp_path, report(held(torch=3.0)))
    assert [path.name for path in written] == ["report.html", "report.md", "junit.xml"]
    assert sorted(tmp_path.iterdir()) == sorted(written)
    assert all("losses.mae: torch disagrees" in path.read_text() for path in written)


def test_text_that_utf8_cannot_hold_is_written_all_the_same(report: Any, held: Any, tmp_path: Path) -> None:
    for path in write_forms(tmp_path, report(held(torch=3.0, message="a path \udcff"))):
        assert "a path " in path.read_text()


def test_a_folder_that_is_not_there(report: Any, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    with pytest.raises(OSError, match=r"report\.html: expected to write the report there, got: No such file") as caught:
        write_forms(folder, report())
    assert str(folder / "report.html") in str(caught.value)


def test_on_a_full_disk_nothing_is_left_half_written(
    report: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "report.html").write_text("the one before")
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match=r"report\.html: expected .* got: No space left on device$"):
        write_forms(tmp_path, report())
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "the one before"
