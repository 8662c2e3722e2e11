"""The loaders of both stacks on the same files: what they read, what they refuse, and that they do it alike."""

import importlib
import io
import json
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptycho_exposures import regions, scanfile
from ptycho_exposures.groupedscan import GroupedScan, InMemoryWarning
from ptycho_exposures.npz import DataError

STACKS = ("ptycho", "ptycho_torch")
COUNT, SIDE = 12, 8

Arrays = dict[str, NDArray[Any]]


def experiment() -> Arrays:
    """A small scan beside its grid, with two probe modes."""
    random = np.random.default_rng(5)
    x, y = np.divmod(np.arange(COUNT), 4)[::-1] + random.uniform(-0.2, 0.2, (2, COUNT))
    probe = random.standard_normal((2, SIDE, SIDE)) + 1j * random.standard_normal((2, SIDE, SIDE))
    return {
        "diffraction": random.uniform(0, 9, (COUNT, SIDE, SIDE)).astype(np.float32),
        "probeGuess": probe.astype(np.complex64),
        "xcoords": 4 * x,
        "ycoords": 4 * y,
    }


def grid_lines(groups: int = 5, gridsize: int = 2) -> Arrays:
    """What the grid-lines workflow writes: groups, channels last."""
    random, size = np.random.default_rng(6), gridsize**2
    frames = random.uniform(0, 2, (3, groups, SIDE, SIDE, size)).astype(np.float32)
    diffraction, amplitude, phase = frames if gridsize > 1 else frames[..., 0]
    nominal = random.integers(0, 30, (groups, 1, 2, size)).astype(np.float32)
    return {
        "diffraction": diffraction,
        "Y_I": amplitude,
        "Y_phi": phase - 1,
        "coords_nominal": nominal,
        "coords_true": nominal + np.float32(0.25),
        "probeGuess": np.ones((SIDE, SIDE), np.complex64),
        "YY_full": np.ones((50, 50), np.complex64),
        "norm_Y_I": np.array(0.7),
        "intensity_scale": np.array(31.5),
        "_metadata": np.array(json.dumps({"seed": 3})),
    }


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes an .npz: of some arrays, or of an experiment with some of them changed or, for None, left out."""

    def write(arrays: Arrays | None = None, save: Callable[..., None] = np.savez, **changed: Any) -> Path:
        path = tmp_path / "scan.npz"
        kept = {key: x for key, x in ((arrays or experiment()) | changed).items() if x is not None}
        save(path, **kept)
        return path

    return write


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def opened(stack: str, path: Path, **options: Any) -> Any:
    return importlib.import_module(f"{stack}.dataloader").PtychoDataset(path, **options)


def canonical(stack: str, batch: dict[str, Any]) -> Arrays:
    """A batch in canonical layout, whoever made it."""
    arrays = {key: np.asarray(tensor) for key, tensor in batch.items()}
    if stack == "ptycho":
        arrays["positions"] = arrays["positions"][:, 0].transpose(0, 2, 1)
        arrays |= {key: x.transpose(0, 3, 1, 2) for key, x in arrays.items() if x.ndim == 4}
    return arrays


FILES: dict[str, tuple[Arrays, dict[str, Any]]] = {
    "experiment": (experiment(), {}),
    "experiment in groups": (experiment(), {"gridsize": 2, "neighbours": 7, "seed": 4}),
    "in float64": (experiment(), {"gridsize": 2, "precision": "float64"}),
    "uint16": (experiment() | {"diffraction": np.full((COUNT, SIDE, SIDE), 300, np.uint16)}, {}),
    "grid lines": (grid_lines(), {}),
    "true coordinates": (grid_lines(), {"coordinates": "coords_true", "normalization": 0.25}),
    "grid lines, ungrouped": (grid_lines(9, 1), {"gridsize": 2}),
}


@pytest.mark.parametrize("name", FILES)
def test_both_stacks_read_the_same_to_the_last_bit(name: str, write: Write) -> None:
    arrays, options = FILES[name]
    path = write(arrays)
    one, other = (opened(stack, path, **options) for stack in STACKS)
    assert one.normalization == other.normalization
    np.testing.assert_array_equal(one.probe.numpy().transpose(2, 0, 1), other.probe.numpy())
    for epoch in (0, 1):
        batches = (
            [canonical(stack, batch) for batch in found.batches(4, seed=2, epoch=epoch)]
            for stack, found in zip(STACKS, (one, other), strict=True)
        )
        for ours, theirs in zip(*batches, strict=True):
            assert ours.keys() == theirs.keys()
            for key, array in ours.items():
                assert array.dtype == theirs[key].dtype
                np.testing.assert_array_equal(array, theirs[key], err_msg=key)


def test_an_experiment_is_read_as_it_is(stack: str, write: Write) -> None:
    arrays = experiment()
    dataset = opened(stack, write(), gridsize=2, precision="float64")
    batch = canonical(stack, dataset.batch([0, -1]))
    members = batch["exposures"]
    assert members.tolist() == np.asarray(dataset.groups)[[0, -1]].tolist()
    assert members[0].tolist() == [0, 1, 4, 5]
    scan = np.stack([arrays["xcoords"], arrays["ycoords"]], axis=-1)[members]
    np.testing.assert_allclose(batch["centres"], scan.mean(axis=1), rtol=1e-15)
    np.testing.assert_allclose(batch["positions"], scan.mean(axis=1, keepdims=True) - scan, rtol=1e-12)
    wide = arrays["diffraction"].astype(np.float64)
    np.testing.assert_allclose(batch["amplitude"], wide[members] / (2 * np.sqrt(np.mean(wide**2))), rtol=1e-12)
    assert dataset.scan.metadata == {}
    assert len(dataset) == COUNT


def test_grid_lines_are_read_with_their_groups_targets_and_metadata(stack: str, write: Write) -> None:
    arrays = grid_lines()
    dataset = opened(stack, write(arrays), normalization=0.5)
    batch = canonical(stack, dataset.batch([1, 3]))
    assert batch["exposures"].tolist() == [[4, 5, 6, 7], [12, 13, 14, 15]]
    for key, name, factor in (("amplitude", "diffraction", 0.5), ("Y_I", "Y_I", 0.5), ("Y_phi", "Y_phi", 1.0)):
        np.testing.assert_array_equal(batch[key], factor * arrays[name][[1, 3]].transpose(0, 3, 1, 2))
    scan = arrays["coords_nominal"][[1, 3], 0].transpose(0, 2, 1)
    np.testing.assert_allclose(batch["positions"], scan.mean(axis=1, keepdims=True) - scan, atol=1e-6)
    assert dataset.scan.metadata == {"seed": 3}
    assert dataset.scan.scales == {"norm_Y_I": 0.7, "intensity_scale": 31.5}
    assert dataset.scan.object.array.shape == (50, 50)
    assert dataset.scan.skipped == ()


def test_true_coordinates_are_read_where_they_are_asked_for(stack: str, write: Write) -> None:
    path = write(grid_lines())
    nominal, true = (opened(stack, path, coordinates=f"coords_{name}") for name in ("nominal", "true"))
    moved = np.asarray(true.batch([0])["centres"]) - np.asarray(nominal.batch([0])["centres"])
    np.testing.assert_array_equal(moved, [[0.25, 0.25]])
    with pytest.raises(ValueError, match="coordinates: expected 'coords_nominal' or 'coords_true', got 'x'"):
        opened(stack, path, coordinates="x")


LAYOUTS: dict[str, Callable[[Arrays], Arrays]] = {
    "exposures last": lambda a: {"diffraction": a["diffraction"].transpose(1, 2, 0)},
    "in Fortran's order": lambda a: {"diffraction": np.asfortranarray(a["diffraction"])},
    "big-endian": lambda a: {"diffraction": a["diffraction"].astype(">f4"), "xcoords": a["xcoords"].astype(">f8")},
    "diff3d": lambda a: {"diff3d": a["diffraction"], "diffraction": None},
    "in groups of one": lambda a: {"diffraction": a["diffraction"][:, None]},
    "channels last": lambda a: {"diffraction": a["diffraction"][..., None]},
    "a named scan": lambda a: {
        "coords_true": np.stack([a["xcoords"], a["ycoords"]], -1),
        "coords_nominal": np.stack([a["xcoords"], a["ycoords"]], -1)[:, None],
    },
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_layout_of_the_file_makes_no_difference(name: str, stack: str, write: Write) -> None:
    straight = canonical(stack, opened(stack, write(), gridsize=2).batch([0, 7]))
    other = canonical(stack, opened(stack, write(**LAYOUTS[name](experiment())), gridsize=2).batch([0, 7]))
    for key, array in straight.items():
        np.testing.assert_array_equal(other[key], array, err_msg=key)


def test_a_probe_of_one_mode_keeps_its_axis(stack: str, write: Write) -> None:
    probe = opened(stack, write(probeGuess=np.ones((SIDE, SIDE), complex))).probe
    assert tuple(probe.shape) == ((SIDE, SIDE, 1) if stack == "ptycho" else (1, SIDE, SIDE))
    assert np.asarray(probe).dtype == np.complex64


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.uint32])
def test_integers_are_widened_before_they_are_squared(dtype: type, stack: str, write: Write) -> None:
    readings = np.full((COUNT, SIDE, SIDE), 255, dtype)
    readings[0] = 200
    dataset = opened(stack, write(diffraction=readings), precision="float64")
    wide = readings.astype(np.float64)
    assert dataset.normalization == pytest.approx(0.5 / np.sqrt(np.mean(wide**2)), rel=1e-12)
    np.testing.assert_allclose(canonical(stack, dataset.batch([0]))["amplitude"], 200 * dataset.normalization)


def test_a_pickled_array_that_nobody_needs_is_skipped_and_named(stack: str, write: Write) -> None:
    dataset = opened(stack, write(_metadata=np.array({"a": 1}, object), notes=np.array(["x"])))
    assert dataset.scan.skipped == ("_metadata", "notes")
    assert dataset.scan.metadata == {}


class Unpickled(Exception):
    """Raised by whoever unpickles a `Bomb`."""


class Bomb:
    """An object that gives away that it was unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _explode, ()


