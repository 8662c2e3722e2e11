"""The scan: a grid, and patches that are a little off it."""

import numpy as np
import pytest

from ptycho.workflows.scan import Scan, grid_scan


def scan(jitter: int, gridsize: int = 2, seed: int = 0, size: int = 60) -> Scan:
    rng = np.random.default_rng(seed)
    return grid_scan(size, 16, step=5, gridsize=gridsize, offset=4, jitter=jitter, rng=rng)


def test_without_jitter_patches_are_where_they_were_meant() -> None:
    nominal, true = scan(0)
    assert np.array_equal(nominal, true)
    assert nominal.shape == (81, 1, 2, 4)
    assert nominal[0, 0].tolist() == [[0, 4, 0, 4], [0, 0, 4, 4]]


def test_jitter_moves_each_patch_and_never_off_the_object() -> None:
    nominal, true = scan(3)
    moves = true - nominal
    assert set(np.unique(moves)) == set(range(-3, 4))
    assert (moves[:, 0, 0] != moves[:, 0, 1]).any()
    assert true.min() >= 0
    assert true.max() <= 60 - 16


def test_jitter_is_drawn_from_its_generator() -> None:
    assert np.array_equal(scan(3).true, scan(3).true)
    assert not np.array_equal(scan(3).true, scan(3, seed=1).true)


def test_an_object_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="object_shape: expected at least a group's"):
        scan(3, size=25)
