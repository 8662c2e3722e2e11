"""The command: files where they belong, equal bytes twice, no framework, and every exit code."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ptycho.workflows import grid_lines_workflow
from ptycho_exposures.datafile import read_datafile

SMALL = ("--object-size", "80", "--step-train", "8", "--step-test", "10")
"""Nine training patterns of 64 × 64 and four for testing."""


def exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        grid_lines_workflow.main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_as_a_program(tmp_path: Path) -> None:
    """As the README has it; in a pipe there is no bar, and no framework is imported."""
    program = (
        "import runpy, sys;"
        f"sys.argv[1:] = ['--N', '64', '--gridsize', '1', '--output-dir', {str(tmp_path)!r}, *{SMALL!r}]\n"
        "try: runpy.run_module('ptycho.workflows.grid_lines_workflow', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "sys.exit(sorted({'tensorflow', 'torch', 'scipy', 'skimage'} & set(sys.modules)) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    folder = tmp_path / "datasets" / "N64" / "gs1"
    said = [line.split(": ", 1) for line in ended.stdout.splitlines()]
    assert [path for path, _ in said] == [str(folder / "train.npz"), str(folder / "test.npz")]
    assert said[0][1].startswith("9 patterns, 64 × 64, of an object 80 × 80, 1e+09 photons each")
    assert sorted(path.name for path in folder.iterdir()) == ["test.npz", "train.npz"]


def test_equal_bytes_twice(tmp_path: Path) -> None:
    one, other = (tmp_path / name for name in ("one", "other"))
    for folder in (one, other):
        assert exit_code("--output-dir", str(folder), *SMALL) == 0
    for split, path in grid_lines_workflow.dataset_paths(one, 64, 1).items():
        assert path.read_bytes() == grid_lines_workflow.dataset_paths(other, 64, 1)[split].read_bytes()


@pytest.mark.parametrize("N", [128, 256])
def test_larger_patterns(tmp_path: Path, N: int, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--object-size", str(N + 8), "--gridsize", "2", "--step-test", "8")
    assert exit_code("--N", str(N), "--output-dir", str(tmp_path), *options) == 0
    data = read_datafile(tmp_path / "datasets" / f"N{N}" / "gs2" / "train.npz")
    assert data.diffraction.shape == (1, N, N, 4)
    assert capsys.readouterr().out.count("1 groups of 4") == 2


def test_a_probe_from_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "p.npz", probeGuess=rng.normal(size=(32, 32)) + 1j * rng.normal(size=(32, 32)))
    assert exit_code("--output-dir", str(tmp_path), "--probe", str(tmp_path / "p.npz"), *SMALL) == 0
    data = read_datafile(tmp_path / "datasets/N64/gs1/test.npz")
    assert np.count_nonzero(data.probe) == 32 * 32
    assert data.metadata["probe"] == "p.npz"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--N", "96"), "N: expected one of 64, 128, 256, got 96"),
        (("--gridsize", "3"), "gridsize: expected one of 1, 2, got 3"),
        (("--object-size", "63"), "object_size: expected at least 64, got 63"),
        (("--probe", "airy"), "probe: expected disk or gaussian, or an .npz file that holds probeGuess, got 'airy'"),
        (("--nphotons", "none"), "Error: Invalid value for '--nphotons': 'none' is not a valid float."),
        (("--photons", "1"), "Error: No such option"),
    ],
)
def test_2_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], message: str
) -> None:
    assert exit_code("--output-dir", str(tmp_path), *options) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_2_no_folder_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--N", "64") == 2
    assert "Missing option '--output-dir'" in capsys.readouterr().err


def test_3_a_probe_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--output-dir", str(tmp_path), "--probe", "none.npz") == 3
    assert capsys.readouterr().err == "grid_lines_workflow: none.npz: expected an .npz file, got no such file\n"


def test_3_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "datasets").write_text("in the way")
    assert exit_code("--output-dir", str(tmp_path), *SMALL) == 3
    assert capsys.readouterr().err == f"grid_lines_workflow: {tmp_path}/datasets/N64/gs1: Not a directory\n"


def test_3_a_fault_of_the_workflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(grid_lines_workflow, "simulate", None)
    assert exit_code("--output-dir", str(tmp_path), *SMALL) == 3
    assert "Traceback" in capsys.readouterr().err


def test_3_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(grid_lines_workflow, "simulate", interrupted)
    assert exit_code("--output-dir", str(tmp_path), *SMALL) == 3
    assert capsys.readouterr().err.strip() == "grid_lines_workflow: interrupted; nothing was written"
    assert list(tmp_path.iterdir()) == []