def _explode() -> None:
    raise Unpickled


@pytest.mark.parametrize("key", ["diffraction", "probeGuess", "xcoords"])
def test_an_object_array_is_refused_by_name_and_never_unpickled(key: str, stack: str, write: Write) -> None:
    path = write(**{key: np.array([Bomb()] * COUNT, object)}, _metadata=np.array(Bomb(), object))
    with pytest.raises(DataError, match=f"{key}: expected an array of numbers, got an object array, which is n"):
        opened(stack, path)


def spoiled(value: float, key: str = "diffraction") -> dict[str, Any]:
    frames = experiment()["diffraction"]
    frames[3, 2, 5] = value
    return {key: frames}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no diffraction": ({"diffraction": None}, r"diffraction or diff3d: expected to find this key, got only probeGuess"),
    "no probe": ({"probeGuess": None}, "probeGuess: expected to find this key, got only diffraction, xcoords"),
    "no coordinates": ({"xcoords": None, "ycoords": None}, "xcoords, ycoords: expected to find this key"),
    "NaN": (
        spoiled(np.nan),
        "diffraction: expected a finite, non-negative amplitude, got nan at exposure 3, row 2, column 5",
    ),
    "infinity": (spoiled(np.inf), "got inf at exposure 3, row 2, column 5"),
    "negative": (spoiled(-1.5), "got -1.5 at exposure 3, row 2, column 5"),
    "negative integers": ({"diffraction": np.full((COUNT, SIDE, SIDE), -7, np.int16)}, "got -7 at exposure 0, row 0"),
    "dark": ({"diffraction": np.zeros((COUNT, SIDE, SIDE))}, "expected light somewhere, got 0 everywhere"),
    "complex": (
        {"diffraction": np.ones((COUNT, SIDE, SIDE), complex)},
        "an amplitude, real or integer, got complex128",
    ),
    "fewer coordinates": (
        {"xcoords": np.arange(9.0), "ycoords": np.arange(9.0)},
        r"diffraction: expected shape \(9, H, W\) or \(H, W, 9\), .* 9 exposures, got \(12, 8, 8\)",
    ),
    "unequal coordinates": ({"ycoords": np.arange(9.0)}, "ycoords: expected 12 entries, as xcoords has, got 9"),
    "NaN coordinates": ({"xcoords": np.full(COUNT, np.nan)}, r"xcoords: expected finite values, got nan at \(0,\)"),
    "coordinates on a plane": ({"xcoords": np.ones((COUNT, 2))}, r"xcoords: expected shape \(n,\), got \(12, 2\)"),
    "no exposures": (
        {"xcoords": np.ones(0), "ycoords": np.ones(0), "diffraction": np.ones((0, SIDE, SIDE))},
        r"xcoords: expected at least one entry, got shape \(0,\)",
    ),
    "no pixels": ({"diffraction": np.ones((COUNT, 0, 4))}, "diffraction: expected at least one pixel"),
    "modes last": (
        {"probeGuess": np.ones((SIDE, SIDE, 2), complex)},
        r"probeGuess: expected shape \(P, 8, 8\) or \(8, 8\).*put the mode axis first",
    ),
    "real probe": ({"probeGuess": np.ones((SIDE, SIDE))}, "expected a complex64 or complex128 probe, got float64"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_file_is_one_sentence(name: str, stack: str, write: Write) -> None:
    changed, sentence = WRONG[name]
    path = write(**changed)
    with pytest.raises(DataError, match=sentence) as caught:
        opened(stack, path)
    assert str(caught.value).startswith(f"{path}: ")


OF_GRID_LINES: dict[str, tuple[dict[str, Any], str]] = {
    "coordinates of other groups": (
        {"coords_nominal": np.ones((5, 1, 2, 9))},
        r"diffraction: expected shape \(5, 9, H, W\) or \(5, H, W, 9\)",
    ),
    "coordinates of no kind": ({"coords_nominal": np.ones((5, 4))}, r"expected shape \(n, 2\), \(B, C, 2\) or"),
    "another target": ({"Y_I": np.ones((5, 9, SIDE, 4))}, r"Y_I: expected shape \(5, 8, 8, 4\), as diffraction has"),
    "a negative target": ({"Y_I": np.full((5, SIDE, SIDE, 4), -1.0)}, "Y_I: expected a finite, non-negative amplitude"),
    "a phase that is none": ({"Y_phi": np.full((5, SIDE, SIDE, 4), np.nan)}, "Y_phi: expected a finite phase, got nan"),
    "two scales": ({"intensity_scale": np.ones(2)}, r"intensity_scale: expected one number, got shape \(2,\)"),
    "no true coordinates": ({"coords_nominal": None}, "coords_nominal: expected to find this key"),
    "three in a group": (
        {
            "coords_nominal": np.ones((5, 1, 2, 3)),
            **{key: np.ones((5, SIDE, SIDE, 3)) for key in ("diffraction", "Y_I", "Y_phi")},
        },
        "diffraction: expected a square number of exposures in a group, got 3",
    ),
}


@pytest.mark.parametrize("name", OF_GRID_LINES)
def test_what_is_wrong_with_grid_lines_is_one_sentence(name: str, stack: str, write: Write) -> None:
    changed, sentence = OF_GRID_LINES[name]
    with pytest.raises(DataError, match=sentence):
        opened(stack, write(grid_lines(), **changed))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"gridsize": 0}, "gridsize: expected a positive number, got 0"),
        ({"gridsize": 4, "neighbours": 16}, "neighbours: expected from gridsize² = 16 to the 12 exposures of"),
        ({"gridsize": 2, "neighbours": 3}, "neighbours: expected from gridsize² = 4 to the 12 .*, got 3"),
        ({"seed": -1}, "seed: expected a number of at least 0, got -1"),
        ({"normalization": 0.0}, "normalization: expected a positive number, got 0.0"),
        ({"precision": "float16"}, "precision: expected 'float32' or 'float64', got 'float16'"),
    ],
)
def test_an_option_out_of_its_range_is_named(options: dict[str, Any], sentence: str, stack: str, write: Write) -> None:
    with pytest.raises(ValueError, match=sentence):
        opened(stack, write(), **options)


