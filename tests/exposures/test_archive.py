"""Archives are written whole or not at all, and what is asked of one that is read."""

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptycho_exposures.archive import read_array, require_keys, write_archives
from ptycho_exposures.npz import Archive, DataError, UnreadableError

ARRAYS: dict[str, Any] = {"b": np.arange(6.0).reshape(2, 3), "a": np.array("text"), "c": np.arange(3, dtype=">i2")}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.npz"
    write_archives({path: ARRAYS})
    with Archive.open(path) as archive:
        assert archive.keys == ("b", "a", "c")
        assert np.array_equal(read_array(archive, "b", "f", "floats"), ARRAYS["b"])
        assert str(read_array(archive, "a", "U", "text")) == "text"
        assert read_array(archive, "c", "i", "integers").dtype == np.int16
    assert list(path.parent.iterdir()) == [path]


def test_equal_arrays_give_equal_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "1.npz", tmp_path / "2.npz"
    turned = dict(ARRAYS, b=np.asfortranarray(ARRAYS["b"]), c=ARRAYS["c"].astype("<i2"))
    write_archives({one: ARRAYS, other: turned})
    assert one.read_bytes() == other.read_bytes()


def test_one_that_fails_leaves_all_as_they_were(tmp_path: Path) -> None:
    first, second = tmp_path / "1.npz", tmp_path / "2.npz"
    first.write_bytes(b"as it was")
    with pytest.raises(TypeError, match="arrays: expected numbers or text, which need no pickle, got object"):
        write_archives({first: ARRAYS, second: {"a": np.array([None])}})
    assert list(tmp_path.iterdir()) == [first]
    assert first.read_bytes() == b"as it was"


def test_a_folder_in_the_place_of_one_leaves_all_as_they_were(tmp_path: Path) -> None:
    first, second = tmp_path / "1.npz", tmp_path / "2.npz"
    first.write_bytes(b"as it was")
    second.mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        write_archives({first: ARRAYS, second: ARRAYS})
    assert caught.value.filename == str(second)
    assert sorted(tmp_path.iterdir()) == [first, second]
    assert first.read_bytes() == b"as it was"


def test_a_full_disk_is_said_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_archives({tmp_path / "1.npz": ARRAYS})
    assert caught.value.filename == str(tmp_path / "1.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "an empty file"),
        (b"PK\x03\x04", "one that is truncated or damaged"),
        (b"GIF89a", "a file of another kind"),
        (None, "no such file"),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes | None, got: str) -> None:
    path = tmp_path / "a.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableError, match=rf"a\.npz: expected an \.npz file, got {got}"), Archive.open(path):
        pass


@pytest.mark.parametrize(
    ("array", "got"),
    [
        (np.array([None]), "an object array, which is never unpickled"),
        (np.arange(3), "int64, which look like whole ones"),
        (np.array([1j]), "complex128"),
        (np.zeros((0, 3)), r"shape \(0, 3\)"),
        (np.array([[1.0, np.inf]]), r"inf at \(0, 1\)"),
    ],
)
def test_an_array_of_another_kind_is_refused(tmp_path: Path, array: np.ndarray, got: str) -> None:
    np.savez(tmp_path / "a.npz", x=array)
    with (
        Archive.open(tmp_path / "a.npz") as archive,
        pytest.raises(DataError, match=rf"a\.npz: x: expected .*, got {got}"),
    ):
        read_array(archive, "x", "f", "floats", whole="which look like whole ones")


def test_an_altered_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.full(1000, 7.0))
    content = bytearray(path.read_bytes())
    content[4000] ^= 1
    path.write_bytes(content)
    with (
        Archive.open(path) as archive,
        pytest.raises(UnreadableError, match=r"x: expected a readable array, got one that cannot be read .*CRC"),
    ):
        read_array(archive, "x", "f", "floats")


def test_a_member_that_is_no_array_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as members:
        members.writestr("x.npy", b"nothing")
    with (
        Archive.open(tmp_path / "a.npz") as archive,
        pytest.raises(UnreadableError, match="x: expected a readable array, got one that cannot be read"),
    ):
        read_array(archive, "x", "f", "floats")


def test_a_damaged_file_is_read_or_refused(tmp_path: Path) -> None:
    """Any byte altered, of names, headers or data: never another error, never other numbers."""
    path = tmp_path / "a.npz"
    np.savez(path, x=np.full(20, 7.0))
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            with Archive.open(path) as archive:
                require_keys(archive, ["x"])
                assert np.array_equal(read_array(archive, "x", "f", "floats"), np.full(20, 7.0))
        except DataError:
            continue
