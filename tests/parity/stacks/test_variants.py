"""Other executions of the same code, with a compiler or without a library: in a process of their own, and silent.

What an execution depends on is read when a framework starts.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from parity._ground.environment import TORCH_ONEDNN, TORCH_THREADS
from parity.runs.results import read_results

CONTRACT = "probe.gaussian"

USUAL = {
    TORCH_THREADS: "1",
    TORCH_ONEDNN: "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "1",
}


@pytest.mark.parametrize(
    ("stack", "mode", "unusual"),
    [("tensorflow", "xla", {}), ("torch", "eager", {TORCH_ONEDNN: "0"})],
    ids=["tensorflow xla", "torch without oneDNN"],
)
def test_another_execution_of_correct_code_is_silent(
    stack: str, mode: str, unusual: dict[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "parity", "run", CONTRACT, "--stack", stack, "--mode", mode, "--examples", "0"]
    environment = {**os.environ, **USUAL, **unusual}
    ended = subprocess.run(
        [*command, "--report", str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr or ended.stdout
    measured = read_results(tmp_path / "results.json")[CONTRACT]
    assert len({measurement.case for measurement in measured}) == 3
    assert 0 < max(measurement.ratio for measurement in measured) <= 1
