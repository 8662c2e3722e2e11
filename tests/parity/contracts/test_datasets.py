"""The reader of users' data sets: what it accepts, and the sentence it refuses everything else with."""

import re
import zipfile
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.contracts.cases.datasets import Dataset, DatasetError, read_dataset, require_same

COUNT, HEIGHT, WIDTH = 5, 8, 6
Arrays: TypeAlias = dict[str, NDArray[Any]]


class Bomb:
    """An object that makes its unpickling fail the test."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("an object array was unpickled",)


BOMB = np.array([Bomb()], dtype=object)


@pytest.fixture
def arrays() -> Arrays:
    """A valid data set, every array without symmetry."""
    rng = np.random.default_rng(1)
    return {
        "diff3d": rng.uniform(0, 9, (COUNT, HEIGHT, WIDTH)).astype(np.float32),
        "probeGuess": rng.uniform(size=(2, HEIGHT, WIDTH)) + 1j * rng.uniform(size=(2, HEIGHT, WIDTH)),
        "xcoords": rng.uniform(0, 20, COUNT),
        "ycoords": rng.uniform(0, 20, COUNT),
        "objectGuess": np.exp(1j * rng.uniform(-3, 3, (30, 28))).astype(np.complex64),
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scan.npz"


def save_and_read(path: Path, arrays: Arrays) -> Dataset:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return read_dataset(path)


def refusal(path: Path) -> str:
    """The message that the file is refused with, less the file's name, which it must begin with."""
    with pytest.raises(DatasetError, match=re.escape(str(path))) as caught:
        read_dataset(path)
    return str(caught.value).removeprefix(f"{path}: ")


def refusal_of(path: Path, arrays: Arrays, **changes: NDArray[Any]) -> str:
    np.savez(path, **(arrays | changes))  # type: ignore[arg-type]
    return refusal(path)


def test_reads_every_array_as_it_is(path: Path, arrays: Arrays) -> None:
    dataset = save_and_read(path, arrays)
    np.testing.assert_array_equal(dataset.diffraction, arrays["diff3d"])
    np.testing.assert_array_equal(dataset.probe, arrays["probeGuess"])
    np.testing.assert_array_equal(dataset.positions[:, 0], arrays["xcoords"])
    np.testing.assert_array_equal(dataset.positions[:, 1], arrays["ycoords"])
    np.testing.assert_array_equal(dataset.object, arrays["objectGuess"])
    assert dataset.skipped == ()


def test_takes_a_path_as_text_and_a_compressed_archive(path: Path, arrays: Arrays) -> None:
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    np.testing.assert_array_equal(read_dataset(str(path)).diffraction, arrays["diff3d"])


@pytest.mark.parametrize("dtype", ["<f4", "<f8", ">f4", ">f8"])
def test_keeps_the_precision_in_native_byte_order(path: Path, arrays: Arrays, dtype: str) -> None:
    stored = arrays["diff3d"].astype(dtype)
    dataset = save_and_read(path, arrays | {"diff3d": stored})
    assert dataset.diffraction.dtype == stored.dtype.newbyteorder("=")
    np.testing.assert_array_equal(dataset.diffraction, stored)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("last", [False, True], ids=["patterns first", "patterns last"])
def test_either_axis_order_gives_the_same_patterns(path: Path, arrays: Arrays, last: bool, order: Any) -> None:
    stored = np.moveaxis(arrays["diff3d"], 0, -1) if last else arrays["diff3d"]
    dataset = save_and_read(path, arrays | {"diff3d": np.array(stored, order=order)})
    np.testing.assert_array_equal(dataset.diffraction, arrays["diff3d"])
    assert dataset.diffraction.flags.c_contiguous


def test_a_cube_is_taken_patterns_first(path: Path, arrays: Arrays) -> None:
    cube = np.arange(COUNT**3, dtype=np.float32).reshape(COUNT, COUNT, COUNT)
    small = arrays["probeGuess"][:, :COUNT, :COUNT]
    dataset = save_and_read(path, arrays | {"diff3d": cube, "probeGuess": small})
    np.testing.assert_array_equal(dataset.diffraction, cube)


def test_diffraction_is_preferred_to_diff3d(path: Path, arrays: Arrays) -> None:
    dataset = save_and_read(path, arrays | {"diffraction": arrays["diff3d"] + 1})
    np.testing.assert_array_equal(dataset.diffraction, arrays["diff3d"] + 1)
    assert dataset.skipped == ("diff3d",)


def test_a_single_mode_gains_its_axis(path: Path, arrays: Arrays) -> None:
    dataset = save_and_read(path, arrays | {"probeGuess": arrays["probeGuess"][0]})
    np.testing.assert_array_equal(dataset.probe, arrays["probeGuess"][:1])


