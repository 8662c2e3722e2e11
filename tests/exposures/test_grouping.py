"""Groups of neighbours on rasters on which everyone can count."""

import numpy as np
import pytest

from ptycho_exposures.grouping import nearest_groups, order_of_groups

RASTER = np.stack(np.divmod(np.arange(12), 4)[::-1], axis=-1) * 3.0
"""Three rows of four exposures, numbered along the rows."""


def test_groups_are_laid_out_as_grids() -> None:
    groups = nearest_groups(RASTER, 2, 4, 0)
    assert groups[0].tolist() == [0, 1, 4, 5]
    assert groups[3].tolist() == [2, 3, 6, 7]
    assert nearest_groups(RASTER, 3, 9, 0)[5].tolist() == [0, 1, 2, 4, 5, 6, 8, 9, 10]


def test_of_equally_distant_exposures_the_first_are_taken() -> None:
    assert sorted(nearest_groups(RASTER, 2, 4, 0)[5].tolist()) == [1, 4, 5, 6]


def test_a_seed_chooses_among_the_nearest_and_an_exposure_is_always_of_its_own_group() -> None:
    chosen = [nearest_groups(RASTER, 2, 7, seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(chosen[0], chosen[1])
    assert (chosen[0] != chosen[2]).any()
    for number, group in enumerate(chosen[0]):
        squared = np.sum((RASTER - RASTER[number]) ** 2, axis=1)
        assert number in group
        assert len(set(group)) == 4
        assert set(group) <= set(np.argsort(squared, kind="stable")[:7])


def test_an_exposure_that_lies_on_another_is_of_its_own_group() -> None:
    groups = nearest_groups(np.zeros((6, 2)), 2, 4, 0)
    assert [number in group for number, group in enumerate(groups)] == [True] * 6
    assert groups[5].tolist() == [0, 1, 2, 5]


def test_groups_of_one_are_the_exposures() -> None:
    assert nearest_groups(RASTER, 1, 1, 0).tolist() == [[number] for number in range(12)]
    assert nearest_groups(RASTER, 1, 5, 3).tolist() == [[number] for number in range(12)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((np.zeros((4, 3)), 1, 1, 0), r"scan: expected axes \(n, 2\), got shape \(4, 3\)"),
        ((np.full((4, 2), np.inf), 1, 1, 0), r"scan: expected finite pixels, got \[inf, inf\] of exposure 0"),
        (
            (np.array([[0.0, 1.0], [2.0, np.nan], [3.0, 4.0]]), 1, 1, 0),
            r"scan: expected finite pixels, got \[2.0, nan\] of exposure 1",
        ),
        ((RASTER, -1, 4, 0), "gridsize: expected a positive number, got -1"),
        ((RASTER, 2, 13, 0), "neighbours: expected from gridsize² = 4 to the 12 exposures of the scan, got 13"),
        ((RASTER, 2, 4, -1), "seed: expected a number of at least 0, got -1"),
    ],
)
def test_what_cannot_be_grouped_is_named(arguments: tuple, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        nearest_groups(*arguments)


@pytest.mark.parametrize("name", ["seed", "epoch"])
def test_an_order_of_a_negative_number_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected a number of at least 0, got -1"):
        order_of_groups(5, **{"seed": 0, "epoch": 0, name: -1})


def test_an_order_has_every_number_once_and_is_of_seed_and_epoch() -> None:
    orders = [order_of_groups(50, seed, epoch).tolist() for seed, epoch in ((0, 0), (0, 1), (1, 0), (0, 0))]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert orders[0] == orders[3]
    assert len({tuple(order) for order in orders}) == 3
