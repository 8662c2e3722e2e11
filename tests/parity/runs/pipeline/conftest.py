"""Small scans in files, and weights of a narrow network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity.stacks.transplant import from_torch, write_weights
from ptycho.workflows.grid_lines_workflow import build_datasets
from ptycho.workflows.simulation import GridLinesConfig
from ptycho_exposures.datafile import write_datafiles
from ptycho_torch.autoencoder import Autoencoder
from ptycho_torch.networks import CNNConfig

EXPOSURES = 9

Experiment = Callable[..., Path]
Weights = Callable[..., Path]


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    """Writes what an experiment has: photons of a scan beside its grid, as amplitudes. None leaves a key out."""

    def write(dtype: str = "float32", size: int = 16, name: str = "scan.npz", **changed: Any) -> Path:
        random = np.random.default_rng(1)
        x, y = 3.0 * np.array(np.divmod(np.arange(EXPOSURES), 3)[::-1]) + random.uniform(-1, 1, (2, EXPOSURES))
        middle = np.arange(size) - size / 2
        probe = np.exp(-(middle[:, None] ** 2 + middle**2) / (size / 5) ** 2 + 0.03j * middle)
        waves = (
            probe * random.uniform(0.5, 1, (EXPOSURES, size, size)) * np.exp(1j * random.uniform(0, 2, (size, size)))
        )
        counts = random.poisson(30 * np.abs(np.fft.fftshift(np.fft.fft2(waves, norm="ortho"), axes=(-2, -1))) ** 2)
        scale = 30 if np.issubdtype(dtype, np.integer) else 1
        arrays = {
            "diffraction": np.round(scale * np.sqrt(counts), 0 if scale > 1 else 9).astype(dtype),
            "probeGuess": probe,
            "xcoords": x,
            "ycoords": y,
        }
        kept: dict[str, Any] = {key: array for key, array in (arrays | changed).items() if array is not None}
        np.savez(tmp_path / name, **kept)
        return tmp_path / name

    return write


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """The training set of the grid-lines workflow, for patterns of 64 pixels a side, by gridsize."""

    def write(gridsize: int) -> Path:
        path = tmp_path_factory.mktemp("simulated") / "train.npz"
        config = GridLinesConfig(N=64, gridsize=gridsize, object_size=96, step_train=16)
        write_datafiles({path: build_datasets(config)["train"]})
        return path

    return write


@pytest.fixture(scope="session")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """A file of weights for patterns of a size, in groups, with few filters."""
    folder = tmp_path_factory.mktemp("weights")

    def write(size: int = 16, gridsize: int = 1, ending: str = ".npz") -> Path:
        path = folder / f"{size}-{gridsize}{ending}"
        if not path.exists():
            write_weights(path, from_torch(Autoencoder(CNNConfig(size, gridsize, 0.05), seed=1)))
        return path

    return write
