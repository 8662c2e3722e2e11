"""Data sets in torch: as its own DataLoader takes them, and what the functions refuse."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from ptycho_torch import dataloader
from ptycho_torch.dataloader import PtychoDataset

SCAN = torch.stack(torch.meshgrid(torch.arange(4.0), torch.arange(3.0), indexing="xy"), dim=-1).reshape(-1, 2)
FRAMES = torch.arange(1, 12 * 48 + 1, dtype=torch.float64).reshape(12, 6, 8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    x, y = SCAN.numpy().T
    file = tmp_path / "scan.npz"
    probe = np.ones((2, 6, 8), np.complex64)
    np.savez(file, diffraction=FRAMES.numpy().astype(np.float32), probeGuess=probe, xcoords=x, ycoords=y)
    return file


@pytest.mark.parametrize("workers", [0, 1])
def test_torch_s_own_loader_puts_the_groups_together_in_spawned_processes_too(path: Path, workers: int) -> None:
    dataset = PtychoDataset(path, gridsize=2)
    context = "spawn" if workers else None
    loader = DataLoader(dataset, batch_size=5, num_workers=workers, multiprocessing_context=context)
    found = list(loader)
    assert [len(batch["amplitude"]) for batch in found] == [5, 5, 2]
    for batch, expected in zip(found, dataset.batches(5), strict=True):
        assert batch.keys() == expected.keys()
        for key, tensor in batch.items():
            assert torch.equal(tensor, expected[key])


def test_one_group_has_no_axis_of_groups_and_the_probe_is_beside_it(path: Path) -> None:
    dataset = PtychoDataset(path, gridsize=2, precision="float64")
    group = dataset[-1]
    assert {key: tuple(tensor.shape) for key, tensor in group.items()} == {
        "amplitude": (4, 6, 8),
        "positions": (4, 2),
        "centres": (2,),
        "exposures": (4,),
    }
    assert group["amplitude"].dtype == torch.float64
    assert group["exposures"].tolist() == dataset.groups[-1].tolist() == [6, 7, 10, 11]
    assert (tuple(dataset.probe.shape), dataset.probe.dtype) == ((2, 6, 8), torch.complex128)
    with pytest.raises(IndexError, match="indices: expected groups of 12, got 12"):
        dataset[12]


def test_neighbours_are_found_between_compiled_parts() -> None:
    def twice(scan: torch.Tensor) -> torch.Tensor:
        return 2 * dataloader.group_positions(scan, 2, 4, 0)

    compiled = torch.compile(twice, backend="eager")
    assert torch.equal(compiled(SCAN), twice(SCAN))
