"""Data sets in TensorFlow: as tf.data, in graphs, and what the functions refuse."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from ptycho import dataloader
from ptycho.dataloader import PtychoDataset

X, Y = np.divmod(np.arange(12), 4)[::-1]
SCAN = tf.constant(np.stack([X, Y], axis=-1), tf.float32)
FRAMES = tf.reshape(tf.range(1, 12 * 48 + 1, dtype=tf.float64), (12, 6, 8))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "scan.npz"
    probe = np.ones((2, 6, 8), np.complex64)
    np.savez(file, diffraction=FRAMES.numpy().astype(np.float32), probeGuess=probe, xcoords=X, ycoords=Y)
    return file


def test_tf_data_has_the_same_batches_and_each_pass_is_an_epoch(path: Path) -> None:
    dataset = PtychoDataset(path, gridsize=2)
    data = dataset.as_tf_data(5, seed=1)
    assert data.element_spec["amplitude"].shape.as_list() == [None, 6, 8, 4]
    assert data.element_spec["positions"].shape.as_list() == [None, 1, 2, 4]
    for epoch in (0, 1):
        for batch, expected in zip(data, dataset.batches(5, seed=1, epoch=epoch), strict=True):
            assert batch.keys() == expected.keys()
            for key, tensor in batch.items():
                np.testing.assert_array_equal(tensor, expected[key])
    assert [len(batch["exposures"]) for batch in dataset.as_tf_data(5, drop_last=True)] == [5, 5]
    with pytest.raises(ValueError, match="batch_size: expected a positive number, got 0"):
        dataset.as_tf_data(0)


def test_a_batch_is_laid_out_as_the_stack_has_it_and_the_probe_is_beside_it(path: Path) -> None:
    dataset = PtychoDataset(path, gridsize=2, precision="float64")
    batch = dataset.batch([0, 3, 11])
    assert {key: tuple(tensor.shape) for key, tensor in batch.items()} == {
        "amplitude": (3, 6, 8, 4),
        "positions": (3, 1, 2, 4),
        "centres": (3, 2),
        "exposures": (3, 4),
    }
    assert batch["amplitude"].dtype == tf.float64
    assert dataset.groups[-1].numpy().tolist() == [6, 7, 10, 11]
    assert (tuple(dataset.probe.shape), dataset.probe.dtype) == ((6, 8, 2), tf.complex128)


def test_a_graph_finds_the_same_groups() -> None:
    traced = tf.function(
        dataloader.group_positions,
        input_signature=[tf.TensorSpec([None, 2], tf.float32), *[tf.TensorSpec([], tf.int32)] * 3],
    )
    expected = dataloader.group_positions(SCAN, 2, 6, 1)
    np.testing.assert_array_equal(traced(SCAN, 2, 6, 1), expected)
    with pytest.raises(tf.errors.InvalidArgumentError, match="neighbours: expected from gridsize"):
        traced(SCAN, 2, 3, 1)