def test_integer_coordinates_are_pixels_like_any_other(path: Path, arrays: Arrays) -> None:
    dataset = save_and_read(path, arrays | {"xcoords": np.arange(COUNT), "ycoords": np.arange(COUNT)})
    assert dataset.positions.dtype == np.float64
    np.testing.assert_array_equal(dataset.positions, np.arange(COUNT)[:, np.newaxis] * [1, 1])


def test_the_object_is_optional(path: Path, arrays: Arrays) -> None:
    del arrays["objectGuess"]
    assert save_and_read(path, arrays).object is None


def test_other_keys_are_skipped_by_name(path: Path, arrays: Arrays) -> None:
    extra = {"scan_index": np.zeros(COUNT, int), "_metadata": BOMB}
    assert save_and_read(path, extra | arrays).skipped == ("scan_index", "_metadata")


def test_an_object_array_as_optional_object_is_skipped_unread(path: Path, arrays: Arrays) -> None:
    dataset = save_and_read(path, arrays | {"objectGuess": BOMB})
    assert dataset.object is None
    assert dataset.skipped == ("objectGuess",)


@pytest.mark.parametrize("key", ["diff3d", "probeGuess", "xcoords", "ycoords"])
def test_an_object_array_under_a_required_key_is_refused_unread(path: Path, arrays: Arrays, key: str) -> None:
    message = refusal_of(path, arrays, **{key: BOMB})
    assert message.startswith(f"{key}: expected ")
    assert message.endswith("got an object array, which is never unpickled")


def test_the_bomb_is_live(path: Path) -> None:
    np.savez(path, bomb=BOMB)
    with np.load(path, allow_pickle=True) as loaded, pytest.raises(pytest.fail.Exception, match="unpickled"):
        loaded["bomb"]


def test_no_such_file(path: Path) -> None:
    assert refusal(path) == "expected an .npz file, got no such file"


def test_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path).startswith("expected an .npz file, got ")


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "an empty file"),
        (b"x,y\n1,2\n", "a file of another kind"),
        (b"\x93NUMPY\x01\x00", "a single .npy array"),
        (b"PK\x03\x04", "one that is truncated or damaged"),
    ],
)
def test_a_file_that_is_no_archive(path: Path, content: bytes, got: str) -> None:
    path.write_bytes(content)
    assert refusal(path) == f"expected an .npz file, got {got}"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_file(path: Path, arrays: Arrays, share: float) -> None:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert refusal(path) == "expected an .npz file, got one that is truncated or damaged"


@pytest.mark.parametrize("key", ["diff3d", "probeGuess", "xcoords", "ycoords", "objectGuess"])
def test_a_flipped_bit(path: Path, arrays: Arrays, key: str) -> None:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    content = bytearray(path.read_bytes())
    content[content.index(arrays[key].tobytes()) + 1] ^= 1
    path.write_bytes(content)
    assert refusal(path).startswith(f"{key}: expected a readable array, got one that cannot be read (Bad CRC-32")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x93NUMPY\x09\x00", ".npy format (9, 0)"),
        (b"not an array", "the magic string is not correct"),
        (b"", "EOF"),
    ],
)
def test_a_member_that_is_no_array(path: Path, arrays: Arrays, content: bytes, reason: str) -> None:
    del arrays["xcoords"]
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xcoords.npy", content)
    message = refusal(path)
    assert message.startswith("xcoords: expected a readable array, got one that cannot be read (")
    assert reason in message


def test_an_archive_without_arrays(path: Path) -> None:
    np.savez(path)
    assert refusal(path) == (
        "diffraction or diff3d, probeGuess, xcoords, ycoords: expected to find this key, got an archive without arrays"
    )


def test_a_missing_key_names_those_present_and_the_likely_one(path: Path, arrays: Arrays) -> None:
    arrays["probe"] = arrays.pop("probeGuess")
    arrays["XCoords"] = arrays.pop("xcoords")
    assert refusal_of(path, arrays) == (
        "probeGuess, xcoords: expected to find this key, "
        "got only diff3d, ycoords, objectGuess, probe, XCoords; "
        "did you mean probeGuess by probe?; did you mean xcoords by XCoords?"
    )


def test_a_missing_diffraction_names_both_its_keys(path: Path, arrays: Arrays) -> None:
    del arrays["diff3d"]
    assert refusal_of(path, arrays).startswith("diffraction or diff3d: expected to find this key, got only ")


def test_counts_for_amplitudes(path: Path, arrays: Arrays) -> None:
    assert refusal_of(path, arrays, diff3d=arrays["diff3d"].astype(np.uint16)) == (
        "diff3d: expected a float32 or float64 amplitude, "
        "got uint16: integers look like counts; store the square root (amplitude)"
    )


