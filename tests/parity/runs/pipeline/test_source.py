"""A scan as the oracle reads it, whatever the layout of the file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity.runs.pipeline.source import read_source

Experiment = Callable[..., Path]
Arrays = dict[str, Any]

FRAMES = np.arange(9.0 * 6 * 5).reshape(9, 6, 5)
PLACES = np.arange(18.0).reshape(9, 2)


@pytest.mark.parametrize(
    "arrays",
    [
        {"diffraction": FRAMES, "xcoords": PLACES[:, 0], "ycoords": PLACES[:, 1]},
        {"diff3d": FRAMES.transpose(1, 2, 0), "xcoords": PLACES[:, 0], "ycoords": PLACES[:, 1]},
        {"diffraction": FRAMES[:, None], "coords_nominal": PLACES},
        {"diffraction": FRAMES[..., None], "coords_nominal": PLACES[:, None, :, None], "xcoords": 0, "ycoords": 0},
    ],
)
def test_a_plain_scan_is_one_however_it_is_laid_out(arrays: Arrays, tmp_path: Path) -> None:
    np.savez(tmp_path / "scan.npz", probeGuess=np.ones((6, 5), complex), **arrays)
    source = read_source(tmp_path / "scan.npz")
    np.testing.assert_array_equal(source.diffraction, FRAMES)
    np.testing.assert_array_equal(source.scan, PLACES)
    assert (source.groups, source.intensity_scale, source.frame) == (None, None, (6, 5))
    assert source.probe.shape == (1, 6, 5)


@pytest.mark.parametrize("last", [False, True])
def test_exposures_of_a_group_lie_side_by_side(last: bool, tmp_path: Path) -> None:
    grouped, places = FRAMES[:8].reshape(2, 4, 6, 5), PLACES[:8].reshape(2, 4, 2)
    stored = {
        "diffraction": np.moveaxis(grouped, 1, -1) if last else grouped,
        "coords_nominal": places.transpose(0, 2, 1)[:, None] if last else places,
    }
    np.savez(tmp_path / "scan.npz", probeGuess=np.ones((2, 6, 5), complex), intensity_scale=3.5, **stored)
    source = read_source(tmp_path / "scan.npz")
    np.testing.assert_array_equal(source.diffraction, FRAMES[:8])
    np.testing.assert_array_equal(source.scan, PLACES[:8])
    assert source.groups is not None
    assert source.groups.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert source.intensity_scale == 3.5
