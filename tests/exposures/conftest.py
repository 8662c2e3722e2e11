"""A small workflow, run once for all tests of its folder."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ptycho.workflows.grid_lines_workflow import dataset_paths, grid_lines_command

SMALL = ("--object-size", "80", "--step-train", "8", "--step-test", "10")
"""Nine training patterns of 64 × 64 and four for testing."""


def run_workflow(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(grid_lines_command, [*SMALL, "--output-dir", str(folder), *options])


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of single patterns, by split."""
    folder = tmp_path_factory.mktemp("single")
    assert run_workflow(folder).exit_code == 0
    return dataset_paths(folder, 64, 1)


@pytest.fixture(scope="session")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of groups of four that jitter, by split."""
    folder = tmp_path_factory.mktemp("grouped")
    assert run_workflow(folder, "--object-size", "88", "--gridsize", "2", "--jitter", "3").exit_code == 0
    return dataset_paths(folder, 64, 2)