def test_a_file_with_groups_is_not_grouped_again(stack: str, write: Write) -> None:
    path = write(grid_lines())
    with pytest.raises(ValueError, match=r"gridsize: expected 2, that of the groups in .*, got 3"):
        opened(stack, path, gridsize=3)
    with pytest.raises(ValueError, match=r"neighbours: expected none, as .* has groups already, got 4"):
        opened(stack, path, neighbours=4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"gridsize": 2.0}, "gridsize: expected a whole number, got float"),
        ({"gridsize": 2, "neighbours": "6"}, "neighbours: expected a whole number, got str"),
        ({"seed": 0.5}, "seed: expected a whole number, got float"),
        ({"normalization": "3"}, "normalization: expected a number, got str"),
    ],
)
def test_what_is_no_number_is_refused(stack: str, write: Write, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        opened(stack, write(), **wrong)


def test_more_patches_a_group_than_there_are_is_refused(stack: str, write: Write) -> None:
    said = r"gridsize: expected groups of at most the 12 exposures of .*\.npz, got 4, groups of 16"
    with pytest.raises(ValueError, match=said):
        opened(stack, write(), gridsize=4)


def test_a_probe_without_light_and_scales_that_are_none_are_refused(stack: str, write: Write) -> None:
    with pytest.raises(ValueError, match="probeGuess: expected some light, got only zeros"):
        opened(stack, write(probeGuess=np.zeros((SIDE, SIDE), complex)))
    for value in (0.0, -3.0):
        with pytest.raises(ValueError, match=f"intensity_scale: expected a positive number, got {value}"):
            opened(stack, write(intensity_scale=np.array(value)))


def test_data_are_known_again_by_what_is_in_them(stack: str, write: Write) -> None:
    own = opened(stack, write()).fingerprint
    assert own == opened(stack, write()).fingerprint
    assert own != opened(stack, write(), gridsize=2).fingerprint
    assert own != opened(stack, write(), normalization=2.0).fingerprint
    scan = experiment()
    for changed in (
        {"diffraction": scan["diffraction"][::-1]},
        {"xcoords": scan["xcoords"] + 1},
        {"probeGuess": 2 * scan["probeGuess"]},
    ):
        assert own != opened(stack, write({**scan, **changed})).fingerprint


def test_groups_that_there_are_not_and_batches_of_none_are_refused(stack: str, write: Write) -> None:
    dataset = opened(stack, write())
    for number in (COUNT, -COUNT - 1):
        with pytest.raises(IndexError, match=f"indices: expected groups of 12, got {number}"):
            dataset.batch([0, number])
    for numbers in ([0.5, 1.0], np.arange(12) == 4):
        with pytest.raises(TypeError, match=r"indices: expected whole numbers, got (float64|bool)"):
            dataset.batch(numbers)
    assert not len(dataset.batch([])["exposures"])
    with pytest.raises(ValueError, match="batch_size: expected a positive number, got 0"):
        dataset.batches(0)
    with pytest.raises(ValueError, match="epoch: expected a number of at least 0, got -1"):
        dataset.batches(2, seed=1, epoch=-1)


def test_batches_have_every_group_once_in_another_order_each_epoch(stack: str, write: Write) -> None:
    dataset = opened(stack, write())

    def order(**options: Any) -> list[list[int]]:
        return [np.asarray(batch["exposures"])[:, 0].tolist() for batch in dataset.batches(5, **options)]

    assert order() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11]]
    assert order(drop_last=True) == order()[:2]
    epochs = [[number for batch in order(seed=1, epoch=epoch) for number in batch] for epoch in (0, 1)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(COUNT))] * 2
    assert epochs[0] != epochs[1]
    assert order(seed=1) == order(seed=1, epoch=0)


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def text(path: Path) -> None:
    path.write_text("x, y")


