"""Where definitions are, and what is said of one that is missing."""

from dataclasses import replace
from pathlib import Path

from parity._ground.repository import ROOT
from parity.contracts.contract import Entry
from parity.contracts.declared import REGISTRY
from parity.gate.preflight.findings import PreflightOutcome
from parity.gate.preflight.places import implementations, place, places

FOLDERS = ("ptycho", "ptycho_torch", "parity/physics/oracle")


def test_a_definition_is_found_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "a.py"
    path.parent.mkdir()
    path.write_text("import os\n\n\ndef one():\n    def inner(): ...\n\n\nclass Two: ...\n")
    assert [found.line for found in (place(path, "one"), place(path, "Two")) if found] == [4, 8]
    assert place(path, "inner") is None
    assert place(tmp_path / "none.py", "one") is None
    assert [found.relative_to(tmp_path) for found in places(tmp_path, "Two")] == ["sub/a.py:8"]


def test_every_loss_is_where_it_is_said_to_be() -> None:
    for contract in REGISTRY.select(["losses"]):
        finding = implementations(contract)
        assert finding.outcome is PreflightOutcome.PASSED
        first, *entries = finding.text.splitlines()
        files = [said.rpartition(":") for said in first.split()]
        assert [path for path, _, _ in files] == [f"{folder}/losses.py" for folder in FOLDERS]
        for path, _, line in files:
            assert (ROOT / path).read_text().splitlines()[int(line) - 1].startswith(f"def {contract.function}(")
        assert len(entries) == len(contract.entries)


def test_a_module_class_is_found_by_its_own_name() -> None:
    said = implementations(REGISTRY["losses.poisson_nll"]).text.splitlines()[1]
    path, name = said.split()
    file, _, line = path.partition(":")
    assert (file, name) == ("ptycho_torch/model.py", "PoissonIntensityLayer")
    assert "class PoissonIntensityLayer" in (ROOT / file).read_text().splitlines()[int(line) - 1]


def test_one_that_is_missing_fails() -> None:
    contract = replace(
        REGISTRY["losses.mae"], name="losses.mse", entries=(Entry("torch", "model.MSELoss", lambda call, a: None),)
    )
    finding = implementations(contract)
    assert finding.outcome is PreflightOutcome.FAILED
    assert finding.text.splitlines() == [
        "ptycho/losses.py: none  ptycho_torch/losses.py: none  parity/physics/oracle/losses.py: none",
        "ptycho_torch/model.py: none MSELoss",
    ]