@pytest.mark.parametrize("dtype", ["complex64", "float16", "bool"])
def test_other_types_of_diffraction(path: Path, arrays: Arrays, dtype: str) -> None:
    message = refusal_of(path, arrays, diff3d=arrays["diff3d"].astype(dtype))
    assert message == f"diff3d: expected a float32 or float64 amplitude, got {dtype}"


@pytest.mark.parametrize(
    ("key", "place", "value", "expected"),
    [
        ("diff3d", (3, 7, 2), -0.5, "a non-negative amplitude, got -0.5"),
        ("diff3d", (3, 7, 2), np.nan, "finite values, got nan"),
        ("diff3d", (0, 0, 5), np.inf, "finite values, got inf"),
        ("probeGuess", (1, 0, 2), np.nan, "finite values, got (nan+0j)"),
        ("xcoords", (4,), np.inf, "finite values, got inf"),
        ("objectGuess", (29, 1), np.nan, "finite values, got (nan+0j)"),
    ],
)
def test_an_invalid_value_is_named_with_its_place(
    path: Path, arrays: Arrays, key: str, place: tuple[int, ...], value: float, expected: str
) -> None:
    arrays[key][place] = value
    assert refusal_of(path, arrays) == f"{key}: expected {expected} at {place}"


def test_a_place_is_counted_in_the_file_s_own_order(path: Path, arrays: Arrays) -> None:
    arrays["diff3d"][3, 7, 2] = np.nan
    assert refusal_of(path, arrays, diff3d=np.moveaxis(arrays["diff3d"], 0, -1)).endswith("nan at (7, 2, 3)")


@pytest.mark.parametrize("shape", [(4, HEIGHT, WIDTH), (HEIGHT, COUNT, WIDTH), (COUNT, HEIGHT)])
def test_patterns_that_no_axis_counts(path: Path, arrays: Arrays, shape: tuple[int, ...]) -> None:
    assert refusal_of(path, arrays, diff3d=np.ones(shape)) == (
        f"diff3d: expected shape (5, H, W) or (H, W, 5), as xcoords has 5 entries, got {shape}"
    )


def test_coordinates_of_different_lengths(path: Path, arrays: Arrays) -> None:
    message = refusal_of(path, arrays, ycoords=np.ones(4))
    assert message == "ycoords: expected 5 entries, as xcoords has, got 4"


def test_coordinates_of_rank_two(path: Path, arrays: Arrays) -> None:
    message = refusal_of(path, arrays, ycoords=np.ones((COUNT, 1)))
    assert message == "ycoords: expected shape (n,), got (5, 1)"


def test_complex_coordinates(path: Path, arrays: Arrays) -> None:
    message = refusal_of(path, arrays, xcoords=np.ones(COUNT, complex))
    assert message == "xcoords: expected real coordinates in pixels, got complex128"


def test_an_empty_scan(path: Path, arrays: Arrays) -> None:
    message = refusal_of(path, arrays, xcoords=np.ones(0), ycoords=np.ones(0))
    assert message == "xcoords: expected at least one entry, got shape (0,)"


def test_a_probe_of_another_size(path: Path, arrays: Arrays) -> None:
    message = refusal_of(path, arrays, probeGuess=np.ones((6, 6), complex))
    assert message == ("probeGuess: expected shape (P, 8, 6) or (8, 6), the size of the patterns, got (6, 6)")


def test_a_probe_with_its_modes_last(path: Path, arrays: Arrays) -> None:
    message = refusal_of(path, arrays, probeGuess=np.ones((HEIGHT, WIDTH, 2), complex))
    assert message.endswith("got (8, 6, 2); put the mode axis first")


def test_a_real_probe(path: Path, arrays: Arrays) -> None:
    message = refusal_of(path, arrays, probeGuess=np.ones((HEIGHT, WIDTH)))
    assert message == "probeGuess: expected a complex64 or complex128 probe, got float64"


def test_a_real_object(path: Path, arrays: Arrays) -> None:
    message = refusal_of(path, arrays, objectGuess=np.ones((30, 30)))
    assert message == "objectGuess: expected a complex64 or complex128 object, got float64"


@pytest.mark.parametrize("shape", [(7, 30), (30, 5), (2, 30, 30)])
def test_an_object_that_holds_no_pattern(path: Path, arrays: Arrays, shape: tuple[int, ...]) -> None:
    message = refusal_of(path, arrays, objectGuess=np.ones(shape, complex))
    assert message == f"objectGuess: expected two axes, no shorter than a pattern's (8, 6), got shape {shape}"


def test_a_data_set_that_was_written_since_is_another(path: Path, arrays: Arrays) -> None:
    before = save_and_read(path, arrays)
    require_same(path, before.seen, read_dataset(path).seen)
    now = save_and_read(path, arrays | {"diff3d": arrays["diff3d"] + 1})
    with pytest.raises(DatasetError, match="expected the file that was opened, got one that was written since"):
        require_same(path, before.seen, now.seen)
