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


def test_what_is_in_memory_is_grouped_as_a_file_is(path: Path) -> None:
    dataset = PtychoDataset(path, gridsize=2, neighbours=6, seed=3, precision="float64")
    batch = dataset.batch(range(12))
    grouping = (2, 6, 3)
    assert torch.equal(dataloader.neighbour_groups(SCAN, *grouping), dataset.groups)
    torch.testing.assert_close(dataloader.group_positions(SCAN.double(), *grouping), batch["positions"])
    torch.testing.assert_close(dataloader.group_amplitudes(FRAMES, SCAN, *grouping), batch["amplitude"])


@pytest.mark.parametrize(
    ("error", "call", "sentence"),
    [
        (TypeError, lambda: dataloader.neighbour_groups(SCAN.int(), 1, 1, 0), "scan: expected float32 or float64, got"),
        (ValueError, lambda: dataloader.neighbour_groups(SCAN[0], 1, 1, 0), r"scan: expected axes \(A, 2\), got shape"),
        (TypeError, lambda: dataloader.neighbour_groups(SCAN, 1.0, 1, 0), "gridsize: expected a whole number, got 1.0"),
        (ValueError, lambda: dataloader.neighbour_groups(SCAN, 2, 0, 0), "neighbours: expected a positive number, got"),
        (ValueError, lambda: dataloader.group_positions(SCAN, 2, 3, 0), "neighbours: expected from gridsize² = 4 to"),
        (ValueError, lambda: dataloader.group_positions(SCAN, 2, 4, -1), "seed: expected a number of at least 0, got"),
        (ValueError, lambda: dataloader.neighbour_groups(SCAN * torch.nan, 1, 1, 0), "scan: expected finite pixels"),
        (
            ValueError,
            lambda: dataloader.group_amplitudes(FRAMES[:5], SCAN, 1, 1, 0),
            "diffraction: expected 12 exposures as in scan, got 5",
        ),
        (
            TypeError,
            lambda: dataloader.group_amplitudes(FRAMES + 0j, SCAN, 1, 1, 0),
            "diffraction: expected float32, float64 or integers, got complex128",
        ),
    ],
)
def test_what_cannot_be_grouped_is_named(error: type[Exception], call, sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        call()


def test_readings_are_widened_before_they_are_squared() -> None:
    readings = torch.full((12, 6, 8), 300, dtype=torch.uint16)
    found = dataloader.group_amplitudes(readings, SCAN, 2, 4, 0)
    torch.testing.assert_close(found, torch.full((12, 4, 6, 8), 0.5, dtype=torch.float64))


def test_neighbours_are_found_between_compiled_parts() -> None:
    def twice(scan: torch.Tensor) -> torch.Tensor:
        return 2 * dataloader.group_positions(scan, 2, 4, 0)

    compiled = torch.compile(twice, backend="eager")
    assert torch.equal(compiled(SCAN), twice(SCAN))
