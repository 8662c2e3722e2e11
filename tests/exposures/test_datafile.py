"""The files: what they hold, that they are read as they were written, and every refusal."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from parity.contracts.cases.datasets import read_dataset
from ptycho import scaling
from ptycho_exposures.datafile import KEYS, read_datafile, write_datafiles
from ptycho_exposures.diffsim import check_scaled_alike
from ptycho_exposures.npz import DataError

Arrays = dict[str, Any]


def arrays_in(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


@pytest.fixture(params=["single", "grouped"])
def path(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)["train"]


def test_a_file_of_single_patterns(single: dict[str, Path]) -> None:
    arrays = arrays_in(single["train"])
    described = {key: (array.shape, array.dtype.str) for key, array in arrays.items()}
    assert described == {
        **dict.fromkeys(("diffraction", "Y_I", "Y_phi"), ((9, 64, 64), "<f4")),
        **dict.fromkeys(("coords_nominal", "coords_true"), ((9, 1, 2, 1), "<f4")),
        "probeGuess": ((64, 64), "<c8"),
        "YY_full": ((80, 80), "<c8"),
        **dict.fromkeys(("norm_Y_I", "intensity_scale"), ((), "<f8")),
        "_metadata": ((), arrays["_metadata"].dtype.str),
        **dict.fromkeys(("xcoords", "ycoords"), ((9,), "<f4")),
    }
    assert arrays["_metadata"].dtype.kind == "U"


def test_a_file_of_groups(grouped: dict[str, Path]) -> None:
    arrays = arrays_in(grouped["train"])
    assert set(arrays) == set(KEYS)
    assert arrays["diffraction"].shape == arrays["Y_I"].shape == arrays["Y_phi"].shape == (4, 64, 64, 4)
    assert arrays["coords_nominal"].shape == arrays["coords_true"].shape == (4, 1, 2, 4)


def test_metadata_says_how_it_was_made(single: dict[str, Path]) -> None:
    found = json.loads(str(arrays_in(single["test"])["_metadata"]))
    assert found["format"] == "ptycho-grid-lines/1"
    assert (found["split"], found["N"], found["gridsize"], found["seed"]) == ("test", 64, 1, 0)
    assert found["probe"] == "disk"


def test_x_and_y_are_scaled_alike(path: Path) -> None:
    arrays = arrays_in(path)
    X, Y_I = (arrays[key].reshape(len(arrays[key]), 64, 64, -1) for key in ("diffraction", "Y_I"))
    check_scaled_alike(X, Y_I, float(arrays["intensity_scale"]))
    for wrong in (X * 1.01, np.square(X), X * arrays["intensity_scale"]):
        with pytest.raises(ValueError, match="not divided by the same"):
            check_scaled_alike(wrong.astype(np.float32), Y_I, float(arrays["intensity_scale"]))


def test_the_norm_is_that_of_the_stack(path: Path) -> None:
    arrays = arrays_in(path)
    X = arrays["diffraction"].reshape(len(arrays["diffraction"]), 64, 64, -1)
    expected = scaling.normalize_amplitude(tf.constant(X)).numpy()
    np.testing.assert_allclose(arrays["norm_Y_I"] * X, expected, rtol=1e-5)
    assert np.mean(np.square(arrays["norm_Y_I"] * X)) == pytest.approx(0.25, rel=1e-5)


def test_the_coordinates_of_an_experiment_are_the_true_ones(single: dict[str, Path]) -> None:
    """`parity run --data` reads a file of single patterns as any other."""
    read = read_dataset(single["train"])
    arrays = arrays_in(single["train"])
    assert np.array_equal(read.positions, arrays["coords_true"][:, 0, :, 0])
    assert np.array_equal(read.diffraction, arrays["diffraction"])


def test_what_is_read_is_written_again_alike(path: Path, tmp_path: Path) -> None:
    write_datafiles({tmp_path / "again.npz": read_datafile(path)})
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_several_modes_are_kept(single: dict[str, Path], tmp_path: Path) -> None:
    arrays = arrays_in(single["train"])
    arrays["probeGuess"] = np.stack([arrays["probeGuess"]] * 2)
    np.savez(tmp_path / "modes.npz", **arrays)
    write_datafiles({tmp_path / "again.npz": read_datafile(tmp_path / "modes.npz")})
    assert arrays_in(tmp_path / "again.npz")["probeGuess"].shape == (2, 64, 64)


def test_data_that_are_not_scaled_alike_are_not_written(single: dict[str, Path], tmp_path: Path) -> None:
    data = read_datafile(single["train"])
    data.diffraction[...] *= 2
    with pytest.raises(ValueError, match="not divided by the same intensity_scale"):
        write_datafiles({tmp_path / "wrong.npz": data})
    assert list(tmp_path.iterdir()) == []


def _nan(array: np.ndarray) -> np.ndarray:
    array[0, 1, 2] = np.nan
    return array


@pytest.mark.parametrize(
    ("key", "change", "message"),
    [
        ("Y_I", None, "Y_I: expected to find this key, got only diffraction, Y_phi, "),
        ("diffraction", lambda a: np.square(a * 1000).astype(np.uint16), "a float amplitude, got uint16, .* counts"),
        ("diffraction", lambda a: -a, "diffraction: expected a non-negative amplitude, got -"),
        ("diffraction", _nan, r"diffraction: expected finite values, got nan at \(0, 1, 2\)"),
        ("diffraction", np.square, "diffraction, Y_I: expected amplitudes divided by one scale, got others"),
        ("diffraction", lambda a: a[:, :, :60], r"diffraction: expected shape \(n, N, N\)"),
        ("diffraction", lambda a: np.stack([a] * 3, -1), r"diffraction: expected shape .* C a square, got .*, 3\)"),
        ("diffraction", lambda a: a.astype(object), "diffraction: expected a float amplitude, got an object array"),
        ("diffraction", lambda a: a.astype(np.float16), "got others .X: expected float32 or float64, got float16"),
        ("Y_I", lambda a: 2 * a, "diffraction, Y_I: expected amplitudes divided by one scale"),
        ("Y_I", lambda a: a[:-1], r"Y_I: expected the shape of diffraction, \(9, 64, 64, 1\), got \(8, 64, 64, 1\)"),
        ("Y_phi", lambda a: a[..., np.newaxis].repeat(4, -1), "Y_phi: expected the shape of diffraction"),
        ("coords_true", lambda a: a[:-1], r"coords_true: expected shape \(9, 1, 2, 1\), as the patterns are"),
        (
            "coords_nominal",
            lambda a: a + 1,
            "coords_nominal: expected a whole pixel, .* from 0 to 16, got 17",
        ),
        ("coords_true", lambda a: a - 1, "coords_true: expected a whole pixel, the patch on the object, .* got -1"),
        ("coords_true", lambda a: a + 0.3, r"coords_true: expected a whole pixel, .* got \d+\.3"),
        ("xcoords", lambda a: a[::-1], r"xcoords: expected what coords_true has of single patches, got others"),
        ("ycoords", lambda a: a[:-1], r"ycoords: expected what coords_true has of single patches, .* \(8,\)"),
        ("probeGuess", lambda a: a[:60, :60], r"probeGuess: expected shape \(64, 64\) or .*, got \(1, 60, 60\)"),
        ("probeGuess", np.abs, "probeGuess: expected a complex probe, got float32"),
        ("YY_full", lambda a: a[:60, :60], r"YY_full: expected shape \(M, M\), M at least 64, got \(60, 60\)"),
        ("intensity_scale", lambda a: -a, "intensity_scale: expected one positive number, got -"),
        (
            "intensity_scale",
            lambda a: a[None],
            r"intensity_scale: expected one .* of shape \(1,\)",
        ),
        ("norm_Y_I", lambda a: a * 1.001, "norm_Y_I: expected .*, that of the diffraction, got "),
        ("_metadata", lambda a: np.array("{"), "_metadata: expected a JSON object as a string, got text that is none"),
        ("_metadata", lambda a: np.array("[1]"), "_metadata: expected a JSON object as a string, got JSON of another"),
        ("_metadata", lambda a: np.array([{}]), "_metadata: expected a JSON object as a string, got an object array"),
    ],
)
def test_a_file_that_is_wrong_is_refused(
    single: dict[str, Path], tmp_path: Path, key: str, change: Any, message: str
) -> None:
    arrays = arrays_in(single["train"])
    changed = {**arrays, key: change(arrays[key])} if change else {k: a for k, a in arrays.items() if k != key}
    np.savez(tmp_path / "wrong.npz", **changed)
    with pytest.raises(DataError, match=message) as caught:
        read_datafile(tmp_path / "wrong.npz")
    assert str(caught.value).startswith(f"{tmp_path / 'wrong.npz'}: ")


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.999])
def test_a_truncated_file_is_refused(single: dict[str, Path], tmp_path: Path, kept: float) -> None:
    content = single["test"].read_bytes()
    size = kept if kept > 1 else int(kept * len(content))
    (tmp_path / "cut.npz").write_bytes(content[: int(size)])
    with pytest.raises(DataError, match=r"cut\.npz: expected an \.npz file, got (an empty file|one that is trunc)"):
        read_datafile(tmp_path / "cut.npz")
