"""Files that are none, or too large, are refused at once; and what is read in place is what was opened, or refused."""

import math
import os
import pickle
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ptycho_exposures import opening, regions
from ptycho_exposures.groupedscan import GroupedScan
from ptycho_exposures.npz import Archive, DataError, StoredArray
from ptycho_exposures.opening import NoRegularFile, in_bytes, memory_left, open_regular, read_whole

FRAMES = np.arange(7 * 3 * 5 * 4, dtype=np.float32).reshape(7, 3, 5, 4)


def socket_at(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


@pytest.mark.parametrize(
    ("make", "got"),
    [
        (os.mkfifo, "a pipe"),
        (Path.mkdir, "a folder"),
        (socket_at, "a socket"),
        (lambda path: path.symlink_to("/dev/zero"), "a device"),
        (lambda path: path.symlink_to(path), "too many levels of symbolic links"),
        (lambda path: path.symlink_to("nothing"), "a link to nothing"),
        (lambda path: None, "no such file"),
    ],
)
def test_what_is_no_file_is_refused_at_once(make: Callable[[Path], object], got: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    make(path)
    with pytest.raises(NoRegularFile) as caught:
        open_regular(path)
    assert (caught.value.strerror, caught.value.filename) == (got, str(path))
    with pytest.raises(DataError, match=f"a.npz: expected an .npz file, got {got}"), Archive.open(path):
        pass


def test_a_name_that_no_file_has() -> None:
    with pytest.raises(NoRegularFile, match="a name that no file has"):
        open_regular("a\0b")


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 3000)
    assert len(read_whole(path, most=3000)) == 3000
    with pytest.raises(NoRegularFile, match=r"one of 2\.93 KiB, more than 2 KiB"):
        read_whole(path, most=2048)
    monkeypatch.setattr(opening, "memory_left", lambda: 4096)
    with pytest.raises(NoRegularFile, match=r"one of 2\.93 KiB, which takes 5\.86 KiB of memory, where 4 KiB are left"):
        read_whole(path, times=2)


def test_memory_is_counted() -> None:
    assert 0 < memory_left() < 2**62
    assert [in_bytes(size) for size in (0, 1023, 2**20, 3 * 2**30, 10**700)] == [
        "0 B",
        "1.02e+03 B",
        "1 MiB",
        "3 GiB",
        "more bytes than can be",
    ]


def opened(path: Path) -> StoredArray:
    with Archive.open(path) as archive:
        stored = archive.array("frames")
    stored.check_bytes()
    return stored


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("axis", range(FRAMES.ndim))
@pytest.mark.parametrize("near", [0, 2**20])
@pytest.mark.parametrize("numbers", [[0], [2], [0, 1, 2], [0, 2]])
def test_parts_are_those_of_the_array(
    order: str, axis: int, near: int, numbers: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regions, "_NEAR", near)
    monkeypatch.setattr(regions, "BLOCK", 64)
    np.savez(tmp_path / "a.npz", frames=np.asarray(FRAMES, order=order))  # type: ignore[call-overload]
    stored = opened(tmp_path / "a.npz")
    np.testing.assert_array_equal(stored.take(np.array(numbers), axis), np.take(FRAMES, numbers, axis))
    np.testing.assert_array_equal(stored.array, FRAMES)


@pytest.mark.parametrize("scalar", [np.array(3.5), np.empty((0, 4))])
def test_one_number_and_none_are_read_whole(scalar: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", frames=scalar)
    np.testing.assert_array_equal(opened(tmp_path / "a.npz").array, scalar)


def replaced(path: Path) -> None:
    write(path.with_name("other"), FRAMES + 1)
    path.with_name("other.npz").replace(path)


def in_place_unseen(path: Path) -> None:
    """Other values of the same size, at the time at which the file says it was written."""
    status = path.stat()
    write(path, FRAMES + 1)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def write(path: Path, frames: np.ndarray) -> None:
    np.savez(path, frames=frames)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: write(path, FRAMES + 1),
        lambda path: write(path, FRAMES[:3]),
        lambda path: os.truncate(path, 300),
        lambda path: os.truncate(path, 0),
        replaced,
        in_place_unseen,
    ],
    ids=["rewritten", "shorter", "truncated", "emptied", "replaced", "unseen"],
)
def test_a_file_that_changes_while_it_is_open_is_noticed(change: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write(path, FRAMES)
    stored = opened(path)
    np.testing.assert_array_equal(stored.take(np.array([1]), 0), FRAMES[1:2])
    change(path)
    for read in (lambda: stored.take(np.array([1]), 0), stored.check_bytes, lambda: stored.array):
        with pytest.raises(DataError, match="expected the file that was opened, got one that was written since"):
            read()


def test_a_compressed_file_that_changes_is_noticed_here_and_in_another_process(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, frames=FRAMES)
    here = opened(path)
    sent = pickle.dumps(here)
    np.testing.assert_array_equal(here.take(np.array([1]), 0), FRAMES[1:2])
    np.savez_compressed(path, frames=FRAMES + 1)
    for stored in (here, pickle.loads(sent)):
        with pytest.raises(DataError, match="expected the file that was opened, got one that was written since"):
            stored.take(np.array([1]), 0)


def test_a_file_that_is_gone_and_one_that_is_a_pipe_now(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write(path, FRAMES)
    stored = opened(path)
    path.unlink()
    with pytest.raises(DataError, match=r"expected an \.npz file, got no such file"):
        stored.take(np.array([1]), 0)
    os.mkfifo(path)
    with pytest.raises(DataError, match=r"expected an \.npz file, got a pipe"):
        stored.take(np.array([1]), 0)


def test_other_attributes_are_no_change(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write(path, FRAMES)
    stored = opened(path)
    path.chmod(0o600)
    np.testing.assert_array_equal(stored.take(np.array([1]), 0), FRAMES[1:2])


def lying(header: bytes, data: bytes = bytes(64)) -> bytes:
    text = header + b" " * (64 - 11 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


SHAPES = [
    (b"(-4, 4)", r"shape \(-4, 4\)"),
    (b"(2, 4)", r"expected 32 bytes, for float32 of shape \(2, 4\), got 64"),
    (b"(99999999999, 9999999999999)", r"shape \(99999999999, 9999999999999\)"),
    (b"(0, 9999999999999999999999)", r"shape \(0, 9999999999999999999999\)"),
    (b"(4.0, 4)", "shape is not valid"),
    (b"((4, 4))", r"\(4, 4\)"),
    (b"(" * 30, "one that cannot be read"),
]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(("shape", "sentence"), SHAPES)
def test_a_header_that_lies(shape: bytes, sentence: str, compression: int, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("frames.npy", lying(b"{'descr':'<f4','fortran_order':False,'shape':" + shape + b"}"))
    for read in (Archive.array, Archive.read):
        if shape == b"((4, 4))":  # spelt oddly, and true
            with Archive.open(path) as archive:
                assert read(archive, "frames").shape == (4, 4)
        else:
            with pytest.raises(DataError, match=sentence), Archive.open(path) as archive:
                read(archive, "frames")


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, frames=np.zeros(2**20))
    monkeypatch.setattr("ptycho_exposures.npz.memory_left", lambda: math.ceil(7.5 * 2**20))
    with (
        pytest.raises(DataError, match=r"shape \(1048576,\), which takes 24 MiB with its checks, where 7\.5 MiB"),
        Archive.open(path) as archive,
    ):
        archive.read("frames")


def test_an_array_that_is_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"")
        archive.writestr("a", b"")
    with pytest.raises(DataError, match="a: expected each array once, got this one 2 times"), Archive.open(path):
        pass


@pytest.mark.parametrize("name", ["xcoords", "probeGuess", "Y_phi", "Y_I"])
def test_what_the_working_precision_cannot_hold_is_refused(name: str, tmp_path: Path) -> None:
    arrays = {
        "diffraction": np.ones((4, 2, 2)),
        "probeGuess": np.ones((2, 2), complex),
        "xcoords": np.array([0.0, 1.0, 0.0, 1.0]),
        "ycoords": np.array([0.0, 0.0, 1.0, 1.0]),
        "Y_I": np.ones((4, 2, 2)),
        "Y_phi": np.zeros((4, 2, 2)),
    }
    arrays[name] = np.where(np.arange(arrays[name].size).reshape(arrays[name].shape) == 1, 1e300, arrays[name])
    np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="expected numbers that float32 holds, got larger ones"):
        GroupedScan(tmp_path / "a.npz").read([0, 1])
    GroupedScan(tmp_path / "a.npz", precision="float64").read([0, 1])
