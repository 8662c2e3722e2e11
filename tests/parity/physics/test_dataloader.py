"""Neighbours in scans of more exposures than are looked at together."""

import numpy as np

from parity.physics.oracle import dataloader


def test_a_long_scan_has_the_groups_of_one_looked_at_at_once(monkeypatch):
    scan = np.random.default_rng(3).uniform(0, 40, (23, 2))
    at_once = dataloader.neighbour_groups(scan, 2, 6, 5)
    monkeypatch.setattr(dataloader, "_AT_ONCE", 5)
    np.testing.assert_array_equal(dataloader.neighbour_groups(scan, 2, 6, 5), at_once)