def single(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.ones(3))


def no_arrays(path: Path) -> None:
    with zipfile.ZipFile(path, "w"):
        pass


def short_member(path: Path) -> None:
    """An array cut short within an archive that is whole."""
    arrays = experiment()
    with zipfile.ZipFile(path, "w") as archive:
        for key, array in arrays.items():
            file = io.BytesIO()
            np.save(file, array)
            archive.writestr(f"{key}.npy", file.getvalue()[: -100 if key == "diffraction" else None])


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (nothing, "expected an .npz file, got an empty file"),
        (half, "expected an .npz file, got one that is truncated or damaged"),
        (text, "expected an .npz file, got a file of another kind"),
        (single, "expected an .npz file, got a single .npy array"),
        (no_arrays, "expected to find this key, got an archive without arrays"),
        (short_member, r"diffraction: expected \d+ bytes, for float32 of shape \(12, 8, 8\), got \d+"),
        (Path.unlink, "expected an .npz file, got no such file"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_a_damaged_file_is_told_from_others(
    damage: Callable[[Path], None], sentence: str, stack: str, write: Write
) -> None:
    path = write()
    damage(path)
    with pytest.raises(DataError, match=sentence):
        opened(stack, path)


def test_a_bit_that_has_flipped_in_a_mapped_array_is_noticed(stack: str, write: Write) -> None:
    frames = np.ones((COUNT, SIDE, 512), np.float32)
    path = write(diffraction=frames, probeGuess=np.ones((SIDE, 512), complex))
    content = bytearray(path.read_bytes())
    content[content.rfind(frames[0].tobytes())] ^= 1
    path.write_bytes(content)
    sentence = r"diffraction: expected the bytes that were written, got others \(CRC-32\): the file is damaged"
    with pytest.raises(DataError, match=sentence):
        opened(stack, path)


def test_a_compressed_file_is_read_and_said_to_be(stack: str, write: Write) -> None:
    straight = canonical(stack, opened(stack, write()).batch([2]))
    path = write(save=np.savez_compressed)
    with pytest.warns(InMemoryWarning, match="diffraction: compressed, so read into memory; numpy.savez stores"):
        dataset = opened(stack, path)
    assert dataset.scan.in_memory == ("diffraction",)
    np.testing.assert_array_equal(canonical(stack, dataset.batch([2]))["amplitude"], straight["amplitude"])


def test_a_stored_file_is_read_in_place_and_never_in_memory_as_a_whole(
    stack: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = np.ones((COUNT, 256, 256), np.float32)
    path = write(diffraction=frames, probeGuess=np.ones((256, 256), complex))
    for module in (scanfile, regions):
        monkeypatch.setattr(module, "BLOCK", 2**18)
    importlib.import_module(f"{stack}.dataloader")
    tracemalloc.start()
    try:
        opened(stack, path).batch([3])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < frames.nbytes
    assert opened(stack, path).scan.diffraction.stored.in_place


def test_another_process_is_sent_the_place_of_the_data_and_no_copy(write: Write) -> None:
    path = write(diffraction=np.ones((COUNT, 64, 64)), probeGuess=np.ones((64, 64), complex))
    grouped = GroupedScan(path)
    grouped.read([0])
    sent = pickle.dumps(grouped.scan.diffraction)
    assert len(sent) < 64 * 64
    np.testing.assert_array_equal(pickle.loads(sent).read(np.array([1])), np.ones((1, 64, 64)))


def test_another_process_does_not_take_a_file_for_the_one_that_was_opened(write: Write) -> None:
    grouped = GroupedScan(write())
    sent = pickle.dumps(grouped)
    write(notes=np.ones(3))
    with pytest.raises(DataError, match="expected the file that was opened, got one that was written since"):
        pickle.loads(sent).read([0])
