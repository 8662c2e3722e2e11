"""`parity preflight`: what it prints, and its exit codes."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from parity import cli
from parity.contracts.declared import REGISTRY
from parity.gate.preflight.findings import PreflightFinding, PreflightOutcome
from parity.gate.preflight.table import verdict

LOSSES = len(REGISTRY.select(["losses"]))

Preflight = Callable[..., tuple[int, str, str]]


@pytest.fixture
def preflight(parity_command: Preflight) -> Preflight:
    return partial(parity_command, "preflight")


def experiment(path: Path, diffraction: np.ndarray) -> str:
    coordinates = np.arange(len(diffraction), dtype=float)
    probe = np.ones(diffraction.shape[1:], complex)
    np.savez(path, diffraction=diffraction, probeGuess=probe, xcoords=coordinates, ycoords=coordinates)
    return str(path)


def drawn() -> np.ndarray:
    return np.random.default_rng(0).poisson(5.0, (4, 8, 8)).astype(float)


def test_0_without_a_data_set(preflight: Preflight) -> None:
    code, out, err = preflight()
    assert (code, err) == (cli.AGREE, "")
    assert f"numpy             {np.__version__}" in out
    assert "spectral convolution" in out
    assert "losses.poisson_nll" in out
    assert out.splitlines()[-1] == f"{LOSSES} checks passed"


def test_0_amplitudes(preflight: Preflight, tmp_path: Path) -> None:
    code, out, _ = preflight("--data", experiment(tmp_path / "a.npz", np.sqrt(drawn())))
    assert code == cli.AGREE
    assert out.splitlines()[-1] == f"{LOSSES + 2} checks passed"


def test_1_counts(preflight: Preflight, tmp_path: Path) -> None:
    good = experiment(tmp_path / "a.npz", np.sqrt(drawn()))
    code, out, _ = preflight("--data", good, "--data", experiment(tmp_path / "b.npz", drawn()))
    assert code == cli.DISAGREE
    assert "photon counts: float64" in out
    assert out.splitlines()[-1] == f"failed: diffraction ({tmp_path / 'b.npz'})"


def test_3_what_cannot_be_told(preflight: Preflight, tmp_path: Path) -> None:
    code, out, _ = preflight("--data", experiment(tmp_path / "a.npz", np.sqrt(drawn() + 0.3)))
    assert code == cli.NOT_CHECKED
    assert out.splitlines()[-1] == f"not checked: diffraction ({tmp_path / 'a.npz'})"


def test_3_no_such_file(preflight: Preflight, tmp_path: Path) -> None:
    code, out, err = preflight("--data", str(tmp_path / "none.npz"))
    assert (code, out) == (cli.NOT_CHECKED, "")
    assert err == f"parity: {tmp_path / 'none.npz'}: expected an .npz file, got no such file\n"


def test_the_verdict_names_what_was_not_checked_first() -> None:
    named = [
        (name, PreflightOutcome(outcome)) for name, outcome in (("a", "failed"), ("b", "not checked"), ("c", "passed"))
    ]
    findings = [PreflightFinding(name, outcome, "") for name, outcome in named]
    assert verdict({"x": findings[:1], "y": findings[1:]}) == "not checked: b (y); failed: a (x)"
    assert verdict({"y": findings[2:]}) == "1 check passed"
