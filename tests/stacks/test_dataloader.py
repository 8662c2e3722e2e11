"""Grouping what is in memory: as a data set groups a file, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from parity.physics.kinds import AMPLITUDE, POSITIONS

X, Y = np.divmod(np.arange(12), 4)[::-1]
SCAN = np.stack([X, Y], axis=-1).astype(np.float32)
FRAMES = np.arange(1.0, 12 * 48 + 1).reshape(12, 6, 8)


@pytest.fixture
def dataloader(stack):
    return stack.functions("dataloader")


def test_what_is_in_memory_is_grouped_as_a_file_is(stack, dataloader, tmp_path: Path) -> None:
    probe, frames = np.ones((2, 6, 8), np.complex64), FRAMES.astype(np.float32)
    np.savez(tmp_path / "scan.npz", diffraction=frames, probeGuess=probe, xcoords=X, ycoords=Y)
    dataset = dataloader.PtychoDataset(tmp_path / "scan.npz", gridsize=2, neighbours=6, seed=3, precision="float64")
    batch, grouping = dataset.batch(range(12)), (2, 6, 3)
    assert np.array_equal(dataloader.neighbour_groups(SCAN, *grouping), stack.array(dataset.groups))
    positions, amplitude = (
        stack.array(stack.space.canonical(kind, batch[key]))
        for kind, key in ((POSITIONS, "positions"), (AMPLITUDE, "amplitude"))
    )
    found = dataloader.group_positions(SCAN.astype(np.float64), *grouping)
    np.testing.assert_allclose(found, positions, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(dataloader.group_amplitudes(FRAMES, SCAN, *grouping), amplitude, rtol=1e-12)


@pytest.mark.parametrize(
    ("error", "name", "arguments", "sentence"),
    [
        (TypeError, "neighbour_groups", (SCAN.astype(np.int32), 1, 1, 0), "scan: expected float32 or float64, got"),
        (ValueError, "neighbour_groups", (SCAN[0], 1, 1, 0), "scan: expected axes (A, 2), got shape"),
        (TypeError, "neighbour_groups", (SCAN, 1.0, 1, 0), "gridsize: expected a whole number, got 1.0"),
        (ValueError, "neighbour_groups", (SCAN, 2, 0, 0), "neighbours: expected a positive number, got"),
        (ValueError, "group_positions", (SCAN, 2, 3, 0), "neighbours: expected from gridsize² = 4 to"),
        (ValueError, "group_positions", (SCAN, 2, 4, -1), "seed: expected a number of at least 0, got"),
        (ValueError, "neighbour_groups", (SCAN * np.nan, 1, 1, 0), "scan: expected finite pixels"),
        (TypeError, "group_amplitudes", (FRAMES + 0j, SCAN, 1, 1, 0),
         "diffraction: expected float32, float64 or integers, got complex128"),
    ],
)  # fmt: skip
def test_what_cannot_be_grouped_is_named(
    stack, error: type[Exception], name: str, arguments: tuple, sentence: str
) -> None:
    stack.refuses((f"dataloader.{name}", arguments, sentence), error, whole=False)


def test_frames_without_a_position_are_named(stack) -> None:
    count = "as many" if stack.name == "tensorflow" else "12"
    sentence = f"diffraction: expected {count} exposures as in scan, got 5"
    stack.refuses(("dataloader.group_amplitudes", (FRAMES[:5], SCAN, 1, 1, 0), sentence), ValueError, whole=False)


def test_readings_are_widened_before_they_are_squared(dataloader) -> None:
    found = dataloader.group_amplitudes(np.full((12, 6, 8), 300, np.uint16), SCAN, 2, 4, 0)
    np.testing.assert_allclose(found, np.full((12, 4, 6, 8), 0.5), rtol=1e-15)
