"""What is installed, and which spectral convolution that makes active; nothing heavy is imported to say so."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from parity.gate.preflight import installation
from parity.gate.preflight.findings import PreflightOutcome
from parity.gate.preflight.installation import spectral_convolution, versions


def test_versions_are_those_that_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "PACKAGES", (("numpy",), ("no-such-one", "nor-this"), ("nor-this", "numpy")))
    python, *found = versions()
    assert python.text.startswith(".".join(map(str, sys.version_info[:3])))
    assert [(one.subject, one.text) for one in found] == [
        ("numpy", np.__version__),
        ("no-such-one or nor-this", "not installed"),
        ("numpy", np.__version__),
    ]
    assert {one.outcome for one in (python, *found)} == {PreflightOutcome.NOTED}


def test_neuraloperator_is_active_where_it_can_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "NEURALOPERATOR", "stand_in_for_neuralop")
    assert spectral_convolution().text.startswith("the fallback _FallbackSpectralConv2d, ")
    package = tmp_path / "stand_in_for_neuralop" / "__init__.py"
    package.parent.mkdir()
    package.write_text("raise AssertionError('was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert spectral_convolution().text == f"neuraloperator, {package}"


def test_the_place_of_the_fallback_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "NEURALOPERATOR", "there_is_no_such_module")
    monkeypatch.setattr(installation, "MIRRORS", {"ptycho_torch": tmp_path / "ptycho_torch"})
    monkeypatch.setattr(installation, "ROOT", tmp_path)
    assert spectral_convolution().text.endswith(", which is not in ptycho_torch")
    (tmp_path / "ptycho_torch" / "generators").mkdir(parents=True)
    (tmp_path / "ptycho_torch" / "generators" / "fno.py").write_text("\nclass _FallbackSpectralConv2d: ...\n")
    assert spectral_convolution().text.endswith(", ptycho_torch/generators/fno.py:2")


def test_no_framework_is_imported() -> None:
    program = (
        "import sys\n"
        "from parity import cli\n"
        "try: cli.main(['preflight'])\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "sys.exit(sorted({'tensorflow', 'torch', 'neuralop'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
